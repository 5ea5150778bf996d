"""What a resolution will probably ask for next, begun while something else is still on its way; it decides nothing.

A page that has come names a version that would win as things stand, the metadata of its file names further projects,
and so on, ahead of the resolver, which settles one project after the other and would wait for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from wheelcheck.resolver.candidates import Candidates, combined
from wheelcheck.resolver.model import Demand, NeededBy, Question
from wheelcheck.resolver.state import Ledger
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.markers import UndecidableMarker, applies
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck.resolver.model import PackageIndex


class Foresight:
    """Starts the pages and metadata that will probably be asked for.

    Args:
        question: what is asked.
        supply: where pages and metadata come from.
        ledger: what was said so far.
        offers_on: what a page has for the target.
        given: projects whose file the user gives, of which no page is asked for.
    """

    def __init__(
        self,
        question: Question,
        supply: PackageIndex,
        ledger: Ledger,
        offers_on: Callable[[ProjectPage], Candidates],
        given: Container[NormalizedName],
    ) -> None:
        self._question, self._supply, self._ledger = question, supply, ledger
        self._offers_on, self._given = offers_on, given
        self._started: set[NormalizedName] = set()
        self._guessed: dict[NormalizedName, list[Demand]] = {}

    def expect(self, names: Iterable[NormalizedName]) -> None:
        """Begins with the pages of some projects."""
        for name in names:
            if name not in self._started and name not in self._given:
                self._started.add(name)
                self._supply.start_page(name, self._page_came)

    def _page_came(self, page: ProjectPage) -> None:
        """Begins to read the metadata of the file that wins as things stand."""
        name = page.name
        offers = self._ledger.keep(name, self._offers_on(page))
        specifier = combined((*self._demands_on(name), *self._ledger.constraints_on(name)))
        version = next(offers.matching(specifier, pre=self._question.policy.prereleases(name)), None)
        if version is not None:
            file = offers.files(version)[0][1]
            self._supply.start_metadata(file, partial(self._metadata_came, file))

    def _metadata_came(self, file: Listed, told: object) -> None:
        """Begins with the pages of what the file needs."""
        if not isinstance(told, Metadata) or self._question.policy.no_deps:
            return
        asked = {extra for demand in self._demands_on(file.name) for extra in demand.requirement.extras}
        origin = NeededBy(name=file.name, version=file.version, filename=file.filename)
        needed = [Demand(requirement=one, origin=origin) for one in self._needed(told, (None, *sorted(asked)))]
        for demand in needed:
            self._guessed.setdefault(demand.name, []).append(demand)
        self.expect(demand.name for demand in needed)

    def _demands_on(self, name: NormalizedName) -> tuple[Demand, ...]:
        return (*self._ledger.demands_on(name), *self._guessed.get(name, ()))

    def _needed(self, metadata: Metadata, extras: Iterable[str | None]) -> Iterator[Requirement]:
        target = self._question.target
        extras = [extra and canonicalize_name(extra) for extra in extras]
        for requirement in metadata.requires_dist:
            with suppress(UndecidableMarker):
                if any(applies(requirement, target, extra) for extra in extras):
                    yield requirement
