"""``python -m wheelcheck.hook install ...``: the hook for wrapper scripts."""

from __future__ import annotations

import sys

from wheelcheck.hook.guard import guard
from wheelcheck.render.console import ended

if __name__ == "__main__":
    sys.exit(ended(lambda: guard(["hook", *sys.argv[1:]])))
