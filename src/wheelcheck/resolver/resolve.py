"""The answer to a question, or why there is none in the fewest of what the user stated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import replace
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import Constraint, Demand, NoAnswer, Outcome, Question, Solution
from wheelcheck.resolver.provider import MAX_ROUNDS_MORE, Run
from wheelcheck.resolver.state import Ledger
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.requirements import requirement_of

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.resolver.explain import Telling
    from wheelcheck.resolver.model import PackageIndex

MAX_TRIAL_ROUNDS = 100_000
"""Rounds in all for finding the fewest demands that clash; what was not tried by then is shown with them."""
MAX_ROUNDS_ALONE = 2_000
"""Rounds in all for finding out whether newer versions of what was chosen would fit if nothing else were asked for."""
MAX_READ = 50
"""Clashes, the last ones, that are read for a guess at which demands these are."""


def resolve(question: Question, supply: PackageIndex, budget: Budget | None = None) -> Outcome:
    """The answer to a question, or why there is none; `budget` is told of the work, and limits it.

    Raises:
        UndeterminedError: a page or the metadata of a file that was needed is out of reach, or there is no end to it.
    """
    if question.refused is not None:
        return question.refused
    run = Run(question, supply, budget or Budget())
    return _answer(run) or _explanation(run)


def solve(question: Question, supply: PackageIndex, budget: Budget | None = None) -> Solution | None:
    """The answer to a question, or None where there is none, without saying why.

    Raises:
        UndeterminedError: as `resolve`.
    """
    return None if question.refused else _answer(Run(question, supply, budget or Budget()))


def resolve_with_ledger(
    question: Question, supply: PackageIndex, budget: Budget | None = None
) -> tuple[Outcome | UndeterminedError, Ledger]:
    """As `resolve`, beside all that was said on the way; what cannot be told is given and not raised."""
    run = Run(question, supply, budget or Budget())
    try:
        return _answer(run) or _explanation(run), run.ledger
    except UndeterminedError as error:
        return error, run.ledger


def _answer(run: Run) -> Solution | None:
    """The answer, with the projects of it that leave the target behind."""
    solution = run.answer()
    if solution is None:
        return None
    from wheelcheck.resolver.outdated import outdated

    last = run.budget.rounds + MAX_ROUNDS_ALONE

    def alone(demand: Demand) -> Outcome | None:
        rounds = last - run.budget.rounds
        single = Run(replace(run.question, demands=(demand,)), run.supply, run.budget)
        with suppress(UndeterminedError):
            return (single.answer(rounds) or _explanation(single)) if rounds > 0 else None
        return None

    wanted = [pin for pin in solution.pins if not run.wants_lowest(pin.name)]
    found = outdated(sorted(wanted, key=lambda pin: not pin.requested), run.ledger, alone)
    return replace(solution, outdated=tuple(sorted(found, key=lambda one: one.name)))


def _explanation(run: Run) -> NoAnswer:
    """Why a run found nothing, told by the fewest of what the user stated that have no answer together."""
    from wheelcheck.resolver.explain import explain

    trials = _Trials(run)
    places = _smallest(run, trials)
    smaller = trials.part(places)
    if smaller != run.question:
        again = Run(smaller, run.supply, run.budget)
        with suppress(UndeterminedError):  # no time is left to tell it in fewer words
            again.answer()
            run = again
    told = explain(run.ledger, run.clashes)
    if told.is_plain:
        return told.answer
    tellings = [told]
    for chosen in (*trials.nearly(places), {}):
        other = _told_of(run, chosen)
        if other is not None and other.is_plain:
            return other.answer
        tellings += [other] if other is not None else []
    return max(tellings, key=lambda other: (not other.is_mixed, other.is_evident)).answer


def _told_of(run: Run, chosen: Mapping[NormalizedName, Version]) -> Telling | None:
    """Why there is no answer in which the projects that clash are of the chosen versions, else of their newest ones.

    A version that would not be chosen anyhow speaks of troubles of its own. With versions that are given, others may
    clash in several, and those are given then as well. None where there is an answer with them.
    """
    asked = (demand.name for demand in run.question.demands)
    given = {name: chosen[name] for name in asked if name in chosen}
    told = _told_with(run, given)
    while told is not None and not told.is_plain:
        wanted = {name: chosen.get(name, max(versions)) for name, versions in told.makers.items()}
        more = {name: version for name, version in wanted.items() if told.makers[name] != {version}}
        if not more.keys() - given.keys():
            break
        given = {**more, **given}
        told = _told_with(run, given)
    return told


def _told_with(run: Run, versions: Mapping[NormalizedName, Version]) -> Telling | None:
    """Why there is no answer with given versions, not evident where it is these that clash; None where there is one."""
    from wheelcheck.resolver.explain import explain

    place = Constraint(place="the versions that are told of")
    pins = [Demand(requirement=requirement_of(f"{name}=={versions[name]}"), origin=place) for name in versions]
    if pins:
        run = Run(replace(run.question, constraints=(*run.question.constraints, *pins)), run.supply, run.budget)
        with suppress(UndeterminedError):
            run.answer(MAX_ROUNDS_MORE)
        if not run.clashes:
            return None
    told = explain(run.ledger, run.clashes, pins)
    is_apart = told.answer.project not in versions or told.answer.project in told.makers
    return told if is_apart else told._replace(is_evident=False)


def _smallest(run: Run, trials: _Trials) -> Collection[int]:
    """The places of so few of the demands and constraints that leaving out any further one would give an answer."""
    stated = (*run.question.demands, *run.question.constraints)
    if len(stated) == 1:
        return (0,)
    from wheelcheck.resolver.cores import smallest
    from wheelcheck.resolver.explain import meeting

    recent = run.clashes[: -MAX_READ - 1 : -1]
    met = [_places(stated, meeting(run.ledger, clash)) for clash in (*recent, run.clashes[0])]
    telling = dict.fromkeys(place for places in met for place in places)
    guesses = [met[0], met[-1], list(telling)]
    return smallest(list(telling | dict.fromkeys(range(len(stated)))), guesses, trials.clash)


def _places(stated: Sequence[Demand], met: Iterable[Demand]) -> list[int]:
    """Which of what the user stated is about the projects that meet in a clash."""
    names = {demand.name for demand in met}
    return [place for place, demand in enumerate(stated) if demand.name in names]


class _Trials:
    """Which parts of a question have no answer; each is resolved once, and all of them within a bound."""

    def __init__(self, run: Run) -> None:
        self._question = run.question
        self._supply = run.supply
        self._effort = run.budget
        self._last = run.budget.rounds + MAX_TRIAL_ROUNDS
        self._clashing: dict[frozenset[int], bool] = {}
        self._answers: dict[frozenset[int], Solution] = {}

    def part(self, places: Collection[int]) -> Question:
        """The question with only some of its demands and constraints, by their places among all of both."""
        first = len(self._question.demands)
        return replace(
            self._question,
            demands=tuple(d for place, d in enumerate(self._question.demands) if place in places),
            constraints=tuple(d for place, d in enumerate(self._question.constraints, first) if place in places),
        )

    def clash(self, places: Collection[int]) -> bool:
        """Whether a part certainly has no answer."""
        key = frozenset(places)
        if key not in self._clashing:
            self._clashing[key] = self._has_no_answer(key)
        return self._clashing[key]

    def nearly(self, places: Collection[int]) -> Iterator[dict[NormalizedName, Version]]:
        """The versions in the answers that were found to a part without one of its places, but for what that asks."""
        stated = (*self._question.demands, *self._question.constraints)
        for place in places:
            answer = self._answers.get(frozenset(places) - {place})
            if answer is not None:
                yield {pin.name: pin.version for pin in answer.pins if pin.name != stated[place].name}

    def _has_no_answer(self, places: frozenset[int]) -> bool:
        part, rounds = self.part(places), self._last - self._effort.rounds
        if not part.demands or rounds <= 0:
            return False
        try:
            answer = Run(part, self._supply, self._effort).answer(rounds)
        except UndeterminedError:
            return False
        if answer is not None:
            self._answers[places] = answer
        return answer is None
