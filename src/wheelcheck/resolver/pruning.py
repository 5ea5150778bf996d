"""What holds in every answer, whichever versions are chosen: learnt where versions clash again and again.

A project that the user asks for must be in the answer. Once every version of it is known to need one of certain
versions of another project, so must that one, in one of them. A version that needs what can no longer be is in no
answer, and where a project has no version left, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from packaging.version import Version

from wheelcheck.resolver.candidates import combined
from wheelcheck.resolver.model import Demand
from wheelcheck.resolver.state import Ledger
from wheelcheck.standards.names import NormalizedName

Needs = Mapping[NormalizedName, Mapping[Version, Sequence[Demand]]]
"""What each version needs, as far as it was read."""


Read: TypeAlias = "Callable[[NormalizedName, Iterable[Version]], Mapping[Version, Sequence[Demand] | None]]"


class Prospects:
    """The versions that can be in an answer of the projects that must be.

    Args:
        ledger: what was said so far.
        met: the projects whose page the resolution has asked for; nothing is concluded from others.
        read: tells what versions need that were not tried; None for what is not to be learnt.
    """

    def __init__(self, ledger: Ledger, met: Container[NormalizedName], read: Read) -> None:
        self._ledger, self._met, self._read = ledger, met, read
        self._untried: dict[NormalizedName, dict[Version, Sequence[Demand] | None]] = {}
        self._admitted: dict[tuple[NormalizedName, str], frozenset[Version]] = {}
        self._left: dict[NormalizedName, frozenset[Version]] = {}
        for name in dict.fromkeys(demand.name for demand in ledger.question.demands):
            if name in met:
                about = [demand for demand in ledger.question.demands if demand.name == name]
                self._left[name] = self._meeting(name, (*about, *ledger.constraints_on(name)))

    def rule_out(self, name: NormalizedName, version: Version, needs: Iterable[Demand]) -> bool:
        """Whether no answer has a version that needs this."""
        return (name in self._left and version not in self._left[name]) or any(
            demand.name in self._met and not self._possible(demand) for demand in needs
        )

    def narrow(self, needs: Needs, *, most_read: int) -> bool:
        """Learns from what versions need; false where there is no answer at all.

        Of projects that must be in an answer, versions that were not tried, such as pre-releases that nobody wants, are
        read as well, unless they are more than `most_read`: with some of them unread, nothing is learnt from the rest.
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
            if self._ledger.usable(name, version) and not self.rule_out(name, version, needs.get(version, ()))
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
        """What the versions of a project need."""
        read = self._untried.setdefault(name, {})
        unknown = self._left[name] - tried.keys() - read.keys()
        if len(unknown) <= most_read:
            read.update(self._read(name, unknown))
        return {**{version: needs for version, needs in read.items() if needs is not None}, **tried}

    def _wanted(self, name: NormalizedName, needs: Iterable[Demand]) -> frozenset[Version]:
        return self._meeting(name, (*(d for d in needs if d.name == name), *self._ledger.constraints_on(name)))

    def _possible(self, demand: Demand) -> frozenset[Version]:
        admitted = self._wanted(demand.name, (demand,))
        return admitted & self._left.get(demand.name, admitted)

    def _meeting(self, name: NormalizedName, demands: Iterable[Demand]) -> frozenset[Version]:
        """The versions that demands admit, pre-releases and withdrawn ones included."""
        specifier = combined(demands)
        key = name, str(specifier)
        if key not in self._admitted:
            offers = self._ledger.offers(name)
            self._admitted[key] = frozenset(offers.admitted(specifier)) if offers is not None else frozenset()
        return self._admitted[key]
