"""What the guard costs: `wheelcheck pip install X` beside `pip install X`, each asked a moment before.

python benchmarks/hook.py [RUNS]. X is installed already, so that nothing changes between two runs. Then the same where
something else was installed in between, so that no answer is remembered and the environment is read anew.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sample_index
from side_by_side import Way, announce, compared, runs_asked_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def way(name: str, command: Sequence[str], environment: Mapping[str, str], changed: Path | None = None) -> Way:
    """A command as one way to be timed; `changed` is touched before each run."""

    def run() -> None:
        if changed is not None:
            changed.touch()
        subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
        )

    run()
    return Way(name=name, run=run)


def main() -> None:
    runs = runs_asked_for(15)
    script = sample_index.command_of("wheelcheck")
    if script is None:
        sys.exit(f"wheelcheck is not installed beside {sys.executable}; install it there first.")
    with tempfile.TemporaryDirectory() as made, sample_index.serving(sample_index.served_paths()) as index:
        directory = Path(made)
        venv = directory / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        environment = {
            **sample_index.surroundings_without_settings(directory),
            "VIRTUAL_ENV": str(venv),
            "PIP_INDEX_URL": index,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        announce("What the guard costs", runs)
        python = next(path for path in (venv / "bin" / "python", venv / "Scripts" / "python.exe") if path.exists())
        site = next(path for path in venv.rglob("site-packages"))
        for about, changed in {"as before": None, "something was installed in between": site}.items():
            pip = f"pip, {about}"
            commands = {pip: [str(python), "-m", "pip"], f"wheelcheck pip, {about}": [script, "pip"]}
            commands[f"wheelcheck hook, {about}"] = [script, "hook"]
            ways = [way(name, [*words, "install", "pip"], environment, changed) for name, words in commands.items()]
            compared("pip install pip", ways, runs, peer=pip)


if __name__ == "__main__":
    main()
