"""What starting costs: `import wheelcheck`, `wheelcheck --version` and a remembered answer, beside a bare interpreter.

python benchmarks/startup.py [RUNS]. The remembered answer is that of `wheelcheck check` to a question that was asked a
moment before. Where uv is installed, its answer to the same question on its own warm cache stands beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sample_index
from side_by_side import Way, announce, compared, must_agree, runs_asked_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BARE = "python -c pass"
IS_RECALLED = "import sys; from wheelcheck.cli.answer_cache import recalled; sys.exit(recalled(sys.argv[1:]) is None)"


class Commands:
    """Commands that are run in the same surroundings."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def run(self, command: Sequence[str]) -> None:
        """Runs a command and drops what it says."""
        subprocess.run(command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

    def said_by(self, command: Sequence[str]) -> str:
        """What a command writes."""
        told = subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
        )
        return told.stdout

    def way(self, name: str, command: Sequence[str]) -> Way:
        """A command as one way to be timed."""
        return Way(name=name, run=lambda: self.run(command))


def check_recalled(commands: Commands, ask: Sequence[str]) -> None:
    """Asks twice; the second answer must be the first one, remembered."""
    must_agree("the answer", {"the first": _pins(commands.said_by(ask)), "the second": _pins(commands.said_by(ask))})
    commands.run([sys.executable, "-c", IS_RECALLED, *ask[1:]])


def _pins(document: str) -> list[tuple[str, str]]:
    return [(pin["name"], pin["version"]) for pin in json.loads(document)["results"][0]["pins"]]


def ways_of(commands: Commands, index: str, directory: Path) -> list[Way]:
    script, uv = sample_index.command_of("wheelcheck"), sample_index.command_of("uv")
    if script is None:
        sys.exit(f"wheelcheck is not installed beside {sys.executable}; install it there first.")
    ask = sample_index.wheelcheck_command(script, index)
    check_recalled(commands, ask)
    ways = [
        commands.way(BARE, [sys.executable, "-c", "pass"]),
        commands.way("import wheelcheck", [sys.executable, "-c", "import wheelcheck"]),
        commands.way("wheelcheck --version", [script, "--version"]),
        commands.way("wheelcheck check, remembered", ask),
    ]
    if uv is not None:
        question = directory / "question.in"
        question.write_text(sample_index.ROOT)
        ask_uv = sample_index.uv_command(uv, index, question)
        pins = {"wheelcheck": dict(_pins(commands.said_by(ask))), "uv": sample_index.pins_in(commands.said_by(ask_uv))}
        must_agree("the pins", pins)
        ways.append(commands.way("uv pip compile, warm", ask_uv))
    return ways


def main() -> None:
    runs = runs_asked_for(40)
    with tempfile.TemporaryDirectory() as made, sample_index.serving(sample_index.served_paths()) as index:
        directory = Path(made)
        commands = Commands(sample_index.surroundings_without_settings(directory))
        ways = ways_of(commands, index, directory)
        announce("What starting costs", runs)
        compared(f"Processes; the question has {len(sample_index.PROJECTS)} projects in its answer", ways, runs)


if __name__ == "__main__":
    main()
