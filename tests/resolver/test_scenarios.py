"""Runs every scenario; see scenario.py for the form."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario import FOLDER, Scenario
from wheelcheck.common.errors import UndeterminedError
from wheelcheck.resolver.model import Solution


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = Scenario.read(path)
    expected = scenario.told["expect"]
    for target in scenario.targets:
        if "error" in expected:
            with pytest.raises(UndeterminedError) as caught:
                scenario.outcome(target)
            assert caught.value.kind == expected["error"]
            continue
        outcome = scenario.outcome(target)
        if isinstance(outcome, Solution):
            check_solution(outcome, expected)
            check_concerns([concern.to_dict() for concern in scenario.concerns(outcome, target)], expected)
        else:
            check_conflict(outcome, expected)
        if "remedies" in expected:
            check_remedies([remedy.to_dict() for remedy in scenario.remedies(outcome, target)], expected["remedies"])


def check_solution(outcome, expected) -> None:
    assert {pin.name: str(pin.version) for pin in outcome.pins} == expected.get("pins")
    files = {pin.name: pin.file.filename for pin in outcome.pins}
    assert {name: files.get(name) for name in expected.get("files", {})} == expected.get("files", {})
    ranks = {pin.name: pin.rank for pin in outcome.pins}
    assert {name: ranks.get(name) for name in expected.get("ranks", {})} == expected.get("ranks", {})
    needed = {pin.name: sorted(pin.needed_by) for pin in outcome.pins}
    assert {name: needed.get(name) for name in expected.get("needed_by", {})} == expected.get("needed_by", {})
    assert {held.name: str(held.instead_of) for held in outcome.held_back} == expected.get("held_back", {})


def check_concerns(found, expected) -> None:
    assert [concern["kind"] for concern in found] == expected.get("concerns", [concern["kind"] for concern in found])
    for concern, told in zip(found, expected.get("about", ()), strict=False):
        assert {key: concern[key] for key in told} == told


def check_remedies(found, expected) -> None:
    """Each remedy with the part of its change that the scenario tells, in their order."""
    assert [remedy["kind"] for remedy in found] == [told["kind"] for told in expected]
    for remedy, told in zip(found, expected, strict=True):
        brings = {"brings": [concern["kind"] for concern in remedy.get("concerns", ())]}
        about = {"kind": remedy["kind"], "pins": remedy["pins"]} | remedy["change"] | brings
        assert {key: about[key] for key in {"brings": [], **told}} == {"brings": [], **told}


def check_conflict(outcome, expected) -> None:
    assert "pins" not in expected, outcome
    assert (outcome.kind, outcome.project) == (expected["conflict"], expected["project"])
    if "reasons" in expected:
        assert [why.kind for why in outcome.files[0].reasons] == expected["reasons"]
    if "files" in expected:
        assert [file.filename for file in outcome.files] == expected["files"]
    if "nearest" in expected:
        assert outcome.files[0].filename == expected["nearest"]
    shown = {str(demand.requirement) for demand in outcome.demands}
    assert set(expected.get("demands", ())) <= shown
    assert not set(expected.get("not_demands", ())) & shown
    for demand in outcome.demands:
        assert demand.origin.kind in ("Asked", "NeededBy", "Constraint", "AddedByRule")
    rules = {demand.origin.rule.id for demand in outcome.demands if demand.origin.kind == "AddedByRule"}
    assert set(expected.get("rules", ())) <= rules
