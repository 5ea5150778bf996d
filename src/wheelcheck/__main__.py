"""``python -m wheelcheck``, and the command ``wheelcheck``."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command of this process and gives its exit code."""
    import gc

    from wheelcheck.recall import recalled

    gc.set_threshold(100_000, 50, 50)  # a command is over before there is much to collect
    try:
        code = recalled(sys.argv[1:])
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    if code is not None:
        return code
    from wheelcheck.cli import main as answer

    return answer()


if __name__ == "__main__":
    sys.exit(main())
