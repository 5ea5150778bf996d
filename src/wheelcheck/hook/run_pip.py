"""Run pip, and where it fails, tell why from what it printed on stderr, which passes through as it comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

KEPT = 4 << 20
"""The number of last bytes of stderr that are kept."""
PATIENCE = 2.0
"""Seconds to wait for the end of stderr once pip has ended; a process that it left behind may hold it open."""


def run_pip(interpreter: str, arguments: Sequence[str], stdin: bytes | None = None, *, explains: bool = False) -> int:
    """Run pip and return its exit code.

    Args:
        interpreter: whose pip runs.
        arguments: pip's, unchanged.
        stdin: what was read from the standard input already.
        explains: whether to tell why pip failed.

    Raises:
        UsageError: the interpreter cannot be started.
    """
    import subprocess

    sys.stderr.flush()
    copy = _Copy() if explains else None
    streams = {"stdin": subprocess.PIPE if stdin is not None else None, "stderr": copy.child if copy else None}
    try:
        child = subprocess.Popen([interpreter, "-m", "pip", *arguments], **streams)  # type: ignore[call-overload]
    except OSError as error:
        from wheelcheck.common.errors import UsageError

        raise UsageError(f"{interpreter} could not be started: {error.strerror}.") from None
    if copy is not None:
        copy.begin()
    code = _ended(child, stdin)
    text = copy.end() if copy is not None else ""
    if code and text:
        _explain(text, child.returncode, interpreter)
    return code


def _ended(child: subprocess.Popen[bytes], stdin: bytes | None) -> int:
    while True:
        try:
            child.communicate(stdin)
        except KeyboardInterrupt:  # pip got it as well, and ends in its own way
            continue
        return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _explain(text: str, returncode: int, interpreter: str) -> None:
    """Print why pip failed, if that is recognised."""
    from wheelcheck.common.records import replace
    from wheelcheck.diagnosis.diagnose import BENIGN, UNRECOGNISED, diagnose
    from wheelcheck.diagnosis.of_import import for_interpreter
    from wheelcheck.render.console import emit, say
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_diagnosis

    found = diagnose(text, returncode)
    if found.cause in (BENIGN, UNRECOGNISED):
        return
    found = replace(found, fixes=tuple(for_interpreter(fix, interpreter) for fix in found.fixes))
    say(f"pip failed (exit code {returncode}).")
    emit(render_diagnosis(found, style=Style.of(None, stderr=True)), None, stderr=True)


class _Copy:
    """A stderr for a child that is written to our own as it comes, and of which the end is kept.

    On a terminal the child gets a pseudoterminal, so that it colours and measures as it would; where there is none
    (Windows), it gets the terminal itself, and nothing is kept.

    Attributes:
        child: the file descriptor for the child; None where it inherits ours.
    """

    def __init__(self) -> None:
        self.child: int | None = None
        self._source: int | None = None
        self._kept = b""
        self._thread: Any = None
        try:
            out = sys.stderr.fileno()
        except (AttributeError, OSError, ValueError):
            return
        self._out = out
        if not os.isatty(out):
            self._source, self.child = os.pipe()
        elif os.name == "posix":
            self._source, self.child = _pseudoterminal(out)

    def begin(self) -> None:
        """Begin to copy, after the child has started."""
        if self.child is None:
            return
        from threading import Thread

        os.close(self.child)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        assert self._source is not None
        while True:
            try:
                chunk = os.read(self._source, 65536)
            except OSError:  # what a pseudoterminal gives at its end
                return
            if not chunk:
                return
            self._kept = (self._kept + chunk)[-KEPT:]
            _write(self._out, chunk)

    def end(self) -> str:
        """Return what was copied, after the child has ended."""
        if self._thread is None:
            return ""
        self._thread.join(PATIENCE)
        return self._kept.decode("utf-8", "replace")


def _write(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:  # nobody reads; pip goes on
        return


def _pseudoterminal(terminal: int) -> tuple[int, int]:
    """Return both ends of a pseudoterminal of the size of a terminal that passes on what is written unchanged."""
    import fcntl
    import pty
    import termios

    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    size = fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    return master, slave
