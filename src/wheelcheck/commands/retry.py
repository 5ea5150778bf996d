"""Resolve a changed question for a target, within a time limit, on the same index or under another strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from time import monotonic, thread_time
from typing import TYPE_CHECKING

from wheelcheck.advice.find_concerns import concerns_of
from wheelcheck.common.errors import TimedOut, UndeterminedError
from wheelcheck.index.first_index import FirstIndex
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import Pin, Question, Solution
from wheelcheck.standards.core_metadata import Metadata

if TYPE_CHECKING:
    from typing_extensions import Self

    from wheelcheck.advice.concerns import Concern
    from wheelcheck.advice.remedies import Answer
    from wheelcheck.index.index import Index
    from wheelcheck.inputs.request import Request
    from wheelcheck.resolver.model import PackageIndex
    from wheelcheck.standards.project_page import Listed

MAX_SECONDS = 10.0
MAX_SECONDS_FOR_ALL = 30.0
"""How long remedies are sought, for one target and for all of them; what is found by then is reported."""
MAX_SHARE = 0.25
"""The part of the remaining time that one question may work, so that one without end leaves time for the others."""


class Retry:
    """The indexes of one request: the one that answers it, and those that another strategy needs.

    Args:
        request: what was asked.
        index: the index that answers it.
        view: what the resolver asks; left out, the index itself.
        strategies: whether another index may be opened, for a strategy that asks more than this one did.

    Attributes:
        is_cut_short: whether some question was not answered because the time for the target was over.
        tried: how many questions were asked for the target.
    """

    def __init__(
        self, request: Request, index: Index, view: PackageIndex | None = None, *, strategies: bool = True
    ) -> None:
        self._request = request
        self.index = index
        self.view = index if view is None else view
        self._strategies = strategies
        self._others: dict[str, Index] = {}
        self._stack = ExitStack()
        self._last = monotonic() + MAX_SECONDS_FOR_ALL
        self._until = self._last
        self.is_cut_short = False
        self.tried = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Every index that had a part in the answers."""
        return (self.index, *self._others.values())

    def begin(self) -> None:
        """Set the time that there is from now on for one target."""
        self._until = min(monotonic() + MAX_SECONDS, self._last)
        self.is_cut_short = False
        self.tried = 0

    def __call__(self, question: Question, strategy: str | None) -> Answer | None:
        """Return the answer to a question, or None where there is none, or none within its share of the time."""
        from wheelcheck.advice.remedies import Answer

        self.tried += 1
        left = self._until - monotonic()
        index = self._index_for(strategy) if left > 0 else None
        try:
            solution = self.solve(question, index, Budget(_clock(), left)) if index is not None else None
            return Answer(solution.pins, concerns_in(solution, question, index)) if solution and index else None
        except UndeterminedError as error:
            self.is_cut_short |= isinstance(error, TimedOut) and error.rounds > 0
            return None
        finally:
            self.is_cut_short |= monotonic() > self._until

    def solve(self, question: Question, index: PackageIndex, budget: Budget) -> Solution | None:
        """Return the answer to a question, or None where there is none. Raises UndeterminedError."""
        from wheelcheck.resolver.resolve import solve

        return solve(question, index, budget)

    def _index_for(self, strategy: str | None) -> PackageIndex | None:
        """Return the index under a strategy; first-index can be derived from one that mixes its sources."""
        if strategy is None:
            return self.view
        if strategy == "first-index":
            return FirstIndex(self.view, order_of(self._request, self.index))
        if strategy not in self._others and self._strategies:
            self.index.settle()  # so that the other one finds in the cache what this one has read
            opened = self._request.opened_index(lambda _: None, strategy)
            self._others[strategy] = self._stack.enter_context(opened)
        return self._others.get(strategy)


def _clock() -> Callable[[], float]:
    """Return a clock for one question on which work counts for more than waiting for an index."""
    began, worked = monotonic(), thread_time()
    return lambda: max(monotonic() - began, (thread_time() - worked) / MAX_SHARE)


def order_of(request: Request, index: Index) -> tuple[str, ...]:
    """Return the names of the indexes in the order in which ``first-index`` asks them."""
    return index.recorded_order or request.order


def concerns_in(solution: Solution, question: Question, index: PackageIndex) -> tuple[Concern, ...]:
    """Return the concerns about an answer, of which the resolver has read every page and all metadata."""
    pages = {pin.name: page for pin in solution.pins if pin.file.index and (page := index.page(pin.name))}
    return concerns_of(solution, question, pages, metadata_of(solution.pins, index))


def metadata_of(pins: Iterable[Pin], index: PackageIndex) -> dict[Listed, Metadata]:
    """Return the metadata of chosen files."""
    read = ((pin.file, index.metadata(pin.file)) for pin in pins)
    return {file: metadata for file, metadata in read if isinstance(metadata, Metadata)}
