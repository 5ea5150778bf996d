"""Regular expressions compiled on first use, since compiling all of them takes a third of the start-up time."""

from __future__ import annotations

import re
from typing import Any, AnyStr


class _Pattern:
    """A stand-in for the result of `re.compile`, from the first use of one of its methods on."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        self.__dict__ |= {method: getattr(compiled, method) for method in _METHODS}
        return getattr(compiled, name)


_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return a lazily compiled regular expression. Unlike `re.compile`, it reports a malformed one at its first use."""
    lazy: Any = _Pattern(text, flags)
    compiled: re.Pattern[AnyStr] = lazy
    return compiled
