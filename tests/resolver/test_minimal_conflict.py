"""A conflict is told by the fewest demands that have no answer together: without any one of them there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario import Scenario
from wheelcheck.resolver.model import AddedByRule, Asked, Constraint, NeededBy, Solution
from wheelcheck.resolver.resolve import minimal_subset
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from wheelcheck.resolver.model import Demand, NoAnswer, Outcome

TARGET = read_target("linux-cp312")

# -- finding the fewest

THINGS = range(12)
FAMILIES = st.lists(st.frozensets(st.sampled_from(THINGS), min_size=1, max_size=5), min_size=1, max_size=4)


def clashes_of(family: Collection[frozenset[int]]) -> Callable[[Collection[int]], bool]:
    return lambda things: any(cause <= set(things) for cause in family)


@given(family=FAMILIES, guesses=st.lists(st.sets(st.sampled_from(THINGS)), max_size=2))
def test_what_is_found_is_one_of_the_causes_that_hold_no_other(
    family: list[frozenset[int]], guesses: list[set[int]]
) -> None:
    found = frozenset(minimal_subset(THINGS, [sorted(guess) for guess in guesses], clashes_of(family)))
    assert found in family
    assert not any(cause < found for cause in family)


@given(clashing=st.sets(st.frozensets(st.sampled_from(range(5)), min_size=1)))
def test_each_part_is_needed_even_where_more_can_mend_a_clash(clashing: set[frozenset[int]]) -> None:
    """Naming a pre-release admits it, so that a question may have an answer that a part of it has not."""
    every = {*clashing, frozenset(range(5))}
    found = frozenset(minimal_subset(range(5), [], lambda things: frozenset(things) in every))
    assert found in every
    assert not any(found - {thing} in every for thing in found)


@pytest.mark.parametrize("number", [40, 400])
def test_few_among_many_are_found_in_few_trials(number: int) -> None:
    tried: list[Collection[int]] = []

    def clash(things: Collection[int]) -> bool:
        tried.append(things)
        return {7, number // 2, number - 1} <= set(things)

    assert set(minimal_subset(range(number), [], clash)) == {7, number // 2, number - 1}
    assert len(tried) <= 3 * 2 * number.bit_length()


# -- conflicts as the resolver tells them

NAMES = "abcde"
SPECIFIERS = st.sampled_from(["", "", "<2", ">=2", "<3", "!=2", ">=2,<4", "<=2", "==1", "==2.*", ">=3"])
RARE = st.sampled_from([*NAMES * 12, "z"])
PLAIN = st.builds("{}{}{}".format, RARE, st.sampled_from(["", "", "[x]"]), SPECIFIERS)
OF_EXTRA = st.builds("{}{}; extra == 'x'".format, st.sampled_from(NAMES), SPECIFIERS)
NEEDS = st.one_of(st.just([]), st.lists(PLAIN, max_size=2), st.lists(OF_EXTRA, max_size=1))
KINDS: list[dict[str, Any]] = [
    {"files": []},
    {"requires_python": "<3.12"},
    {"metadata_requires_python": "<3.12"},
    {"yanked": "why"},
    {"broken": "why"},
    {"uploaded": "2025-02-03T00:00:00Z"},
]


@st.composite
def projects(draw: st.DrawFn) -> dict[str, dict[str, dict[str, Any]]]:
    """An index: projects of some versions, a few of which are not to be had."""
    versions = [(name, version) for name in NAMES for version in ("1", "2", "3", "4rc1")]
    index: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in NAMES}
    for name, version in versions:
        index[name][version] = {"requires": draw(NEEDS), "sha256": f"{name}{version}"}
    spoilt = st.tuples(st.sampled_from(versions), st.sampled_from(KINDS))
    for (name, version), kind in draw(st.lists(spoilt, max_size=5)):
        about = index[name][version] = index[name][version] | kind
        about |= {"files": [f"{name}-{version}-cp312-cp312-win_amd64.whl"]} if "files" in kind else {}
    return index


HASHES = st.sampled_from([*[""] * 30, " --hash=sha256:{}1", " --hash=sha256:{}2"])
ASKS = st.builds(lambda text, hashed: text + hashed.format(text[0]), PLAIN, HASHES)
RULE = """
project = "a"

[[rule]]
id = "a-2-goes-with-b-below-2"
versions = ">=2"
effect = "constrains"
requirements = ["b<2"]
why = "They do not go together."
evidence = "import-run"
confidence = "certain"
sources = [{ fact = "made up", date = "2026-01-01" }]
"""
QUESTIONS = st.fixed_dictionaries(
    {
        "index": projects(),
        "asks": st.lists(ASKS, min_size=2, max_size=7),
        "constraints": st.lists(st.builds("{}{}".format, st.sampled_from(NAMES), SPECIFIERS), max_size=4),
    },
    optional={
        "rules": st.just(RULE),
        "exclude_newer": st.just("2025-01-01"),
        "only_final": st.just([":all:"]),
        "no_deps": st.just(True),
    },
)


def ask(told: dict[str, Any]) -> Outcome:
    return Scenario("generated", told).outcome(TARGET)


def text_of(demand: Demand) -> str:
    return str(demand.requirement) + "".join(f" --hash={digest}" for digest in demand.hashes)


def stated(conflict: NoAnswer) -> tuple[list[str], list[str]]:
    """What the user said of all that a conflict shows: asks and constraints."""
    asks = [text_of(demand) for demand in conflict.demands if isinstance(demand.origin, Asked)]
    return asks, [text_of(demand) for demand in conflict.demands if isinstance(demand.origin, Constraint)]


def fewer(asks: list[str], constraints: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Each way of leaving one out."""
    for place in range(len(asks)):
        yield [*asks[:place], *asks[place + 1 :]], constraints
    for place in range(len(constraints)):
        yield asks, [*constraints[:place], *constraints[place + 1 :]]


def check_core(told: dict[str, Any]) -> None:
    outcome = ask(told)
    if isinstance(outcome, Solution):
        return
    asks, constraints = stated(outcome)
    assert not isinstance(ask(told | {"asks": asks, "constraints": constraints}), Solution)
    for some, bounds in fewer(asks, constraints):
        assert isinstance(ask(told | {"asks": some, "constraints": bounds}), Solution), (some, bounds)
    check_chains(outcome)
    assert len({demand.asking for demand in outcome.demands}) == len(outcome.demands)


def check_chains(conflict: NoAnswer) -> None:
    """Each demand of a file is there with one that leads to the file, up to what was asked."""
    led = {demand for demand in conflict.demands if isinstance(demand.origin, Asked | Constraint)}
    while True:
        reached = {canonicalize_name(d.requirement.name) for d in led if not isinstance(d.origin, Constraint)}
        more = {
            d
            for d in conflict.demands
            if isinstance(d.origin, NeededBy | AddedByRule)
            and d.origin.name in reached
            and any(d.origin.version in above.requirement.specifier for above in led if above.name == d.origin.name)
        }
        if more <= led:
            break
        led |= more
    assert led == set(conflict.demands)


@settings(max_examples=400)
@given(told=QUESTIONS)
def test_without_any_one_demand_of_a_conflict_there_is_an_answer(told: dict[str, Any]) -> None:
    check_core(told)


def test_two_hashes_of_one_project_clash() -> None:
    """Found at random: two demands of one place that differ in their hashes only."""
    told = {"index": {"e": {"1": {"sha256": "e1"}, "2": {"sha256": "e2"}}}, "constraints": []}
    outcome = ask(told | {"asks": ["e --hash=sha256:e2", "e --hash=sha256:e1"]})
    assert not isinstance(outcome, Solution)
    assert len(outcome.demands) == 2
    check_core(told | {"asks": ["e --hash=sha256:e2", "e --hash=sha256:e1"]})


def test_of_a_hundred_demands_and_constraints_three_are_shown() -> None:
    index: dict[str, Any] = {f"p{n}": {"1": {"requires": ["q"]}} for n in range(100)}
    index |= {"q": {"1": {}}, "lib": {"1": {}, "2": {}, "3": {}}}
    for name, needed in (("p17", "lib>=2"), ("p59", "lib<3")):
        index[name]["1"] = {"requires": ["q", needed]}
    told = {"index": index, "asks": [f"p{n}" for n in range(100)], "constraints": [f"p{n}>=1" for n in range(40)]}
    told["constraints"] += ["lib!=2", "lib<4"]
    outcome = ask(told)
    assert not isinstance(outcome, Solution)
    assert stated(outcome) == (["p17", "p59"], ["lib!=2"])
    check_core(told)
