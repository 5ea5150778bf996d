"""Find a Python of a version among those that are installed on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.common.errors import UsageError
from wheelcheck.interpreters.find import describe
from wheelcheck.targets.target import python_of

if TYPE_CHECKING:
    from wheelcheck.targets.python import Python
    from wheelcheck.targets.target import Target

IN_HOMES = (
    (".pyenv/versions", "*/bin/python"),
    (".pyenv/pyenv-win/versions", "*/python.exe"),
    (".local/share/uv/python", "*/bin/python3"),
    (".local/share/mise/installs/python", "*/bin/python3"),
    (".asdf/installs/python", "*/bin/python3"),
    ("AppData/Local/Programs/Python", "*/python.exe"),
    ("AppData/Roaming/uv/python", "*/python.exe"),
)
"""Where version managers and installers keep their Pythons, below the home directory."""
SHARED = (
    ("/Library/Frameworks/Python.framework/Versions", "*/bin/python3"),
    ("/opt/homebrew/opt", "python@3.*/bin/python3.*"),
    ("/usr/local/opt", "python@3.*/bin/python3.*"),
    ("/opt/python", "*/bin/python"),
)
PATIENCE = 10.0


def installed_python(python: Python) -> Target | None:
    """Return an installed interpreter of a Python version: the running one, one on PATH, or the newest elsewhere.

    Args:
        python: one whose micro version is assumed matches every micro version.
    """
    running = describe()
    if _is_same(running, python):
        return running
    seen: set[str] = set()
    for path in _candidates(python):
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        try:
            found = describe(path)
        except UsageError:  # a shim without a version behind it, or a broken link
            continue
        if _is_same(found, python):
            return found
    return None


def _is_same(target: Target, python: Python) -> bool:
    found = python_of(target)
    is_same = (found.implementation, found.tag, found.abi) == (python.implementation, python.tag, python.abi)
    return is_same and (python.assumed or found.version == python.version)


def _candidates(python: Python) -> Iterator[Path]:
    minor = ".".join(python.version.split(".")[:2])
    stem = {"pypy": "pypy"}.get(python.implementation, "python")
    suffix = "t" if "t" in python.flags else ""
    for name in (f"{stem}{minor}{suffix}", f"{stem}3", stem):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)
    homes = [(Path.home() / folder, paths) for folder, paths in IN_HOMES]
    roots = [Path(os.environ[name]) / "versions" for name in ("PYENV_ROOT",) if os.environ.get(name)]
    places = [*((root, "*/bin/python") for root in roots), *homes, *((Path(folder), paths) for folder, paths in SHARED)]
    digits = minor.replace(".", "")
    for folder, paths in places:
        found_here = [path for path in folder.glob(paths) if minor in str(path) or digits in str(path)]
        yield from sorted(found_here, key=_by_version, reverse=True)
    if sys.platform == "win32":
        yield from _of_launcher(minor)


def _by_version(path: Path) -> list[int]:
    import re

    return [int(number) for number in re.findall(r"[0-9]+", str(path))]


def _of_launcher(minor: str) -> Iterator[Path]:
    """Yield what the launcher of Windows starts for a version."""
    import subprocess

    command = ["py", f"-{minor}", "-c", "import sys; sys.stdout.write(sys.executable)"]
    try:
        asked = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return
    if asked.returncode == 0 and asked.stdout:
        yield Path(os.fsdecode(asked.stdout))
