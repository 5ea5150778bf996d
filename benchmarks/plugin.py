"""What the pytest plugin costs where nobody asked for it: `pytest` on one test that does nothing.

python benchmarks/plugin.py [RUNS]. The peer is the same run with `-p no:wheelcheck`. Needs wheelcheck installed as a
wheel, not as an editable project, for what users have.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from side_by_side import Way, announce, compared, runs_asked_for


def tested(directory: str, *options: str) -> None:
    """Run the tests of a directory."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    # without the compiled files that pytest keeps, every run would compile the plugin again
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def main() -> None:
    runs = runs_asked_for(100)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        announce("What the pytest plugin costs when it is off", runs)
        ways = [
            Way(name="pytest -p no:wheelcheck", run=partial(tested, directory, "-p", "no:wheelcheck")),
            Way(name="pytest", run=partial(tested, directory, "-p", "no:nothing-at-all")),
        ]
        for way in ways:
            way.run()
        compared("one test that does nothing", ways, runs, peer=ways[0].name)


if __name__ == "__main__":
    main()
