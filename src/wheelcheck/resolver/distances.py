"""How far a refused file came: the axes on which it fits its target, in the order in which they are asked about."""

from __future__ import annotations

from collections.abc import Collection

from wheelcheck.resolver.compatibility import (
    NeverMatches,
    OsTooOld,
    Reason,
    RequiresPython,
    WrongAbiTag,
    WrongPlatformTag,
    WrongPythonTag,
)
from wheelcheck.standards.distributions import Listed, UnreadableFile, Wheel
from wheelcheck.targets.target import Target

SYSTEM, ARCHITECTURE, RELEASE = "system", "architecture", "release"
INTERPRETER, ABI, REQUIRES_PYTHON = "interpreter", "abi", "requires-python"
AXES = (SYSTEM, ARCHITECTURE, RELEASE, INTERPRETER, ABI, REQUIRES_PYTHON)
"""What a file can fit: the operating system, its architecture and its release; the interpreter by its python tag and by
its ABI; and the range of Pythons that its publisher states, where he states one."""


def fits_of(file: Listed | UnreadableFile, reasons: Collection[Reason], target: Target) -> tuple[str, ...]:
    """The axes on which a file fits a target, though there are reasons against it."""
    if isinstance(file, UnreadableFile):
        return ()
    by_tags = (*_of_platform(reasons, target), *_of_interpreter(reasons)) if isinstance(file, Wheel) else ()
    admits = file.requires_python and not any(isinstance(why, RequiresPython) for why in reasons)
    return (*by_tags, REQUIRES_PYTHON) if admits else by_tags


def _of_platform(reasons: Collection[Reason], target: Target) -> tuple[str, ...]:
    for why in reasons:
        if isinstance(why, WrongPlatformTag):
            same_machine = any(tag.endswith(f"_{target.platform.machine}") for tag in why.kindred)
            return (SYSTEM, ARCHITECTURE)[: bool(why.kindred) + same_machine]
        if isinstance(why, OsTooOld) or (isinstance(why, NeverMatches) and "-" not in why.tag):
            return SYSTEM, ARCHITECTURE
    return SYSTEM, ARCHITECTURE, RELEASE


def _of_interpreter(reasons: Collection[Reason]) -> tuple[str, ...]:
    for why in reasons:
        if isinstance(why, WrongPythonTag):
            return ()
        if isinstance(why, WrongAbiTag):
            return (INTERPRETER,)
    return INTERPRETER, ABI
