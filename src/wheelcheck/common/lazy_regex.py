"""Regular expressions that are compiled when they are first used: compiling all of them takes a third of a start."""

from __future__ import annotations

import re
from typing import Any, AnyStr


class _Pattern:
    """What `re.compile` gives, from the first use of one of its methods on."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        self.__dict__ |= {method: getattr(compiled, method) for method in _METHODS}
        return getattr(compiled, name)


_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, later. An expression that is malformed says so at its first use."""
    lazy: Any = _Pattern(text, flags)
    compiled: re.Pattern[AnyStr] = lazy
    return compiled
