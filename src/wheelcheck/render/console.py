"""Output: stdout, stderr, or a file."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO, TypeVar

    T = TypeVar("T")


INTERRUPTED = 130


def ended(run: Callable[[], T]) -> T | int:
    """Return what a command returns, or the exit code where the user or the reader of its output ended it."""
    try:
        return run()
    except KeyboardInterrupt as interrupted:
        if str(interrupted):
            say(str(interrupted))
        return INTERRUPTED
    except BrokenPipeError:
        return INTERRUPTED


def say(sentence: str) -> None:
    """Print a sentence to stderr, with control characters escaped."""
    if sys.stderr is not None:  # else print would take the standard output
        print(f"wheelcheck: {harmless(sentence)}", file=sys.stderr)  # noqa: T201


def harmless(text: str) -> str:
    """Escape every control character except line feeds; names and reasons come from an index."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def emit(text: str, output: str | None, *, stderr: bool = False) -> None:
    """Write an answer to a file, or to stdout or stderr.

    Raises:
        BrokenPipeError: the reader of stdout is gone.
        UsageError: it cannot be written.
    """
    try:
        if output is None:
            _print(text, sys.stderr if stderr else sys.stdout)
        else:
            with open(output, "w", encoding="utf-8") as handle:  # noqa: PTH123 -- a remembered answer loads no pathlib
                handle.write(text + "\n")
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        from wheelcheck.common.errors import UsageError

        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"The answer could not be written to {output or 'standard output'}: {why}.") from None


def write_file(text: str, path: str) -> None:
    """Replace a file by a text, atomically.

    Raises:
        UsageError: it cannot be written.
    """
    place = os.path.realpath(path)
    folder, name = os.path.split(place)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}")  # noqa: PTH118 -- as above
    try:
        with open(temporary, "x", encoding="utf-8", errors="replace", newline="\n") as handle:  # noqa: PTH123
            handle.write(text)
        os.replace(temporary, place)  # noqa: PTH105
    except (OSError, ValueError) as error:
        from wheelcheck.common.errors import UsageError

        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} could not be written: {why}.") from None
    finally:
        _remove(temporary)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except (OSError, ValueError):
        return


def wants_colour(output: str | None, *, stderr: bool = False) -> bool:
    """Return whether to colour: as ``FORCE_COLOR`` and ``NO_COLOR`` say, otherwise on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    if output is not None or os.environ.get("NO_COLOR") or stream is None:
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def terminal_width(output: str | None, *, stderr: bool = False) -> int | None:
    """Return how many cells a line has, as ``COLUMNS`` says or the terminal; None for a file or a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    if output is not None or stream is None:
        return None
    try:
        return int(os.environ.get("COLUMNS", "")) or None
    except ValueError:
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def _print(text: str, stream: TextIO | None) -> None:
    if stream is None:
        raise BrokenPipeError
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    try:
        print(text, file=stream, flush=True)
    except OSError:
        # discard what the stream could not take; otherwise the interpreter complains at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise
