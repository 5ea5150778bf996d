"""The examples of the pages: what a command prints is what it prints, every command can be read, and Python runs.

`python tests/test_documentation.py` writes the answers on the pages anew. The commands of a ``console`` block ask the
recorded slice of the index; the tutorials are run by tests/test_tutorial.py instead.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import make_presets_page
from golden import printed
from wheelcheck.cli.main import read_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TUTORIALS = {"it-does-not-import.md", "tutorial.md"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
FRONTS = {"pip", "hook"}
"""Commands whose arguments are pip's."""


def bodies(page: Path, *languages: str) -> list[str]:
    return [block["body"] for block in FENCE.finditer(page.read_text("utf-8")) if block["language"] in languages]


def shown(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the answer below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def rendered(block: str) -> str:
    """A console block with the answers of now."""
    answers = (f"$ {command}\n{printed(command.removeprefix('wheelcheck '))}" for command, _ in shown(block))
    return "".join(answers)


def consoles() -> list[tuple[Path, str]]:
    pages = [page for page in PAGES if page.name not in TUTORIALS]
    return [(page, block) for page in pages for block in bodies(page, "console") if block.startswith("$ wheelcheck")]


@pytest.mark.parametrize(
    ("page", "block"), [pytest.param(*one, id=f"{one[0].stem}-{n}") for n, one in enumerate(consoles())]
)
def test_an_answer_on_a_page_is_the_answer(page: Path, block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert rendered(block) == block


def commands(page: Path) -> list[list[str]]:
    """The commands of wheelcheck in the shell blocks of a page, in words."""
    text = "\n".join(bodies(page, "sh", "console", "yaml")).replace("\\\n", " ")
    found: list[list[str]] = []
    for line in text.splitlines():
        line = re.sub(r"^\s*(?:- run: |- |\$ )", "", line)
        if not re.match(r"(?:\S+ && )*(?:\S*bin/)?wheelcheck ", re.sub(r"^python3 .*?(?=\S*wheelcheck)", "", line)):
            continue
        words: list[str] = []
        for word in [*shlex.shlex(line, posix=True, punctuation_chars=True), ";"]:
            if set(word) <= set("|&;<>()"):
                found.append(words)
                words = []
            else:
                words.append(word)
    return [words for words in found if words and words[0].endswith("wheelcheck")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_can_be_read(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for _, *words in commands(page):
        if words and words[0] not in FRONTS and words[0] != "--version":
            assert read_arguments(words).command, words


def examples() -> list[tuple[str, str]]:
    return [(f"{page.stem}_{n}", body) for page in PAGES for n, body in enumerate(bodies(page, "python"))]


@pytest.mark.parametrize(("name", "code"), examples(), ids=[name for name, _ in examples()])
def test_an_example_runs(name: str, code: str, tmp_path: Path) -> None:
    environment = {key: text for key, text in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": (ROOT / "fixtures" / "index").as_uri()}
    (tmp_path / f"{name}.py").write_text(code)
    ended = subprocess.run(
        [sys.executable, f"{name}.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_examples_have_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    for name, code in examples():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(code)
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(tmp_path)],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_the_page_of_the_presets_has_their_data() -> None:
    assert (ROOT / "docs" / "presets.md").read_text("utf-8") == make_presets_page.page()


def rewrite() -> None:
    """Write the answers on all pages anew."""
    os.chdir(ROOT)
    for page, block in consoles():
        page.write_text(page.read_text("utf-8").replace(block, rendered(block)), "utf-8")


if __name__ == "__main__":
    rewrite()
