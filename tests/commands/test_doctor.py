"""Broken environments made for real: each is recognised, and what mends it leads to an environment that is well."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from broken import (
    BROKEN,
    INDEX,
    Place,
    a_file_that_is_missing,
    a_file_with_other_bytes,
    a_requirement_of_another_version,
    numpy_2_beside_an_old_tensorflow,
)
from doors import stand_alone
from environments import copied
from loopback import Server, simple_index
from wheelcheck.cli.main import main
from wheels import metadata_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="makes ELF files and runs fixes in bash")


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    with simple_index(INDEX) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def place(tmp_path: Path, environment_python: Path) -> Place:
    return Place(copied(environment_python.parent.parent, tmp_path / "venv"))


@pytest.mark.parametrize(("broken", "kinds"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_environment_is_recognised_and_its_fixes_mend_it(
    place: Place, broken: Callable[[Place], None], kinds: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    broken(place)
    hashes = broken is a_file_with_other_bytes
    found = wheelcheck.audit(python=place.python, hashes=hashes)
    assert kinds <= {one.kind for one in found.findings} <= {*kinds, "FileAltered", "SameModule"}, found.findings
    assert all(one.message.endswith((".", "limit.")) and "\n" not in one.message for one in found.findings)
    for command in found.commands:
        subprocess.run(["bash", "-ec", command], check=True, capture_output=True)
    again = wheelcheck.audit(python=place.python, hashes=hashes)
    assert again.findings == ()
    assert again.ok


def test_what_pip_has_installed_is_well(place: Place) -> None:
    place.pip("user", "native", "tensorflow-cpu", "numpy<2", "spam")
    found = wheelcheck.audit(python=place.python, hashes=True)
    assert found.findings == ()


def test_only_what_bears_on_a_project(place: Place) -> None:
    numpy_2_beside_an_old_tensorflow(place)
    a_file_that_is_missing(place)
    every = {one.kind for one in wheelcheck.audit(python=place.python).findings}
    assert every == {"RuleBroken", "FileMissing"}
    for name in ("tensorflow", "tensorflow-cpu", "numpy"):
        (one,) = wheelcheck.audit([name], python=place.python).findings
        assert (one.kind, one.rule) == ("RuleBroken", "tensorflow-cpu-2.14.0-needs-numpy-1")
        assert one.fix == f"{place.python} -m pip install numpy==1.26.4"
    assert [one.kind for one in wheelcheck.audit(["native"], python=place.python).findings] == ["FileMissing"]
    assert wheelcheck.audit(["alone"], python=place.python) if place.pip("alone") else True


def test_rules_may_be_ignored_and_fixes_do_without_an_index(place: Place, index: Server) -> None:
    numpy_2_beside_an_old_tensorflow(place)
    rule = "tensorflow-cpu-2.14.0-needs-numpy-1"
    assert wheelcheck.audit(python=place.python, no_rules=True).ok
    assert wheelcheck.audit(python=place.python, ignore=[rule]).ok
    (one,) = wheelcheck.audit(python=place.python, index_url="http://127.0.0.1:1/").findings
    assert one.fix == f"{place.python} -m pip install 'numpy<2'"


def test_an_environment_may_be_recorded_and_examined_elsewhere(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_requirement_of_another_version(place)
    recorded = tmp_path / "recorded.json"
    arguments = ["doctor", "--python", str(place.python), "--format", "json"]
    assert main([*arguments, "--record", str(recorded)]) == 1
    first = json.loads(capsys.readouterr().out)
    shutil.rmtree(place.python.parent.parent)
    assert main(["doctor", "--environment", str(recorded), "--format", "json"]) == 1
    second = json.loads(capsys.readouterr().out)
    assert first["findings"] == second["findings"]
    assert first["distributions"] == second["distributions"]


def test_the_document(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    a_requirement_of_another_version(place)
    assert main(["doctor", "--python", str(place.python), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "wheelcheck/doctor/1"
    assert document["ok"] is False
    assert {"path", "translated"} <= set(document["interpreter"])
    by_name = {one["name"]: one for one in document["distributions"]}
    assert by_name["eggs"]["ok"] is True
    (finding,) = by_name["user"]["findings"]
    assert {"kind", "message", "fix", "diagnosis"} <= set(finding)
    assert document["findings"] == [finding]


def test_the_text(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    a_requirement_of_another_version(place)
    assert main(["doctor", "--python", str(place.python)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{place.python}: 1 finding"
    assert "  UnmetRequirement: user 1.0 requires eggs<2, and eggs 2.0 is installed." in lines
    assert lines[lines.index("What mends it, in this order:") + 1 :]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"projects": "six"}, r"a list, such as \['six'\]"),
        ({"projects": ["nosuchproject"]}, "nosuchproject is not installed in"),
        ({"python": "/nowhere/python"}, "/nowhere/python"),
        ({"environment": "/nowhere.json"}, "/nowhere.json could not be read"),
    ],
)
def test_bad_usage_is_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(wheelcheck.UsageError, match=message):
        wheelcheck.audit(**arguments)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "wheelcheck/environment/1"}', "\xff", "[" * 100_000])
def test_a_damaged_description_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(wheelcheck.UsageError, match=r"recorded\.json"):
        wheelcheck.audit(environment=path)


def test_hostile_metadata_is_a_finding_and_never_a_traceback(place: Place) -> None:
    for number, (name, content) in enumerate(
        {
            "METADATA": "Name: \x00\nVersion: 1",
            "RECORD": '"unclosed\n../../../../etc/passwd,sha256=x,1\n\x00,,\n',
            "WHEEL": "Tag: a-b\nTag: -\nTag: \udcff-x-y",
            "INSTALLER": "\x1b[2J" * 1000,
        }.items()
    ):
        folder = place.site / f"odd{number}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(metadata_text(f"odd{number}", "1.0"))
        (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    (place.site / "odd9-1.0.dist-info").write_text("a file")
    found = wheelcheck.audit(python=place.python)
    assert {one.kind for one in found.findings} <= {"BadMetadata", "FileAltered", "FileMissing", "WrongTags"}


def test_a_finding_says_what_an_import_fails_of(place: Place) -> None:
    a_file_that_is_missing(place)
    (one,) = wheelcheck.audit(python=place.python).findings
    assert one.diagnosis is not None
    assert (one.diagnosis.cause, one.diagnosis.fixes) == ("corrupted-install", (one.fix,))


# -- environments of other machines, described from the contents of real wheels: tests/support/describe_wheels.py

RECORDED = Path(__file__).parents[2] / "fixtures" / "environments"
KINDS: dict[str, list[str]] = {
    "conda": ["CondaPipMix"],
    "mac-healthy": [],
    "mac-metal": ["RuleBroken"],
    "mac-rosetta": ["Translated", "RuleBroken"],
    "mac-that-is-too-old": ["OsTooOld", "OsTooOld"],
    "mac-with-an-intel-wheel": ["WrongTags", "WrongArchitecture"],
    "mac-with-cuda": ["WrongTags", "WrongArchitecture", "CudaOnMac"],
    "windows-with-a-32-bit-wheel": ["WrongTags", "WrongArchitecture"],
    "windows-with-two-of-a-kind": ["SameModule"],
}


@pytest.mark.parametrize(("name", "kinds"), KINDS.items(), ids=KINDS)
def test_an_environment_of_another_machine(name: str, kinds: list[str]) -> None:
    found = wheelcheck.audit(environment=RECORDED / f"{name}.json", no_remedies=True)
    assert [one.kind for one in found.findings] == kinds
    # what is wrong with one project is mended by one command
    if name != "mac-rosetta":
        assert len(found.commands) == min(len(kinds), 1)


def test_every_recorded_environment_is_examined() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == KINDS.keys()
