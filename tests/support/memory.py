"""How much memory another process takes for a bad file beside a good one, as its system measures it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from loopback import simple_index

if TYPE_CHECKING:
    from wheels import Dist

SCRIPT = """
import json, sys
from pathlib import Path
from packaging.utils import canonicalize_name
from wheelcheck.standards import tar_member as tarballs
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.index import Index, SimpleIndex

tarballs.EXPANDED_LIMIT = 2**27

def most():
    # the peak that getrusage gives is inherited from the process that starts this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

with Index([SimpleIndex(sys.argv[1])], cache=Cache(None)) as it:
    good, bad = (it.page(canonicalize_name(name)).files[0] for name in ("good", "bad"))
    first = it.metadata(good)
    before = most()
    told = it.metadata(bad)
print(json.dumps([type(first).__name__, type(told).__name__, getattr(told, "why", ""), most() - before]))
"""

CAN_MEASURE = sys.platform == "linux"


def measured(good: Dist, bad: Dist, **how: Any) -> tuple[str, str, str, int]:
    """The kinds of what is said of both, why the bad one is refused, and how many bytes more it took at its worst.

    Both are served from ``/simple/``; tar archives may expand to 128 MiB. `how` are arguments of `simple_index`.
    """
    with simple_index({"good": [good], "bad": [bad]}, **how) as server:
        done = subprocess.run([sys.executable, "-c", SCRIPT, server.index], capture_output=True, text=True, check=True)
    first, told, why, more = json.loads(done.stdout)
    return first, told, why, more
