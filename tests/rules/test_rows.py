"""Each curated row decides a question: with it the answer is the one that imports, without it another one.

The questions stand in tests/scenarios/rows, one file a project: an index as in scenario.py, and under `rows` a table
for each row with `asks`, the `target` (CPython 3.11 on Linux where there is none), whether it is `translated`, and what
to `expect`: the pins, the kind of a conflict, or, of a row that is only predicted, that it warns.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from make_matrix import SYSTEMS, answers, cell, rule_lines
from run_imports import IMPORTED, PAGE, failing, imported_of, page_of, reason_of, results, shown
from scenario import FOLDER, Scenario
from wheelcheck.common.records import replace
from wheelcheck.resolver.model import Solution
from wheelcheck.resolver.resolve import resolve
from wheelcheck.rules.load import curated
from wheelcheck.targets.target import read_target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from wheelcheck.rules.model import Rules
    from wheelcheck.targets.target import Target

FILES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "rows").glob("*.toml"))}
ROWS: dict[str, dict[str, Any]] = {
    name: {"index": told["index"]} | row for told in FILES.values() for name, row in told["rows"].items()
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_decides_its_question(name: str) -> None:
    assert answer(name, curated()) == ROWS[name]["expect"]
    assert answer(name, curated().without([name])) != ROWS[name]["expect"], "the answer is the same without the rule"


def test_each_row_has_its_question() -> None:
    for rule in curated():
        assert rule.id in ROWS, f"tests/scenarios/rows/{rule.project}.toml lacks a question for {rule.id}"
    assert set(ROWS) == {rule.id for rule in curated()}
    assert {name: rule.project for rule in curated() for name in (rule.id,)} == {
        name: project for project, told in FILES.items() for name in told["rows"]
    }


def test_the_documentation_counts_the_rows() -> None:
    page = Path(__file__).parents[2] / "docs" / "rules.md"
    told = re.findall(r"^\| `([\w-]+)` \| (\d+) \|", page.read_text("utf-8"), re.MULTILINE)
    counted = Counter(rule.evidence for rule in curated())
    assert {kind: int(count) for kind, count in told} == counted, f"docs/rules.md should count {dict(counted)}"


def test_the_matrix_has_the_rules_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "matrix.md").read_text("utf-8")
    assert page.partition("## Rules")[2] == "\n".join(rule_lines()).partition("## Rules")[2] + "\n", (
        "python tests/support/make_matrix.py makes docs/matrix.md anew"
    )


@pytest.mark.network
def test_a_row_of_the_matrix_is_what_the_index_has() -> None:
    page = (Path(__file__).parents[2] / "docs" / "matrix.md").read_text("utf-8")
    row = next(line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| 2.15.1 |"))
    columns = next(line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| TensorFlow |"))
    cells = dict(zip(columns, row, strict=True))
    for system in ("Linux x86_64", "Windows", "macOS arm64"):
        assert cells[system] == cell(answers({"tensorflow": Version("2.15.1")}, SYSTEMS[system]))


def answer(name: str, rules: Rules) -> dict[str, Any]:
    """What comes of a question under some rules, in the words of `expect`."""
    scenario, to = Scenario(name, ROWS[name]), target(ROWS[name])
    outcome = resolve(replace(scenario.question(to), rules=rules), scenario.shelf)
    if not isinstance(outcome, Solution):
        return {"conflict": outcome.kind}
    if any(rules.predicted(pin.name, pin.version, to) for pin in outcome.pins):
        return {"warns": True}
    return {"pins": {pin.name: str(pin.version) for pin in outcome.pins}}


def target(told: dict[str, Any]) -> Target:
    return replace(read_target(told.get("target", "linux-cp311")), translated=told.get("translated"))


def test_an_answer_with_the_rules_that_does_not_import_has_a_written_reason() -> None:
    entries = list(results().values())
    assert len(entries) > 1000
    assert [shown(entry) for entry in failing(entries) if reason_of(entry) is None] == [], (
        "write a row, run these again, or say under [[reasons]] in tests/support/imports.toml why none helps"
    )


def test_the_page_of_the_imports_has_the_results_as_they_are() -> None:
    assert PAGE.read_text("utf-8") == page_of(list(results().values())), (
        "python tests/support/run_imports.py --write makes docs/imports.md anew"
    )


def test_the_versions_that_were_imported_are_those_of_the_results() -> None:
    assert IMPORTED.read_text("utf-8") == imported_of(results().values()), (
        "python tests/support/run_imports.py --write makes rules/data/runs.json anew"
    )
