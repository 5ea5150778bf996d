"""Argument lists of pip, asked of pip itself and of the hook, on a recorded slice of an index, in two environments.

tests/support/run_hook.py asks more of them in real environments on the configured index.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wheelcheck
from doors import stand_alone
from environments import install, make_environment
from peers import OLDEST_PIP, SLICE, pip_version, served
from run_hook import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loopback import Server

pytestmark = pytest.mark.skipif(pip_version() < OLDEST_PIP, reason=f"needs pip {OLDEST_PIP} or newer")

OLD = {
    "numpy": ("1.26.3", []),
    "pandas": ("2.0.1", ["numpy>=1.20.3", "python-dateutil>=2.8.2", "pytz>=2020.1"]),
    "python-dateutil": ("2.9.0", ["six>=1.5"]),
    "pytz": ("2026.5", []),
    "six": ("1.16.0", []),
    "urllib3": ("1.26.19", []),
    "requests": ("2.28.1", ["urllib3<1.27,>=1.21.1", "idna<4,>=2.5"]),
    "flask": ("2.0.2", ["werkzeug>=2.0", "jinja2>=3.0"]),
}
"""What is installed in the older environment: name, version, requirements."""
ARGUMENTS = {
    "several": ["flask", "pandas"],
    "satisfied": ["requests", "six"],
    "upgrade": ["-U", "requests"],
    "upgrade-eagerly": ["-U", "--upgrade-strategy", "eager", "pandas"],
    "only-what-has-to": ["pandas==2.0.3", "numpy<2"],
    "forced-alone": ["--force-reinstall", "--no-deps", "six"],
    "against-the-installed": ["urllib3>=2", "requests<2.30"],
    "constrained": ["-U", "flask", "-c", "constraints.txt"],
}


@pytest.fixture(scope="module")
def slice_() -> Iterator[Server]:
    with served(SLICE.read_text("utf-8").splitlines()) as server:
        yield server


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without pip: both sides use the pip beside the tests."""
    return make_environment(tmp_path_factory.mktemp("bare"), pip=False)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slice_: Server) -> None:
    stand_alone(monkeypatch, tmp_path)
    for name, value in {"PIP_INDEX_URL": slice_.index, "PIP_NO_CACHE_DIR": "1", "PIP_ONLY_BINARY": ":all:"}.items():
        monkeypatch.setenv(name, value)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    (tmp_path / "constraints.txt").write_text("jinja2<3.1\nwerkzeug<2.1\nflask<3\n")


def by_pip(python: Path, arguments: Sequence[str]) -> set[str] | None:
    report = Path("report.json").absolute()
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--dry-run", "--report", report, *arguments]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert "Traceback" not in done.stderr, done.stderr
    if done.returncode:
        return None
    told = json.loads(report.read_text("utf-8"))["install"]
    return {f"{canonical(one['metadata']['name'])}=={one['metadata']['version']}" for one in told}


def by_the_hook(python: Path, arguments: Sequence[str]) -> set[str] | None:
    report = wheelcheck.check_pip(["--python", str(python), "install", *arguments], no_remedies=True, no_rules=True)
    (result,) = report.results
    assert result.error is None
    return {f"{pin.name}=={pin.version}" for pin in result.pins} if result.conflict is None else None


OFTEN = ("upgrade-eagerly", "against-the-installed")
"""The lists that each run compares; the others carry the marker `peers`."""


@pytest.mark.parametrize("environment", ["empty", "old"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.peers) for name in ARGUMENTS]
)
def test_the_hook_says_what_pip_would_install(name: str, environment: str, python: Path, tmp_path: Path) -> None:
    if environment == "old":
        for project, (version, requires) in OLD.items():
            install(tmp_path / "installed", project, version, requires)
    theirs = by_pip(python, ARGUMENTS[name])
    assert by_the_hook(python, ARGUMENTS[name]) == theirs
    if name == "against-the-installed":
        assert theirs is None
