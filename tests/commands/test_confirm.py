"""Whether what is installed imports, and why not: real processes, and fixes resolved on an index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wheelcheck
from doors import PROJECTS, stand_alone
from environments import make_environment
from loopback import Server, simple_index
from wheelcheck.cli.main import main
from wheelcheck.common.errors import UsageError
from wheelcheck.diagnosis.confirmation import ModuleResult
from wheels import Dist, make_wheel, metadata_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MORE: dict[str, list[Dist]] = {
    "numpy": [make_wheel("numpy", "1.26.4"), make_wheel("numpy", "2.2.6")],
    "tensorflow-cpu": [make_wheel("tensorflow-cpu", version, requires=["numpy>=1.23"]) for version in ("2.14.0",)],
    "opencv-python": [make_wheel("opencv-python", "4.9")],
}
ABI = """raise AttributeError("_ARRAY_API not found")"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("bare") / "venv", pip=False)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, tmp_path)
    with simple_index({**PROJECTS, **MORE}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory on PYTHONPATH with distributions, as ``pip install --target`` leaves them."""
    place = tmp_path / "installed"
    place.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(place))
    return place


def install(site: Path, project: str, version: str, files: dict[str, str], requires: tuple[str, ...] = ()) -> None:
    info = f"{project.replace('-', '_')}-{version}.dist-info"
    metadata = metadata_text(project, version, requires=list(requires))
    for name, text in {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/RECORD": "\n".join(f"{n},," for n in files),
    }.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def only(confirmation: wheelcheck.Confirmation) -> ModuleResult:
    (module,) = confirmation.modules
    return module


def test_what_imports_has_no_diagnosis(site: Path, bare: Path) -> None:
    install(site, "spam", "1.0", {"spam.py": "__version__ = '1.0'"})
    confirmation = wheelcheck.confirm(["spam", "json"], python=str(bare))
    assert confirmation
    assert confirmation.exit_code == 0
    assert [(m.module, m.level, m.diagnosis) for m in confirmation.modules] == [
        ("spam", "imported", None),
        ("json", "imported", None),
    ]


def test_a_fix_names_the_version_that_goes_with_what_is_installed(site: Path, bare: Path, index: Server) -> None:
    """Metadata admits NumPy 2, a curated rule does not."""
    install(site, "numpy", "2.2.6", {"numpy/__init__.py": ""})
    install(site, "tensorflow-cpu", "2.14.0", {"tensorflow/__init__.py": ABI}, ("numpy>=1.23",))
    found = only(wheelcheck.confirm(["tensorflow"], python=str(bare)))
    assert found.diagnosis is not None
    assert found.diagnosis.cause == "numpy-abi"
    assert found.diagnosis.fixes[0] == f"{bare} -m pip install numpy==1.26.4"
    assert (found.project, found.version) == ("tensorflow-cpu", "2.14.0")


def test_without_an_index_fixes_stay_as_they_are(
    site: Path, bare: Path, index: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "numpy", "2.2.6", {"numpy/__init__.py": ""})
    install(site, "tensorflow-cpu", "2.14.0", {"tensorflow/__init__.py": ABI}, ("numpy>=1.23",))
    expected = f"{bare} -m pip install 'numpy<2'"
    for found in (
        only(wheelcheck.confirm(["tensorflow"], python=str(bare), no_remedies=True)),
        only(wheelcheck.confirm(["tensorflow"], python=str(bare), index_url="http://127.0.0.1:1/")),
    ):
        assert found.diagnosis is not None
        assert found.diagnosis.fixes[0] == expected


def test_what_is_not_installed_is_offered_as_the_index_has_it(bare: Path, index: Server) -> None:
    confirmation = wheelcheck.confirm(["cv2", "no-such-project"], python=str(bare))
    cv2, other = confirmation.modules
    assert cv2.diagnosis is not None
    assert (cv2.diagnosis.cause, cv2.level) == ("module-missing", "none")
    # a curated rule says what this wheel needs beside its metadata
    assert cv2.diagnosis.fixes == (f"{bare} -m pip install opencv-python==4.9 numpy==1.26.4",)
    assert other.diagnosis is not None
    assert confirmation.exit_code == 1


def test_the_document_and_the_text(
    site: Path,
    bare: Path,
    index: Server,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(site, "spam", "1.0", {"spam.py": "import eggs\neggs.boiled"})
    install(site, "eggs", "3.0", {"eggs.py": "boiled = True"})
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "eggs.py").write_text("")
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "over"), str(site)]))
    monkeypatch.setenv("COLUMNS", "80")
    # eggs is installed on PYTHONPATH only, so nothing of Python's own is hidden
    assert main(["confirm", "spam", "--python", str(bare), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "wheelcheck/confirm/1"
    assert document["ok"] is False
    (module,) = document["modules"]
    assert {"cause", "also", "facts", "explanation", "fixes"} <= set(module["diagnosis"])
    assert main(["confirm", "spam", "--python", str(bare)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "import spam 1.0: failed"
    assert lines[1].startswith(f"  {module['diagnosis']['cause']}: ")
    assert max(len(line) for line in lines[:-1] if "/" not in line) <= 80
    assert f"tried with {bare} (Python " in " ".join(" ".join(lines).split())


def test_a_shadowing_file_is_the_cause_and_its_fix_works(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name, place in (("random", tmp_path / "over"), ("json", tmp_path / "here")):
        place.mkdir(exist_ok=True)
        (place / f"{name}.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "over"))
    for name, place in (("secrets", tmp_path / "over" / "random.py"), ("json", tmp_path / "here" / "json.py")):
        found = only(wheelcheck.confirm([name], python=str(bare)))
        assert found.diagnosis is not None
        assert found.diagnosis.cause == "module-shadowed"
        assert found.diagnosis.facts["file"] == str(place)
        if os.name == "posix":
            subprocess.run(found.diagnosis.fixes[0], shell=True, check=True)
            assert wheelcheck.confirm([name], python=str(bare)).ok


def test_the_environment_may_be_ignored(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert wheelcheck.confirm(["secrets"], python=str(bare)).ok is False
    assert wheelcheck.confirm(["secrets"], python=str(bare), ignore_environment=True).ok is True


def test_a_version_stands_for_an_installed_python() -> None:
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = wheelcheck.confirm(["json"], python=minor)
    assert found.ok
    assert str(found.python).startswith(f"{minor}.")


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ([], {}, "Nothing to confirm"),
        ("json", {}, r"a list, such as \['json'\]"),
        (["six==1.16"], {}, "'six==1.16' is neither a module nor a project"),
        (["-m"], {}, "neither a module nor a project"),
        (["a/b"], {}, "neither a module nor a project"),
        (["json"], {"python": "3.6.99"}, "No Python 3.6.99 was found on this machine"),
        (["json"], {"python": "/nowhere/python"}, "/nowhere/python"),
        (["json"], {"timeout": 0}, "time-out"),
    ],
)
def test_bad_usage_is_one_sentence(names: list[str], options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        wheelcheck.confirm(names, **options)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(os.name != "posix", reason="a shell script as interpreter")
def test_an_interpreter_that_answers_once_and_then_no_more_is_exit_code_2(
    tmp_path: Path, bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *_probe*) exit 9;; esac\nexec {bare} "$@"\n')
    python.chmod(0o755)
    assert main(["confirm", "json", "--python", str(python)]) == 2
    assert "ended before the first import (exit code 9)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.skipif(sys.platform != "linux", reason="has a small file system by the limits of Linux")
def test_a_full_disk_is_told(tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of zero on the size of files stands in for it: the answer cannot be written."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/bash\ncase "$*" in *_probe*) trap "" XFSZ; ulimit -f 0;; esac\nexec {bare} "$@"\n')
    python.chmod(0o755)
    confirmation = wheelcheck.confirm(["json"], python=str(python))
    assert confirmation.exit_code == 2
    assert "File too large" in str(confirmation.to_dict()["why"])
