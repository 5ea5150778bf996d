"""Find the lines of a long text that hold one of many words, by the parts that the words share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LINE = 20_000
"""How much of a line is looked at."""
LONG = 1 << 20
"""The number of characters from which on words are looked for by the parts that they share."""
MAX_SHARED = 5_000
"""The number of lines with a shared part above which each word is looked for by itself."""
SHARED = (
    *("ymbol", "odule", "import", "attribute", "ersion", "rror", "ERROR", "annot", "ailed", "ython", "ould", "ibrary"),
    *("umpy", "umPy", "eras", "rotobuf", "ackage", "atible", "upport", "build", "uild", "wheel", "equire", "ignature"),
    *("nstall", "ound", "rchitecture", "IGN", "emory", "CUDA", "SSL", "MKL", "DLL", "RPATH", "Win", "HDF5", "space"),
)


class Lines:
    """A text in which many words are looked for.

    Args:
        text: any text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._shared: dict[str, list[tuple[int, str]] | None] = {}

    def having(self, words: Iterable[str], most: int) -> Iterator[tuple[int, str]]:
        """Yield the lines that hold one of some words, with where they begin; up to `most` for each word."""
        for word in words:
            part = next((part for part in SHARED if part in word), None) if len(self.text) > LONG else None
            lines = self._with_part(part) if part is not None else None
            if lines is None:
                yield from self._search(word, most)
            else:
                yield from [line for line in lines if word in line[1]][:most]

    def _with_part(self, part: str) -> list[tuple[int, str]] | None:
        """Return the lines with a part of words; None where there are too many."""
        if part not in self._shared:
            found = list(self._search(part, MAX_SHARED + 1))
            self._shared[part] = found if len(found) <= MAX_SHARED else None
        return self._shared[part]

    def _search(self, word: str, most: int) -> Iterator[tuple[int, str]]:
        text, position, hits = self.text, 0, 0
        while hits < most:
            at = text.find(word, position)
            if at < 0:
                return
            start = text.rfind("\n", max(0, at - MAX_LINE), at) + 1 or max(0, at - MAX_LINE)
            end = text.find("\n", at, at + MAX_LINE)
            end = end if end >= 0 else min(len(text), at + MAX_LINE)
            yield start, text[start:end]
            position, hits = end + 1, hits + 1
