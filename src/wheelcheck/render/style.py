"""How a text looks: its width and its colours."""

from __future__ import annotations

import re
from os import urandom

from wheelcheck.render.console import harmless, terminal_width, wants_colour
from wheelcheck.render.layout import MAX_WIDTH, MIN_WIDTH, WIDTH, cells, command_lines, indent, wrap

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Style:
    """The width of a text, and colours where they are wanted.

    Until `harmless` has run, a random mark stands for escape codes, so that no text from an index can contain one.

    Args:
        colour: whether to colour.
        width: maximum number of cells in a line, save for words that are longer.
    """

    def __init__(self, colour: bool = False, width: int = WIDTH) -> None:
        self.colour = colour
        self.width = width
        self.mark = urandom(8).hex()
        self._whole: set[str] = set()

    @classmethod
    def of(cls, output: str | None, *, stderr: bool = False) -> Style:
        """Return the style for a file, or for stdout or stderr, where they are a terminal as wide as it is."""
        width = terminal_width(output, stderr=stderr)
        limited = WIDTH if width is None else max(MIN_WIDTH, min(width, MAX_WIDTH))
        return cls(wants_colour(output, stderr=stderr), limited)

    def __call__(self, style: str, text: str) -> str:
        return f"{self.mark}{_STYLES[style]}m{text}{self.mark}0m" if self.colour and text else text

    def written(self, text: str) -> str:
        """Return the final text: control characters escaped, long lines broken, colours inserted."""
        lines = [part for line in harmless(text).split("\n") for part in self._fitting(line)]
        return re.sub(f"{self.mark}([0-9]+m)", "\033[\\1", "\n".join(lines))

    def _fitting(self, line: str) -> list[str]:
        is_command = self._unmarked(line).endswith(" \\") or line.strip() in self._whole
        if self._cells(line) <= self.width or is_command:
            return [line]
        by = len(line) - len(line.lstrip(" "))
        return list(indent(wrap(line, self.width - by, hang=2, measure=self._cells), by))

    def _cells(self, text: str) -> int:
        return cells(self._unmarked(text))

    def _unmarked(self, text: str) -> str:
        """Return a text without the marks in it."""
        return re.sub(f"{self.mark}[0-9]+m", "", text) if self.colour else text

    def command(self, command: str, by: int, *, whole: bool = False) -> list[str]:
        """Return a command as lines that a shell reads as one, to be indented; `whole` for a shell that cannot."""
        if whole:
            self._whole.add(command)
            return [command]
        return list(command_lines(command, self.width - by))

    def paragraph(self, text: str, *, by: int = 2, hang: int = 2, most: int | None = None) -> list[str]:
        """Return a text as indented lines."""
        return list(indent(wrap(text, self.width - by, hang=hang, most=most), by))

    def labelled(self, colour: str, label: str, text: str, *, by: int = 2, most: int | None = None) -> list[str]:
        """Return a text as indented lines that begin with a coloured label."""
        lines = self.paragraph(f"{label}{text}", by=by, most=most)
        if lines[0].startswith(f"{' ' * by}{label}".rstrip()):
            lines[0] = f"{' ' * by}{self(colour, label.rstrip())}{lines[0][by + len(label.rstrip()) :]}"
        return lines
