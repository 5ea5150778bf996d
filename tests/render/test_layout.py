"""Lines of a width, measured in cells; and the status line."""

from __future__ import annotations

import os
import sys
import time
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.common.progress import ACTIVITY
from wheelcheck.render import progress
from wheelcheck.render.console import harmless, terminal_width
from wheelcheck.render.layout import cells, columns, command_lines, indent, wrap
from wheelcheck.render.style import Style

TEXTS = st.text(st.sampled_from("ab -.\n\té字🐍\u0301"), max_size=120)


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("字", 2), ("字ab", 4), ("🐍", 2)]
)
def test_cells_of_a_text(text: str, size: int) -> None:
    assert cells(text) == size


@given(text=TEXTS, width=st.integers(8, 60), hang=st.integers(0, 4), most=st.none() | st.integers(1, 3))
def test_no_line_is_longer_than_the_width_and_no_word_is_lost(
    text: str, width: int, hang: int, most: int | None
) -> None:
    lines = wrap(text, width, hang=hang, most=most)
    for line in lines:
        words = line.removesuffix(" ...").split()
        assert cells(line) <= width or (len(words) == 1 and (words[0].isascii() or line.endswith(" ...")))
    if most is not None:
        assert len(lines) <= most
    else:
        assert "".join("".join(lines).split()) == harmless("".join(text.split()))


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert wrap("one two three four five six", 10, most=2) == ["one two", "three ..."]
    assert wrap("one two", 10, most=1) == ["one two"]
    assert wrap("averyverylongword and more", 10, most=1) == ["averyverylongword ..."]


def test_words_stay_whole_and_wide_texts_without_spaces_are_broken() -> None:
    assert wrap("see /a/long/path/that/is/copied now", 12) == ["see", "/a/long/path/that/is/copied", "now"]
    assert wrap("字字字字字字", 8) == ["字字字字", "字字"]


@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4), width=st.integers(20, 100))
def test_nothing_of_a_table_is_lost(rows: list[tuple[str, str, str]], width: int) -> None:
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in rows]  # type: ignore[misc]
    told = "".join("".join(columns(rows, width)).split())
    assert told == "".join("".join("".join(row).split()) for row in rows)


def test_a_table_is_aligned_by_cells() -> None:
    assert list(columns([("字", "1", "two words"), ("a", "22", "x")], 30)) == ["字  1   two words", "a   22  x"]


def test_a_command_in_several_lines_is_one_for_a_shell() -> None:
    lines = list(command_lines("python -m pip install 'a b' c==1.0 d==2.0", 24))
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert "\n".join(lines).replace(" \\\n  ", " ") == "python -m pip install 'a b' c==1.0 d==2.0"


def test_indent_leaves_empty_lines_empty() -> None:
    assert list(indent(["a\nb", ""], 2)) == ["  a", "  b", ""]


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("5", 20), ("1000", 200), ("wide", None)])
def test_the_width_is_that_of_the_terminal_within_limits(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((33, 24)))
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    assert Style.of(None).width == (33 if width is None else width)
    assert Style.of("a file").width == 80
    assert terminal_width("a file") is None


# -- the status line


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def told(place: StringIO, text: str) -> bool:
    """Wait until something is written."""
    for _ in range(3000):
        if text in place.getvalue():
            return True
        time.sleep(0.01)
    return False


def test_a_terminal_says_what_takes_its_time_and_is_clean_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Terminal()
    monkeypatch.setattr(sys, "stderr", place)
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    with progress.status_line():
        ACTIVITY.begin("fetching\x1b[31m wheels", total=3_000_000, unit="MB")
        ACTIVITY.add(1_000_000)
        ACTIVITY.beside = lambda: "4 requests"
        assert told(place, "fetching\\x1b[31m wheels; 1 of 3 MB; 4 requests")
        ACTIVITY.begin("resolving for a target", lambda: "7 versions tried")
        assert told(place, "resolving for a target; 7 versions tried; 4 requests")
    assert place.getvalue().rstrip().endswith("\x1b[2K")  # the line is erased


@pytest.mark.parametrize("where", ["pipe", "dumb", "soon over"])
def test_nothing_is_shown_elsewhere(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    place = StringIO() if where == "pipe" else Terminal()
    monkeypatch.setattr(sys, "stderr", place)
    monkeypatch.setenv("TERM", "dumb" if where == "dumb" else "xterm")
    monkeypatch.setattr(progress, "DELAY", 3600.0)
    with progress.status_line():
        ACTIVITY.begin("resolving")
    assert place.getvalue() == ""
