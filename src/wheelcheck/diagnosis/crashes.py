"""Crashes: from return codes, and from what shells, faulthandler and crash reports say of a signal."""

from __future__ import annotations

import re
from typing import NamedTuple

from wheelcheck.diagnosis.lines import MAX_LINE, Lines

SIGNALS = {4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGBUS", 11: "SIGSEGV"}
"""Signals of Linux and macOS by number; 7 is SIGBUS on Linux, 10 on macOS."""
OTHER_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU"}
"""Signals that are no crashes, with the same number on both."""
OF_WINDOWS = {
    0xC0000005: "SIGSEGV",
    0xC000001D: "SIGILL",
    0xC0000409: "SIGABRT",
    0xC00000FD: "SIGSEGV",
    0xC0000374: "SIGABRT",
    0x80000003: "SIGTRAP",
}
"""Exit codes of Windows (NTSTATUS) that stand for the same; 3 is what abort() gives, which other programs give too."""
WEAK = 2
"""How much a crash says beside what was printed: a signal alone says little."""


class Crash(NamedTuple):
    """A crash.

    Attributes:
        signal: its name, empty where that is not told.
        rank: how much it says; see `wheelcheck.diagnosis.diagnose`.
        line: the line that tells of it, or nothing.
        has_worked: whether the process had been at work for a while, so that it was not an import that failed.
    """

    signal: str
    rank: int
    line: str = ""
    has_worked: bool = False


def crash_of(returncode: int | None) -> Crash | None:
    """Return the crash that a return code stands for: negative or above 128 for a signal, or an NTSTATUS."""
    if returncode is None:
        return None
    name = OF_WINDOWS.get(returncode & 0xFFFFFFFF) if returncode > 255 or returncode < -255 else None
    name = name or SIGNALS.get(-returncode) or SIGNALS.get(returncode - 128)
    return Crash(name, WEAK) if name else None


def signal_of(returncode: int) -> str | None:
    """Return the name of the signal that ended a process, such as ``SIGSEGV``, or None."""
    crash = crash_of(returncode)
    if crash is not None:
        return crash.signal
    return OTHER_SIGNALS.get(-returncode, f"signal {-returncode}") if -65 < returncode < 0 else None


_WORDS = {
    "SIGILL": r"[Ii]llegal (?:hardware )?instruction|SIGILL|EXC_BAD_INSTRUCTION|0x[cC]000001[dD]|-1073741795",
    "SIGSEGV": r"[Ss]egmentation fault|SIGSEGV|EXC_BAD_ACCESS|access violation|0x[cC]0000005|-1073741819|3221225477",
    "SIGABRT": r"Fatal Python error: Aborted|\bAbort trap: 6|^Aborted\b|: (?:\d+ )?abort\b|SIGABRT",
    "SIGBUS": r"[Bb]us error|SIGBUS",
    "": r"kernel appears to have died|[Kk]ernel (?:has )?(?:died|crashed)|Dead kernel",
    "SIGKILL": r"^(?:\S{1,80}: )?(?:\[\d+\]\s+)?(?:\d+ )?[Kk]illed\b(?!:? building)|Killed: 9|SIGKILL|signal 9\b"
    r"|exit (?:code|status):? 137\b",
}
_ANY = {name: re.compile(words) for name, words in _WORDS.items()}
_HAS: tuple[str, ...] = (
    "llegal",
    "SIG",
    "egmentation fault",
    "EXC_BAD",
    "access violation",
    "0xC0000",
    "0xc0000",
    "-10737",
    "3221225477",
)
_HAS += ("bort", "us error", "ernel", "illed", "signal 9", "137")
_AT_WORK = re.compile(r"\d+%\||\bEpoch \d|\bit/s\b|step/s|iteration \d|Loading checkpoint", re.IGNORECASE)
MAX_HITS = 40
"""The number of lines with one of the words of a crash that are looked at."""


def crash_in(lines: Lines) -> Crash | None:
    """Return the crash that a text tells of: the first."""
    text = lines.text
    for start, line in sorted(lines.having(_HAS, MAX_HITS)):
        for name, words in _ANY.items():
            if words.search(line):
                before = text[max(0, start - MAX_LINE) : start]
                return Crash(name, WEAK, line.strip()[:400], has_worked=_AT_WORK.search(before) is not None)
    return None
