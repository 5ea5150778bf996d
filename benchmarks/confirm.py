"""What a confirmation costs: `wheelcheck.confirm` up to the level imported, beside a bare import in a child.

python benchmarks/confirm.py [RUNS]. Installs tensorflow-cpu in an environment of its own first.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from side_by_side import Way, announce, compared, runs_asked_for

from wheelcheck.interpreters.probe import confirm_names


def bare(python: str, module: str, directory: str) -> None:
    """Import a module in a child, as a user would."""
    command = [python, "-c", f"import {module}"]
    subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def confirmed(python: str, module: str) -> None:
    """Confirm it without running operations."""
    assert confirm_names([module], interpreter=python, run=False).ok


def main() -> None:
    runs = runs_asked_for(15)
    with tempfile.TemporaryDirectory() as directory:
        venv = Path(directory) / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        python = str(next(path for path in (venv / "bin" / "python", venv / "Scripts" / "python.exe") if path.exists()))
        subprocess.run([python, "-m", "pip", "install", "--quiet", "tensorflow-cpu"], check=True)
        announce("What a confirmation costs", runs)
        for module in ("numpy", "tensorflow"):
            ways = [
                Way(name=f"import {module}", run=partial(bare, python, module, directory)),
                Way(name="confirmed", run=partial(confirmed, python, module)),
            ]
            for way in ways:
                way.run()
            compared(f"import {module}", ways, runs, peer=ways[0].name)


if __name__ == "__main__":
    main()
