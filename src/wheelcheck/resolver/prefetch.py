"""Prefetch pages and metadata that a resolution will probably need. Prefetching never changes an answer.

When a page arrives, the metadata of the likely candidate is fetched, then the pages of its dependencies, and so on,
while the resolver is still busy with one project after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from wheelcheck.resolver.candidates import Candidates, combined
from wheelcheck.resolver.model import Demand, NeededBy, Question
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck.resolver.model import PackageIndex


class Prefetcher:
    """Start the pages and metadata that will probably be needed.

    Args:
        question: what is asked.
        index: where pages and metadata come from.
        state: what the resolution has recorded so far.
        candidates_on: returns the candidates on a page for the target.
        without_page: projects that need no page: the user names their file, or what is installed is preferred.
    """

    def __init__(
        self,
        question: Question,
        index: PackageIndex,
        state: ResolutionState,
        candidates_on: Callable[[ProjectPage], Candidates],
        without_page: Container[NormalizedName],
    ) -> None:
        self._question, self._index, self._state = question, index, state
        self._candidates_on, self._without_page = candidates_on, without_page
        self._started: set[NormalizedName] = set()
        self._guessed: dict[NormalizedName, list[Demand]] = {}

    def expect(self, names: Iterable[NormalizedName]) -> None:
        """Start the pages of some projects."""
        for name in names:
            if name not in self._started and name not in self._without_page:
                self._started.add(name)
                self._index.start_page(name, self._page_came)

    def _page_came(self, page: ProjectPage) -> None:
        """Start the metadata of the file that is best at the moment."""
        name = page.name
        candidates = self._state.keep(name, self._candidates_on(page))
        specifier = combined((*self._demands_on(name), *self._state.constraints_on(name)))
        version = next(candidates.matching(specifier, pre=self._question.policy.prereleases(name)), None)
        if version is not None:
            file = candidates.files(version)[0][1]
            self._index.start_metadata(file, partial(self._metadata_came, file))

    def _metadata_came(self, file: Listed, metadata: object) -> None:
        """Start the pages of the file's dependencies."""
        if not isinstance(metadata, Metadata) or self._question.policy.no_deps:
            return
        asked = {extra for demand in self._demands_on(file.name) for extra in demand.requirement.extras}
        origin = NeededBy(name=file.name, version=file.version, filename=file.filename)
        needed = [Demand(requirement=one, origin=origin) for one in self._needed(metadata, (None, *sorted(asked)))]
        for demand in needed:
            self._guessed.setdefault(demand.name, []).append(demand)
        self.expect(demand.name for demand in needed)

    def _demands_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        return (*self._state.demands_on(name), *self._guessed.get(name, ()))

    def _needed(self, metadata: Metadata, extras: Iterable[str | None]) -> Iterator[Requirement]:
        target = self._question.target
        extras = [extra and canonicalize_name(extra) for extra in extras]
        for requirement in metadata.requires_dist:
            with suppress(UndecidableMarker):
                if any(applies(requirement, target, extra) for extra in extras):
                    yield requirement
