"""Answers and fixes as commands to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wheelcheck.advice.changes import AllowPreRelease, ChangePython, ChangeRequirement, DropRequirement
from wheelcheck.advice.changes import UseNativeArchitecture as Native
from wheelcheck.render.problems import COMMAND_LINE, location_at
from wheelcheck.resolver.model import Asked
from wheelcheck.targets.platform import Windows

if TYPE_CHECKING:
    from wheelcheck.advice.changes import Remedy
    from wheelcheck.resolver.model import Pin
    from wheelcheck.targets.target import Target

MAX_NAMED = 8
"""Maximum number of requirements in a command; a longer one is nothing to copy."""
PRE_RELEASES = ("PreRelease", "NightlyDependency")

_PLACES = (COMMAND_LINE, "the remedy", "the fix")
"""Where a requirement of a command was asked for, other than in a file."""


def install_commands(pins: Sequence[Pin], target: Target, unasked: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the command that installs an answer with pip, or nothing where no short one does.

    Args:
        pins: the answer.
        target: what it is for.
        unasked: projects to name although nobody requested them, such as those of pre-releases.
    """
    wanted = _wanted(pins, target, unasked)
    return (f"{_python(target)} -m pip install {wanted}",) if wanted else ()


def fix_commands(remedy: Remedy, target: Target) -> tuple[str, ...]:
    """Return the commands that carry out a remedy, or nothing where it is no matter of commands."""
    warned = [one.project for one in remedy.concerns if one.kind in PRE_RELEASES and one.project]
    match remedy.change:
        case AllowPreRelease() as change:
            warned += change.projects
        case ChangeRequirement(place=place) | DropRequirement(place=place) if place != COMMAND_LINE:
            return ()  # a file has to be edited
    wanted = _wanted(remedy.pins, target, warned)
    if not wanted:
        return ()
    if isinstance(remedy.change, ChangePython):
        return _in_new_venv(
            _python_named(remedy.change.python, target), f".venv-{remedy.change.python}", wanted, target
        )
    if isinstance(remedy.change, Native):
        python = f"arch -arm64 {_python(target, named=True)}"
        return f"{python} -m venv .venv-arm64", f"arch -arm64 .venv-arm64/bin/python -m pip install {wanted}"
    return (f"{_python(target)} -m pip install {wanted}",)


def _in_new_venv(python: str, name: str, wanted: str, target: Target) -> tuple[str, ...]:
    pip = f"{name}\\Scripts\\pip" if _is_windows(target) else f"{name}/bin/pip"
    return f"{python} -m venv {name}", f"{pip} install {wanted}"


def _wanted(pins: Sequence[Pin], target: Target, unasked: Iterable[str]) -> str:
    """Return what a command of pip has to name: what was requested, and what pip would choose differently."""
    words: dict[str, None] = {}
    named = set(unasked)
    for pin in pins:
        places = [demand.origin.place for demand in pin.demands if isinstance(demand.origin, Asked)]
        files = [place for place in places if place not in _PLACES]
        if len(files) < len(places) or pin.rules or pin.name in named:
            words[_pinned(pin)] = None
        for place in files:
            location = location_at(place)
            if location is None or location.line is None:
                return ""  # pip takes no such file
            words[f"-r {_quoted(location.file, target)}"] = None
    if not words or len(words) > MAX_NAMED or "" in words:
        return ""
    files_first = sorted(words, key=lambda word: not word.startswith("-r "))
    return " ".join(word if word.startswith("-r ") else _quoted(word, target) for word in files_first)


def _pinned(pin: Pin) -> str:
    extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
    if any(demand.requirement.url for demand in pin.demands):
        return ""  # it is not on an index
    return f"{pin.name}{extras}=={pin.version}"


def _quoted(word: str, target: Target) -> str:
    if not _is_windows(target):
        return shlex.quote(word)
    return f'"{word}"' if set(word) & set(" <>&|^[]") else word


def _is_windows(target: Target) -> bool:
    return isinstance(target.platform, Windows)


def _python(target: Target, *, named: bool = False) -> str:
    """Return how the interpreter of a target is called."""
    if target.interpreter and not named:
        return _quoted(target.interpreter, target)
    name = f"{target.version.major}.{target.version.minor}{'t' if target.free_threaded else ''}"
    return _python_named(name, target)


def _python_named(version: str, target: Target) -> str:
    prefix = {"cpython": "python", "pypy": "pypy"}.get(target.implementation, target.implementation)
    short = ".".join(version.removesuffix("t").split(".")[:2]) + ("t" if version.endswith("t") else "")
    if _is_windows(target) and prefix == "python":
        return f"py -{short}"
    return f"{prefix}{short}"
