"""What answers look like at 80 columns, each in a file under golden/.

Read a changed file as a tired user would before it is committed. `python tests/render/test_golden.py` writes all anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from golden import FIXTURES, printed
from wheelcheck.render.layout import cells

GOLDEN = Path(__file__).parent / "golden"
METAL = "check tensorflow tensorflow-metal"

COMMANDS = {
    "metal-cp312": f"{METAL} -t macos-14-arm64-cp312",
    "metal-cp313": f"{METAL} -t macos-14-arm64-cp313",
    "metal-rosetta": f"{METAL} -t macos-14-rosetta-cp312",
    "metal-macos-12": f"{METAL} -t macos-12-arm64-cp312",
    "metal-everything": f"{METAL} -t macos-14-arm64-cp312 -v",
    "metal-pinned-too-high": "check tensorflow==2.21.0 tensorflow-metal -t macos-14-arm64-cp312",
    "metal-on-four-targets": f"{METAL} -t macos-14-arm64-cp312 -t macos-14-arm64-cp313 -t linux-cp312 -t windows-cp312",
    "pre-release": "check tensorflow -t macos-14-arm64-cp314",
    "old-release": "check tensorflow -t macos-14-x86_64-cp312",
    "missing": "check tensorflow nunpy -t macos-14-arm64-cp312",
    "not-cached": "check django -t macos-14-arm64-cp312 --index-url https://index.example/simple/",
    "quiet": f"{METAL} -t macos-14-arm64-cp312 -q",
    "preset": "check tensorflow -t kaggle",
    "not-there": "check tensorflow -t macos-99-arm64-cp312",
    "explain-no": "explain tensorflow-metal -t macos-14-arm64-cp313",
    "explain-yes": "explain tensorflow -t macos-14-arm64-cp312",
    "explain-every-file": "explain tensorflow==2.21.0 -t macos-14-arm64-cp312 -v",
    "doctor-rosetta": f"doctor tensorflow --environment {FIXTURES / 'environments' / 'mac-rosetta.json'} --no-remedies",
    "doctor-healthy": f"doctor --environment {FIXTURES / 'environments' / 'mac-healthy.json'}",
    "diagnose": "diagnose tests/render/failed-import.txt",
    "targets-list": "targets list",
    "targets-list-alpine": "targets list alpine",
    "targets-show": "targets show kaggle",
    "rules-show": "rules show tensorflow-metal-1.2-needs-tensorflow-below-2.20",
}
"""The command of each file."""


@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_reads_as_in_its_file(name: str) -> None:
    assert without_rounds(printed(COMMANDS[name])) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def without_rounds(text: str) -> str:
    """The text without the length of the search, which changes with every curated rule."""
    return re.sub(r"rounds: \d+; candidates: \d+", "rounds: N; candidates: N", text)


def test_every_file_has_a_command() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == COMMANDS.keys()


@pytest.mark.parametrize("name", ["metal-cp312", "metal-cp313", "metal-rosetta", "metal-macos-12"])
def test_the_first_answers_fit_one_screen(name: str) -> None:
    """A screen of 80 columns and 24 lines, with the next prompt below."""
    text = (GOLDEN / f"{name}.txt").read_text("utf-8")
    assert len(text.splitlines()) <= 23
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("columns", [20, 33, 80, 132, 200])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_longer_than_the_terminal_unless_a_word_is(name: str, columns: int) -> None:
    for line in printed(COMMANDS[name], columns).splitlines():
        longest = max(map(cells, line.split()), default=0)
        assert cells(line) <= columns or longest > columns - 12, line


def rewrite() -> None:
    """Write all files anew."""
    for name, command in COMMANDS.items():
        (GOLDEN / f"{name}.txt").write_text(without_rounds(printed(command)), "utf-8")


if __name__ == "__main__":
    rewrite()
    sys.stdout.write(f"wrote {len(COMMANDS)} files\n")
