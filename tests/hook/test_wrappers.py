"""The examples of docs/pip.md, each run in a real shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wheelcheck
from doors import PROJECTS, stand_alone
from environments import contents, copied
from loopback import simple_index
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shells of POSIX")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "pip.md"
MORE = {"older": [make_wheel("older", "1.0", "cp36-cp36m-manylinux1_x86_64")]}


def example(name: str) -> str:
    """The block of the page that has this name in a comment."""
    blocks = re.findall(r"^```(?:sh|python)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (block,) = [text for text in blocks if f"# {name}\n" in text]
    return str(block)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment_python: Path) -> Iterator[Path]:
    """An active environment, a command `wheelcheck` on PATH, and a loopback index."""
    stand_alone(monkeypatch, tmp_path)
    python = copied(environment_python.parent.parent, tmp_path / "active")
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    tools = tmp_path / "home" / "bin"
    tools.mkdir(parents=True)
    script(tools / "wheelcheck", f'#!/bin/sh\nexec "{sys.executable}" -m wheelcheck "$@"\n')
    monkeypatch.setenv("PATH", os.pathsep.join([str(python.parent), str(tools), os.environ["PATH"]]))
    with simple_index({**PROJECTS, **MORE}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield tmp_path


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def guards(command: list[str], place: Path) -> None:
    """Whether a guarded pip stops what does not work, leaving all as it was, and installs what does."""
    before = contents(place / "active")
    stopped = run([*command, "install", "older"])
    assert stopped.returncode == 1, stopped.stderr
    assert "older has no file compatible" in stopped.stderr
    assert contents(place / "active") == before
    done = run([*command, "install", "alone"])
    assert done.returncode == 0, done.stderr
    assert "Successfully installed alone-1.0" in done.stdout
    listed = run([*command, "list"])
    assert (listed.returncode, "alone" in listed.stdout, listed.stderr) == (0, True, "")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_function_guards_pip(shell: str, place: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (place / "rc").write_text(example("function"))
    guards([shell, "-c", f'source "{place}/rc"; pip "$@"', shell], place)


def test_the_wrapper_script_guards_pip(place: Path) -> None:
    guards([str(script(place / "guarded-pip", example("wrapper")))], place)


@pytest.mark.peers
def test_the_module_serves_a_wrapper_as_well(place: Path) -> None:
    text = example("wrapper").replace("wheelcheck hook", f'"{sys.executable}" -m wheelcheck.hook')
    guards([str(script(place / "guarded-pip", text))], place)


def test_the_companys_pip_is_the_first_on_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front = place / "company"
    front.mkdir()
    script(front / "pip", example("company"))
    monkeypatch.setenv("WHEELCHECK_HOME", str(place / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(front), os.environ["PATH"]]))
    guards(["sh", "-c", 'pip "$@"', "sh"], place)
    assert run(["sh", "-c", "pip install candidate"]).returncode == 1  # a warning, and the policy is strict
    (place / "rules.toml").write_text(
        'project = "eggs"\n[[rule]]\nid = "no-eggs"\nversions = ">=0"\neffect = "forbids"\nwhy = "We said so."\n'
        'evidence = "report"\nconfidence = "certain"\nsources = [{fact = "made up", date = "2026-01-01"}]\n'
    )
    monkeypatch.setenv("WHEELCHECK_RULES", str(place / "rules.toml"))
    assert "We said so (rule no-eggs)" in run(["sh", "-c", "pip install eggs"]).stderr


@pytest.mark.peers
def test_without_an_active_environment_the_companys_pip_takes_the_python_on_path(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setenv("WHEELCHECK_HOME", str(place / "home"))
    guards([str(script(place / "pip", example("company")))], place)


def test_the_example_in_python_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for block in blocks:
        exec(block.replace("six", "alone"), {"wheelcheck": wheelcheck})
