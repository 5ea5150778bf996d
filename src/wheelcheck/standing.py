"""What a remembered answer stands on, and whether that is still so: files as they were, and a time that is not over.

Only what an interpreter has loaded anyway is imported here: this decides whether anything else need be.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

VOLATILE = frozenset({"_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL"})
"""Environment variables that change between two runs of one command and decide nothing."""


def stamp_of(path: str) -> list[int] | None:
    """What shows that a file or directory was changed: its time, size and number; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- pathlib is not loaded on this way
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size, status.st_ino]


def standing_on(paths: Iterable[str], until: float) -> dict[str, Any]:
    """What to keep beside an answer: its files as they are now, and the time until which it may be given."""
    return {"since": time.time(), "until": until, "files": [(path, stamp_of(path)) for path in sorted(set(paths))]}


def holds(standing: Mapping[str, Any]) -> bool:
    """Whether all is as it was. A clock that was set back ends it."""
    if not standing["since"] <= time.time() < standing["until"]:
        return False
    return all(stamp_of(path) == stamp for path, stamp in standing["files"])


def surroundings() -> list[Any]:
    """Everything outside a command's arguments that may decide its answer, as JSON has it."""
    import wheelcheck

    variables = sorted((name, value) for name, value in os.environ.items() if name not in VOLATILE)
    return [wheelcheck.__version__, _newest_source(), sys.version, sys.executable, _system(), os.getcwd(), variables]  # noqa: PTH109


def installations() -> list[str]:
    """The directories whose change shows that something was installed or removed."""
    return [path for path in sys.path if path]


def _newest_source() -> int:
    """The time of the last change to this package, its rules included."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    folders = (here, f"{here}/index", f"{here}/render", f"{here}/rules")
    return max(entry.stat().st_mtime_ns for folder in folders for entry in os.scandir(folder) if entry.is_file())


def _system() -> list[str]:
    if sys.platform == "win32":
        return [sys.platform, *map(str, sys.getwindowsversion())]
    return list(os.uname())
