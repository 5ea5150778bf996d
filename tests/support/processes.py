"""Processes that a test has started."""

from __future__ import annotations

import os
import time
from pathlib import Path


def lives(pid: int) -> bool:
    """Whether a process still runs; after it was killed, its parent may need a moment to reap it."""
    for _ in range(1200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        state = Path(f"/proc/{pid}/stat")
        try:
            if state.read_text().rpartition(")")[2].split()[0] in "ZX":
                return False
        except FileNotFoundError:
            pass  # it has just gone, or this system has no /proc
        time.sleep(0.05)
    return True
