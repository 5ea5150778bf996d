"""Properties of the resolver on small random worlds: it finds an answer exactly where there is one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from scenario import VersionFiles
from wheelcheck.resolver import provider
from wheelcheck.resolver.model import Asked, Demand, NeededBy, Outcome, Question, Solution
from wheelcheck.resolver.resolve import resolve
from wheelcheck.targets.target import read_target

NAMES = "abcde"
VERSIONS = ("1", "2", "3")
TARGET = read_target("linux-cp312")

SPECIFIERS = st.sampled_from(["", "<2", "<3", ">=2", "==1", "==2", ">1"])
PLAIN = st.builds("{}{}{}".format, st.sampled_from(NAMES), st.sampled_from(["", "", "[x]"]), SPECIFIERS)
OF_EXTRA = st.builds("{}{}; extra == 'x'".format, st.sampled_from(NAMES), SPECIFIERS)
NEEDS = st.tuples(st.lists(PLAIN, max_size=2), st.lists(OF_EXTRA, max_size=1)).map(lambda both: [*both[0], *both[1]])
WORLDS = st.fixed_dictionaries({name: st.fixed_dictionaries(dict.fromkeys(VERSIONS, NEEDS)) for name in NAMES})
ROOTS = st.lists(PLAIN, min_size=1, max_size=3)


def ask(world: dict[str, dict[str, list[str]]], roots: list[str]) -> Outcome:
    index: dict[str, Any] = {
        n: {v: {"requires": needs} for v, needs in versions.items()} for n, versions in world.items()
    }
    demands = tuple(Demand(requirement=Requirement(root), origin=Asked(place="the test")) for root in roots)
    return resolve(Question(target=TARGET, demands=demands), VersionFiles(index))


def closure(world: dict[str, dict[str, list[str]]], roots: list[str], versions: dict[str, str]) -> set[str] | None:
    """The projects that the roots lead to with these versions, or None where a demand is not met."""
    waiting, seen = [Requirement(root) for root in roots], set()
    while waiting:
        wanted = waiting.pop()
        if not wanted.specifier.contains(versions[wanted.name]):
            return None
        for extra in {"", *wanted.extras} - {extra for name, extra in seen if name == wanted.name}:
            seen.add((wanted.name, extra))
            needs = map(Requirement, world[wanted.name][versions[wanted.name]])
            waiting += [need for need in needs if (need.marker is not None) == bool(extra)]
    return {name for name, _ in seen}


@pytest.mark.parametrize("many", [1, provider.MANY])
@settings(max_examples=150)
@example(  # what a version needs that was given up goes on to clash
    world={
        "a": {"1": [], "2": [], "3": []},
        "b": {"1": [], "2": ["e<2"], "3": []},
        "c": {"1": [], "2": ["a; extra == 'x'"], "3": ["d[x]", "c<2; extra == 'x'"]},
        "d": {"1": [], "2": ["b<3", "b>=2", "c<2; extra == 'x'"], "3": []},
        "e": {"1": ["c>=2"], "2": [], "3": []},
    },
    roots=["c[x]", "d<3", "d>=2"],
)
@example(  # what clashes at last says nothing of the choice that led to it
    world={
        "a": {"1": ["b[x]"], "2": ["e>=3"], "3": ["e<2"]},
        "b": {"1": [], "2": ["a<3"], "3": []},
        "c": {"1": [], "2": ["a>=3", "e[x]"], "3": ["e>=2"]},
        "d": {"1": ["a>=3"], "2": ["a>=2"], "3": ["e[x]"]},
        "e": {"1": [], "2": ["b==1"], "3": ["c==2"]},
    },
    roots=["b==2", "d", "e"],
)
@example(  # a version that was taken back fits again, without what it needs
    world={
        "a": {"1": [], "2": [], "3": ["e", "e>=2"]},
        "b": {"1": [], "2": ["e<3"], "3": ["c>=2"]},
        "c": {"1": ["b<2", "d[x]"], "2": ["a>=2", "c<3; extra == 'x'"], "3": ["e"]},
        "d": {"1": ["b==2", "a<3", "a==2"], "2": [], "3": ["e"]},
        "e": {"1": ["c<3", "b!=2"], "2": ["a<3", "b<3", "d"], "3": ["b<3"]},
    },
    roots=["e!=2", "c==2"],
)
@given(world=WORLDS, roots=ROOTS)
def test_an_answer_is_found_exactly_where_there_is_one_and_hangs_together(
    many: int, world: dict[str, dict[str, list[str]]], roots: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider, "MANY", many)
        outcome = ask(world, roots)
    if not isinstance(outcome, Solution):
        every = (dict(zip(NAMES, chosen, strict=True)) for chosen in itertools.product(VERSIONS, repeat=len(NAMES)))
        assert all(closure(world, roots, versions) is None for versions in every)
        return
    pins = {str(pin.name): str(pin.version) for pin in outcome.pins}
    assert closure(world, roots, {name: pins.get(name, "1") for name in NAMES}) == set(pins)
    for pin in outcome.pins:
        for demand in pin.demands:
            assert demand.requirement.specifier.contains(pin.version)
            if isinstance(demand.origin, NeededBy):
                assert pins[demand.origin.name] == str(demand.origin.version)


@settings(max_examples=150)
@example(
    world={
        "a": {"1": ["b"], "2": ["c==2"], "3": ["c[x]; extra == 'x'", "e==2", "d<2"]},
        "b": {"1": ["e<3"], "2": ["b[x]"], "3": ["e==2"]},
        "c": {"1": [], "2": ["a!=2", "d<3", "d<2"], "3": ["a>=3", "e<2"]},
        "d": {"1": ["a<3"], "2": [], "3": ["a[x]"]},
        "e": {"1": [], "2": ["d!=2", "b[x]; extra == 'x'", "d!=2"], "3": []},
    },
    roots=["a>=2"],
)
@example(
    world={
        "a": {"1": [], "2": ["a<2; extra == 'x'"], "3": ["d; extra == 'x'"]},
        "b": {"1": [], "2": ["d"], "3": ["e"]},
        "c": {"1": [], "2": [], "3": []},
        "d": {"1": ["a<2", "a>=2"], "2": ["a[x]==2"], "3": ["d<2"]},
        "e": {"1": ["a[x]>=2"], "2": ["d"], "3": ["e<2"]},
    },
    roots=["b>=2"],
)
@given(world=WORLDS, roots=ROOTS)
def test_an_explanation_tells_of_one_version_of_each_project(
    world: dict[str, dict[str, list[str]]], roots: list[str]
) -> None:
    """Two versions of one project are never chosen together, so what both need says nothing."""
    outcome = ask(world, roots)
    if not isinstance(outcome, Solution):
        makers = {d.origin.name: set[Version]() for d in outcome.demands if isinstance(d.origin, NeededBy)}
        for demand in outcome.demands:
            if isinstance(demand.origin, NeededBy):
                makers[demand.origin.name].add(demand.origin.version)
        assert all(len(versions) == 1 for versions in makers.values())
        assert {str(demand.requirement) for demand in outcome.demands if isinstance(demand.origin, Asked)} <= {*roots}


def test_pins_that_are_no_longer_needed_leave_no_trace() -> None:
    world = {
        "a": {"1": ["c<2"], "2": ["d"]},
        "b": {"2": ["a"], "1": []},
        "c": {"1": ["d<2"], "2": ["b<2"]},
        "d": {"1": ["b<2"], "2": ["a>=2"]},
    }
    outcome = ask(world, ["b", "c", "d"])
    assert isinstance(outcome, Solution)
    versions = {str(pin.name): pin.version for pin in outcome.pins}
    assert versions["b"] in (Version("1"), Version("2"))
    for pin in outcome.pins:
        assert {str(name) for name in pin.needed_by} <= set(versions)
