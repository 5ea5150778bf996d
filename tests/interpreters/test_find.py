"""Interpreters: each described as it sees itself, what cannot be asked refused, and texts that need the host."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
from functools import cache
from pathlib import Path
from typing import Any

import packaging
import pytest
from packaging import _musllinux, markers, tags
from packaging.utils import canonicalize_name
from packaging.version import Version

from processes import lives
from wheelcheck.common.errors import UsageError
from wheelcheck.interpreters import _describe
from wheelcheck.interpreters import find as interpreters
from wheelcheck.interpreters.find import describe, facts_of, installed, load, target_of
from wheelcheck.targets.python import read_python
from wheelcheck.targets.target import read_target

HERE = Path(sys.executable)
POSIX = pytest.mark.skipif(os.name != "posix", reason="scripts with a #! line are POSIX")
ROOT = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
OTHERS = sorted(ROOT.glob("versions/*/bin/python"))
SEES_ITSELF = """
import json, platform, sys, sysconfig
try:
    from packaging.markers import default_environment
    from packaging.tags import sys_tags
    view = {"tags": [str(tag) for tag in sys_tags()], "environment": default_environment()}
except (ImportError, SyntaxError, TypeError):
    view = {}
view["version"] = platform.python_version()
view["suffix"] = sysconfig.get_config_var("EXT_SUFFIX")
json.dump(view, open(sys.argv[1], "w"))
"""


# -- the interpreter that runs


def test_tags_of_the_running_interpreter_are_those_of_packaging_in_order() -> None:
    assert list(describe().tags) == [str(tag) for tag in tags.sys_tags()]


def test_markers_of_the_running_interpreter_are_those_of_packaging() -> None:
    assert dict(describe().environment) == dict(markers.default_environment())


def test_the_running_interpreter_is_described_truly() -> None:
    target = describe()
    assert Version(target.python).release == sys.version_info[:3]
    assert target.implementation == sys.implementation.name
    assert target.interpreter == sys.executable
    assert target.free_threaded == bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert not target.assumed
    assert target_of("running") == target_of(None) == target


def test_asking_the_running_interpreter_by_its_path_says_the_same() -> None:
    assert describe(HERE) == describe(str(HERE)) == target_of(str(HERE)) == describe()


# -- other interpreters


@cache
def packaging_alone(directory: Path) -> Path:
    """A directory to put on PYTHONPATH that has packaging and nothing else."""
    shutil.copytree(Path(packaging.__file__).parent, directory / "packaging", dirs_exist_ok=True)
    return directory


def own_view(python: Path, place: Path, *extra_path: Path) -> dict[str, Any]:
    answer = place / "view.json"
    path = os.pathsep.join(map(str, (packaging_alone(place / "library"), *extra_path)))
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([python, "-c", SEES_ITSELF, answer], cwd=place, env=environment, check=True, timeout=60)
    view: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return view


@pytest.mark.parametrize("python", OTHERS, ids=lambda path: path.parent.parent.name)
def test_an_interpreter_is_described_as_it_sees_itself(python: Path, tmp_path: Path) -> None:
    view = own_view(python, tmp_path)
    if Version(view["version"]) < Version("3.6"):
        with pytest.raises(
            UsageError, match=rf"{re.escape(str(python))} is Python {view['version']}, which is too old"
        ):
            describe(python)
        return
    target = describe(python)
    assert (target.python, target.interpreter) == (view["version"], str(python))
    if target.implementation == "cpython":
        assert f".{target.abi.replace('cp', 'cpython-')}-" in view["suffix"]
    if "tags" in view:
        assert list(target.tags) == view["tags"]
        assert dict(target.environment) == view["environment"]


@pytest.fixture(scope="session")
def bare_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment without pip."""
    place = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(place, with_pip=False, symlinks=os.name == "posix")
    return place


def site_packages(environment: Path) -> Path:
    return next(iter([*environment.glob("lib/*/site-packages"), environment / "Lib" / "site-packages"]))


def test_the_directory_of_an_environment_means_its_interpreter(bare_venv: Path) -> None:
    target = target_of(str(bare_venv))
    assert target == describe()
    assert Path(target.interpreter or "").is_relative_to(bare_venv)


def test_a_directory_without_a_separator_is_found_where_it_is_no_target(
    bare_venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bare_venv.parent)
    assert Path(target_of("venv").interpreter or "").is_relative_to(bare_venv)
    assert target_of("macos-14-arm64", "venv").python == describe().python


def test_what_is_a_target_by_its_spelling_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("windows", "macos-14-arm64-cp312", "3.12"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert target_of("windows").platform.tag == "win_amd64"
    assert target_of("macos-14-arm64-cp312") == read_target("macos-14-arm64-cp312")
    assert target_of("windows", "3.12") == read_target("windows-3.12")


@POSIX
def test_a_name_is_looked_for_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python3.98").symlink_to(HERE)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert target_of("python3.98").interpreter == str(tmp_path / "python3.98")
    with pytest.raises(UsageError, match=r"There is no python3\.97 on PATH"):
        target_of("python3.97")


def test_the_home_directory_may_be_written_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "python"))):
        target_of("~/python")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="manylinux is about Linux")
@pytest.mark.parametrize(
    "module",
    [
        "manylinux2014_compatible = False",
        "manylinux1_compatible = manylinux2010_compatible = False",
        "def manylinux_compatible(major, minor, arch): return None if minor > 20 else minor % 2 == 0",
        "def manylinux_compatible(major, minor, arch): return False",
    ],
)
def test_a_manylinux_module_of_an_environment_is_obeyed(module: str, bare_venv: Path, tmp_path: Path) -> None:
    override = site_packages(bare_venv) / "_manylinux.py"
    override.write_text(module, "utf-8")
    try:
        target = describe(bare_venv)
        assert list(target.tags) == own_view(bare_venv / "bin" / "python", tmp_path)["tags"]
        assert target != describe()
    finally:
        override.unlink()
        shutil.rmtree(site_packages(bare_venv) / "__pycache__", ignore_errors=True)


# -- nothing of the caller gets in the way

EVIL = "raise SystemExit('a file of the caller was imported in place of the standard library')"


def test_files_of_the_working_directory_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("platform", "json", "sysconfig", "re", "subprocess"):
        (tmp_path / f"{name}.py").write_text(EVIL, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert describe(HERE) == describe()


def test_variables_for_the_callers_python_do_not_reach_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text(EVIL, "utf-8")
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert describe(HERE) == describe()
    assert installed(HERE)


def test_a_file_beside_the_callers_script_does_not_change_what_runs(tmp_path: Path) -> None:
    (tmp_path / "platform.py").write_text("def system(): return 'Amiga'\ndef mac_ver(): return '1.0'\n", "utf-8")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from wheelcheck.interpreters.find import describe; open(sys.argv[1], 'w').write(describe().name)",
        "utf-8",
    )
    subprocess.run([sys.executable, script, tmp_path / "name"], check=True, timeout=60, cwd=tmp_path)
    assert (tmp_path / "name").read_text("utf-8") == describe().name


# -- what cannot be asked


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        describe(tmp_path / "python")
    with pytest.raises(UsageError, match="is not the path of an interpreter"):
        describe("")
    with pytest.raises(UsageError, match="is not the path of an interpreter"):
        target_of("/usr/bin/\0python")
    with pytest.raises(UsageError, match="cannot be run"):
        describe(tmp_path / ("x" * 5000))


def test_a_directory_without_an_interpreter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory without an interpreter"):
        describe(tmp_path)


def test_a_file_that_is_not_executable_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_text("print('hello')", "utf-8")
    path.chmod(stat.S_IRUSR)
    with pytest.raises(UsageError, match=r"is not executable|is not an interpreter"):
        describe(path)


@POSIX
def test_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    loop, dangling = tmp_path / "loop", tmp_path / "dangling"
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match=r"loop cannot be run: .*symbolic links"):
        describe(loop)
    with pytest.raises(UsageError, match="is a link to nothing"):
        describe(dangling)


@POSIX
def test_a_pipe_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is not a file"):
        describe(tmp_path / "pipe")


BROKEN = {
    "ends without an answer": ("exit 0", "it ended without an answer"),
    "fails": ("exit 3", "it ended with exit code 3. Name"),
    "fails and says why": ("echo 'no such thing' >&2; exit 1", r"exit code 1 \(no such thing\)"),
    "is killed": ("kill -9 $$", "signal 9 ended it"),
    "answers garbage": ("echo 'Python 3.12' > \"$2\"", "its answer is not JSON"),
    "answers something else": ("echo '[1, 2]' > \"$2\"", "does not describe a Python"),
    "answers an empty object": ("echo '{}' > \"$2\"", "does not describe a Python"),
    "answers nonsense": (
        'echo \'{"version": "x", "environment": [], "executable": 5}\' > "$2"',
        "does not describe a Python",
    ),
    "prints terminal codes": ("printf '\\033[2J boo' >&2; exit 1", r"\(\[2J boo\)"),
    "prints much": ("head -c 3000000 /dev/zero >&2; exit 1", "exit code 1"),
}


@POSIX
@pytest.mark.parametrize("case", BROKEN)
def test_an_executable_that_is_no_interpreter_is_refused(case: str, tmp_path: Path) -> None:
    body, words = BROKEN[case]
    with pytest.raises(UsageError, match=words) as caught:
        describe(script(tmp_path / "python", body))
    assert str(tmp_path / "python") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@POSIX
def test_a_program_of_another_system_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_bytes(b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01")
    path.chmod(0o755)
    with pytest.raises(UsageError, match="Exec format error"):
        describe(path)


@POSIX
def test_an_interpreter_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    path = script(tmp_path / "python", f"sleep 600 & echo $! > {tmp_path}/new; mv {tmp_path}/new {started}; sleep 600")
    patience = 0.5
    while not started.exists():  # a busy machine may need longer to come so far
        with pytest.raises(UsageError, match=rf"did not answer within {patience:g} seconds"):
            facts_of(path, patience=patience)
        patience *= 2
    assert not lives(int(started.read_text("utf-8")))


@POSIX
def test_what_an_old_python_answers_is_refused_with_its_version(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    facts: dict[str, Any] = _describe.describe()  # type: ignore[no-untyped-call]
    facts |= {"version": [2, 7, 18], "executable": "/opt/python2", "environment": {"python_full_version": "2.7.18"}}
    answer.write_text(json.dumps(facts), "utf-8")
    with pytest.raises(UsageError, match=r"/opt/python2 is Python 2\.7\.18, which is too old"):
        describe(script(tmp_path / "python", f'cp {answer} "$2"'))


# -- a target and a Python together


@pytest.mark.parametrize("python", ["3.12", "cp313t", "3.11.4", "pp310"])
def test_a_version_alone_is_put_on_the_running_platform(python: str) -> None:
    target = target_of(None, python)
    assert target.platform == describe().platform
    assert target.abi == read_python(python).abi
    assert target.environment["platform_release"] == describe().environment["platform_release"]
    assert target.environment["platform_python_implementation"] == ("PyPy" if python[0] == "p" else "CPython")
    assert target.interpreter is None


def test_a_path_alone_is_that_interpreter() -> None:
    assert target_of(None, str(HERE)) == describe()


def test_a_platform_alone_takes_the_running_python_and_says_so() -> None:
    target, running = target_of("windows-arm64"), describe()
    assert (target.python, target.abi, target.implementation) == (running.python, running.abi, running.implementation)
    assert "python" in target.assumed
    assert target.interpreter is None
    assert target.environment["platform_release"] == ""


def test_a_platform_with_the_python_of_a_path() -> None:
    target = target_of("windows-arm64", str(HERE))
    assert (target.python, target.platform.tag, target.assumed) == (describe().python, "win_arm64", frozenset())


def test_a_platform_with_a_version() -> None:
    assert target_of("macos-14-arm64", "3.12.4") == read_target("macos-14-arm64-3.12.4")
    assert target_of("macos-14-arm64-3.12.4") == read_target("macos-14-arm64-3.12.4")


@pytest.mark.parametrize("text", ["running", "RUNNING", "macos-14-arm64-cp312", "linux-3.12", str(HERE), "saved.json"])
@pytest.mark.parametrize("python", ["3.12", str(HERE)])
def test_a_python_beside_a_target_that_names_its_own_is_refused(
    text: str, python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved.json").write_text(json.dumps(read_target("linux-3.12").to_dict()), "utf-8")
    with pytest.raises(UsageError, match="cannot be combined with it"):
        target_of(text, python)


@pytest.mark.parametrize("python", ["", "three", "2.7", "3.5", "cp312t"])
def test_a_python_that_makes_no_sense_is_refused(python: str) -> None:
    for text in (None, "windows"):
        with pytest.raises(UsageError):
            target_of(text, python)


@pytest.mark.parametrize("text", ["", " ", "nonsense", "macos-14-universal2", "x" * 10_000, "\0", "linux-2.7"])
def test_a_target_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        target_of(text)


# -- saved targets


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_saved_target_is_read_back(wrapped: bool, tmp_path: Path) -> None:
    target = describe()
    data = {"schema": "wheelcheck/target/1", "target": target.to_dict()} if wrapped else target.to_dict()
    path = tmp_path / "saved.JSON"
    path.write_text(json.dumps(data), "utf-8-sig")
    assert target_of(str(path)) == load(path) == target
    assert load(path).interpreter == target.interpreter


UNUSABLE = {
    "not JSON": (b"Python 3.12", "is not JSON"),
    "empty": (b"", "is not JSON"),
    "not UTF-8": (b'{"python": "\xff"}', "is not JSON"),
    "nested without end": (b"[" * 200_000, "is not JSON"),
    "another document": (b'{"schema": "wheelcheck/report/1"}', "its schema is not wheelcheck/target/1"),
    "a list": (b"[]", "is not an object"),
    "no target": (b'{"schema": "wheelcheck/target/1", "target": 5}', "is not an object"),
    "half a target": (b'{"python": "3.12.4"}', "has no text under"),
    "too large": (b" " * 1_000_001, "is too large"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_holds_no_target_is_refused_by_name(case: str, tmp_path: Path) -> None:
    body, words = UNUSABLE[case]
    (tmp_path / "saved.json").write_bytes(body)
    with pytest.raises(UsageError, match=words) as caught:
        target_of(str(tmp_path / "saved.json"))
    assert "saved.json" in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    for name in ("gone.json", "folder.json"):
        with pytest.raises(UsageError, match=f"{name} could not be read"):
            target_of(str(tmp_path / name))


# -- what is installed


def test_what_is_installed_here_is_what_pip_lists() -> None:
    there = installed()
    assert there == installed(HERE)
    for name in ("pytest", "packaging", "hypothesis"):
        assert there[canonicalize_name(name)] == importlib.metadata.version(name)


def put_distribution(environment: Path, name: str, version: str) -> Path:
    place = site_packages(environment) / f"{name}-{version}.dist-info"
    place.mkdir(exist_ok=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    return place


def test_an_environment_without_pip_is_asked_for_its_distributions(bare_venv: Path) -> None:
    assert installed(bare_venv) == {}
    place = put_distribution(bare_venv, "Some_Thing", "1.2.3")
    broken = site_packages(bare_venv) / "broken-1.0.dist-info"
    broken.mkdir()
    try:
        assert installed(bare_venv) == {"some-thing": "1.2.3"}
    finally:
        shutil.rmtree(place)
        broken.rmdir()


def test_an_environment_whose_pip_is_broken_is_asked_for_its_distributions(bare_venv: Path) -> None:
    pip = site_packages(bare_venv) / "pip"
    pip.mkdir()
    (pip / "__init__.py").write_text("", "utf-8")
    (pip / "__main__.py").write_text("raise SystemExit(1)", "utf-8")
    place = put_distribution(bare_venv, "Some_Thing", "1.2.3")
    try:
        assert installed(bare_venv) == {"some-thing": "1.2.3"}
    finally:
        shutil.rmtree(place)
        shutil.rmtree(pip)


@pytest.mark.parametrize("python", OTHERS[:3], ids=lambda path: path.parent.parent.name)
def test_what_is_installed_elsewhere_is_of_that_interpreter(python: Path) -> None:
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        capture_output=True,
        check=True,
        cwd=python.parent,
        timeout=60,
    )
    expected = {canonicalize_name(row["name"]): row["version"] for row in json.loads(listed.stdout)}
    assert installed(python) == expected


def test_asking_for_what_is_installed_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    before = dict(os.environ)
    installed()
    assert dict(os.environ) == before


def test_an_interpreter_that_cannot_be_asked_has_no_empty_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        installed(tmp_path / "python")


# -- the child script


def test_the_child_script_answers_through_its_file_alone(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, interpreters.CHILD, tmp_path / "facts.json"], capture_output=True, check=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")
    assert json.loads((tmp_path / "facts.json").read_text("utf-8"))["bits"] in (32, 64)


def test_files_beside_the_child_script_are_not_imported(tmp_path: Path) -> None:
    copy = tmp_path / interpreters.CHILD.name
    shutil.copy(interpreters.CHILD, copy)
    for name in ("platform", "json", "sysconfig", "re", "subprocess", "pip", "_manylinux"):
        (tmp_path / f"{name}.py").write_text(EVIL, "utf-8")
    subprocess.run([sys.executable, copy, tmp_path / "facts.json"], check=True, timeout=60)
    assert json.loads((tmp_path / "facts.json").read_text("utf-8")).get("refused", []) == []


def elf_with_loader(loader: Path) -> bytes:
    """The least 64-bit ELF file that names a loader (header, one PT_INTERP entry, its text)."""
    text = os.fsencode(loader) + b"\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += (3).to_bytes(2, "little") + (62).to_bytes(2, "little") + (1).to_bytes(4, "little")
    header += bytes(8) + (64).to_bytes(8, "little") + bytes(8) + (5).to_bytes(4, "little")
    header += (64).to_bytes(2, "little") + (56).to_bytes(2, "little") + (1).to_bytes(2, "little") + bytes(6)
    entry = (3).to_bytes(4, "little") + bytes(4) + (120).to_bytes(8, "little") + bytes(16)
    entry += len(text).to_bytes(8, "little") + bytes(16)
    return header + entry + text


@POSIX
@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("musl libc (x86_64)\\nVersion 1.2.5\\nDynamic Program Loader", "1.2"),
        ("glibc\\nVersion 2.36", None),
        ("musl libc", None),
        ("", None),
    ],
)
def test_the_version_of_musl_is_what_its_loader_prints(printed: str, version: str | None, tmp_path: Path) -> None:
    loader = script(tmp_path / "ld-musl-x86_64.so.1", f"printf '{printed}' >&2; exit 1")
    python = tmp_path / "python"
    python.write_bytes(elf_with_loader(loader))
    elf = _describe.read_elf(python)  # type: ignore[no-untyped-call]
    assert (elf["bits"], elf["machine"], elf["flags"], elf["loader"]) == (64, 62, 5, str(loader))
    assert _describe.musl_version(elf) == version  # type: ignore[no-untyped-call]
    theirs = _musllinux._get_musl_version(str(python))
    assert version == (f"{theirs.major}.{theirs.minor}" if theirs else None)


@pytest.mark.parametrize("body", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x09\x09" + bytes(60), b"MZ" + bytes(100)])
def test_a_file_that_is_no_elf_tells_nothing(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "python").write_bytes(body)
    assert _describe.read_elf(tmp_path / "python") is None  # type: ignore[no-untyped-call]
    assert _describe.musl_version(None) is None  # type: ignore[no-untyped-call]


def test_the_child_script_keeps_to_what_python_2_7_knows() -> None:
    tree = ast.parse(interpreters.CHILD.read_text("utf-8"))
    unknown = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.YieldFrom, ast.Nonlocal, ast.AsyncFunctionDef)
    assert [node for node in ast.walk(tree) if isinstance(node, unknown)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions if node.returns or any(arg.annotation for arg in node.args.args)] == []
