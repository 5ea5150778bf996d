"""Stamps: detect that files behind a remembered answer have changed.

Only modules that the interpreter has loaded anyway are imported here, since this decides whether anything else has to
be.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from stat import S_ISDIR, S_ISREG
from typing import Any, TypeAlias

Stamp: TypeAlias = "list[int] | None"

TICK, COARSE_TICK = 0.05, 2.0
"""Seconds within which a file may change without another timestamp: on most file systems, and on those with whole
seconds.
"""


def stamp_of(path: str) -> Stamp:
    """Return times, size and inode of a file or directory.

    None where there is none; empty for other kinds, such as a pipe, whose content differs each time.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 -- pathlib is not loaded on this way
    except (OSError, ValueError):
        return None
    return stamp_of_status(status) if S_ISREG(status.st_mode) or S_ISDIR(status.st_mode) else []


def stamps_of(paths: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamp of each path."""
    return {path: stamp_of(path) for path in paths}


def is_settled(stamp: Stamp, began: float) -> bool:
    """Return whether every change after a time, in seconds since the epoch, would show in a stamp that was taken
    later.
    """
    if not stamp:
        return stamp is None
    changed = max(stamp[:2]) / 1e9
    return changed < began - (COARSE_TICK if changed.is_integer() else TICK)


def validity(stamps: Mapping[str, Stamp], until: float) -> dict[str, Any]:
    """Return what to store beside an answer: the stamps, and the time until which it is fresh."""
    return {"since": time.time(), "until": until, "files": sorted(stamps.items())}


def holds(validity_stamps: Mapping[str, Any]) -> bool:
    """Return whether all stamps still hold. A clock that was set back invalidates them."""
    if not validity_stamps["since"] <= time.time() < validity_stamps["until"]:
        return False
    return all(stamp_of(path) == stamp for path, stamp in validity_stamps["files"])


def environment_state() -> list[Any]:
    """Return everything outside a command's arguments that may decide its answer, as JSON.

    Raises:
        OSError: the working directory or this package is gone.
    """
    from wheelcheck._version import __version__

    python = [sys.version, sys.executable, *sys.flags]
    here = os.getcwd()  # noqa: PTH109
    projects = sorted(stamps_of(project_files(here)).items())
    return [__version__, _sources(), python, _system(), here, projects, sorted(os.environ.items())]


def project_files(folder: str) -> list[str]:
    """Return where project settings may be: the pyproject.toml of a directory and of its parents, nearest first."""
    found = []
    while True:
        found.append(os.path.join(folder, "pyproject.toml"))  # noqa: PTH118
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120
        if folder == below:
            return found


def installations() -> list[str]:
    """Return the directories that change when something is installed or removed."""
    return [path for path in sys.path if path]


def stamp_of_status(status: os.stat_result) -> list[int]:
    """Return what changes when a file is written or replaced: times in ns, size, inode."""
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]


@lru_cache(maxsize=1)
def _sources() -> list[Any]:
    """Return the stamps of the files of this package, rules included, from when this process first looked.

    The walk is recursive, so that a new folder cannot go unnoticed. `__pycache__` is left out, because the interpreter
    writes there.
    """
    from wheelcheck import _version

    found = []
    folders = [os.path.dirname(_version.__file__)]  # noqa: PTH120
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.is_file():
                found.append((entry.path, stamp_of_status(entry.stat())))
            elif entry.name != "__pycache__":
                folders.append(entry.path)
    return sorted(found)


def _system() -> list[str | None]:
    if sys.platform == "win32":
        return [sys.platform, *map(str, sys.getwindowsversion())]
    libc = "CS_GNU_LIBC_VERSION"
    return [*os.uname(), os.confstr(libc) if libc in os.confstr_names else None]
