"""Tell why an install or import failed, from what it printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.advice.changes import (
    AllowPreRelease,
    ChangePython,
    ChangeRequirement,
    Remedy,
    ReplaceProject,
    UseNativeArchitecture,
)
from wheelcheck.commands.repair import is_plain, repaired
from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.records import replace
from wheelcheck.common.urls import mask
from wheelcheck.diagnosis import diagnose as diagnosing
from wheelcheck.diagnosis.diagnose import Diagnosis
from wheelcheck.diagnosis.of_import import for_interpreter
from wheelcheck.inputs.options import Options, complete

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wheelcheck.targets.target import Target

BY_ANOTHER_QUESTION = frozenset(["pip-no-matching", "python-unsupported"])
"""Causes that another requirement or another Python may mend."""
MAX_BYTES = 128 << 20
"""How much of a file is read; of what is read, the beginning and the end are looked at."""


def diagnose(
    text: str, returncode: int | None = None, target: str | Target | None = None, **options: Unpack[Options]
) -> Diagnosis:
    """Return why an install or import failed, from what it printed.

    Args:
        text: everything that was printed, in any order: by pip, uv, conda, a traceback, a loader, a shell.
        returncode: how it ended, where that is known: as `subprocess` gives it (-11), or as a shell does (139).
        target: the machine, or its text; left out, what the text tells of it counts. With a target, fixes are looked up
            on an index: what fits there, and for an interpreter of this machine, what goes with all that is installed.
        options: those about the index, and `rules`, as `wheelcheck.check` takes them; `no_remedies` asks no index.

    Raises:
        UsageError: the target is unknown.

    Example:
        >>> text = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
        >>> wheelcheck.diagnose(text).cause
        'missing-shared-library'
    """
    if not isinstance(text, str):
        raise UsageError(f"The text to diagnose is a {type(text).__name__}: decode it first.")
    if isinstance(target, str):
        from wheelcheck.inputs.request import target_named

        target = target_named(target, None)
    completed = complete(options)
    found = diagnosing.diagnose(_masked(text), returncode, target)
    if target is None or completed["no_remedies"]:
        return found
    if target.interpreter is not None:
        fixes = tuple(for_interpreter(fix, target.interpreter) for fix in found.fixes)
        found = repaired(replace(found, fixes=fixes), target.interpreter, completed)
    return _with_remedies(found, target, completed)


def _masked(text: str) -> str:
    """Return an output without the passwords in its URLs, which a diagnosis would quote."""
    return "\n".join(mask(line) if "@" in line else line for line in text.split("\n"))


def _with_remedies(diagnosis: Diagnosis, target: Target, options: Options) -> Diagnosis:
    """Return a diagnosis of a failed install whose fixes are changes that give an answer for a target.

    Args:
        diagnosis: with the requirement among its facts; any other one is returned as it is.
        target: where the install failed.
        options: complete ones; those about the index count.
    """
    requirement = diagnosis.facts.get("requirement", "")
    if diagnosis.cause not in BY_ANOTHER_QUESTION or not is_plain([requirement]):
        return diagnosis
    from wheelcheck.commands.check import check

    try:
        (result,) = check([requirement], targets=[target], **options).results
    except (UsageError, UndeterminedError):
        return diagnosis
    found = dict.fromkeys(filter(None, map(_remedy, result.remedies)))
    return replace(diagnosis, fixes=tuple(found)) if found else diagnosis


def _remedy(remedy: Remedy) -> str | None:
    """Return the command that carries out a remedy, or None where that takes another machine."""
    wanted = " ".join(f"{pin.name}=={pin.version}" for pin in remedy.pins if pin.requested)
    match remedy.change:
        case ChangePython(python=python):
            short = ".".join(python.split(".")[:2])
            return f"python{short} -m venv .venv-{short} && .venv-{short}/bin/pip install {wanted}"
        case UseNativeArchitecture(machine=machine):
            made = f"arch -{machine} python3 -m venv .venv-{machine}"
            return f"{made} && arch -{machine} .venv-{machine}/bin/python -m pip install {wanted}"
        case ChangeRequirement() | ReplaceProject() | AllowPreRelease():
            return f"pip install {wanted}"
    return None


def read_output(path: str | None) -> str:
    """Return the text of a file, or of the standard input for ``-`` and None. What is not UTF-8 is replaced.

    Raises:
        UsageError: it cannot be read.
    """
    if path in (None, "-"):
        if sys.stdin is None:
            raise UsageError("The standard input is closed: name the file with the output to diagnose.")
        return sys.stdin.buffer.read(MAX_BYTES).decode("utf-8", "replace")
    file = Path(str(path))
    try:
        if file.exists() and not file.is_file():
            raise UsageError(f"{path} is not a file: name the one with the output to diagnose.")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}: name the one with the output to diagnose.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"  # PowerShell writes UTF-16
    return data.decode(encoding, "replace")


def returncode_of(text: str | None) -> int | None:
    """Return a return code as a user writes it: ``-11``, ``139``, ``0xC0000005``.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        return int(text, 0)
    except ValueError:
        raise UsageError(f"The return code is {text!r}: give a number such as -11, 139 or 0xC0000005.") from None
