"""The tutorials are run: each command in its order, and what it prints is what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Step(NamedTuple):
    """A command with what it prints, in which ``...`` stands for anything."""

    command: str
    expected: str


def steps_of(page: str) -> list[Step]:
    blocks = re.findall(r"^```console\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Step(*map(str.strip, part.partition("\n")[::2])) for part in parts]


def is_shown(expected: str, printed: str) -> bool:
    """Whether a page shows what was printed. Where a path is left out, lines may be wrapped elsewhere."""
    words = (re.escape(" ".join(part.split())) for part in expected.split("..."))
    return re.fullmatch(".*".join(words), " ".join(printed.replace(" \\\n", " ").split())) is not None


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, with ``wheelcheck`` and ``python3.11`` on PATH."""
    tools = tmp_path / "tools"
    tools.mkdir()
    python = shlex.quote(sys.executable)
    for name, runs in (("wheelcheck", f"{python} -m wheelcheck"), (f"python{PYTHON}", python)):
        (tools / name).write_text(f'#!/bin/sh\nexec {runs} "$@"\n')
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    for variable in ("PYTHONPATH", "VIRTUAL_ENV", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    place = tmp_path / "work"
    place.mkdir()
    return place


@pytest.mark.imports
@pytest.mark.skipif(sys.platform != "linux", reason="tensorflow-cpu 2.14 is published for Linux and Windows")
@pytest.mark.skipif(PYTHON != "3.11", reason="the page is written for Python 3.11")
@pytest.mark.parametrize("page", ["tutorial.md", "it-does-not-import.md"])
def test_a_tutorial(shell: Path, page: str) -> None:
    steps = steps_of(page)
    assert len(steps) > 3
    for step in steps:
        ended = subprocess.run(
            ["bash", "-c", step.command],
            cwd=shell,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert is_shown(step.expected, ended.stdout), f"$ {step.command}\n{ended.stdout}\n{ended.stderr}"


def test_a_page_shows_what_was_printed() -> None:
    assert is_shown("a ... c", "a b\n c")
    assert is_shown("in ... s, from .../x", "in 1.0 s,\nfrom /y/x")
    assert not is_shown("a ... c", "a b")
    assert not is_shown("a", "a b")
