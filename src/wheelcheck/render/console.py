"""Output: stdout, stderr, or a file."""

from __future__ import annotations

import os
import sys


def say(sentence: str) -> None:
    """Print a sentence to stderr, with control characters escaped."""
    if sys.stderr is not None:  # else print would take the standard output
        print(f"wheelcheck: {harmless(sentence)}", file=sys.stderr)  # noqa: T201


def harmless(text: str) -> str:
    """Escape every control character except line feeds; names and reasons come from an index."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def emit(text: str, output: str | None) -> None:
    """Write an answer to a file, or to stdout.

    Raises:
        BrokenPipeError: the reader of stdout is gone.
        UsageError: it cannot be written.
    """
    try:
        if output is None:
            _print(text)
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


def wants_colour(output: str | None) -> bool:
    """Return whether to colour: as ``FORCE_COLOR`` and ``NO_COLOR`` say, otherwise on a terminal."""
    if output is not None or os.environ.get("NO_COLOR") or sys.stdout is None:
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _print(text: str) -> None:
    if sys.stdout is None:
        raise BrokenPipeError
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:
        # discard what stdout could not take; otherwise the interpreter complains at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
