"""Lines of a given width: paragraphs, commands and aligned columns, measured in the cells of a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from wheelcheck.render.console import harmless

WIDTH = 80
"""The width where nothing is known of the reader's: in files and pipes."""
MIN_WIDTH, MAX_WIDTH = 20, 200
"""The widths to which that of a terminal is limited: narrower cannot be read, wider neither."""
MIN_COLUMN = 24
"""Minimum width of the last column of a table; where less is left, it goes below the others."""
MORE = "..."


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def wrap(
    text: str,
    width: int = WIDTH,
    *,
    hang: int = 0,
    most: int | None = None,
    measure: Callable[[str], int] = cells,
) -> list[str]:
    """Break a text into lines at its spaces.

    Words stay whole, since paths and commands are copied; only a text without spaces in wide characters is broken.

    Args:
        text: the text; any white space in it counts as one space, and control characters are escaped.
        width: maximum number of cells in a line.
        hang: by how many spaces all lines but the first are indented.
        most: maximum number of lines; where there are more, the last one ends in an ellipsis.
        measure: returns how many cells a text takes.
    """
    lines: list[str] = []
    line, free = "", width
    for word in _words(harmless(" ".join(text.split())), width - hang, measure):
        size = measure(word)
        if line and size + 1 > free:
            lines.append(line)
            line, free = " " * hang + word, width - hang - size
        elif line:
            line, free = f"{line} {word}", free - size - 1
        else:
            line, free = word, width - size
    lines = [*lines, line] if line else lines
    return lines if most is None or len(lines) <= most else [*lines[: most - 1], _shortened(lines[most - 1], width)]


def _words(text: str, width: int, measure: Callable[[str], int]) -> Iterator[str]:
    for word in text.split():
        if word.isascii() or measure(word) <= width:
            yield word
            continue
        from rich.cells import chop_cells

        yield from chop_cells(word, max(2, width))


def _shortened(line: str, width: int) -> str:
    """Return a line that ends in an ellipsis, without the words for which there is no room."""
    words = line.split(" ")
    while len(words) > 1 and cells(" ".join(words)) + 1 + len(MORE) > width:
        words.pop()
    return f"{' '.join(words).rstrip(' ,;:')} {MORE}"


def indent(lines: Iterable[str], by: int = 2) -> Iterator[str]:
    """Yield lines, each indented."""
    for line in lines:
        for part in line.split("\n"):
            yield f"{' ' * by}{part}" if part else ""


def columns(rows: Sequence[Sequence[str]], width: int = WIDTH) -> Iterator[str]:
    """Yield rows with aligned columns, whose last one is wrapped; where it has no room, it stands below.

    A row of one cell is a heading.
    """
    widths = [max(map(cells, column)) for column in zip(*(row[:-1] for row in rows if len(row) > 1), strict=True)]
    start = sum(widths) + 2 * len(widths)
    for row in rows:
        if len(row) == 1 or start > width:
            yield from wrap(" ".join(row), width, hang=2)
            continue
        first = "  ".join(f"{cell}{' ' * (space - cells(cell))}" for cell, space in zip(row, widths, strict=False))
        longest = max(map(cells, row[-1].split()), default=0)
        if longest > width - 4:
            yield from wrap("  ".join(row), width, hang=4)
            continue
        if start + max(longest, min(MIN_COLUMN, cells(row[-1]))) > width:
            yield first.rstrip()
            yield from indent(wrap(row[-1], width - 4), 4)
            continue
        head, *rest = wrap(row[-1], width - start) or [""]
        yield f"{first}  {head}".rstrip()
        yield from indent(rest, start)


def command_lines(command: str, width: int = WIDTH) -> Iterator[str]:
    r"""Yield a command in lines that a shell reads as one: each but the last ends in a backslash."""
    line = ""
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", command):
        if line and cells(line) + cells(word) + 3 > width:
            yield f"{line} \\"
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    yield line
