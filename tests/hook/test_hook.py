"""The hook and the front as a user meets them: exit codes, what goes where, and that a no leaves all as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import wheelcheck
from doors import NOWHERE, PROJECTS, stand_alone
from environments import contents, copied, install, make_environment
from loopback import Server, simple_index, stall
from sdists import make_source
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and shells of POSIX")
MORE = {
    "numpy": [make_wheel("numpy", "1.26.4"), make_wheel("numpy", "2.2.6")],
    "ml-dtypes": [make_wheel("ml-dtypes", "0.2.0", requires=["numpy>=1.20"])],
    "older": [make_wheel("older", "1.0", "cp36-cp36m-manylinux1_x86_64")],
    "unbuildable": [make_source("unbuildable", "1.0")],
}


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment_python: Path) -> Iterator[Server]:
    stand_alone(monkeypatch, tmp_path)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(environment_python.parent.parent))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    with simple_index({**PROJECTS, **MORE}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        monkeypatch.setenv("PIP_TRUSTED_HOST", "127.0.0.1")
        yield server


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment_python: Path) -> Path:
    """The interpreter of an active environment that a test may change."""
    python = copied(environment_python.parent.parent, tmp_path / "fresh")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "fresh"))
    return python


def run(*arguments: str | Path, stdin: str = "", **environ: str) -> Done:
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def hook(*arguments: str | Path, **environ: str) -> Done:
    return run("wheelcheck", "hook", *arguments, **environ)


def pip(*arguments: str | Path, stdin: str = "", **environ: str) -> Done:
    return run("wheelcheck", "pip", *arguments, stdin=stdin, **environ)


def can_import(python: Path, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


# -- the hook


def test_the_hook_speaks_on_stderr_and_installs_nothing(environment_python: Path) -> None:
    before = contents(environment_python.parent.parent)
    done = hook("install", "spam")
    assert (done.code, done.out) == (0, "")
    assert "compatible" in done.err
    assert "eggs  1.5" in done.err
    refused = hook("install", "older")
    assert (refused.code, refused.out) == (1, "")
    assert "older has no file compatible with CPython" in refused.err
    assert hook("install", "alone", PIP_INDEX_URL=NOWHERE).code == 2
    assert contents(environment_python.parent.parent) == before


def test_the_module_is_the_hook() -> None:
    assert run("wheelcheck.hook", "install", "older").code == 1
    assert run("wheelcheck.hook", "list") == Done(0, "", "")


def test_the_hook_writes_a_document() -> None:
    done = hook("--format", "json", "install", "spam")
    document = json.loads(done.out)
    assert (document["schema"], document["ok"], done.err) == ("wheelcheck/report/1", True, "")
    assert {pin["name"]: pin["version"] for pin in document["results"][0]["pins"]} == {"spam": "1.0", "eggs": "1.5"}


def test_bad_usage_has_a_document_too() -> None:
    done = hook("--format", "json", "install", "--frobnicate", "spam")
    document = json.loads(done.out)
    assert (done.code, document["schema"], document["ok"]) == (2, "wheelcheck/error/1", False)
    assert "--frobnicate" in document["error"]["message"]
    assert document["error"]["kind"] == "UsageError"


@pytest.mark.parametrize("arguments", [["list"], ["--version"], ["-q", "freeze"], ["--proxy", "x", "config", "list"]])
def test_the_hook_has_nothing_to_say_of_other_commands(arguments: list[str]) -> None:
    assert hook(*arguments) == Done(0, "", "")


def test_strict_and_its_variable_make_warnings_a_no() -> None:
    assert hook("install", "candidate").code == 0
    assert hook("--strict", "install", "candidate").code == 1
    assert hook("install", "candidate", WHEELCHECK_STRICT="1").code == 1


def test_an_option_before_the_command_that_only_pip_has_is_not_overlooked() -> None:
    done = hook("--timeout", "5", "install", "older")
    assert done.code == 2
    assert "--timeout stands before pip's command" in done.err


def test_help_is_shown_where_nothing_is_asked() -> None:
    assert hook("--help").code == 0
    assert "wheelcheck hook [OPTIONS] install" in hook("--help").out
    assert hook().code == 2


def test_the_users_own_rules_count(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(
        'project = "alone"\n[[rule]]\nid = "no-alone"\nversions = ">=0"\neffect = "forbids"\nwhy = "We said so."\n'
        'evidence = "report"\nconfidence = "certain"\nsources = [{fact = "made up", date = "2026-01-01"}]\n'
    )
    assert hook("install", "alone").code == 0
    done = hook("install", "alone", WHEELCHECK_RULES=str(tmp_path / "rules.toml"))
    assert done.code == 1
    assert "We said so (rule no-alone)" in done.err


def test_an_answer_given_again_is_the_same_until_something_is_installed(fresh: Path, index: Server) -> None:
    time.sleep(0.2)  # what changed just now may change once more within the clock's resolution
    first, second = hook("install", "spam"), None
    index.requests.clear()
    second = hook("install", "spam")
    assert second == first
    assert not index.requests
    site = next((fresh.parent.parent / "lib").glob("python*/site-packages")) if os.name != "nt" else None
    if site is not None:
        install(site, "eggs", "1.5")
        assert "Installed already, and stays: eggs 1.5" in hook("install", "spam").err


# -- the front


def test_pip_installs_what_is_compatible(fresh: Path) -> None:
    done = pip("install", "alone")
    assert done.code == 0, done.err
    assert "Successfully installed alone-1.0" in done.out
    assert "compatible" not in done.err
    assert can_import(fresh, "alone")
    again = pip("install", "alone")
    assert (again.code, "already satisfied" in again.out) == (0, True)


def test_a_no_stops_pip_and_leaves_the_environment_as_it_was(fresh: Path) -> None:
    before = contents(fresh.parent.parent)
    done = pip("install", "older")
    assert (done.code, done.out) == (1, "")
    assert "older has no file compatible" in done.err
    assert done.err.splitlines()[-1] == (
        "wheelcheck: pip was not run. WHEELCHECK_SKIP=1 in the environment runs it regardless."
    )
    assert pip("install", "ml-dtypes").code == 1
    assert contents(fresh.parent.parent) == before


def test_the_user_may_go_on_regardless(fresh: Path) -> None:
    done = pip("install", "ml-dtypes", WHEELCHECK_SKIP="1")
    assert done.code == 0
    assert done.err.startswith("wheelcheck: not checked, because WHEELCHECK_SKIP is set.\n")
    assert can_import(fresh, "ml_dtypes")
    assert hook("install", "older", WHEELCHECK_SKIP="1") == Done(
        0, "", "wheelcheck: not checked, because WHEELCHECK_SKIP is set.\n"
    )


@pytest.mark.peers
def test_what_is_unknown_warns_and_goes_on(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "setup.py").write_text("raise SystemExit('no')\n")
    done = pip("install", "--no-deps", "./bare")
    assert done.code == 1  # pip's own, which tried to build it
    assert "unknown; pip runs nevertheless" in done.err
    refused = pip("--strict", "install", "--no-deps", "./bare")
    assert refused.code == 2
    assert "pip was not run" in refused.err
    assert fresh.exists()


def test_pips_exit_code_is_passed_on(fresh: Path) -> None:
    assert pip("install", "--frobnicate", "alone").code == 2
    assert pip("frobnicate").code == 1
    assert fresh.exists()


def test_a_failure_of_pip_is_explained_after_what_pip_says(fresh: Path) -> None:
    """The build needs a setuptools that the index does not have."""
    done = pip("install", "unbuildable")
    assert done.code == 1
    said, _, explained = done.err.partition("wheelcheck: pip failed (exit code 1).\n")
    assert "subprocess" in said
    assert explained.startswith("source-build-failed: ")
    assert "\n  error: subprocess-exited-with-error\n" in explained
    assert "\033" not in done.err


@POSIX
def test_on_a_terminal_pip_writes_as_on_a_terminal(fresh: Path) -> None:
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "wheelcheck", "pip", "install", "unbuildable"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # the end of a pseudoterminal
        pass
    running.communicate()
    os.close(master)
    assert running.returncode == 1
    said, _, explained = shown.decode().partition("wheelcheck: pip failed (exit code 1).")
    assert "\033[" in said[said.index("subprocess") - 80 :]
    assert "source-build-failed" in explained


@POSIX
def test_pip_goes_on_where_nobody_reads_what_it_says(fresh: Path) -> None:
    command = f"{sys.executable} -m wheelcheck pip install spam 2>&1 >/dev/null | head -c 0"
    subprocess.run(["bash", "-c", command], check=True)
    assert can_import(fresh, "spam")


@pytest.mark.parametrize("arguments", [["list"], ["--version"], ["--no-color", "freeze"], ["help", "install"], ["-V"]])
def test_every_other_command_is_handed_over_unchanged(arguments: list[str], environment_python: Path) -> None:
    direct = subprocess.run([environment_python, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert pip(*arguments) == Done(direct.returncode, direct.stdout, direct.stderr)


@pytest.mark.peers
def test_an_unchecked_installation_is_said(fresh: Path) -> None:
    done = pip("--no-color", "install", "alone")
    assert done.code == 0
    assert "not checked, because --no-color stands before pip's command" in done.err
    assert can_import(fresh, "alone")


def test_python_means_what_pip_means_by_it(fresh: Path, tmp_path: Path) -> None:
    bare = make_environment(tmp_path / "bare", pip=False)
    assert pip("--python", bare, "install", "alone").code == 0
    assert (can_import(bare, "alone"), can_import(fresh, "alone")) == (True, False)
    assert pip("--python", tmp_path / "nowhere", "install", "alone").code == 2


@pytest.mark.peers
def test_what_stdin_holds_reaches_pip_too(fresh: Path) -> None:
    done = pip("install", "-r", "/dev/stdin", stdin="alone\n")
    assert done.code == 0, done.err
    assert can_import(fresh, "alone")


@pytest.mark.peers
def test_a_newer_numpy_beside_an_older_build_is_stopped(fresh: Path) -> None:
    """The pair that dies at import: each step alone is fine for pip."""
    assert pip("install", "numpy<2").code == 0
    assert pip("install", "ml-dtypes").code == 0
    done = pip("install", "-U", "numpy")
    assert done.code == 1
    assert "ml-dtypes-to-0.3-needs-numpy-1" in done.err
    assert fresh.exists()


# -- how it ends


@POSIX
def test_a_closed_pipe_ends_quietly() -> None:
    command = f"{sys.executable} -m wheelcheck hook --format json install spam | head -c 1 > /dev/null"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@POSIX
def test_an_interrupt_ends_with_130(index: Server) -> None:
    index.fault("/simple/slow/", stall())
    child = subprocess.Popen(
        [sys.executable, "-m", "wheelcheck", "pip", "install", "slow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not any("/slow/" in request.path for request in index.requests):
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert "Traceback" not in err


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_no_hindrance(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    environ = {"HOME": str(home), "WHEELCHECK_CACHE_DIR": str(home / "cache")}
    assert hook("install", "spam", **environ).code == 0


def test_without_a_cache_the_answer_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")
    done = hook("install", "spam", WHEELCHECK_CACHE_DIR=str(tmp_path / "occupied"))
    assert done.code == 0


# -- one verdict

QUESTIONS = {
    "spam": 0,
    "candidate": 0,
    "older": 1,
    "nosuchproject": 1,
    "spam eggs>=2": 1,
    "not a requirement": 2,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_door_gives_the_same_verdict(question: str, environment_python: Path) -> None:
    """Where no rule objects to what pip would choose, and nothing is installed that counts."""
    words = question.split(" ") if question != "not a requirement" else [question]
    expected = QUESTIONS[question]
    assert hook("install", *words).code == expected
    assert run("wheelcheck", "check", *words, "--python", environment_python).code == expected
    if expected == 2:
        with pytest.raises(wheelcheck.UsageError):
            wheelcheck.check_pip(["install", *words])
    else:
        assert wheelcheck.check_pip(["install", *words]).exit_code == expected
        assert wheelcheck.check(words, targets=[str(environment_python)]).exit_code == expected
    stopped = "pip was not run" in pip("install", "--dry-run", *words).err
    assert stopped == (expected == 1)
