"""Remedies through the doors: what is offered can be done by hand, and then gives the answer that was told."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from doors import LINUX, PROJECTS, stand_alone
from loopback import Server, simple_index
from scenario import Scenario
from sdists import make_source
from wheelcheck import Report, check
from wheelcheck.cli.main import main
from wheelcheck.commands import retry as retry
from wheelcheck.commands.snapshot import record_snapshot
from wheelcheck.render.text import render_report
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelcheck.advice.remedies import Answer
    from wheelcheck.resolver.model import Question

WORLD = PROJECTS | {
    "native": [make_wheel("native", "1.0", "cp311-cp311-manylinux_2_17_x86_64", requires=["alone"])],
    "newer": [make_wheel("newer", "1.0", "cp312-cp312-manylinux_2_34_x86_64")],
    "picky": [make_wheel("picky", "1.0", requires=["eggs<2"]), make_wheel("picky", "2.0", requires=["eggs"])],
    "modern": [make_wheel("modern", "1.0", requires=["eggs<2; python_version >= '3.12'"])],
    "source": [make_source("source")],
    "bold": [make_source("bold", "1.0"), make_wheel("bold", "2.0", requires=["early"])],
    "early": [make_wheel("early", "1.0b1")],
    "slow": [make_wheel("slow", "1.0", requires=["eggs<2"]), make_wheel("slow", "2.0b1", requires=["eggs"])],
    "old": [
        make_wheel("old", "1.0", upload_time="2020-01-01T00:00:00Z"),
        make_wheel("old", "2.0", "cp310-cp310-win_amd64", upload_time="2026-01-01T00:00:00Z"),
        make_wheel("old", "2.0", "cp313-cp313-manylinux_2_17_x86_64", upload_time="2026-01-01T00:00:00Z"),
    ],
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def index() -> Iterator[Server]:
    with simple_index(WORLD) as server:
        yield server


def told(report: Report) -> list[dict[str, Any]]:
    remedies: list[dict[str, Any]] = report.to_dict()["results"][0]["remedies"]  # type: ignore[index,call-overload,assignment]
    return remedies


def done_by_hand(remedy: dict[str, Any], asked: list[str], **options: Any) -> Report:
    """The question as a user would put it who follows a remedy."""
    change, target = remedy["change"], LINUX
    match remedy["kind"]:
        case "ChangePython" | "RaiseOsFloor":
            target = change["target"]
        case "ChangeRequirement":
            asked = [change["after"] if text == change["before"] else text for text in asked]
        case "DropRequirement":
            asked = [text for text in asked if text != change["requirement"]]
        case "AllowPreRelease":
            asked = [*asked, *change["requirements"]]
            if not change["requirements"]:
                Path("wanted.txt").write_text(f"--all-releases {','.join(change['projects'])}", "utf-8")
                options["requirement"] = ["wanted.txt"]
        case "AllowSource":
            options["allow_sdists"] = True
        case other:
            raise AssertionError(other)
    return check(asked, targets=[target], **options)


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (["native"], ["ChangePython"]),
        (["native", "spam"], ["ChangePython", "DropRequirement"]),
        (["newer"], ["RaiseOsFloor"]),
        (["old"], ["ChangePython"]),
        (["picky==1.0", "eggs>=2"], ["ChangeRequirement", "ChangeRequirement"]),
        (["modern", "eggs>=2"], ["ChangePython", "ChangeRequirement", "DropRequirement"]),
        (["source"], ["AllowSource"]),
        (["candidate"], ["AllowPreRelease"]),
        (["slow", "eggs>=2"], ["ChangeRequirement", "AllowPreRelease", "DropRequirement"]),
        (["spam"], []),
    ],
)
def test_a_remedy_that_is_followed_gives_what_was_told(index: Server, asked: list[str], kinds: list[str]) -> None:
    report = check(asked, targets=[LINUX], index_url=index.index)
    assert [remedy["kind"] for remedy in told(report)] == kinds
    for remedy in told(report):
        after = done_by_hand(remedy, asked, index_url=index.index)
        assert after.ok
        assert {pin.name: str(pin.version) for pin in after.results[0].pins} == remedy["pins"]


def test_a_clean_answer_costs_no_request_for_remedies(index: Server) -> None:
    with_them = check(["spam"], targets=[LINUX], index_url=index.index, no_cache=True).counters
    without = check(["spam"], targets=[LINUX], index_url=index.index, no_cache=True, no_remedies=True).counters
    assert with_them == without


class Counting(Scenario):
    """A scenario that tells for which targets it was asked again."""

    targets_asked: list[str]

    def ask(self, question: Question, strategy: str | None) -> Answer | None:
        self.targets_asked.append(question.target.name)
        return super().ask(question, strategy)

    @classmethod
    def remedied(cls, told: dict[str, Any]) -> tuple[list[str], list[str]]:
        """The kinds of the remedies, and the targets."""
        scenario = cls("here", told)
        scenario.targets_asked = []
        (target,) = scenario.targets
        kinds = [remedy.kind for remedy in scenario.remedies(scenario.outcome(target), target)]
        return kinds, scenario.targets_asked


def test_only_targets_that_have_a_file_are_asked() -> None:
    """Of nine other Pythons one has a wheel, so one question is asked again."""
    files = ["a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"]
    told = {"asks": ["a"], "target": "linux-3.9", "index": {"a": {"1.0": {"files": files}}}}
    assert Counting.remedied(told) == (["ChangePython"], ["manylinux_2_28_x86_64-cp311"])


def test_where_only_versions_clash_no_other_python_is_asked() -> None:
    index = {"a": {"1.0": {"requires": ["b>=2"]}}, "b": {"1.0": {}, "2.0": {}}}
    kinds, targets = Counting.remedied({"asks": ["a", "b<2"], "target": "linux-3.9", "index": index})
    assert kinds == ["ChangeRequirement", "DropRequirement"]
    assert set(targets) == {"manylinux_2_28_x86_64-cp39"}


def test_remedies_can_be_left_out(index: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(check(["native"], targets=[LINUX], index_url=index.index, no_remedies=True)) == []
    assert main(["check", "native", "--index-url", index.index, "-t", LINUX, "--no-remedies"]) == 1
    assert "fix" not in capsys.readouterr().out


def test_remedies_in_the_text(index: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "native", "spam", "--index-url", index.index, "-t", LINUX]) == 1
    said = capsys.readouterr().out
    assert (
        "Fixes (each was re-resolved)\n"
        "  1. CPython 3.11: native 1.0 and spam 1.0\n"
        "       python3.11 -m venv .venv-3.11\n"
        "       .venv-3.11/bin/pip install native==1.0 spam==1.0\n"
        "  2. leave out native: spam 1.0\n"
        "       python3.12 -m pip install spam==1.0\n"
    ) in said


def test_no_time_left_for_remedies_leaves_the_answer(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "MAX_SECONDS", -1.0)
    report = check(["native"], targets=[LINUX], index_url=index.index)
    assert told(report) == []
    assert report.exit_code == 1
    assert "no time to try every possible fix" in render_report(report)
    assert not report.is_lasting
    monkeypatch.undo()
    again = check(["native"], targets=[LINUX], index_url=index.index)
    assert told(again) != []
    assert "no time" not in render_report(again)


def test_every_missing_project_is_told(index: Server) -> None:
    (result,) = check(["spam", "nowhere", "nothing", "eggs"], targets=[LINUX], index_url=index.index).results
    conflict: Any = result.to_dict()["conflict"]
    assert [demand["requirement"] for demand in conflict["demands"]] == ["nowhere", "nothing"]
    assert (conflict["project"], [one["project"] for one in conflict["also"]]) == ("nowhere", ["nothing"])


def test_a_change_that_takes_long_leaves_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version needs forty projects, one after the other; the newest only another spam."""
    world = {f"d{place}": [make_wheel(f"d{place}", "1.0", requires=[f"d{place + 1}"])] for place in range(40)}
    world["d40"] = [make_wheel("d40", "1.0")]
    world["deep"] = [make_wheel("deep", "1.0", requires=["d0"]), make_wheel("deep", "2.0", requires=["spam>=2"])]
    world["spam"] = [make_wheel("spam", "1.0"), make_wheel("spam", "2.0")]
    seconds = itertools.count(step=0.2)
    with simple_index(world) as server:
        monkeypatch.setattr(retry, "thread_time", lambda: next(seconds))
        report = check(["deep==2.0", "spam==1.0"], targets=[LINUX], index_url=server.index)
    assert "spam>=1.0" in [remedy["change"].get("after") for remedy in told(report)]
    assert "no time to try every possible fix" in render_report(report)


def test_a_remedy_tells_what_is_wrong_with_its_answer(index: Server) -> None:
    """The only version that fits as it is needs a pre-release."""
    report = check(["bold==1.*"], targets=[LINUX], index_url=index.index)
    remedies = told(report)
    assert [remedy["kind"] for remedy in remedies] == ["AllowSource", "ChangeRequirement"]
    assert [(one["kind"], one["project"]) for one in remedies[1]["concerns"]] == [("PreRelease", "early")]
    assert "concerns" not in remedies[0]
    text = render_report(report)
    assert "early 1.0b1 is an unrequested pre-release" in text[text.index("2. require bold>=1") :]


def test_a_remedy_that_cannot_be_asked_is_not_offered(index: Server) -> None:
    """Offline, the metadata of the other Python's file is not there; the "no" itself stands."""
    check(["native"], targets=[LINUX], index_url=index.index, no_remedies=True)
    report = check(["native"], targets=[LINUX], index_url=index.index, offline=True)
    assert report.exit_code == 1
    assert told(report) == []


@pytest.mark.parametrize(
    ("asked", "loosened"),
    [("spam==7.0+cpu", ["spam<=7.0"]), ("spam===7.0+cpu", ["spam<=7.0"]), ("spam===nonsense", ["spam"])],
)
def test_a_pin_of_a_local_version_or_of_no_version_is_loosened(asked: str, loosened: list[str]) -> None:
    with simple_index({"spam": [make_wheel("spam")]}) as server:
        report = check([asked], targets=[LINUX], index_url=server.index)
    assert [remedy["change"]["after"] for remedy in told(report)] == loosened


def test_a_snapshot_gives_the_remedies_again(index: Server, tmp_path: Path) -> None:
    before = check(["native"], targets=[LINUX], index_url=index.index)
    record_snapshot(tmp_path / "slice", ["native"], targets=[LINUX], index_url=index.index)
    again = check(["native"], targets=[LINUX], index_url=str(tmp_path / "slice"))
    assert told(again) == told(before) != []


def test_on_another_target_other_markers_hold(index: Server) -> None:
    """What is asked for only on older Pythons is part of the answer for one of those."""
    asked = ["native", "ham; python_version < '3.12'", "alone; python_version >= '3.12'"]
    report = check(asked, targets=[LINUX], index_url=index.index)
    assert [remedy["kind"] for remedy in told(report)] == ["DropRequirement"]  # ham has no wheel for 3.11
    eggs = check([*asked[:1], "eggs; python_version < '3.12'"], targets=[LINUX], index_url=index.index)
    assert told(eggs)[0]["pins"] == {"native": "1.0", "alone": "1.0", "eggs": "2.0"}


def test_a_project_that_is_for_other_pythons(index: Server, tmp_path: Path) -> None:
    """Its own Requires-Python excludes the target: another Python is what helps."""
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "mine"\nversion = "1"\nrequires-python = "<3.12"\ndependencies = ["alone"]\n')
    report = check(requirement=[str(project)], targets=[LINUX], index_url=index.index)
    assert report.to_dict()["results"][0]["conflict"]["kind"] == "NotForTarget"  # type: ignore[index,call-overload]
    assert [(remedy["kind"], remedy["change"]["python"]) for remedy in told(report)] == [("ChangePython", "3.11")]


# -- several indexes


def test_another_strategy_where_indexes_differ() -> None:
    with (
        simple_index({"spam": [make_wheel("spam")]}) as one,
        simple_index({"spam": [make_wheel("spam", "0.9")]}) as two,
    ):
        sources: Any = {"index_url": one.index, "extra_index_url": [two.index]}
        report = check(["spam"], targets=[LINUX], **sources)
        assert [concern.kind for concern in report.results[0].concerns] == ["SeveralIndexes"]
        assert told(report) == [
            {"kind": "ChangeIndexStrategy", "change": {"strategy": "first-index"}, "pins": {"spam": "0.9"}}
        ]
        first = check(["spam"], targets=[LINUX], index_strategy="first-index", **sources)
        assert {pin.name: str(pin.version) for pin in first.results[0].pins} == {"spam": "0.9"}
        assert told(first) == []


def test_the_other_strategy_where_the_first_index_has_too_little() -> None:
    with (
        simple_index({"spam": [make_wheel("spam")]}) as one,
        simple_index({"spam": [make_wheel("spam", "0.9")]}) as two,
    ):
        sources: Any = {"index_url": one.index, "extra_index_url": [two.index], "index_strategy": "first-index"}
        report = check(["spam>=1"], targets=[LINUX], **sources)
        best = {"kind": "ChangeIndexStrategy", "change": {"strategy": "best-match"}, "pins": {"spam": "1.0"}}
        assert not report.ok
        assert best in told(report)


def test_an_answer_with_another_strategy_is_remembered_with_all_that_it_stands_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The pages that only the remedy has read count as well: where they are gone, it is asked again."""
    with (
        simple_index({"spam": [make_wheel("spam")]}) as one,
        simple_index({"spam": [make_wheel("spam", "0.9")]}) as two,
    ):
        asked = ["check", "spam", "--format", "json", "-t", LINUX, "-i", one.index, "--extra-index-url", two.index]
        assert main(asked) == 0
        first = json.loads(capsys.readouterr().out)
        assert main(asked) == 0
        again = json.loads(capsys.readouterr().out)
    assert again["index"]["requests"] == 0
    assert again["results"] == first["results"]


@pytest.mark.parametrize(("age", "asks_again"), [("max-age=3600", False), ("max-age=0", True)])
def test_an_answer_stands_on_what_only_a_remedy_has_read(age: str, asks_again: bool) -> None:
    """Under first-index an index may be asked for the remedy alone; where its page grows old, so does the answer."""
    with (
        simple_index({"spam": [make_wheel("spam")]}, headers={"cache-control": age}) as one,
        simple_index({"spam": [make_wheel("spam", "0.9")]}, headers={"cache-control": "max-age=3600"}) as two,
    ):
        sources: Any = {"index_url": one.index, "extra_index_url": [two.index], "index_strategy": "first-index"}
        for _ in range(2):
            report = check(["spam>=1"], targets=[LINUX], **sources)
            assert "ChangeIndexStrategy" in [remedy["kind"] for remedy in told(report)]
    assert (report.counters.requests > 0) is asks_again
