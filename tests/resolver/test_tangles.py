"""Conflicts among thousands of versions: found out in work that grows as the number of versions does, or given up."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from packaging.requirements import Requirement

from scenario import VersionFiles
from tangles import SHAPES, index_of
from wheelcheck.common.errors import TimedOut
from wheelcheck.resolver.limits import Budget
from wheelcheck.resolver.model import Asked, Demand, Outcome, Question, Solution
from wheelcheck.resolver.resolve import resolve
from wheelcheck.targets.target import read_target

TARGET = read_target("linux-cp312")
VERSIONS = 250
MAX_FOR_ONE = 25
"""Files tried for each version of one project, whatever the shape: five projects, and again without each of them."""


def ask(roots: list[str], index: dict[str, Any], budget: Budget) -> Outcome:
    demands = tuple(Demand(requirement=Requirement(root), origin=Asked(place="the test")) for root in roots)
    return resolve(Question(target=TARGET, demands=demands), VersionFiles(index), budget)


FIRST = dict.fromkeys("abcde", "1")
N = str(VERSIONS)
ANSWERS: dict[str, dict[str, str] | None] = {
    "only_the_oldest_fits": FIRST,
    "older_than_itself": FIRST,
    "deep_diamond": {"a": N, "b": str(VERSIONS - 1), "c": N, "d": str(VERSIONS - 1), "e": N},
    "last_project_fits_nothing": None,
    "last_project_wants_the_first": FIRST | {"e": N},
    "pre_releases_between": None,
    "lockstep": FIRST,
    "lockstep_with_a_bound": FIRST | {"e": str(VERSIONS - 1)},
    "never_agree": None,
    "agree_at_last": {"a": "1", "b": N, "c": str(2 * VERSIONS), "d": N, "e": N},
    "ring": FIRST,
    "three_ways": {"a": N, "b": "2", "c": str(VERSIONS - 1), "d": "2", "e": str(VERSIONS - 1)},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_grows_as_the_number_of_versions(shape: str) -> None:
    roots, needs = SHAPES[shape](VERSIONS)
    budget = Budget()
    outcome = ask(roots, index_of(needs), budget)
    found = {pin.name: str(pin.version) for pin in outcome.pins} if isinstance(outcome, Solution) else None
    assert found == ANSWERS[shape]
    assert budget.counted.candidates <= MAX_FOR_ONE * VERSIONS
    assert budget.counted.metadata <= sum(map(len, needs.values()))


@pytest.mark.parametrize("shape", ["lockstep_with_a_bound", "never_agree", "ring"])
def test_the_same_question_takes_the_same_work(shape: str) -> None:
    roots, needs = SHAPES[shape](VERSIONS)
    first, second = Budget(), Budget()
    assert ask(roots, index_of(needs), first) == ask(roots, index_of(needs), second)
    assert first.counted == second.counted


def test_a_search_without_an_end_says_what_was_tried() -> None:
    roots, needs = SHAPES["lockstep_with_a_bound"](VERSIONS)
    seconds = itertools.count()
    with pytest.raises(TimedOut) as caught:
        ask(roots, index_of(needs), Budget(lambda: next(seconds)))
    told = caught.value.to_dict()
    tried = dict(zip(told["projects"], told["versions"], strict=True))
    assert told["kind"] == "TimedOut"
    assert set(tried) <= needs.keys()
    assert max(tried.values()) > 1
    for project, number in tried.items():
        assert f"{number} version{'s' * (number > 1)} of {project}" in told["message"]
    assert str(told["rounds"]) in told["message"]
