"""Tell why an install or import failed, from what it printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.common.errors import UsageError
from wheelcheck.diagnosis import diagnose as diagnosing
from wheelcheck.diagnosis.diagnose import Diagnosis

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target

MAX_BYTES = 128 << 20
"""How much of a file is read; of what is read, the beginning and the end are looked at."""


def diagnose(text: str, returncode: int | None = None, target: str | Target | None = None) -> Diagnosis:
    """Return why an install or import failed, from what it printed.

    Args:
        text: everything that was printed, in any order: by pip, uv, conda, a traceback, a loader, a shell.
        returncode: how it ended, where that is known: as `subprocess` gives it (-11), or as a shell does (139).
        target: the machine, or its text; left out, what the text tells of it counts.

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
    return diagnosing.diagnose(text, returncode, target)


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
