"""resolvelib's search, and a second, thorough one for where the first may have gone wrong.

resolvelib jumps back from a clash to what it takes for the cause. It looks at the demands that clash, not at what else
led to them, and it goes on to choose what nothing asks for any more. So it can pass over the one choice that would have
to change, as pip does. And a choice that was taken back can come to fit again, without what it needs: pip then installs
a set that does not hang together. Where either happened, the search is made again without its causes.

It also takes a choice back, without a clash, where a later one asks for another version of it. Two projects whose
versions each ask for another one of the other then take turns for ever, and pip gives up after its last round. That is
noticed here, and `StepByStep` finds the answer, or that there is none.

The methods of resolvelib that are extended here are its own affair: should it rename them, the search is pip's again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Generic

from resolvelib import AbstractProvider, BaseReporter
from resolvelib.resolvers import (
    Criterion,
    RequirementInformation,
    RequirementsConflicted,
    Resolution,
    ResolutionImpossible,
    ResolutionTooDeep,
)
from resolvelib.structs import CT, KT, RT

if TYPE_CHECKING:
    from resolvelib.structs import State

MAX_TURNS = 100
"""How often the search may come back to where it was without a clash; counts of clashes may lead it elsewhere."""


class Search(Resolution[RT, CT, KT], Generic[RT, CT, KT]):
    """One search for an answer.

    Args:
        thorough: whether every choice that led to a clash is reconsidered; else the search is pip's.

    Attributes:
        is_doubtful: whether the search may have passed over an answer, or gave one that does not hang together.
        went_astray: whether it was given up where choices that were taken back led it: in circles, or even a thorough
            one to a set that does not hang together.
    """

    def __init__(
        self, provider: AbstractProvider[RT, CT, KT], reporter: BaseReporter[RT, CT, KT], *, thorough: bool = False
    ) -> None:
        super().__init__(provider, reporter)
        self._is_thorough = thorough
        self._blamed: dict[KT, dict[int, RequirementInformation[RT, CT]]] = {}
        self._satisfying: dict[KT, tuple[Criterion[RT, CT], CT | None, bool]] = {}
        self._turns = Counter[object]()
        self.is_doubtful = self._has_taken_back = self.went_astray = False

    def resolve(self, requirements: Iterable[RT], max_rounds: int) -> State[RT, CT, KT]:
        roots = list(requirements)
        state = super().resolve(roots, max_rounds)
        if self._has_taken_back and not self._hangs_together(roots):
            self.is_doubtful, self.went_astray = True, self._is_thorough
            raise ResolutionImpossible(state.backtrack_causes)
        return state

    def _is_current_pin_satisfying(self, name: KT, criterion: Criterion[RT, CT]) -> bool:
        """As resolvelib has it, which asks for every project in every round: kept until something about it changes."""
        pin = self.state.mapping.get(name)
        known = self._satisfying.get(name)
        if known is None or known[0] is not criterion or known[1] is not pin:
            known = criterion, pin, super()._is_current_pin_satisfying(name, criterion)
            self._satisfying[name] = known
        return known[2]

    def _hangs_together(self, roots: Iterable[RT]) -> bool:
        waiting, seen = list(roots), set[KT]()
        while waiting:
            ask = waiting.pop()
            key = self._p.identify(ask)
            pin = self.state.mapping.get(key)
            if pin is None or not self._p.is_satisfied_by(ask, pin):
                return False
            if key not in seen:
                seen.add(key)
                waiting += self._p.get_dependencies(pin)
        return True

    def _backjump(self, causes: list[RequirementInformation[RT, CT]]) -> bool:
        self._turns.clear()
        if self.is_doubtful and not self._is_thorough:
            return super()._backjump(causes)
        causing = self._leading_to(causes)
        before = dict(self.state.mapping)
        try:
            return super()._backjump(causing if self._is_thorough else causes)
        finally:
            kept = self.state.mapping if self._states else {}
            given_up = {key: pin for key, pin in before.items() if kept.get(key) is not pin}
            self._take_down(given_up, causing)
            near, far = self._keys(causes), self._keys(causing)
            self.is_doubtful |= any(
                self._bears_on(pin, far) and not self._bears_on(pin, near) for pin in given_up.values()
            )

    def _take_down(self, keys: Iterable[KT], causing: Iterable[RequirementInformation[RT, CT]]) -> None:
        """Remembers for what some choices were given up."""
        for key in keys:
            self._blamed.setdefault(key, {}).update((id(cause), cause) for cause in causing)

    def _leading_to(self, causes: Iterable[RequirementInformation[RT, CT]]) -> list[RequirementInformation[RT, CT]]:
        """The causes of a clash with all that led to them, and to what was given up before on their way."""
        found = {id(cause): cause for cause in causes}
        waiting, seen = list(found.values()), set[KT]()
        while waiting:
            keys = self._keys([waiting.pop()]) - seen
            seen |= keys
            for key in keys:
                criterion = self.state.criteria.get(key)
                more = [*(criterion.information if criterion else ()), *self._blamed.get(key, {}).values()]
                waiting += (cause for cause in more if id(cause) not in found)
                found.update((id(cause), cause) for cause in more)
        return list(found.values())

    def _keys(self, causes: Iterable[RequirementInformation[RT, CT]]) -> set[KT]:
        """What is asked for, and by what."""
        return {
            self._p.identify(each)
            for requirement, parent in causes
            for each in (requirement, parent)
            if each is not None
        }

    def _bears_on(self, pin: CT, keys: Collection[KT]) -> bool:
        """Whether a choice asks for one of some keys; resolvelib stops at such a choice, and passes over others."""
        return any(self._p.identify(ask) in keys for ask in self._p.get_dependencies(pin))

    def _remove_information_from_criteria(self, criteria: dict[KT, Criterion[RT, CT]], parents: Collection[KT]) -> None:
        super()._remove_information_from_criteria(criteria, parents)
        self._has_taken_back |= bool(parents)
        if parents and self._save_states is None:  # else resolvelib itself goes back after a while
            self._count_turn()
        last = next(reversed(self.state.mapping))
        orphans = [key for key, criterion in criteria.items() if not criterion.information and key != last]
        self.is_doubtful |= bool(orphans)
        if not self._is_thorough:
            return
        for key in parents:
            self.state.mapping.pop(key, None)
        for key in orphans:
            del criteria[key]

    def _count_turn(self) -> None:
        """Notices when the search comes back to the same choices, asked for by the same, time and again.

        Raises:
            ResolutionTooDeep: it would do so for ever.
        """
        asks = ((key, info) for key, criterion in self.state.criteria.items() for info in criterion.information)
        asked = frozenset((key, id(info.requirement), info.parent) for key, info in asks)
        turn = tuple(self.state.mapping.items()), asked
        self._turns[turn] += 1
        if self._turns[turn] >= MAX_TURNS:
            self.went_astray = True
            raise ResolutionTooDeep(MAX_TURNS)


class StepByStep(Resolution[RT, CT, KT], Generic[RT, CT, KT]):
    """A search that passes over what contradicts an earlier choice, and takes back the last choice first.

    It misses no answer and goes in no circles, but it learns nothing from a clash.
    """

    def __init__(self, provider: AbstractProvider[RT, CT, KT], reporter: BaseReporter[RT, CT, KT]) -> None:
        super().__init__(provider, reporter)
        self._optimistic_backjumping_ratio = 0.0

    def _get_updated_criteria(self, candidate: CT) -> dict[KT, Criterion[RT, CT]]:
        criteria = super()._get_updated_criteria(candidate)
        chosen = {**self.state.mapping, self._p.identify(candidate): candidate}
        for key in chosen.keys() & criteria.keys():
            if not all(self._p.is_satisfied_by(ask, chosen[key]) for ask in criteria[key].iter_requirement()):
                raise RequirementsConflicted(criteria[key])
        return criteria

    def _backjump(self, causes: list[RequirementInformation[RT, CT]]) -> bool:
        return super()._backjump(causes[:0])  # where nothing is blamed, resolvelib goes back by one choice
