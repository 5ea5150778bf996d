"""Confirmation by real child processes: what is found, what is imported, and every way in which that can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes import lives
from wheelcheck.diagnosis.confirmation import (
    BrokenMetadata,
    Confirmation,
    Died,
    Hung,
    ImportedElsewhere,
    InterpreterGone,
    InterpreterUnusable,
    ModuleResult,
    NoAnswer,
    NoModules,
    NothingAsked,
    NotInstalled,
    PythonTooOld,
    Raised,
    Shadowed,
    WrongResult,
)
from wheelcheck.diagnosis.crashes import signal_of
from wheelcheck.interpreters.probe import NoWorkroom, confirm_names, confirm_projects

posix = pytest.mark.skipif(os.name != "posix", reason="speaks of signals and of shell scripts")


class Site:
    """A directory on PYTHONPATH that holds distributions as an installer would leave them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def write(self, name: str, content: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def install(
        self,
        project: str,
        files: dict[str, str],
        *,
        version: str = "1.0",
        headers: str = "",
        top_level: str | None = None,
        record: bool = True,
    ) -> None:
        folder = f"{project.replace('-', '_')}-{version}.dist-info"
        for name, content in files.items():
            self.write(name, content)
        self.write(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{headers}")
        if top_level is not None:
            self.write(f"{folder}/top_level.txt", top_level)
        if record:
            self.write(f"{folder}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{folder}/METADATA"]))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return Site(tmp_path / "site")


def confirmed(*projects: str, timeout: float = 60) -> Confirmation:
    return confirm_projects(list(projects), interpreter=sys.executable, timeout=timeout)  # type: ignore[arg-type]


def only(confirmation: Confirmation) -> ModuleResult:
    (result,) = confirmation.modules
    return result


def modules(confirmation: Confirmation) -> list[str]:
    return [result.module for result in confirmation.modules]


# -- what goes well


def test_a_module_is_imported_and_described(site: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": "__version__ = '1.5'\nprint('noise on stdout {')\n"}, version="1.0")
    confirmation = confirmed("alpha")
    result = only(confirmation)
    assert confirmation.ok is True
    assert confirmation.tried
    assert confirmation.why is None
    assert (result.level, result.version, result.project) == ("imported", "1.5", "alpha")
    assert result.origin == str(site.directory / "alpha" / "__init__.py")
    assert result.seconds is not None
    assert (result.returncode, result.signal) == (0, None)


def test_the_version_is_that_of_the_distribution_where_the_module_has_none(site: Site) -> None:
    site.install("alpha", {"alpha.py": "__version__ = (1, 5)\n"}, version="3.0")
    assert only(confirmed("alpha")).version == "3.0"


def test_the_document_has_the_keys_of_the_interface(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    site.install("beta", {"beta.py": "raise ValueError('no')"})
    document = json.loads(json.dumps(confirmed("alpha", "beta", "gamma").to_dict()))
    assert {"ok", "tried", "why", "interpreter", "modules"} <= set(document)
    assert document["why"] == {"kind": "NotInstalled", "project": "gamma"}
    good, bad = document["modules"]
    wanted = "module ok level version origin seconds devices returncode signal diagnosis"
    assert set(wanted.split()) <= set(good)
    assert (good["ok"], good["level"], good["devices"], good["diagnosis"], good["failure"]) == (
        True,
        "imported",
        [],
        None,
        None,
    )
    assert (bad["ok"], bad["level"], bad["returncode"]) == (False, "found", 1)
    assert (bad["failure"]["kind"], bad["failure"]["error"]) == ("Raised", "ValueError")


def test_versions_are_told_for_comparison(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""}, version="1.0")
    site.install("Zope.Interface", {"zope/interface/__init__.py": ""}, version="5.1")
    confirmation = confirm_projects(
        ["alpha"],  # type: ignore[list-item]
        interpreter=sys.executable,
        versions=["alpha", "zope-interface", "nowhere"],
    )
    assert confirmation.installed == {"alpha": "1.0", "zope-interface": "5.1", "nowhere": None}


def test_environment_is_kept_and_the_working_directory_is_empty(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA_WANTS", "yes")
    code = """
        import os, sys
        assert os.environ["ALPHA_WANTS"] == "yes"
        assert os.listdir() == []
        assert not any(os.path.exists(os.path.join(p, "_probe.py")) for p in sys.path)
        assert sys.flags.isolated == 0
    """
    site.install("alpha", {"alpha.py": "\n".join(line.strip() for line in code.splitlines())})
    assert confirmed("alpha").ok is True


def test_isolated_leaves_the_environment_out(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    confirmation = confirm_projects(["alpha"], interpreter=sys.executable, isolated=True)  # type: ignore[list-item]
    assert confirmation.why == NotInstalled(project="alpha")


def test_modules_may_be_asked_for_by_name(site: Site) -> None:
    site.write("alpha.py", "__version__ = '7'\n")
    confirmation = confirm_names(["alpha", "xml.dom", "nowhere_at_all"], interpreter=sys.executable)
    assert modules(confirmation) == ["alpha", "xml.dom", "nowhere_at_all"]
    assert [(result.ok, result.level) for result in confirmation.modules] == [
        (True, "imported"),
        (True, "imported"),
        (False, "none"),
    ]
    assert confirmation.modules[2].failure.kind == "NotFound"  # type: ignore[union-attr]


def test_a_relative_interpreter_is_the_one_of_the_callers_directory(site: Site, tmp_path: Path) -> None:
    site.install("alpha", {"alpha.py": ""})
    relative = os.path.relpath(sys.executable)
    assert confirm_projects(["alpha"], interpreter=relative).ok is True  # type: ignore[list-item]


# -- which modules a project has

DISCOVERY = [
    ("a package", {"alpha/__init__.py": "", "alpha/inner.py": "raise SystemExit"}, {}, ["alpha"]),
    ("a single module", {"alpha.py": ""}, {}, ["alpha"]),
    ("several", {"beta.py": "", "alpha/__init__.py": ""}, {}, ["alpha", "beta"]),
    ("no tests, no docs", {"alpha.py": "", "tests/__init__.py": "boom", "examples/__init__.py": "boom"}, {}, ["alpha"]),
    ("no private ones", {"alpha.py": "", "_alpha.py": "boom"}, {}, ["alpha"]),
    ("private where there is no other", {"_alpha.py": ""}, {}, ["_alpha"]),
    ("no file that is no identifier", {"alpha.py": "", "alpha-tool.py": "boom"}, {}, ["alpha"]),
    ("a namespace", {"space/alpha/__init__.py": "", "space/alpha/deep/__init__.py": "boom"}, {}, ["space.alpha"]),
    ("listed", {"alpha.py": "", "beta.py": "boom"}, {"top_level": "alpha\n"}, ["alpha"]),
    ("listed namespace", {"space/alpha/__init__.py": ""}, {"top_level": "space\n"}, ["space.alpha"]),
    ("listed by mistake", {"alpha.py": ""}, {"top_level": "gone\n"}, ["alpha"]),
    ("listed, without files", {"alpha.py": ""}, {"top_level": "alpha\n", "record": False}, ["alpha"]),
    ("nothing but the name", {"alpha.py": ""}, {"record": False}, ["alpha"]),
    ("stated", {"alpha.py": "", "beta.py": "boom"}, {"headers": "Import-Name: alpha\n"}, ["alpha"]),
    (
        "stated as private",
        {"alpha.py": "", "beta.py": "boom"},
        {"headers": "Import-Name: alpha\nImport-Name: beta ; private\n"},
        ["alpha"],
    ),
]


@pytest.mark.parametrize(
    ("files", "how", "expected"), [row[1:] for row in DISCOVERY], ids=[row[0] for row in DISCOVERY]
)
def test_the_modules_of_a_project(site: Site, files: dict[str, str], how: dict[str, str], expected: list[str]) -> None:
    site.install("alpha", {name: text.replace("boom", "raise RuntimeError") for name, text in files.items()}, **how)  # type: ignore[arg-type]
    confirmation = confirmed("alpha")
    assert modules(confirmation) == expected
    assert confirmation.ok is True


def test_a_stub_of_tensorflow_stands_for_the_module_tensorflow(site: Site) -> None:
    site.install("tensorflow-metal", {"tensorflow-plugins/libmetal.py": ""})
    site.write("tensorflow.py", "raise ImportError('Symbol not found')")
    result = only(confirmed("tensorflow-metal"))
    assert (result.module, result.project) == ("tensorflow", "tensorflow-metal")
    assert isinstance(result.failure, Raised)


# -- what was not tried


def test_nothing_asked() -> None:
    assert confirm_projects([], interpreter=sys.executable).why == NothingAsked()
    assert confirm_names([], interpreter=sys.executable).why == NothingAsked()


def test_a_project_that_is_not_installed(site: Site) -> None:
    confirmation = confirmed("alpha")
    assert (confirmation.ok, confirmation.tried) == (None, False)
    assert confirmation.why == NotInstalled(project="alpha")


def test_a_project_without_modules_leaves_the_others_alone(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    site.install("types-alpha", {"alpha-stubs/__init__.pyi": ""})
    assert confirmed("types-alpha").why == NoModules(project="types-alpha")
    assert confirmed("types-alpha").ok is None
    both = confirmed("types-alpha", "alpha")
    assert both.ok is True
    assert both.why is None
    assert both.not_tried == (NoModules(project="types-alpha"),)


def test_a_project_whose_metadata_is_broken(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    (site.directory / "alpha-1.0.dist-info" / "METADATA").write_bytes(b"Name: alpha\n\xff\xfe")
    confirmation = confirmed("alpha")
    assert confirmation.ok is None
    assert isinstance(confirmation.why, BrokenMetadata)
    assert "UnicodeDecodeError" in confirmation.why.why


@posix
@pytest.mark.parametrize("name", ["missing", "directory", "plain"])
def test_an_interpreter_that_cannot_be_started(site: Site, tmp_path: Path, name: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "plain").write_text("not a program")
    confirmation = confirm_projects(["alpha"], interpreter=str(tmp_path / name))  # type: ignore[list-item]
    assert (confirmation.ok, confirmation.tried) == (None, False)
    assert isinstance(confirmation.why, InterpreterGone)
    assert confirmation.why.interpreter == str(tmp_path / name)
    assert confirmation.why.why


@posix
def test_an_interpreter_that_is_no_python(site: Site, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'cannot be \033[31mused' >&2\nexit 7\n")
    script.chmod(0o755)
    confirmation = confirm_projects(["alpha"], interpreter=str(script))  # type: ignore[list-item]
    assert isinstance(confirmation.why, InterpreterUnusable)
    assert (confirmation.why.returncode, confirmation.why.last_line) == (7, "cannot be \ufffd[31mused")


@posix
def test_an_interpreter_that_says_nothing_for_ever(site: Site, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nwhile :; do echo y; done\n")
    script.chmod(0o755)
    confirmation = confirm_projects(["alpha"], interpreter=str(script), timeout=0.5)  # type: ignore[list-item]
    assert isinstance(confirmation.why, InterpreterUnusable)
    assert confirmation.why.returncode is None


def test_no_place_for_the_answer(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(NoWorkroom, match="No temporary directory"):
        confirmed("alpha")


# -- what fails

RAISING = [
    ("raise RuntimeError('no good')", "RuntimeError", "no good"),
    ("import nowhere_at_all", "ModuleNotFoundError", "No module named 'nowhere_at_all'"),
    ("import sys; sys.exit(3)", "SystemExit", "3"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
    ("def f(: pass", "SyntaxError", "invalid syntax"),
    ("def f(): f()\nf()", "RecursionError", "maximum recursion depth"),
    ("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd", "alpha.Odd", ""),
    ("raise ImportError('\\x1b[2J\\x1b]0;title\\x07')", "ImportError", "\ufffd[2J\ufffd]0;title\ufffd"),
    ("raise ImportError('\\ud800')", "ImportError", "\ufffd"),
]


@pytest.mark.parametrize(("code", "error", "message"), RAISING, ids=[row[1] for row in RAISING])
def test_a_module_that_raises(site: Site, code: str, error: str, message: str) -> None:
    site.install("alpha", {"alpha.py": code})
    confirmation = confirmed("alpha")
    result = only(confirmation)
    assert confirmation.ok is False
    assert (result.level, result.returncode, result.signal) == ("found", 1, None)
    assert isinstance(result.failure, Raised)
    assert (result.failure.stage, result.failure.error) == ("import", error)
    assert message in result.failure.message


def test_an_exception_says_where_and_why(site: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": "import alpha.inner", "alpha/inner.py": "try:\n 1/0\nfinally:\n g()"})
    failure = only(confirmed("alpha")).failure
    assert isinstance(failure, Raised)
    assert failure.error == "NameError"
    assert failure.where == f"{site.directory / 'alpha' / 'inner.py'}:4 in <module>"
    assert "ZeroDivisionError" in failure.traceback


DYING = [
    ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, "import", "found"),
    ("import ctypes\nctypes.string_at(0)", -signal.SIGSEGV, "import", "found"),
    ("import os\nos.abort()", -signal.SIGABRT, "import", "found"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGILL)", -signal.SIGILL, "import", "found"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGBUS)", -signal.SIGBUS, "import", "found"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, "import", "found"),
    ("import os, signal\nos.kill(os.getpid(), 9)", -9, "import", "found"),
    ("import os\nos._exit(3)", 3, "import", "found"),
    ("import os\nos._exit(0)", 0, "import", "found"),
    ("import atexit, os\natexit.register(os._exit, 4)", 4, "exit", "imported"),
    ("import atexit, os\natexit.register(os.abort)", -signal.SIGABRT, "exit", "imported"),
]


@posix
@pytest.mark.parametrize(("code", "returncode", "stage", "level"), DYING, ids=[row[0] for row in DYING])
def test_a_module_whose_process_ends(site: Site, code: str, returncode: int, stage: str, level: str) -> None:
    site.install("alpha", {"alpha.py": code})
    confirmation = confirmed("alpha")
    result = only(confirmation)
    name = signal.Signals(-returncode).name if returncode < 0 else None
    assert confirmation.ok is False
    assert result.failure == Died(stage=stage, returncode=returncode, signal=name)  # type: ignore[arg-type]
    assert (result.level, result.returncode, result.signal) == (level, returncode, name)


@posix
def test_a_crash_shows_the_stack(site: Site) -> None:
    site.install("alpha", {"alpha.py": "import ctypes\ndef deep():\n    ctypes.string_at(0)\ndeep()"})
    assert any("alpha.py" in line and "in deep" in line for line in only(confirmed("alpha")).stderr)


@posix
def test_a_crash_loses_no_other_module(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    site.install("beta", {"beta.py": "import os\nos.abort()"})
    site.install("gamma", {"gamma.py": ""})
    site.install("delta", {"delta.py": "import os\nos._exit(0)"})
    site.install("epsilon", {"epsilon.py": ""})
    confirmation = confirmed("alpha", "beta", "gamma", "delta", "epsilon")
    assert {result.module: result.ok for result in confirmation.modules} == {
        "alpha": True,
        "beta": False,
        "gamma": True,
        "delta": False,
        "epsilon": True,
    }
    assert [result.version for result in confirmation.modules] == ["1.0"] * 5


@posix
def test_a_hang_is_ended_with_all_that_it_started(site: Site, tmp_path: Path) -> None:
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
def wait_for_ever():
    time.sleep(600)
wait_for_ever()
"""
    site.install("alpha", {"alpha.py": code})
    site.install("beta", {"beta.py": ""})
    pid, timeout, well = tmp_path / "pid", 3.0, None
    while well is None or not (well.ok and pid.exists()):  # a busy machine may need longer to come so far
        hung, well = confirmed("alpha", "beta", timeout=timeout).modules
        timeout *= 2
    assert isinstance(hung.failure, Hung)
    assert (hung.failure.stage, hung.returncode, hung.level) == ("import", None, "found")
    assert hung.failure.where is not None
    assert "wait_for_ever" in hung.failure.where
    assert not lives(int(pid.read_text()))


@posix
def test_a_hang_at_exit(site: Site) -> None:
    site.install(
        "alpha", {"alpha.py": "import threading, time\nthreading.Thread(target=time.sleep, args=[600]).start()"}
    )
    timeout, level = 2.0, ""
    while level != "imported":  # a busy machine may need longer to come so far
        result = only(confirmed("alpha", timeout=timeout))
        level, timeout = result.level, timeout * 2
        assert isinstance(result.failure, Hung)
    assert result.failure.stage == "exit"


@posix
def test_a_child_that_ignores_every_signal_it_can(site: Site) -> None:
    code = "import signal, time\nfor n in (1, 2, 10, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)"
    site.install("alpha", {"alpha.py": code})
    assert isinstance(only(confirmed("alpha", timeout=2)).failure, Hung)


def test_floods_are_drained_and_only_their_end_is_kept(site: Site) -> None:
    """A gigabyte."""
    code = """
import sys
for stream in (sys.stdout, sys.stderr):
    for _ in range(500):
        stream.write("x" * 1000000 + "\\n")
    stream.write("the end\\n")
raise ValueError("after all that")
"""
    site.install("alpha", {"alpha.py": code})
    result = only(confirmed("alpha"))
    assert isinstance(result.failure, Raised)
    assert result.failure.message == "after all that"
    assert result.stdout[-1] == result.stderr[-1] == "the end"
    assert len("".join(result.stdout)) < 100000


UNRULY = [
    'print(\'{"event": "raised"}\\n[]\\n\\x00\')',
    "import os\nos.close(1)",
    "import os\nprint('held back', end='')\nos.close(1)",
    "import os\nos.close(2)",
    "import os\nos.closerange(0, 256)",
    "import sys\nsys.stdout = sys.stderr = None",
    "import builtins, json\nbuiltins.open = None",
    "import sys\nopen(sys.argv[2], 'ab').write(b'\\xff\\x00 nonsense\\n[1]\\n{\"event\": 3}\\n')",
    'import sys\nopen(sys.argv[2], \'ab\').write(b\'{"event": "imported", "module": "alpha", "seconds": "x"}\\n\')',
    "import sys\nopen(sys.argv[2], 'ab').write(b'[' * 100000 + b'\\n')",
    "import os\nos.chdir('/')",
    "import sys\nsys.path.clear()",
    "import os\nos.environ.clear()",
    "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
]


@posix
@pytest.mark.parametrize("code", UNRULY)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_unruly_module_that_imports_all_the_same(site: Site, code: str) -> None:
    site.install("alpha", {"alpha.py": code})
    confirmation = confirmed("alpha")
    assert confirmation.ok is True
    assert only(confirmation).level == "imported"


@posix
def test_an_answer_that_a_module_has_wiped_out_is_not_silence(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    site.install("beta", {"beta.py": "import sys\nopen(sys.argv[2], 'w').close()"})
    confirmation = confirmed("alpha", "beta")
    assert confirmation.ok is None
    assert NoAnswer(project="alpha") in confirmation.not_tried


@posix
def test_an_answer_that_cannot_be_written(site: Site) -> None:
    site.install("alpha", {"alpha.py": "import os, sys\nos.unlink(sys.argv[2])\nos.mkdir(sys.argv[2])"})
    confirmation = confirmed("alpha")
    assert confirmation.ok is None
    assert isinstance(confirmation.why, InterpreterUnusable)


WINDOWS = [
    (0xC0000005, "SIGSEGV"),
    (0xC000001D, "SIGILL"),
    (0xC0000409, "SIGABRT"),
    (-1073741819, "SIGSEGV"),
    (3, None),
    (1, None),
]


@pytest.mark.parametrize(("returncode", "name"), WINDOWS)
def test_exit_codes_of_windows_that_stand_for_crashes(returncode: int, name: str | None) -> None:
    assert signal_of(returncode) == name


# -- names that hide others


def test_a_file_in_the_callers_directory_is_reported_and_not_imported(site: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": "import beta"})
    site.install("beta", {"beta.py": ""})
    Path("alpha.py").write_text("raise SystemExit")
    Path("beta").mkdir()
    Path("beta/__init__.py").write_text("raise SystemExit")
    Path("gamma.py").write_text("")
    Path("alpha").mkdir()
    confirmation = confirmed("alpha")
    result = only(confirmation)
    assert (confirmation.ok, result.level) == (False, "imported")
    assert result.failure == Shadowed(name="alpha", path=str(Path("alpha.py").absolute()))
    assert result.shadowed_by == str(Path("alpha.py").absolute())
    assert confirmation.shadowing == {
        "alpha": str(Path("alpha.py").absolute()),
        "beta": str(Path("beta/__init__.py").absolute()),
    }


def test_standing_in_the_project_itself_hides_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("alpha", {"alpha/__init__.py": ""})
    monkeypatch.chdir(site.directory)
    confirmation = confirmed("alpha")
    assert only(confirmation).shadowed_by is None
    assert confirmation.shadowing == {}


def test_a_module_from_another_place_than_its_distribution(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("alpha", {"alpha/__init__.py": ""})
    other = Site(tmp_path / "other")
    other.write("alpha.py", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(other.directory), str(site.directory)]))
    confirmation = confirmed("alpha")
    assert confirmation.ok is False
    assert only(confirmation).failure == ImportedElsewhere(
        origin=str(other.directory / "alpha.py"), expected=str(site.directory / "alpha" / "__init__.py")
    )


# -- files on PYTHONPATH, which are imported indeed


@pytest.fixture
def overlay(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A directory that is searched before the one with the distributions."""
    other = Site(tmp_path / "overlay")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (place,) = [*venv.glob("lib/*/site-packages"), *venv.glob("Lib/site-packages")]
    site.directory = place
    monkeypatch.setenv("PYTHONPATH", str(other.directory))
    other.directory.joinpath("python").write_text(str(next(iter([*venv.glob("bin/python"), *venv.glob("Scripts/*")]))))
    return other


def confirmed_in(overlay: Site, *names: str) -> Confirmation:
    interpreter = overlay.directory.joinpath("python").read_text()
    return confirm_names(names, interpreter=interpreter, timeout=60)


def test_a_module_on_the_path_that_hides_what_another_one_needs(site: Site, overlay: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": "import beta\nbeta.needed\n"}, version="2.0")
    site.install("beta", {"beta/__init__.py": "needed = 1"})
    site.install("gamma", {"gamma.py": ""})
    hiding = overlay.write("beta.py", "")
    overlay.write("gamma_tools.py", "")
    confirmation = confirmed_in(overlay, "alpha", "gamma")
    alpha, gamma = confirmation.modules
    assert isinstance(alpha.failure, Raised)
    assert (alpha.shadows, alpha.project, alpha.version) == ({"beta": str(hiding)}, "alpha", "2.0")
    assert (gamma.ok, gamma.shadows) == (True, {})
    assert confirmation.origins["beta"] == str(hiding)


def test_a_hiding_module_that_cannot_be_imported_itself(site: Site, overlay: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": "import beta"})
    site.install("beta", {"beta/__init__.py": ""})
    hiding = overlay.write("beta.py", "def broken(:")
    (result,) = confirmed_in(overlay, "alpha").modules
    assert result.shadows == {"beta": str(hiding)}


@pytest.mark.parametrize("name", ["json", "csv", "random", "traceback"])
def test_a_module_on_the_path_that_hides_one_of_python(site: Site, overlay: Site, name: str) -> None:
    site.install("alpha", {"alpha/__init__.py": f"import {name}\n{name}.__all__"})
    site.install("gamma", {"gamma.py": ""})
    hiding = overlay.write(f"{name}.py", "")
    alpha, gamma = confirmed_in(overlay, "alpha", "gamma").modules
    assert (alpha.ok, alpha.shadows) == (False, {name: str(hiding)})
    assert gamma.ok


def test_the_callers_file_with_the_name_of_a_module_that_nothing_imports(site: Site) -> None:
    site.install("alpha", {"alpha.py": "import random"})
    Path("json.py").write_text("raise SystemExit")
    Path("csv.py").write_text("raise SystemExit")
    assert confirmed("alpha").ok is True
    Path("random.py").write_text("raise SystemExit")
    failure = only(confirmed("alpha")).failure
    assert failure == Shadowed(name="random", path=str(Path("random.py").absolute()))


@pytest.mark.parametrize("name", ["reprlib", "keyword", "enum", "linecache"])
def test_a_callers_file_with_the_name_of_what_a_module_of_python_imports(site: Site, name: str) -> None:
    """This process has imported all of them itself."""
    site.install("alpha", {"alpha.py": "import collections, enum, traceback"})
    Path(f"{name}.py").write_text("raise SystemExit")
    result = only(confirmed("alpha"))
    assert result.failure == Shadowed(name=name, path=str(Path(f"{name}.py").absolute()))


def test_a_directory_with_the_name_of_a_file_hides_nothing(site: Site) -> None:
    site.install("alpha", {"alpha.py": ""})
    Path("alpha.py").mkdir()
    assert confirmed("alpha").ok is True


def test_a_folder_without_any_module_is_no_module(site: Site) -> None:
    """As an interrupted uninstallation leaves it behind."""
    site.install("alpha", {"alpha/__init__.py": "", "alpha/core.py": ""})
    for file in ("__init__.py", "core.py"):
        (site.directory / "alpha" / file).unlink()
    (site.directory / "alpha" / "__pycache__").mkdir()
    for result in (only(confirmed("alpha")), only(confirm_names(["alpha"], interpreter=sys.executable))):
        assert (result.ok, result.level, result.project) == (False, "none", "alpha")
    site.write("space/deep/core.py", "")
    assert only(confirm_names(["space"], interpreter=sys.executable)).ok


def test_what_is_installed_on_the_path_hides_nothing(site: Site, overlay: Site) -> None:
    site.install("alpha", {"alpha/__init__.py": ""}, version="1.0")
    overlay.install("alpha", {"alpha/__init__.py": ""}, version="2.0")
    (result,) = confirmed_in(overlay, "alpha").modules
    assert (result.ok, result.shadows) == (True, {})


def test_a_relative_part_of_the_path_is_one_of_the_callers_directory(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    Site(Path("sources")).write("alpha.py", "__version__ = '3'")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["sources", ""]))
    (result,) = confirm_names(["alpha"], interpreter=sys.executable).modules
    assert (result.ok, result.version) == (True, "3")


# -- names, which are modules or projects


def test_a_name_is_a_module_or_else_a_project(site: Site) -> None:
    site.install("alpha-tools", {"alpha.py": ""})
    site.install("beta", {"beta/__init__.py": "", "gamma.py": ""})
    confirmation = confirm_names(["alpha-tools", "beta", "no-such"], interpreter=sys.executable)
    assert [(r.module, r.project, r.ok) for r in confirmation.modules] == [
        ("alpha", "alpha-tools", True),
        ("beta", None, True),
        ("no-such", None, False),
    ]
    assert confirmation.exit_code == 1


def test_a_failed_module_has_its_project_and_version(site: Site) -> None:
    site.install("Alpha.Tools", {"alpha/__init__.py": "raise ValueError"}, version="4.0")
    result = only(confirm_names(["alpha"], interpreter=sys.executable))
    assert (result.project, result.version) == ("alpha-tools", "4.0")


@posix
def test_no_process_outlives_a_confirmation(site: Site, tmp_path: Path) -> None:
    """Not even one that has left the session."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system does not tell the environment of a process")
    code = f"""
import subprocess, sys
command = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(command, start_new_session=True)
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
"""
    site.install("alpha", {"alpha.py": code})
    assert confirmed("alpha").ok is True
    assert not lives(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells a process of its parent's end")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_child_ends_with_the_command(site: Site, tmp_path: Path, how: signal.Signals) -> None:
    code = f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    site.install("alpha", {"alpha.py": code})
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(site.directory)])}
    command = [sys.executable, "-m", "wheelcheck", "confirm", "alpha"]
    running = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    while running.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    running.send_signal(how)
    assert running.wait() == {signal.SIGTERM: 143, signal.SIGINT: 130}.get(how, -how)
    assert not lives(int(pid.read_text()))


# -- operations: a stand-in for NumPy with just what is needed of it; the real ones are imported in test_imports.py

NUMPY = """
__version__ = "1.26.4"
class Rows:
    T = None
    def reshape(self, *shape): return self
    def __matmul__(self, other): return 506.0
def arange(*numbers, dtype=None):
    rows = Rows()
    rows.T = rows
    return rows
def dot(a, b): return {dot}
class linalg:
    solve = staticmethod(lambda a, b: [2.0, 3.0])
def shape(value): return ()
def allclose(a, b, rtol, atol): return a == b
"""

TENSORFLOW = """
import contextlib
__version__ = "2.19.1"
class Tensor:
    def __init__(self, value): self.value = value
    def numpy(self): return self.value
def constant(rows): return Tensor(rows)
device = contextlib.nullcontext
class linalg:
    matmul = staticmethod(lambda a, b: Tensor({product}))
class Device:
    name, device_type = "/physical_device:CPU:0", "CPU"
class config:
    list_physical_devices = staticmethod(lambda: [Device()])
"""


def test_an_operation_that_gives_the_right_result(site: Site) -> None:
    site.install("numpy", {"numpy.py": NUMPY.format(dot=30.0)}, version="1.26.4")
    result = only(confirmed("numpy"))
    assert (result.ok, result.level) == (True, "ran")
    assert result.operation_seconds is not None


def test_operations_may_be_left_out(site: Site) -> None:
    site.install("numpy", {"numpy.py": NUMPY.format(dot=31.0)})
    result = only(confirm_names(["numpy"], interpreter=sys.executable, run=False))
    assert (result.ok, result.level) == (True, "imported")


def test_a_plugin_without_a_device_is_a_failure(site: Site) -> None:
    site.install("numpy", {"numpy.py": NUMPY.format(dot=30.0)})
    site.install("tensorflow", {"tensorflow/__init__.py": TENSORFLOW.format(product=506.0)})
    site.install("tensorflow-metal", {"tensorflow-plugins/libmetal_plugin.dylib": ""}, version="1.2.0")
    failure = only(confirmed("tensorflow")).failure
    assert isinstance(failure, WrongResult)
    assert failure.operation == "list_physical_devices"
    assert "libmetal_plugin.dylib of tensorflow-metal 1.2.0" in failure.expected


def test_an_operation_that_gives_a_wrong_result(site: Site) -> None:
    site.install("numpy", {"numpy.py": NUMPY.format(dot=31.0)})
    site.install("tensorflow", {"tensorflow.py": TENSORFLOW.format(product=505.0)})
    numpy, tensorflow = confirmed("numpy", "tensorflow").modules
    assert numpy.failure == WrongResult(operation="dot", expected="30.0", got="31.0")
    assert tensorflow.failure == WrongResult(operation="matmul", expected="506.0", got="505.0")
    assert (tensorflow.level, tensorflow.returncode) == ("imported", 1)


@posix
def test_an_operation_that_crashes(site: Site) -> None:
    site.install("numpy", {"numpy.py": NUMPY.format(dot="__import__('os').abort()")})
    result = only(confirmed("numpy"))
    assert result.failure == Died(stage="run", returncode=-signal.SIGABRT, signal="SIGABRT")
    assert (result.level, result.version) == ("imported", "1.26.4")


def test_an_operation_that_raises(site: Site) -> None:
    site.install("tensorflow", {"tensorflow.py": "", "numpy.py": NUMPY.format(dot=30.0)}, top_level="tensorflow")
    result = only(confirmed("tensorflow"))
    assert isinstance(result.failure, Raised)
    assert (result.failure.stage, result.failure.error, result.level) == ("run", "AttributeError", "imported")


# -- other Pythons


def others() -> list[tuple[str, tuple[int, ...]]]:
    """Every Python that is installed beside the running one, with its version."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for path in sorted(root.glob("*/bin/python")):
        command = [str(path), "-c", "import sys; print('%d %d' % sys.version_info[:2])"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            found.append((str(path), tuple(map(int, asked.stdout.split()))))
    return found


OTHERS = others()


@pytest.mark.parametrize("python", [path for path, version in OTHERS if version >= (3, 8)])
def test_another_python_is_asked_the_same_way(site: Site, python: str) -> None:
    site.install("Alpha.Beta", {"alpha_beta/__init__.py": "import sys; __version__ = sys.version.split()[0]"})
    confirmation = confirm_projects(["alpha-beta"], interpreter=python)  # type: ignore[list-item]
    assert confirmation.ok is True
    assert only(confirmation).version == confirmation.python
    assert confirmation.interpreter == python


@pytest.mark.parametrize("python", [path for path, version in OTHERS if version < (3, 8)])
def test_a_python_that_is_too_old(site: Site, python: str) -> None:
    confirmation = confirm_projects(["alpha"], interpreter=python)  # type: ignore[list-item]
    assert confirmation.ok is None
    assert isinstance(confirmation.why, PythonTooOld)
