"""Rule out versions that no answer can contain, after many conflicts.

A requested project must be in the answer. Once every version of it is known to require one of certain versions of
another project, so must that project be, in one of them. A version that requires something ruled out is in no answer,
and where a project has no version left, there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from packaging.version import Version

from wheelcheck.resolver.candidates import combined
from wheelcheck.resolver.model import Demand
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.standards.names import NormalizedName

Needs = Mapping[NormalizedName, Mapping[Version, Sequence[Demand]]]
"""The requirements of each version, as far as they were read."""


Read: TypeAlias = "Callable[[NormalizedName, Iterable[Version]], Mapping[Version, Sequence[Demand] | None]]"


class Pruning:
    """The versions of the necessary projects that an answer may contain.

    Args:
        state: what the resolution has recorded so far.
        met: projects whose page the resolution has requested; others allow no conclusion.
        read: reads the requirements of versions that were not tried; None for those that are not to be read.
    """

    def __init__(self, state: ResolutionState, met: Container[NormalizedName], read: Read) -> None:
        self._state, self._met, self._read = state, met, read
        self._untried: dict[NormalizedName, dict[Version, Sequence[Demand] | None]] = {}
        self._admitted: dict[tuple[NormalizedName, str], frozenset[Version]] = {}
        self._left: dict[NormalizedName, frozenset[Version]] = {}
        for name in dict.fromkeys(demand.name for demand in state.question.demands):
            if name in met:
                about = [demand for demand in state.question.demands if demand.name == name]
                self._left[name] = self._meeting(name, (*about, *state.constraints_on(name)))

    def rule_out(self, name: NormalizedName, version: Version, needs: Iterable[Demand]) -> bool:
        """Return whether no answer contains a version with these requirements."""
        return (name in self._left and version not in self._left[name]) or any(
            demand.name in self._met and not self._possible(demand) for demand in needs
        )

    def narrow(self, needs: Needs, *, most_read: int) -> bool:
        """Prune by the requirements of versions; return False where there is no answer at all.

        Untried versions of necessary projects, such as pre-releases, are read as well, unless they are more than
        `most_read`: if some are unread, nothing follows from the rest.
        """
        before: Mapping[NormalizedName, frozenset[Version]] = {}
        while before != self._left and all(self._left.values()):
            before = dict(self._left)
            for name in before:
                self._narrow(name, self._known(name, needs.get(name, {}), most_read))
        return all(self._left.values())

    def _narrow(self, name: NormalizedName, needs: Mapping[Version, Sequence[Demand]]) -> None:
        left = frozenset(
            version
            for version in self._left[name]
            if self._state.usable(name, version) and not self.rule_out(name, version, needs.get(version, ()))
        )
        self._left[name] = left
        if left and left <= needs.keys():
            for other in frozenset.intersection(*(frozenset(d.name for d in needs[version]) for version in left)):
                if other in self._met:
                    among = frozenset[Version]().union(*(self._wanted(other, needs[version]) for version in left))
                    self._left[other] = among & self._left.get(other, among)

    def _known(
        self, name: NormalizedName, tried: Mapping[Version, Sequence[Demand]], most_read: int
    ) -> Mapping[Version, Sequence[Demand]]:
        """Return the requirements of all versions of a project, if they can be known."""
        read = self._untried.setdefault(name, {})
        unknown = self._left[name] - tried.keys() - read.keys()
        if len(unknown) <= most_read:
            read.update(self._read(name, unknown))
        return {**{version: needs for version, needs in read.items() if needs is not None}, **tried}

    def _wanted(self, name: NormalizedName, needs: Iterable[Demand]) -> frozenset[Version]:
        return self._meeting(name, (*(d for d in needs if d.name == name), *self._state.constraints_on(name)))

    def _possible(self, demand: Demand) -> frozenset[Version]:
        admitted = self._wanted(demand.name, (demand,))
        return admitted & self._left.get(demand.name, admitted)

    def _meeting(self, name: NormalizedName, demands: Iterable[Demand]) -> frozenset[Version]:
        """Return the versions that demands admit, including pre-releases and yanked ones."""
        specifier = combined(demands)
        key = name, str(specifier)
        if key not in self._admitted:
            candidates = self._state.candidates(name)
            self._admitted[key] = frozenset(candidates.admitted(specifier)) if candidates is not None else frozenset()
        return self._admitted[key]
