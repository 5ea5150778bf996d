"""Asks a changed question again for a target, within a time, on the same index or under another strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from time import monotonic, thread_time
from typing import TYPE_CHECKING, cast

from wheelcheck.advice.concerns import Concern
from wheelcheck.advice.find_concerns import concerns_of
from wheelcheck.common.errors import CannotTell, Endless
from wheelcheck.index.first_index import FirstIndex
from wheelcheck.inputs.request import Inquiry
from wheelcheck.resolver.limits import Effort
from wheelcheck.resolver.model import Pin, Question, Solution
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.project_page import Listed

if TYPE_CHECKING:
    from typing_extensions import Self

    from wheelcheck.advice.remedies import Answer
    from wheelcheck.index.index import Index

MOST_SECONDS = 10.0
MOST_FOR_ALL = 30.0
"""How long remedies are looked for, for one target and for all of them; what is found by then is told."""
MOST_OF_REST = 0.25
"""The part of the time left that one question may work, so that one without end leaves time for the others."""


class Again:
    """The indexes of one inquiry: the one that answers, and those that another strategy needs.

    Args:
        inquiry: what was asked.
        index: the index that answers it.
        strategies: whether another index may be opened, for a strategy that asks more than this one did.

    Attributes:
        is_cut_short: whether some question was not answered because the time for the target was over.
    """

    def __init__(self, inquiry: Inquiry, index: Index, *, strategies: bool = True) -> None:
        self._inquiry = inquiry
        self._index = index
        self._strategies = strategies
        self._others: dict[str, Index] = {}
        self._stack = ExitStack()
        self._last = monotonic() + MOST_FOR_ALL
        self._until = self._last
        self.is_cut_short = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Every index that had a part in the answers."""
        return (self._index, *self._others.values())

    def begin(self) -> None:
        """Sets the time that there is from now on for one target."""
        self._until = min(monotonic() + MOST_SECONDS, self._last)
        self.is_cut_short = False

    def __call__(self, question: Question, strategy: str | None) -> Answer | None:
        """The answer to a question, or None where there is none, or none in its part of the time."""
        from wheelcheck.advice.remedies import Answer
        from wheelcheck.resolver.resolve import solve

        left = self._until - monotonic()
        index = self._under(strategy) if left > 0 else None
        try:
            solution = solve(question, index, Effort(_clock(), left)) if index is not None else None
            return Answer(solution.pins, concerns_in(solution, question, index)) if solution and index else None
        except CannotTell as error:
            self.is_cut_short |= isinstance(error, Endless)
            return None
        finally:
            self.is_cut_short |= monotonic() > self._until

    def _under(self, strategy: str | None) -> Index | None:
        """The index under a strategy; one that mixes pages can tell what the first of them would be."""
        if strategy is None:
            return self._index
        if strategy == "first-index":
            return cast("Index", FirstIndex(self._index, order_of(self._inquiry, self._index)))
        if strategy not in self._others and self._strategies:
            self._index.settle()  # so that the other one finds in the cache what this one was told
            opened = self._inquiry.opened_index(lambda _: None, strategy)
            self._others[strategy] = self._stack.enter_context(opened)
        return self._others.get(strategy)


def _clock() -> Callable[[], float]:
    """The seconds that a question took, of which work counts for more than waiting for an index."""
    began, worked = monotonic(), thread_time()
    return lambda: max(monotonic() - began, (thread_time() - worked) / MOST_OF_REST)


def order_of(inquiry: Inquiry, index: Index) -> tuple[str, ...]:
    """The indexes, as they are named in answers, in the order in which ``first-index`` asks them."""
    return index.recorded_order or inquiry.order


def concerns_in(solution: Solution, question: Question, index: Index) -> tuple[Concern, ...]:
    """What is wrong with an answer, of which the resolver has read every page and all metadata."""
    pages = {pin.name: page for pin in solution.pins if pin.file.index and (page := index.page(pin.name))}
    return concerns_of(solution, question, pages, metadata_of(solution.pins, index))


def metadata_of(pins: Iterable[Pin], index: Index) -> dict[Listed, Metadata]:
    """The metadata of chosen files."""
    read = ((pin.file, index.metadata(pin.file)) for pin in pins)
    return {file: told for file, told in read if isinstance(told, Metadata)}
