"""The answer to a question, or why there is none in the fewest of what the user stated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelcheck.effort import Effort
from wheelcheck.failures import CannotTell
from wheelcheck.ledger import Ledger
from wheelcheck.names import NormalizedName
from wheelcheck.outcomes import Constraint, Demand, NoAnswer, Outcome, Question, Solution
from wheelcheck.provider import MOST_ROUNDS_MORE, Run
from wheelcheck.requirements import requirement_of
from wheelcheck.values import replace

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.supply import Supply

MOST_TRIAL_ROUNDS = 100_000
"""Rounds in all for finding the fewest demands that clash; what was not tried by then is shown with them."""
MOST_READ = 50
"""Clashes, the last ones, that are read for a guess at which demands these are."""


def resolve(question: Question, supply: Supply, effort: Effort | None = None) -> Outcome:
    """The answer to a question, or why there is none; `effort` is told of the work, and limits it.

    Raises:
        CannotTell: a page or the metadata of a file that was needed is out of reach, or there is no end to it.
    """
    if question.refused is not None:
        return question.refused
    run = Run(question, supply, effort or Effort())
    return run.answer() or _explanation(run)


def solve(question: Question, supply: Supply, effort: Effort | None = None) -> Solution | None:
    """The answer to a question, or None where there is none, without saying why.

    Raises:
        CannotTell: as `resolve`.
    """
    return None if question.refused else Run(question, supply, effort or Effort()).answer()


def resolve_with_ledger(
    question: Question, supply: Supply, effort: Effort | None = None
) -> tuple[Outcome | CannotTell, Ledger]:
    """As `resolve`, beside all that was said on the way; what cannot be told is given and not raised."""
    run = Run(question, supply, effort or Effort())
    try:
        return run.answer() or _explanation(run), run.ledger
    except CannotTell as error:
        return error, run.ledger


def _explanation(run: Run) -> NoAnswer:
    """Why a run found nothing, told by the fewest of what the user stated that have no answer together."""
    from wheelcheck.conflicts import explain, mixed_versions

    smaller = _smallest(run)
    if smaller is not run.question:
        again = Run(smaller, run.supply, run.effort)
        with suppress(CannotTell):  # no time is left to tell it in fewer words
            again.answer()
            run = again
    told = explain(run.ledger, run.clashes)
    mixed = mixed_versions(told)
    return _of_newest(run, mixed) or told if mixed else told


def _of_newest(run: Run, versions: Mapping[NormalizedName, Version]) -> NoAnswer | None:
    """Why there is no answer with the newest of the versions that clash; None where that does not get clearer.

    With these versions others may clash in several, of which again the newest is taken.
    """
    from wheelcheck.conflicts import explain, mixed_versions

    place = Constraint(place="the versions that are told of")
    pins = [Demand(requirement=requirement_of(f"{name}=={versions[name]}"), origin=place) for name in sorted(versions)]
    again = Run(replace(run.question, constraints=(*run.question.constraints, *pins)), run.supply, run.effort)
    with suppress(CannotTell):
        if again.answer(MOST_ROUNDS_MORE) is None:
            told = explain(again.ledger, again.clashes)
            mixed = mixed_versions(told)
            if mixed.keys() - versions.keys():
                return _of_newest(run, {**mixed, **versions})
            kept = tuple(demand for demand in told.demands if demand.origin is not place)
            return None if mixed else replace(told, demands=kept)
    return None


def _smallest(run: Run) -> Question:
    """The question with so few demands and constraints that leaving out any further one would give it an answer."""
    stated = (*run.question.demands, *run.question.constraints)
    if len(stated) == 1:
        return run.question
    from wheelcheck.conflicts import meeting
    from wheelcheck.cores import smallest

    recent = run.clashes[: -MOST_READ - 1 : -1]
    met = [_places(stated, meeting(run.ledger, clash)) for clash in (*recent, run.clashes[0])]
    telling = dict.fromkeys(place for places in met for place in places)
    guesses = [met[0], met[-1], list(telling)]
    trials = _Trials(run)
    kept = smallest(list(telling | dict.fromkeys(range(len(stated)))), guesses, trials.clash)
    return trials.part(kept) if len(kept) < len(stated) else run.question


def _places(stated: Sequence[Demand], met: Iterable[Demand]) -> list[int]:
    """Which of what the user stated is about the projects that meet in a clash."""
    names = {demand.name for demand in met}
    return [place for place, demand in enumerate(stated) if demand.name in names]


class _Trials:
    """Which parts of a question have no answer; each is resolved once, and all of them within a bound."""

    def __init__(self, run: Run) -> None:
        self._question = run.question
        self._supply = run.supply
        self._effort = run.effort
        self._last = run.effort.rounds + MOST_TRIAL_ROUNDS
        self._known: dict[frozenset[int], bool] = {}

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
        if key not in self._known:
            self._known[key] = self._has_no_answer(self.part(key))
        return self._known[key]

    def _has_no_answer(self, part: Question) -> bool:
        rounds = self._last - self._effort.rounds
        if not part.demands or rounds <= 0:
            return False
        try:
            return Run(part, self._supply, self._effort).answer(rounds) is None
        except CannotTell:
            return False
