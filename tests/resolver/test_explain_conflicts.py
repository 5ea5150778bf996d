"""The filter that is blamed for a "no" is the one that decided: all that did, and none that did not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from scenario import Scenario
from wheelcheck.resolver.model import Conflict, NoCompatibleFile, Outcome, Solution
from wheelcheck.targets.target import read_target

TARGET = read_target("linux-cp312")
FORBIDS = """
project = "a"

[[rule]]
id = "a-1-is-broken"
versions = "==1.0rc1"
effect = "forbids"
why = "It is broken."
evidence = "import-run"
confidence = "certain"
sources = [{ fact = "made up", date = "2026-01-01" }]
"""

FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "WrongPlatformTag": ({}, {"files": ["a-1.0rc1-py3-none-win_amd64.whl"]}),
    "RequiresPython": ({}, {"requires_python": "<3.12"}),
    "ForbiddenByRule": ({"rules": FORBIDS}, {}),
    "TooNew": ({"exclude_newer": "2025-01-01"}, {"uploaded": "2025-02-03T00:00:00Z"}),
    "Yanked": ({}, {"yanked": "why"}),
    "PreReleaseNotWanted": ({"only_final": [":all:"]}, {}),
    "HashMismatch": ({"asks": ["a --hash=sha256:other"]}, {}),
}
"""By the kind of its reason, in their order: what is asked otherwise, and what is otherwise with the file."""


def ask(told: dict[str, Any]) -> Outcome:
    return Scenario("a table", told).outcome(TARGET)


def kinds(outcome: Outcome) -> list[tuple[str, list[str]]]:
    assert not isinstance(outcome, Solution)
    return [(file.filename, [reason.kind for reason in file.reasons]) for file in outcome.files]


def under(*filters: str) -> dict[str, Any]:
    """A question of one file that these filters refuse."""
    told: dict[str, Any] = {
        "asks": ["a"],
        "index": {"a": {"1.0rc1": {"sha256": "its own", "uploaded": "2024-01-01T00:00:00Z"}}},
    }
    for name in filters:
        asked, about = FILTERS[name]
        told |= asked
        told["index"]["a"]["1.0rc1"] |= about
    return told


def test_without_a_filter_the_file_is_taken() -> None:
    assert isinstance(ask(under()), Solution)


@pytest.mark.parametrize("some", [(one,) for one in FILTERS] + list(itertools.combinations(FILTERS, 2)), ids="-".join)
def test_every_filter_that_refuses_a_file_is_blamed_and_no_other(some: tuple[str, ...]) -> None:
    outcome = ask(under(*some))
    assert isinstance(outcome, NoCompatibleFile)
    assert [found for _, found in kinds(outcome)] == [list(some)]


NOT_TO_BLAME: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "a withdrawn version that is pinned": (
        {"asks": ["a==1.0"], "index": {"a": {"1.0": {"yanked": "why", "requires_python": "<3.12"}}}},
        ["RequiresPython"],
        [],
    ),
    "a withdrawn version that is pinned arbitrarily": (
        {"asks": ["a===1.0"], "index": {"a": {"1.0": {"yanked": "why", "requires_python": "<3.12"}}}},
        ["RequiresPython"],
        [],
    ),
    "a withdrawn version in a range": (
        {"asks": ["a>=1.0,<=1.0"], "index": {"a": {"1.0": {"yanked": "why"}}}},
        ["Yanked"],
        [],
    ),
    "a withdrawn version under a wildcard": (
        {"asks": ["a==1.*"], "index": {"a": {"1.0": {"yanked": "why"}}}},
        ["Yanked"],
        [],
    ),
    "a pre-release that is named": (
        {"asks": ["a>=1.0rc1"], "index": {"a": {"1.0rc1": {"requires_python": "<3.12"}}}},
        ["RequiresPython"],
        [],
    ),
    "a pre-release that nothing stands beside": (
        {"asks": ["a>1"], "index": {"a": {"1.0": {}, "2.0rc1": {"requires_python": "<3.12"}}}},
        ["RequiresPython"],
        [],
    ),
    "a pre-release beside a final one that is refused": (
        {"asks": ["a"], "index": {"a": {"1.0": {"broken": "why"}, "2.0rc1": {"requires_python": "<3.12"}}}},
        ["BadMetadata"],
        ["RequiresPython", "PreReleaseNotWanted"],
    ),
    "a pre-release beside a withdrawn one": (
        {"asks": ["a"], "index": {"a": {"1.0": {"yanked": "why"}, "2.0rc1": {}}}},
        ["PreReleaseNotWanted"],
        ["Yanked"],
    ),
    "what only the metadata says": (
        {"asks": ["a"], "index": {"a": {"1.0": {"metadata_requires_python": "<3.12"}}}},
        ["RequiresPython"],
        [],
    ),
    "a time of upload that nobody told": (
        {"asks": ["a"], "exclude_newer": "2025-01-01", "index": {"a": {"1.0": {}}}},
        ["NoUploadTime"],
        [],
    ),
}


@pytest.mark.parametrize(("told", "first", "second"), NOT_TO_BLAME.values(), ids=NOT_TO_BLAME)
def test_what_did_not_decide_is_not_blamed(told: dict[str, Any], first: list[str], second: list[str]) -> None:
    assert [found for _, found in kinds(ask(told))] == [first, second][: 1 + bool(second)]


@pytest.mark.parametrize("name", FILTERS)
def test_what_two_demands_have_in_common_is_refused_by_the_filter_that_decided(name: str) -> None:
    told = under(name)
    dated = {"uploaded": "2024-01-01T00:00:00Z", "sha256": "other"}
    told["index"]["a"] |= {"0.5": dated, "3.0": dated}
    told["index"] |= {"b": {"1": dated | {"requires": ["a<2"]}}, "c": {"1": dated | {"requires": ["a>0.5"]}}}
    outcome = ask(told | {"asks": ["b", "c", *(text for text in told["asks"] if "--hash" in text)]})
    assert isinstance(outcome, NoCompatibleFile)
    assert outcome.project == "a"
    assert [found for _, found in kinds(outcome)] == [[name]]


def test_the_sides_of_a_conflict_come_with_the_file_that_each_would_take() -> None:
    index = {
        "a": {str(n): {} for n in range(1, 9)},
        "b": {"1": {"requires": ["a<6"]}},
        "c": {"1": {"requires": ["a>6"]}},
    }
    outcome = ask({"asks": ["b", "c"], "index": index})
    assert isinstance(outcome, Conflict)
    assert kinds(outcome) == [("a-8-py3-none-any.whl", []), ("a-5-py3-none-any.whl", [])]
