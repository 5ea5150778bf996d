"""resolvelib's search, with a thorough second search where the first may have missed an answer.

After a conflict, resolvelib backjumps to what it takes for the cause. It considers the requirements in conflict, not
what led to them, and may keep choosing projects that nothing requires any more. So it can skip the one choice that has
to change, as pip does. A choice that was undone can also become valid again without its dependencies: pip then installs
an inconsistent set. Where either happened, the search is repeated without the cause.

resolvelib also undoes a choice, without a conflict, where a later one requires another version of it. Two projects
whose versions require each other's other versions then alternate until pip's last round. `Search` detects that, and
`StepByStep` finds the answer, or that there is none.

These classes extend private methods of resolvelib 1.2; pyproject.toml admits no other minor version.
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
"""How often the search may return to the same choices without a conflict; conflicts may still lead it elsewhere."""


class Search(Resolution[RT, CT, KT], Generic[RT, CT, KT]):
    """One search for an answer.

    Args:
        thorough: whether every choice that led to a conflict is reconsidered; otherwise the search is pip's.

    Attributes:
        is_doubtful: whether the search may have missed an answer, or gave an inconsistent one.
        went_astray: whether it was abandoned where undone choices led it: in circles, or even thoroughly to an
            inconsistent set.
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
        if self._has_taken_back and not self._is_connected(roots):
            self.is_doubtful, self.went_astray = True, self._is_thorough
            raise ResolutionImpossible(state.backtrack_causes)
        return state

    def _is_current_pin_satisfying(self, name: KT, criterion: Criterion[RT, CT]) -> bool:
        """Override resolvelib, which asks for every project in every round; the result is cached until something
        changes.
        """
        pin = self.state.mapping.get(name)
        known = self._satisfying.get(name)
        if known is None or known[0] is not criterion or known[1] is not pin:
            known = criterion, pin, super()._is_current_pin_satisfying(name, criterion)
            self._satisfying[name] = known
        return known[2]

    def _is_connected(self, roots: Iterable[RT]) -> bool:
        waiting, seen = list(roots), set[KT]()
        while waiting:
            requirement = waiting.pop()
            key = self._p.identify(requirement)
            pin = self.state.mapping.get(key)
            if pin is None or not self._p.is_satisfied_by(requirement, pin):
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
        """Remember what some choices were given up for."""
        for key in keys:
            self._blamed.setdefault(key, {}).update((id(cause), cause) for cause in causing)

    def _leading_to(self, causes: Iterable[RequirementInformation[RT, CT]]) -> list[RequirementInformation[RT, CT]]:
        """Return the causes of a conflict with everything that led to them, including what was given up on the way."""
        found = {id(cause): cause for cause in causes}
        waiting, seen = list(found.values()), set[KT]()
        identify = self._p.identify
        while waiting:
            for each in waiting.pop():
                if each is None or (key := identify(each)) in seen:
                    continue
                seen.add(key)
                criterion = self.state.criteria.get(key)
                more = [*(criterion.information if criterion else ()), *self._blamed.get(key, {}).values()]
                waiting += (cause for cause in more if id(cause) not in found)
                found.update((id(cause), cause) for cause in more)
        return list(found.values())

    def _keys(self, causes: Iterable[RequirementInformation[RT, CT]]) -> set[KT]:
        """Return the keys that causes are about, with the keys of their parents."""
        return {
            self._p.identify(each)
            for requirement, parent in causes
            for each in (requirement, parent)
            if each is not None
        }

    def _bears_on(self, pin: CT, keys: Collection[KT]) -> bool:
        """Return whether a choice requires one of some keys; resolvelib stops at such a choice and skips others."""
        return any(self._p.identify(requirement) in keys for requirement in self._p.get_dependencies(pin))

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
        """Detect that the search returns to the same choices, required by the same candidates, over and over.

        Raises:
            ResolutionTooDeep: it would do so forever.
        """
        asks = ((key, info) for key, criterion in self.state.criteria.items() for info in criterion.information)
        asked = frozenset((key, id(info.requirement), info.parent) for key, info in asks)
        turn = tuple(self.state.mapping.items()), asked
        self._turns[turn] += 1
        if self._turns[turn] >= MAX_TURNS:
            self.went_astray = True
            raise ResolutionTooDeep(MAX_TURNS)


class StepByStep(Resolution[RT, CT, KT], Generic[RT, CT, KT]):
    """A chronological search: it skips what contradicts an earlier choice, and undoes the last choice first.

    It misses no answer and never goes in circles, but it learns nothing from a conflict.
    """

    def __init__(self, provider: AbstractProvider[RT, CT, KT], reporter: BaseReporter[RT, CT, KT]) -> None:
        super().__init__(provider, reporter)
        self._optimistic_backjumping_ratio = 0.0

    def _get_updated_criteria(self, candidate: CT) -> dict[KT, Criterion[RT, CT]]:
        criteria = super()._get_updated_criteria(candidate)
        chosen = {**self.state.mapping, self._p.identify(candidate): candidate}
        for key in chosen.keys() & criteria.keys():
            if not all(
                self._p.is_satisfied_by(requirement, chosen[key]) for requirement in criteria[key].iter_requirement()
            ):
                raise RequirementsConflicted(criteria[key])
        return criteria

    def _backjump(self, causes: list[RequirementInformation[RT, CT]]) -> bool:
        return super()._backjump(causes[:0])  # where nothing is blamed, resolvelib goes back by one choice
