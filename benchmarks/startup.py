"""What starting costs: `wheelcheck --version` and `import wheelcheck` beside a bare interpreter.

python benchmarks/startup.py [RUNS]. Runs alternate, so each ratio is that of two neighbouring runs; medians are shown.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BARE = "python -c pass"


def commands() -> dict[str, list[str]]:
    """What is timed, the bare interpreter first."""
    script = shutil.which("wheelcheck", path=str(Path(sys.executable).parent))
    if script is None:
        sys.exit(f"wheelcheck is not installed beside {sys.executable}; install it there first.")
    return {
        BARE: [sys.executable, "-c", "pass"],
        "import wheelcheck": [sys.executable, "-c", "import wheelcheck"],
        "wheelcheck --version": [script, "--version"],
    }


def milliseconds(command: list[str]) -> float:
    """The wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    timed = commands()
    for command in timed.values():
        milliseconds(command)  # the first run compiles and fills the disk cache
    rounds = [{name: milliseconds(command) for name, command in timed.items()} for _ in range(runs)]
    print(f"{runs} runs of each, alternating; Python {sys.version.split()[0]}")
    for name in timed:
        times = [one[name] for one in rounds]
        ratios = [one[name] / one[BARE] for one in rounds]
        print(
            f"{name:<22} median {statistics.median(times):7.1f} ms   min {min(times):7.1f} ms   "
            f"max {max(times):7.1f} ms   {statistics.median(ratios):5.2f} times bare"
        )


if __name__ == "__main__":
    main()
