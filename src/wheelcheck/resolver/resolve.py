"""Resolve a question: the answer, or why there is none, by a minimal conflicting subset of what the user stated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import replace
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import (
    Constraint,
    Demand,
    NoAnswer,
    NoCompatibleFile,
    Outcome,
    Question,
    RefusedFile,
    Solution,
)
from wheelcheck.resolver.provider import MAX_ROUNDS_MORE, Run
from wheelcheck.resolver.state import ResolutionState
from wheelcheck.standards.file_problems import FileRefusedError
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.requirements import requirement_of

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.resolver.explain import RankedExplanation
    from wheelcheck.resolver.model import PackageIndex

MAX_TRIAL_ROUNDS = 100_000
"""Maximum rounds in all for finding a minimal conflicting subset; what was not tried by then is kept in it."""
MAX_ROUNDS_ALONE = 2_000
"""Maximum rounds in all for finding out whether newer versions would fit on their own."""
MAX_READ = 50
"""The number of last conflicts that are read for a first guess at the subset."""


def resolve(question: Question, index: PackageIndex, budget: Budget | None = None) -> Outcome:
    """Return the answer to a question, or why there is none; `budget` counts the work, and limits it.

    Raises:
        UndeterminedError: a page or the metadata of a file is out of reach, or the search does not end.
    """
    if question.refused is not None:
        return question.refused
    run = Run(question, index, budget or Budget())
    try:
        return _answer(run) or _explanation(run)
    except FileRefusedError as error:
        return refusal(error, run.state.demands_on(error.file.name))


def refusal(error: FileRefusedError, demands: Iterable[Demand]) -> NoCompatibleFile:
    """Return the conflict of a file that ends the search."""
    file = error.file
    refused = RefusedFile(filename=file.filename, version=file.version, reasons=(error.reason,))
    return NoCompatibleFile(project=file.name, demands=tuple(dict.fromkeys(demands)), files=(refused,))


def solve(question: Question, index: PackageIndex, budget: Budget | None = None) -> Solution | None:
    """Return the answer to a question, or None where there is none, without an explanation.

    Raises:
        UndeterminedError: as `resolve`.
    """
    try:
        return None if question.refused else _answer(Run(question, index, budget or Budget()))
    except FileRefusedError:
        return None


def resolve_with_state(
    question: Question, index: PackageIndex, budget: Budget | None = None
) -> tuple[Outcome | UndeterminedError, ResolutionState]:
    """Resolve as `resolve` does, and return the recorded state as well; an error is returned, not raised."""
    run = Run(question, index, budget or Budget())
    try:
        return _answer(run) or _explanation(run), run.state
    except FileRefusedError as error:
        return refusal(error, run.state.demands_on(error.file.name)), run.state
    except UndeterminedError as error:
        return error, run.state


def _answer(run: Run) -> Solution | None:
    """Return the answer, with the projects that leave the target behind."""
    solution = run.answer()
    if solution is None:
        return None
    from wheelcheck.resolver.outdated import outdated

    last = run.budget.rounds + MAX_ROUNDS_ALONE

    def alone(demand: Demand) -> Outcome | None:
        rounds = last - run.budget.rounds
        single = Run(replace(run.question, demands=(demand,)), run.index, run.budget)
        with suppress(UndeterminedError):
            return (single.answer(rounds) or _explanation(single)) if rounds > 0 else None
        return None

    wanted = [pin for pin in solution.pins if not run.wants_lowest(pin.name)]
    found = outdated(sorted(wanted, key=lambda pin: not pin.requested), run.state, alone)
    return replace(solution, outdated=tuple(sorted(found, key=lambda one: one.name)))


def _explanation(run: Run) -> NoAnswer:
    """Explain a failed run by a minimal conflicting subset of what the user stated."""
    from wheelcheck.resolver.explain import explain

    trials = _Trials(run)
    places = _smallest(run, trials)
    smaller = trials.part(places)
    if smaller != run.question:
        again = Run(smaller, run.index, run.budget)
        with suppress(UndeterminedError):  # no time is left to tell it in fewer words
            again.answer()
            run = again
    explanation = explain(run.state, run.clashes)
    if explanation.is_plain:
        return explanation.answer
    explanations = [explanation]
    for chosen in (*trials.nearly(places), {}):
        other = _explain_chosen(run, chosen)
        if other is not None and other.is_plain:
            return other.answer
        explanations += [other] if other is not None else []
    return max(explanations, key=lambda other: (not other.is_mixed, other.is_evident)).answer


def _explain_chosen(run: Run, chosen: Mapping[NormalizedName, Version]) -> RankedExplanation | None:
    """Explain why no answer contains the chosen versions of the projects in conflict, or else their newest ones.

    A version that would not be chosen anyway has troubles of its own. With versions pinned, other projects may conflict
    in several versions, and those are pinned then as well. None where there is an answer with them.
    """
    asked = (demand.name for demand in run.question.demands)
    given = {name: chosen[name] for name in asked if name in chosen}
    explanation = _explain_pinned(run, given)
    while explanation is not None and not explanation.is_plain:
        wanted = {name: chosen.get(name, max(versions)) for name, versions in explanation.demanding_versions.items()}
        more = {name: version for name, version in wanted.items() if explanation.demanding_versions[name] != {version}}
        if not more.keys() - given.keys():
            break
        given = {**more, **given}
        explanation = _explain_pinned(run, given)
    return explanation


def _explain_pinned(run: Run, versions: Mapping[NormalizedName, Version]) -> RankedExplanation | None:
    """Explain why no answer contains given versions; not evident where others conflict, None where there is one."""
    from wheelcheck.resolver.explain import explain

    place = Constraint(place="the versions in the explanation")
    pins = [Demand(requirement=requirement_of(f"{name}=={versions[name]}"), origin=place) for name in versions]
    if pins:
        run = Run(replace(run.question, constraints=(*run.question.constraints, *pins)), run.index, run.budget)
        with suppress(UndeterminedError):
            run.answer(MAX_ROUNDS_MORE)
        if not run.clashes:
            return None
    explanation = explain(run.state, run.clashes, pins)
    is_apart = (
        explanation.answer.project not in versions or explanation.answer.project in explanation.demanding_versions
    )
    return explanation if is_apart else explanation._replace(is_evident=False)


def _smallest(run: Run, trials: _Trials) -> Collection[int]:
    """Return the positions of a minimal conflicting subset of the demands and constraints."""
    stated = (*run.question.demands, *run.question.constraints)
    if len(stated) == 1:
        return (0,)

    from wheelcheck.resolver.explain import meeting

    recent = run.clashes[: -MAX_READ - 1 : -1]
    met = [_places(stated, meeting(run.state, clash)) for clash in (*recent, run.clashes[0])]
    clashing = dict.fromkeys(place for places in met for place in places)
    guesses = [met[0], met[-1], list(clashing)]
    return minimal_subset(list(clashing | dict.fromkeys(range(len(stated)))), guesses, trials.clash)


def _places(stated: Sequence[Demand], met: Iterable[Demand]) -> list[int]:
    """Return which of the user's demands are about the projects that meet in a conflict."""
    names = {demand.name for demand in met}
    return [place for place, demand in enumerate(stated) if demand.name in names]


class _Trials:
    """Resolve parts of a question, each once, within a common limit."""

    def __init__(self, run: Run) -> None:
        self._question = run.question
        self._index = run.index
        self._budget = run.budget
        self._last = run.budget.rounds + MAX_TRIAL_ROUNDS
        self._clashing: dict[frozenset[int], bool] = {}
        self._answers: dict[frozenset[int], Solution] = {}

    def part(self, places: Collection[int]) -> Question:
        """Return the question with only some of its demands and constraints, by their positions among all of both."""
        first = len(self._question.demands)
        return replace(
            self._question,
            demands=tuple(d for place, d in enumerate(self._question.demands) if place in places),
            constraints=tuple(d for place, d in enumerate(self._question.constraints, first) if place in places),
        )

    def clash(self, places: Collection[int]) -> bool:
        """Return whether a part certainly has no answer."""
        key = frozenset(places)
        if key not in self._clashing:
            self._clashing[key] = self._has_no_answer(key)
        return self._clashing[key]

    def nearly(self, places: Collection[int]) -> Iterator[dict[NormalizedName, Version]]:
        """Return the versions in the answers to a part without one of its positions, except those that it requires."""
        stated = (*self._question.demands, *self._question.constraints)
        for place in places:
            answer = self._answers.get(frozenset(places) - {place})
            if answer is not None:
                yield {pin.name: pin.version for pin in answer.pins if pin.name != stated[place].name}

    def _has_no_answer(self, places: frozenset[int]) -> bool:
        part, rounds = self.part(places), self._last - self._budget.rounds
        if not part.demands or rounds <= 0:
            return False
        try:
            answer = Run(part, self._index, self._budget).answer(rounds)
        except UndeterminedError:
            return False
        if answer is not None:
            self._answers[places] = answer
        return answer is None


Clash: TypeAlias = "Callable[[Sequence[int]], bool]"


def minimal_subset(things: Sequence[int], guesses: Sequence[Sequence[int]], clash: Clash) -> list[int]:
    """Return a minimal conflicting subset.

    Args:
        things: a conflicting set, the likeliest culprits first.
        guesses: subsets that probably conflict; each costs a trial.
        clash: returns whether a subset conflicts; where it cannot tell, False keeps what might have been left out.
    """
    clashing = next(filter(clash, guesses), things)
    found = _quickxplain([], clashing, clash, is_new=False)
    return _drop_redundant(found if clash(found) else list(clashing), clash)


def _quickxplain(base: Sequence[int], things: Sequence[int], clash: Clash, *, is_new: bool) -> list[int]:
    """Return a minimal part of `things` that conflicts together with `base`; `is_new` marks an untried base."""
    if is_new and clash(base):
        return []
    if len(things) < 2:
        return list(things)
    middle = len(things) // 2
    first, second = things[:middle], things[middle:]
    of_second = _quickxplain([*base, *first], second, clash, is_new=True)
    of_first = _quickxplain([*base, *of_second], first, clash, is_new=bool(of_second))
    return [*of_first, *of_second]


def _drop_redundant(things: list[int], clash: Clash) -> list[int]:
    """Remove one after the other until each that is left is necessary."""
    spare: int | None = -1
    while spare is not None:
        things = [thing for thing in things if thing != spare]
        spare = next((one for one in things if clash([thing for thing in things if thing != one])), None)
    return things
