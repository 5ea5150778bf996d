"""What failed installs and imports print, and the cause that is told of it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wheelcheck
from score_diagnoses import diagnosed, failures, is_right
from wheelcheck.cli.main import main
from wheelcheck.diagnosis import diagnose as module
from wheelcheck.diagnosis.lines import LONG

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILIES = tomllib.loads((Path(__file__).parent / "families.toml").read_text("utf-8"))["text"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "diagnose.md"


@pytest.mark.parametrize("row", FAMILIES, ids=[f"{row['cause']}-{place}" for place, row in enumerate(FAMILIES)])
def test_a_text_of_each_family_has_its_cause(row: dict[str, Any]) -> None:
    found = wheelcheck.diagnose(row["text"], row.get("returncode"))
    assert found.cause == row["cause"]
    assert row.get("facts", {}).items() <= found.facts.items()
    assert found.explanation
    assert "{" not in found.explanation


def share(rows: Sequence[dict[str, Any]]) -> float:
    return sum(is_right(one, diagnosed(one).cause) for one in rows) / len(rows)


def test_the_texts_of_real_users_have_the_causes_that_were_found() -> None:
    known, held_out = failures(held_out=False), failures(held_out=True)
    assert share([*known, *held_out]) >= 0.95
    assert share(held_out) >= 0.8


def test_nothing_that_works_is_called_a_failure() -> None:
    for one in [*failures(held_out=False), *failures(held_out=True)]:
        if one["cause"] == "benign":
            assert diagnosed(one).cause == "benign"


def test_the_target_decides_what_a_signal_means() -> None:
    for text, cause in {
        "macos-14-x86_64-cp311": "rosetta-avx",
        "manylinux_2_28_x86_64-cp311": "cpu-no-avx",
        "macos-14-arm64-cp311": "crash-undetermined",
    }.items():
        assert wheelcheck.diagnose("", -4, text).cause == cause
        assert wheelcheck.diagnose("", 132, wheelcheck.Target.parse(text)).cause == cause


def test_the_first_real_error_counts() -> None:
    text = (
        "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.1.0 as it may crash.\n"
        "Traceback (most recent call last):\nImportError: numpy.core.multiarray failed to import\n"
        "During handling of the above exception, another exception occurred:\n"
        "ModuleNotFoundError: No module named 'something'\n"
    )
    found = wheelcheck.diagnose(text)
    assert found.cause == "numpy-abi"
    assert found.facts["line"].startswith("A module that was compiled")


def test_escape_codes_and_carriage_returns_are_no_hindrance() -> None:
    text = "\x1b[31mImportError: libGL.so.1: cannot open shared object file: No such file\x1b[0m\r\n"
    assert wheelcheck.diagnose(text).facts["library"] == "libGL.so.1"


def test_a_fix_is_a_command_without_gaps() -> None:
    for row in FAMILIES:
        for fix in wheelcheck.diagnose(row["text"], row.get("returncode")).fixes:
            assert "{" not in fix
            assert "  " not in fix


# -- the data


def test_every_cause_of_the_patterns_is_explained_and_documented() -> None:
    causes = set(module._causes())
    patterns = module._patterns()
    assert {cause for row in patterns for cause in (row.cause, *row.also)} <= causes
    assert set(re.findall(r"^\| `([\w-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)) == causes
    assert {row["cause"] for row in FAMILIES} >= {row.cause for row in patterns}


def test_every_pattern_has_a_source_and_words_to_look_for() -> None:
    for name in module.PATTERNS:
        for row in module._read(name)["pattern"]:
            assert row["source"]
            assert all(len(word) >= 2 for word in row["has"])
            assert 1 <= row["rank"] <= 9


# -- hostile texts

REPEATED = [
    *("a", "\n", "(", "/", "undefined symbol: ", "No module named 'x'\n", "Symbol not found: _x\n \n", "dlopen(/"),
    *("Could not find a version that satisfies the requirement ", "C:\\x", "Error: ", "\x1b[", "has no attribute '"),
    *("killed ", "(from versions: 1.0, ", "version `GLIBC_", "mach-o ", "numpy.", "cannot import name 'x' from 'y' ("),
]


@pytest.mark.parametrize("unit", REPEATED, ids=lambda unit: repr(unit)[:30])
def test_a_text_that_repeats_itself_ends(unit: str) -> None:
    """A pattern whose time grows with the square of a text would not end on these before the tests are given up."""
    found = wheelcheck.diagnose(unit * (2 * LONG // len(unit)), 1)
    assert found.exit_code in (1, 2)


@given(st.text(max_size=400), st.one_of(st.none(), st.integers(-300, 2**32)))
def test_any_text_has_a_diagnosis(text: str, code: int | None) -> None:
    found = wheelcheck.diagnose(text, code)
    assert json.dumps(found.to_dict())
    assert found.exit_code in (0, 1, 2)


def test_a_long_log_is_read_in_the_middle_too() -> None:
    line = "2026-01-01 INFO step done, no error so far, nothing that failed or could not be found in this module\n"
    half = line * (LONG // len(line))
    text = f"{half}ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n{half}"
    assert wheelcheck.diagnose(text).cause == "missing-shared-library"


# -- the command


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["diagnose", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_reads_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "log").write_text(
        "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n"
    )
    code, out, _ = run(capsys, str(tmp_path / "log"))
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith("missing-shared-library: A library of the system (libGL.so.1) is not installed.")
    assert max(map(len, lines)) <= 80
    code, out, _ = run(capsys, str(tmp_path / "log"), "--format", "json")
    assert json.loads(out)["schema"] == "wheelcheck/diagnose/1"
    (tmp_path / "log").write_text("AttributeError: _ARRAY_API not found", encoding="utf-16")  # as PowerShell writes it
    assert run(capsys, str(tmp_path / "log"))[1].startswith("numpy-abi")


def test_the_command_takes_a_return_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text("")
    assert run(capsys, str(tmp_path / "log"), "--returncode", "-11")[0] == 1
    assert run(capsys, str(tmp_path / "log"), "--returncode", "0")[0] == 0
    assert run(capsys, str(tmp_path / "log"))[0] == 2


def test_bad_usage_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([str(tmp_path / "none")], [str(tmp_path)], [str(tmp_path / "none"), "--returncode", "many"]):
        code, out, err = run(capsys, *arguments)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
    with pytest.raises(wheelcheck.UsageError):
        wheelcheck.diagnose(b"bytes")  # type: ignore[arg-type]


def test_the_example_of_the_page_runs() -> None:
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        exec(block, {})


@pytest.mark.parametrize(
    ("text", "fixes"),
    [
        ("ModuleNotFoundError: No module named 'imp'", "python3.11 -m venv .venv-3.11"),
        ("ModuleNotFoundError: No module named 'asyncore'", "python3.11 -m venv .venv-3.11"),
        (
            "  File \"/v/site-packages/mine/a.py\", line 1\nModuleNotFoundError: No module named 'yaml'",
            "python -m pip install pyyaml",
        ),
        ("ImportError: DLL load failed while importing _pywrap_tensorflow_internal: x", "--no-cache-dir tensorflow"),
        ("AttributeError: 'MessageFactory' object has no attribute 'GetPrototype'", "pip install 'protobuf<6'"),
    ],
)
def test_fixes_install_what_helps(text: str, fixes: str) -> None:
    found = wheelcheck.diagnose(text)
    assert any(fix.endswith(fixes) for fix in found.fixes), found


@pytest.mark.parametrize(
    "text", ["ImportError: DLL load failed while importing _foo: x", "ModuleNotFoundError: No module named '_foo'"]
)
def test_no_fix_installs_an_option_or_what_nobody_named(text: str) -> None:
    assert not [fix for fix in wheelcheck.diagnose(text).fixes if " -foo" in fix or fix.endswith(" foo")]
