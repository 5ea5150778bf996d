"""The questions of fixtures/cases.json, answered exactly on the slice that record.py recorded, without a network.

The tests marked `network` ask the live index, and only for what no later release can change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet

import wheelcheck
from loopback import JSON, Server
from record import CASES, FIXTURES, MAX_OF_A_FILE, MOST, SLICE, answer_of
from wheelcheck.resolver.model import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelcheck.advice.changes import Remedy
    from wheelcheck.commands.report import Report, Result

QUESTIONS: list[dict[str, Any]] = json.loads(CASES.read_text("utf-8"))
ANSWERS: dict[str, dict[str, Any]] = json.loads((SLICE / "answers.json").read_text("utf-8"))
COMPLETE = {"PreRelease", "Yanked", "HeldBack"}
"""Concerns of which a question names every one; others it names only where they matter."""

METAL_RULE = "tensorflow-metal-1.2-needs-tensorflow-below-2.20"
METAL_SOURCE = "https://github.com/tensorflow/tensorflow/pull/126384"

every_question = pytest.mark.parametrize("case", QUESTIONS, ids=lambda case: case["id"])


def replay(requirements: list[str], *targets: str, index_url: str = str(SLICE)) -> Report:
    """The answer of the slice alone: what is not in it is an error, never a request."""
    return wheelcheck.check(
        requirements,
        targets=targets,
        index_url=index_url,
        isolated=True,
        offline=index_url == str(SLICE),
        no_cache=True,
    )


def only(report: Report) -> Result:
    (result,) = report.results
    assert result.error is None, result.error
    return result


def question(name: str) -> dict[str, Any]:
    return next(case for case in QUESTIONS if case["id"] == name)


def kinds(values: Any) -> list[str]:
    return [value.kind for value in values]


# -- on the recorded slice


@every_question
def test_a_question_has_its_answer(case: Mapping[str, Any]) -> None:
    report = replay(case["requirements"], case["target"])
    result = only(report)
    assert (report.ok, report.exit_code) == (case["ok"], 0 if case["ok"] else 1), result.conflict
    assert set(case.get("rules", ())) <= {rule.id for rule in result.rules}
    check_pins(case, result)
    check_concerns(case, result)
    check_conflict(case.get("conflict"), result)
    check_remedies(case.get("remedies"), result)


def check_pins(case: Mapping[str, Any], result: Result | Remedy) -> None:
    pins = {pin.name: pin.version for pin in result.pins}
    assert bool(pins) == case["ok"]
    for name, specifier in case["pins"].items():
        assert SpecifierSet(specifier).contains(pins[name], prereleases=True), f"{name} {pins[name]}"


def check_concerns(case: Mapping[str, Any], result: Result) -> None:
    named, found = set(case["concerns"]), set(kinds(result.concerns))
    assert named <= found
    assert found & COMPLETE == named & COMPLETE


def check_conflict(expected: Mapping[str, Any] | None, result: Result) -> None:
    conflict = result.conflict
    assert (conflict is None) == (expected is None)
    if conflict is None or expected is None:
        return
    nearest = conflict.files[0] if conflict.files else None
    found = {
        "kind": conflict.kind,
        "project": conflict.project,
        "nearest": nearest and nearest.filename,
        "reasons": nearest and kinds(nearest.reasons),
    }
    assert {key: found[key] for key in expected} == expected


def check_remedies(expected: list[Mapping[str, Any]] | None, result: Result) -> None:
    """Each remedy with the part of its change that the question tells, in their order, and what it gives."""
    if expected is None:
        return
    assert kinds(result.remedies) == [told["kind"] for told in expected]
    for remedy, told in zip(result.remedies, expected, strict=True):
        change = remedy.to_dict()["change"]
        assert {key: change[key] for key in told.keys() - {"kind", "pins"}} == {
            key: told[key] for key in told.keys() - {"kind", "pins"}
        }
        check_pins({"pins": told["pins"], "ok": True}, remedy)


@every_question
def test_the_slice_answers_as_the_index_did(case: Mapping[str, Any]) -> None:
    result = only(replay(case["requirements"], case["target"]))
    assert answer_of(result.conflict or Solution(pins=result.pins)) == ANSWERS[case["id"]]


def test_every_question_was_recorded_and_none_stands_twice() -> None:
    names = [case["id"] for case in QUESTIONS]
    asked = [(tuple(case["requirements"]), case["target"]) for case in QUESTIONS]
    assert sorted(names) == sorted(ANSWERS)
    assert len(set(names)) == len(set(asked)) == len(QUESTIONS)
    assert all(case["why"].endswith(".") for case in QUESTIONS)


def test_the_rule_that_holds_tensorflow_back_says_why_and_from_where() -> None:
    case = question("metal")
    result = only(replay(case["requirements"], case["target"]))
    (held,) = (concern for concern in result.concerns if concern.kind == "HeldBack")
    assert (held.project, str(held.version), str(held.instead_of)) == ("tensorflow", "2.19.1", "2.21.0")
    assert held.level == "note"
    (rule,) = (rule for rule in result.rules if rule.project == "tensorflow-metal")
    assert held.rules == (rule,)
    assert rule.id == METAL_RULE
    assert "does not load into TensorFlow 2.20" in rule.why
    assert METAL_SOURCE in {source.url for source in rule.sources}
    (pin,) = (pin for pin in result.pins if pin.name == "tensorflow")
    assert pin.rules == (rule,)
    assert pin.requested


def test_without_the_rule_metadata_alone_decides() -> None:
    case = question("metal")
    report = wheelcheck.check(
        case["requirements"],
        targets=[case["target"]],
        index_url=str(SLICE),
        isolated=True,
        offline=True,
        ignore=[METAL_RULE],
    )
    assert {pin.name: str(pin.version) for pin in only(report).pins}["tensorflow"] == "2.21.0"
    assert not report.results[0].concerns


def test_the_nearest_metal_files_for_python_3_13_are_the_newest_and_say_what_they_need() -> None:
    case = question("metal-3.13")
    conflict = only(replay(case["requirements"], case["target"])).conflict
    newest = [f"tensorflow_metal-1.2.0-cp3{minor}-cp3{minor}-macosx_12_0_arm64.whl" for minor in (12, 11, 10, 9)]
    assert [file.filename for file in conflict.files[:4]] == newest
    assert [kinds(file.reasons) for file in conflict.files[:4]] == [["WrongPythonTag"]] * 4
    (demand,) = conflict.demands
    assert (str(demand.requirement), demand.origin.kind) == ("tensorflow-metal", "Asked")


# -- through the command line


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As the command is given in fixtures/README.md, in the folder above it."""
    command = [sys.executable, "-m", "wheelcheck", "check", *arguments, "--index-url", "fixtures/index", "--isolated"]
    return subprocess.run(
        [*command, "--offline"],
        cwd=FIXTURES.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_gives_the_answer_as_json() -> None:
    case = question("metal")
    told = command_line(*case["requirements"], "--target", case["target"], "--format", "json")
    assert (told.returncode, told.stderr) == (0, "")
    document = json.loads(told.stdout)
    assert document["schema"] == "wheelcheck/report/1"
    assert document["ok"] is True
    assert {"requests": 0, "bytes": 0, "cached": 0}.items() <= document["index"].items()
    (result,) = document["results"]
    check_form(result)
    assert (result["ok"], result["error"], result["conflict"], result["confirmation"]) == (True, None, None, None)
    assert result["target"]["python"].startswith("3.12.")
    (rule,) = (rule for rule in result["rules"] if rule["project"] == "tensorflow-metal")
    assert {"id": METAL_RULE, "project": "tensorflow-metal", "effect": "constrains"}.items() <= rule.items()
    assert rule["why"]
    assert METAL_SOURCE in json.dumps(rule["sources"])
    (concern,) = result["concerns"]
    assert {"kind": "HeldBack", "level": "note", "project": "tensorflow"}.items() <= concern.items()
    (pin,) = (pin for pin in result["pins"] if pin["name"] == "tensorflow")
    assert (pin["version"], pin["rules"], pin["needed_by"]) == ("2.19.1", [METAL_RULE], [])
    assert [pin["filename"] for pin in result["pins"]] == ANSWERS["metal"]["files"]


def test_the_command_line_gives_a_conflict_as_json() -> None:
    case = question("metal-3.13")
    told = command_line(*case["requirements"], "--target", "macos-14-arm64", "--python", "3.13", "--format", "json")
    assert (told.returncode, told.stderr) == (1, "")
    document = json.loads(told.stdout)
    (result,) = document["results"]
    check_form(result)
    assert (document["ok"], result["ok"], result["error"], result["pins"]) == (False, False, None, [])
    conflict = result["conflict"]
    assert conflict["kind"] == "NoCompatibleFile"
    assert conflict["demands"][0]["requirement"] == "tensorflow-metal"
    assert conflict["demands"][0]["origin"]["kind"] == "Asked"
    nearest = conflict["files"][0]
    assert nearest["filename"] == ANSWERS["metal-3.13"]["nearest"][0]
    assert (nearest["version"], [reason["kind"] for reason in nearest["reasons"]]) == ("1.2.0", ["WrongPythonTag"])


def check_form(result: Mapping[str, Any]) -> None:
    """The keys that the interface promises for a result; there may be more."""
    assert set(result) >= {"target", "ok", "error", "pins", "conflict"}
    assert set(result) >= {"rules", "concerns", "remedies", "linkage", "confirmation"}
    assert set(result["target"]) >= {"name", "python", "implementation", "abi", "platform"}
    for pin in result["pins"]:
        assert set(pin) >= {"name", "version", "extras", "filename", "url", "hashes", "rank", "needed_by", "rules"}
        assert pin["hashes"]["sha256"]
    for rule in result["rules"]:
        assert set(rule) >= {"id", "project", "effect", "why", "sources"}


# -- several targets at once

SHARING = ("macos-14-arm64-3.12", "manylinux_2_28_x86_64-3.12", "windows-amd64-3.12")


@contextmanager
def served_slice() -> Iterator[Server]:
    """The slice behind a real server, which tells what was asked."""
    with Server() as server:
        for page in SLICE.glob("*/index.json"):
            server.add(f"/simple/{page.parent.name}/", page.read_bytes(), JSON)
        for metadata in SLICE.glob("files/*.metadata"):
            server.add(f"/simple/files/{metadata.name}", metadata.read_bytes())
        yield server


def paths_of(report: Report) -> set[str]:
    """What an answer cannot do without: the page of each project and the metadata of each chosen file."""
    pins = [pin for result in report.results for pin in result.pins]
    return {f"/simple/{pin.name}/" for pin in pins} | {f"/simple/files/{pin.file.filename}.metadata" for pin in pins}


def test_targets_share_every_fetch() -> None:
    with served_slice() as server:
        together = replay(["tensorflow"], *SHARING, index_url=server.index)
        asked = Counter(server.paths)
    alone = [replay(["tensorflow"], target) for target in SHARING]
    files = [[pin.file.filename for pin in only(report).pins] for report in alone]
    assert [[pin.file.filename for pin in result.pins] for result in together.results] == files
    assert asked == dict.fromkeys(paths_of(together), 1)
    assert together.counters.requests == len(asked) < sum(len(paths_of(report)) for report in alone)


def test_a_further_target_with_the_same_files_costs_nothing() -> None:
    with served_slice() as server:
        report = replay(["tensorflow-metal"], "macos-14-arm64-3.12", "macos-15-arm64-3.12", index_url=server.index)
        asked = Counter(server.paths)
    first, second = report.results
    assert first.ok
    assert [pin.file for pin in first.pins] == [pin.file for pin in second.pins]
    assert asked == dict.fromkeys(paths_of(report), 1)


# -- the slice itself


def test_the_slice_is_small_and_whole() -> None:
    sizes = {path.relative_to(SLICE): path.stat().st_size for path in SLICE.rglob("*") if path.is_file()}
    assert sum(sizes.values()) <= MOST
    assert not [path for path, size in sizes.items() if size > MAX_OF_A_FILE]
    pages = [json.loads(path.read_text("utf-8")) for path in SLICE.glob("*/index.json")]
    files = [file for page in pages for file in page["files"]]
    assert len({file["filename"] for file in files}) == len(files)
    assert all(file["url"].startswith("../files/") for file in files)
    told = {f"{file['filename']}.metadata" for file in files if "core-metadata" in file}
    assert told == {path.name for path in SLICE.glob("files/*")}


# -- on the live index: nothing that a later release can change


def ask(requirements: list[str], target: str) -> Result:
    return only(wheelcheck.check(requirements, targets=[target]))


@pytest.mark.network
def test_live_metal_holds_tensorflow_back() -> None:
    result = ask(["tensorflow", "tensorflow-metal==1.2.0"], "macos-14-arm64-3.12")
    pins = {pin.name: pin.version for pin in result.pins}
    assert result.ok
    assert pins["tensorflow"] in SpecifierSet(">=2.19.1,<2.20")
    (held,) = (concern for concern in result.concerns if concern.kind == "HeldBack" and concern.project == "tensorflow")
    assert METAL_RULE in {rule.id for rule in held.rules}
    assert held.instead_of in SpecifierSet(">=2.21")


@pytest.mark.network
def test_live_metal_has_no_file_for_python_3_13() -> None:
    conflict = ask(["tensorflow", "tensorflow-metal==1.2.0"], "macos-14-arm64-3.13").conflict
    assert (conflict.kind, conflict.project) == ("NoCompatibleFile", "tensorflow-metal")
    nearest = conflict.files[0]
    assert nearest.filename == "tensorflow_metal-1.2.0-cp312-cp312-macosx_12_0_arm64.whl"
    assert kinds(nearest.reasons) == ["WrongPythonTag"]


@pytest.mark.network
def test_live_metal_refuses_a_tensorflow_that_is_too_new() -> None:
    result = ask(["tensorflow==2.20.0", "tensorflow-metal==1.2.0"], "macos-14-arm64-3.12")
    assert result.conflict.kind == "Conflict"
    assert METAL_RULE in {rule.id for rule in result.rules}
    shown = {(str(demand.requirement), demand.origin.kind) for demand in result.conflict.demands}
    assert {("tensorflow==2.20.0", "Asked"), ("tensorflow-metal==1.2.0", "Asked")} <= shown


@pytest.mark.network
def test_live_stub_without_its_other_half() -> None:
    conflict = ask(["tensorflow==2.13.1"], "macos-14-arm64-cp38").conflict
    assert (conflict.kind, conflict.project) == ("NoCompatibleFile", "tensorflow-macos")
    assert all("WrongPythonTag" in kinds(file.reasons) for file in conflict.files)


@pytest.mark.network
def test_live_old_tensorflow_gets_an_older_numpy() -> None:
    result = ask(["tensorflow==2.14.0"], "manylinux_2_28_x86_64-cp311")
    assert result.ok
    assert {pin.name: pin.version for pin in result.pins}["numpy"] in SpecifierSet(">=1.26.4,<2")
