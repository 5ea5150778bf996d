"""The library's door, on a real index on loopback: what is asked, what comes back, and who is told of bad usage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, simple_index, status
from wheelcheck import Report, Target, UsageError, check, judge
from wheelcheck.commands.confirm import _not_tried
from wheelcheck.diagnosis.confirmation import Confirmation, ModuleResult, NoModules
from wheelcheck.interpreters.find import describe
from wheelcheck.render.text import render_report
from wheelcheck.resolver.compatibility import judge as judge_file
from wheelcheck.rules.load import curated
from wheelcheck.standards.project_page import read_file
from wheels import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def index() -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        yield server


def pins(report: Report, at: int = 0) -> dict[str, str]:
    return {pin.name: str(pin.version) for pin in report.results[at].pins}


def test_an_answer_as_values(index: Server) -> None:
    report = check(["spam"], targets=[LINUX], index_url=index.index)
    assert report.ok is bool(report) is True
    assert report.exit_code == 0
    assert pins(report) == {"eggs": "1.5", "spam": "1.0"}
    eggs, spam = report.results[0].pins
    assert (eggs.needed_by, eggs.requested, spam.needed_by, spam.requested) == (("spam",), False, (), True)
    assert spam.file.url == f"{index.url}/files/spam-1.0-py3-none-any.whl"
    assert report.results[0].concerns == report.results[0].rules == ()
    assert report.sources == (index.index,)


def test_the_document_has_every_key_of_the_interface(index: Server) -> None:
    document = json.loads(json.dumps(check(["spam", "candidate"], targets=[LINUX], index_url=index.index).to_dict()))
    assert document["schema"] == "wheelcheck/report/1"
    assert set(document) >= {"schema", "ok", "results", "index"}
    assert set(document["index"]) >= {"requests", "bytes", "cached"}
    for result in document["results"]:
        assert result["resolution"].keys() == {"rounds", "candidates", "metadata"}
        assert result["resolution"]["metadata"] >= len(result["pins"])
    (result,) = document["results"]
    assert set(result) >= {
        *("target", "ok", "error", "pins", "conflict", "rules", "concerns", "remedies", "linkage", "confirmation")
    }
    assert set(result["target"]) >= {"name", "python", "implementation", "abi", "platform"}
    for pin in result["pins"]:
        assert set(pin) >= {"name", "version", "extras", "filename", "url", "hashes", "rank", "needed_by", "rules"}
        assert pin["hashes"]["sha256"]
    assert [{**concern} for concern in result["concerns"]] == [
        {
            "kind": "PreRelease",
            "level": "warning",
            "project": "candidate",
            "version": "1.0rc1",
            "newest_final": None,
            "needs": [],
        }
    ]
    assert (result["error"], result["conflict"], result["confirmation"], result["linkage"]) == (None,) * 4
    assert document["index"]["requests"] > 0


def test_a_translated_python_is_the_problem(index: Server, tmp_path: Path) -> None:
    """What a saved target of an x86_64 Python on Apple silicon says of itself reaches the answer."""
    told = Target.parse("macos-14-x86_64-cp312").to_dict() | {"translated": True, "interpreter": "/usr/bin/python3"}
    saved = tmp_path / "rosetta.json"
    saved.write_text(json.dumps({"schema": "wheelcheck/target/1", "target": told}))
    report = check(["spam"], targets=[str(saved)], index_url=index.index)
    assert [(concern.kind, concern.level) for concern in report.results[0].concerns] == [("Translated", "warning")]
    assert report.ok
    assert not check(["spam"], targets=[str(saved)], index_url=index.index, strict=True).ok


def test_wheels_of_one_version_with_other_metadata_are_told_across_targets() -> None:
    """As TensorFlow 2.13 to 2.15, whose wheel for arm64 is a shell: one metadata for a version would be wrong."""
    shell = make_wheel("tf", "1.0", "cp312-cp312-macosx_12_0_arm64", requires=["eggs"])
    whole = make_wheel("tf", "1.0", "cp312-cp312-manylinux_2_17_x86_64", requires=["alone"])
    stub, full = shell.filename, whole.filename
    with simple_index({"tf": [shell, whole], "eggs": PROJECTS["eggs"], "alone": PROJECTS["alone"]}) as server:
        report = check(["tf"], targets=[MAC, LINUX], index_url=server.index)
        alone = check(["tf"], targets=[MAC], index_url=server.index)
    assert [pins(report, at) for at in (0, 1)] == [{"eggs": "2.0", "tf": "1.0"}, {"alone": "1.0", "tf": "1.0"}]
    found = [[c.to_dict() for c in result.concerns if c.kind == "MetadataDisagrees"] for result in report.results]
    about = {"kind": "MetadataDisagrees", "level": "note", "project": "tf", "version": "1.0"}
    eggs, other = ["Requires-Dist: eggs"], ["Requires-Dist: alone"]
    assert found[0] == [about | {"filename": stub, "other": full, "says": eggs, "other_says": other}]
    assert found[1] == [about | {"filename": full, "other": stub, "says": other, "other_says": eggs}]
    assert alone.results[0].concerns == ()


def test_a_conflict_in_the_document(index: Server) -> None:
    report = check(["onlymac"], targets=[LINUX], index_url=index.index)
    assert (report.ok, report.exit_code) == (False, 1)
    conflict = report.to_dict()["results"][0]["conflict"]  # type: ignore[index,call-overload]
    assert (conflict["kind"], conflict["project"]) == ("NoCompatibleFile", "onlymac")
    assert conflict["demands"][0]["requirement"] == "onlymac"
    assert conflict["demands"][0]["origin"] == {"kind": "Asked", "place": "the command line"}
    (file,) = conflict["files"]
    assert (file["filename"], file["version"]) == ("onlymac-1.0-cp312-cp312-macosx_12_0_arm64.whl", "1.0")
    assert [reason["kind"] for reason in file["reasons"]] == ["WrongPlatformTag"]


def test_a_failure_to_tell_in_the_document(index: Server) -> None:
    index.fault("/simple/spam/", status(503))
    report = check(["spam"], targets=[LINUX], index_url=index.index)
    assert (report.ok, report.exit_code) == (False, 2)
    error = report.to_dict()["results"][0]["error"]  # type: ignore[index,call-overload]
    assert error["kind"] == "IndexUnavailable"
    assert "HTTP 503" in error["message"]
    assert error["url"] == f"{index.index}spam/"


def test_several_targets_share_what_was_fetched(index: Server) -> None:
    report = check(["spam"], targets=[LINUX, MAC, LINUX], index_url=index.index)
    assert [result.target.name for result in report.results] == [LINUX, MAC, LINUX]
    assert pins(report, 0) == pins(report, 1)
    assert len(index.paths) == len(set(index.paths))


def test_a_second_run_asks_nothing(index: Server) -> None:
    first = check(["spam"], targets=[LINUX], index_url=index.index)
    index.forget()
    again = check(["spam"], targets=[LINUX], index_url=index.index)
    assert index.paths == []
    assert pins(again) == pins(first)
    assert (again.counters.requests, again.counters.cached) == (0, 4)


def test_without_a_target_the_running_interpreter_is_asked_about(index: Server) -> None:
    report = check(["spam"], index_url=index.index)
    assert [result.target for result in report.results] == [describe()]


def test_targets_as_values(index: Server) -> None:
    assert check(["spam"], targets=[Target.parse(LINUX)], index_url=index.index).results[0].target.name == LINUX


def test_python_fills_what_a_target_leaves_open(index: Server) -> None:
    report = check(["ham"], targets=["manylinux_2_28_x86_64", "macos-14-arm64"], python="3.12.1", index_url=index.index)
    assert [result.target.python for result in report.results] == ["3.12.1", "3.12.1"]
    assert [result.ok for result in report.results] == [True, False]


# -- options


def test_constraints_on_what_is_not_in_the_answer_are_told(index: Server, tmp_path: Path) -> None:
    bounds, more = tmp_path / "bounds.txt", tmp_path / "more.txt"
    bounds.write_text("eggs<2\nnunpy<2\n")
    more.write_text("".join(f"other{number}==1\n" for number in range(9)))
    files = [str(bounds), str(more)]
    report = check(["spam"], targets=[LINUX, MAC], constraint=files, index_url=index.index)
    assert report.notices == (
        f"{bounds} constrains what is not in the answer: nunpy (line 2).",
        f"{more} constrains what is not in the answer: other0 (line 1), other1 (line 2), other2 (line 3) and 6 more.",
    )
    assert check(["spam", "nowhere"], targets=[LINUX], constraint=files, index_url=index.index).notices == ()


def test_extras_that_are_not_there_are_told_once(tmp_path: Path) -> None:
    with simple_index({"a": [make_wheel("a", extras=["x", "y"], requires=["b[x]"])], "b": [make_wheel("b")]}) as server:
        report = check(["a[x,z]"], targets=[LINUX, MAC], index_url=server.index)
    assert report.ok
    assert report.notices == (
        "a 1.0 has no extra z, so requesting it has no effect: it has x, y.",
        "b 1.0 has no extra x, so requesting it has no effect: it has none.",
    )


def test_constraints_bind_and_ask_for_nothing(index: Server, tmp_path: Path) -> None:
    bounds = tmp_path / "bounds.txt"
    bounds.write_text("spam<1\neggs<9\nham==7\n")
    report = check(["spam"], targets=[LINUX], constraint=[str(bounds)], index_url=index.index)
    conflict = report.results[0].conflict
    assert conflict is not None
    assert any("bounds.txt" in getattr(demand.origin, "place", "") for demand in conflict.demands)
    report = check(["eggs"], targets=[LINUX], constraint=[str(bounds)], index_url=index.index)
    assert pins(report) == {"eggs": "2.0"}


def test_no_deps_leaves_requirements_aside(index: Server) -> None:
    report = check(["spam"], targets=[LINUX], no_deps=True, index_url=index.index)
    assert pins(report) == {"spam": "1.0"}
    assert not any(path.startswith("/simple/eggs/") for path in index.paths)


def test_pre_takes_pre_releases_without_a_concern(index: Server) -> None:
    report = check(["spam"], targets=[LINUX], pre=True, index_url=index.index)
    assert pins(report) == {"eggs": "2.0", "spam": "2.0rc1"}
    assert report.results[0].concerns == ()


@pytest.mark.parametrize(("resolution", "eggs"), [("highest", "2.0"), ("lowest", "1.5"), ("lowest-direct", "1.5")])
def test_resolution(index: Server, resolution: str, eggs: str) -> None:
    report = check(["eggs"], targets=[LINUX], resolution=resolution, index_url=index.index)
    assert pins(report) == {"eggs": eggs}


@pytest.mark.parametrize(
    ("asks", "kinds"),
    [
        (["candidate"], ["PreRelease"]),
        (["candidate==1.0rc1"], []),
        (["withdrawn==0.9"], ["Yanked"]),
        (["withdrawn==0.8"], ["Yanked"]),
        (["spam"], []),
    ],
)
def test_strict_turns_a_warning_into_a_no(index: Server, asks: list[str], kinds: list[str]) -> None:
    lenient = check(asks, targets=[LINUX], index_url=index.index)
    assert [concern.kind for concern in lenient.results[0].concerns] == kinds
    assert (lenient.ok, lenient.exit_code) == (True, 0)
    strict = check(asks, targets=[LINUX], index_url=index.index, strict=True)
    assert (strict.ok, strict.exit_code) == (not kinds, 1 if kinds else 0)
    assert strict.results[0].pins == lenient.results[0].pins


def test_requirements_of_another_target_fall_away(index: Server) -> None:
    asks = ["spam; sys_platform == 'win32'", "eggs; python_version >= '3.12'", "ham; sys_platform == 'linux'"]
    report = check(asks, targets=[LINUX, "windows-amd64-3.11.9"], index_url=index.index)
    assert [pins(report, at) for at in (0, 1)] == [{"eggs": "2.0", "ham": "1.0"}, {"eggs": "1.5", "spam": "1.0"}]


def test_requirements_files_with_their_own_index(index: Server, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(f"--index-url {index.index}\neggs[dev]  # extras\n")
    report = check(requirement=[str(wanted)], targets=[LINUX])
    assert pins(report) == {"eggs": "2.0"}
    wanted.write_text(f"--index-url {index.index}\neggs[dev]<2\n")
    report = check(requirement=[str(wanted)], targets=[LINUX])
    assert pins(report) == {"eggs": "1.5", "ham": "1.0"}
    assert report.results[0].pins[0].extras == ("dev",)


def test_hashes_in_a_requirements_file_choose_the_file(index: Server, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    old = PROJECTS["eggs"][0]
    wanted.write_text(f"--index-url {index.index}\neggs --hash=sha256:{old.sha256}\n")
    assert pins(check(requirement=[str(wanted)], targets=[LINUX], no_deps=True)) == {"eggs": "1.5"}
    wanted.write_text(f"--index-url {index.index}\neggs --hash=sha256:{'0' * 64}\n")
    report = check(requirement=[str(wanted)], targets=[LINUX])
    assert report.results[0].conflict is not None
    assert {why.kind for file in report.results[0].conflict.files for why in file.reasons} == {"HashMismatch"}


def test_files_of_a_directory_instead_of_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    for dist in (*PROJECTS["spam"], *PROJECTS["eggs"]):
        (folder / dist.filename).write_bytes(dist.content)
    report = check(["spam"], targets=[LINUX], no_index=True, find_links=[str(folder)])
    assert pins(report) == {"eggs": "1.5", "spam": "1.0"}
    assert report.counters.requests == 0


def test_offline_answers_from_the_cache_or_not_at_all(index: Server) -> None:
    before = check(["spam"], targets=[LINUX], index_url=index.index, offline=True)
    assert (before.exit_code, before.results[0].error.kind) == (2, "NotCached")  # type: ignore[union-attr]
    assert index.paths == []
    check(["spam"], targets=[LINUX], index_url=index.index)
    index.forget()
    after = check(["spam"], targets=[LINUX], index_url=index.index, offline=True)
    assert (after.ok, index.paths) == (True, [])


# -- rules

RULES = """
project = "spam"
[[rule]]
id = "spam-1"
versions = "==1.0"
effect = "forbids"
why = "spam 1.0 is empty."
evidence = "contents"
confidence = "certain"
sources = [{ fact = "Seen.", date = "2025-01-01" }]
"""


def test_rules_of_your_own(index: Server, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(RULES)
    refused = check(["spam"], targets=[LINUX], index_url=index.index, rules=str(mine))
    assert pins(refused) == {"eggs": "2.0", "spam": "2.0rc1"}
    assert [rule.id for rule in refused.results[0].rules] in ([], ["spam-1"])
    pinned = check(["spam==1.0"], targets=[LINUX], index_url=index.index, rules=str(mine))
    assert pinned.exit_code == 1
    assert [rule["id"] for rule in pinned.to_dict()["results"][0]["rules"]] == ["spam-1"]  # type: ignore[index,call-overload,union-attr]
    for without in ({"ignore": ["spam-1"]}, {"no_rules": True}):
        options: Any = {"index_url": index.index, "rules": str(mine)} | without
        assert pins(check(["spam"], targets=[LINUX], **options)) == {"eggs": "1.5", "spam": "1.0"}


@pytest.mark.parametrize(
    ("says", "warned"),
    [
        ('effect = "forbids"', True),
        ('effect = "requires"\nrequirements = ["eggs<2"]', False),
        ('effect = "requires"\nrequirements = ["eggs>=2"]', True),
        ('effect = "requires"\nrequirements = ["ham"]', True),
        ('effect = "constrains"\nrequirements = ["eggs>=2"]', True),
        ('effect = "constrains"\nrequirements = ["ham>=2"]', False),
        ('effect = "forbids"\nwhen = { marker = "sys_platform == \'win32\'" }', False),
    ],
)
def test_a_prediction_warns_and_refuses_nothing(index: Server, tmp_path: Path, says: str, warned: bool) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(RULES.replace('effect = "forbids"', says).replace('"certain"', '"predicted"'))
    how: Any = {"targets": [LINUX], "index_url": index.index, "rules": str(mine)}
    report = check(["spam==1.0"], **how)
    (result,) = report.results
    assert report.ok
    assert pins(report) == {"eggs": "1.5", "spam": "1.0"}
    assert [concern.kind for concern in result.concerns] == ["PredictedBreak"] * warned
    assert [rule.id for rule in result.rules] == ["spam-1"] * warned
    assert check(["spam==1.0"], strict=True, **how).exit_code == warned
    alone = check(["spam==1.0"], no_deps=True, **how).results[0]
    assert bool(alone.concerns) == (warned and "requirements" not in says)
    if warned:
        told = result.to_dict()["concerns"][0]  # type: ignore[index,call-overload]
        about = {"project": "spam", "version": "1.0", "rule": "spam-1", "why": result.rules[0].why}
        assert told == {"kind": "PredictedBreak", "level": "warning", **about}
        assert "spam 1.0 may not work here" in render_report(report)
        assert check(["spam==1.0"], **how, ignore=["spam-1"]).results[0].concerns == ()


@pytest.mark.parametrize(("resolution", "kinds"), [("highest", ["HeldBack"]), ("lowest", []), ("lowest-direct", [])])
def test_who_wants_the_lowest_version_is_not_held_back(
    index: Server, tmp_path: Path, resolution: str, kinds: list[str]
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(RULES.replace('"spam"', '"eggs"').replace("==1.0", "==2.0"))
    report = check(["eggs"], targets=[LINUX], index_url=index.index, rules=str(mine), resolution=resolution)
    assert pins(report) == {"eggs": "1.5"}
    assert [concern.kind for concern in report.results[0].concerns] == kinds


def test_the_curated_rules_hold_without_being_asked_for() -> None:
    projects = {
        "tensorflow": [make_wheel("tensorflow", version) for version in ("2.19.1", "2.20.0")],
        "tensorflow-metal": [make_wheel("tensorflow-metal", "1.2.0")],
    }
    with simple_index(projects) as server:
        report = check(["tensorflow", "tensorflow-metal"], targets=[MAC], index_url=server.index)
        assert pins(report)["tensorflow"] == "2.19.1"
        assert [concern.kind for concern in report.results[0].concerns] == ["HeldBack"]
        assert [concern.level for concern in report.results[0].concerns] == ["note"]
        (rule, *_) = report.results[0].rules
        assert rule.why
        assert rule.sources
        document = report.to_dict()["results"][0]  # type: ignore[index,call-overload]
        assert {"id", "project", "effect", "why", "sources"} <= set(document["rules"][0])
        assert rule.id in next(pin["rules"] for pin in document["pins"] if pin["name"] == "tensorflow")
        free = check(["tensorflow", "tensorflow-metal"], targets=[MAC], index_url=server.index, no_rules=True)
        assert pins(free)["tensorflow"] == "2.20.0"


# -- missing projects and sources only


def test_a_missing_project_names_where_it_was_looked_for_and_what_is_like_it(index: Server) -> None:
    report = check(["tensorflw"], targets=[LINUX], index_url=index.index)
    told = report.results[0].conflict
    assert report.exit_code == 1
    assert told is not None
    assert (told.kind, told.project, told.indexes) == ("Missing", "tensorflw", (index.index,))  # type: ignore[union-attr]
    assert "tensorflow" in told.near  # type: ignore[union-attr]
    assert index.paths == ["/simple/tensorflw/"]


def test_a_missing_dependency_says_who_needs_it() -> None:
    with simple_index({"spam": [make_wheel("spam", requires=["nowhere>=2"])]}) as server:
        told = check(["spam"], targets=[LINUX], index_url=server.index).results[0].conflict
    assert told is not None
    assert (told.kind, told.project) == ("Missing", "nowhere")
    assert [str(d.requirement) for d in told.demands if d.origin.kind == "NeededBy"] == ["nowhere>=2"]


def test_sources_only_is_a_no() -> None:
    with simple_index({"spam": [make_sdist("spam")]}) as server:
        told = check(["spam"], targets=[LINUX], index_url=server.index).results[0].conflict
    assert told is not None
    assert [why.kind for file in told.files for why in file.reasons] == ["SourceOnly"]


# -- exit codes


@pytest.mark.parametrize(
    ("asks", "broken", "targets", "code"),
    [
        (["alone"], (), [LINUX, MAC], 0),
        (["onlymac"], (), [LINUX, MAC], 1),
        (["onlymac"], (), [MAC], 0),
        (["alone"], ("alone",), [LINUX, MAC], 2),
        (["onlymac", "ham; sys_platform == 'darwin'"], ("ham",), [LINUX, MAC], 1),
        (["onlymac; sys_platform == 'darwin'", "ham; sys_platform == 'linux'"], ("ham",), [MAC, LINUX], 2),
        (["gone", "alone"], (), [LINUX], 1),
    ],
)
def test_exit_codes_of_several_targets(
    index: Server, asks: list[str], broken: tuple[str, ...], targets: list[str], code: int
) -> None:
    for name in broken:
        index.fault(f"/simple/{name}/", status(500))
    report = check(asks, targets=targets, index_url=index.index)
    assert report.exit_code == code
    assert report.ok is (code == 0)


# -- judge


@pytest.mark.parametrize(
    "filename",
    [
        "spam-1.0-py3-none-any.whl",
        "spam-1.0-cp311-cp311-win_amd64.whl",
        "spam-1.0.tar.gz",
        "spam-1.0-cp312.whl",
        "tensorflow_macos-2.15.1-cp311-cp311-macosx_12_0_arm64.whl",
        "tensorflow_intel-0.0.1-py3-none-any.whl",
        "dir/spam-1.0-py3-none-any.whl",
        "",
    ],
)
def test_judge_needs_no_network_and_gives_the_verdict_of_the_file(filename: str) -> None:
    expected = judge_file(read_file(filename, url=""), Target.parse(LINUX), curated())
    assert judge(filename, target=LINUX) == judge(filename, target=Target.parse(LINUX)) == expected
    assert judge(filename, target=LINUX).ok is expected.ok


def test_judge_without_rules() -> None:
    placeholder = "tensorflow_intel-0.0.1-py3-none-any.whl"
    ruled, free = judge(placeholder, target=LINUX), judge(placeholder, target=LINUX, no_rules=True)
    assert (ruled.ok, free.ok) == (False, True)


def test_judge_asks_about_the_running_interpreter_by_default() -> None:
    assert judge("spam-1.0-py3-none-any.whl").ok
    assert not judge("spam-1.0-cp27-cp27mu-win32.whl").ok


def test_judge_refuses_an_unknown_target() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        judge("spam-1.0-py3-none-any.whl", target="nowhere")


# -- bad usage


def test_constraints_alone_ask_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("spam<2\n")
    with pytest.raises(UsageError, match="Nothing to check"):
        check([], targets=[LINUX], constraint=[str(tmp_path / "c.txt")])


@pytest.mark.parametrize(
    ("asks", "options", "said"),
    [
        ([], {}, "Nothing to check"),
        ("spam", {}, r"Give a list of requirements, such as \['spam'\]"),
        (["spam=="], {}, "'spam==' is not a requirement"),
        (["spam; os == 'nt'"], {}, "is not a requirement"),
        ([" "], {}, "Argument 1 of the command line is empty"),
        (["spam"], {"targets": []}, "No target is named"),
        (["spam"], {"targets": ["nowhere"]}, "'nowhere' is not a target"),
        (["spam"], {"targets": [LINUX], "python": "3.11"}, "--python 3.11 cannot be combined"),
        (["spam"], {"targets": ["linux"], "python": "three"}, "three is not a Python|'three' is not a Python"),
        (["spam"], {"targets": [LINUX], "resolution": "best"}, "The option resolution is 'best', not one of"),
        (["spam"], {"targets": [LINUX], "fresh": True}, "--fresh .* goes with --confirm"),
        (["spam"], {"targets": [LINUX], "ignore": ["nope"]}, "There is no rule 'nope'"),
        (["spam"], {"targets": [LINUX], "rules": "nowhere.toml"}, "The rules in nowhere.toml could not be read"),
        (["spam"], {"targets": [LINUX], "index_url": "ftp://host/"}, "ftp://host/ is not an index"),
        ([], {"requirement": ["nowhere.txt"]}, "There is no file nowhere.txt"),
        (["spam"], {"constraint": ["nowhere.txt"]}, "There is no file nowhere.txt"),
    ],
)
def test_bad_usage_is_one_sentence(asks: Any, options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check(asks, **options)
    assert "\n" not in str(caught.value)
    assert str(caught.value)[-1] in ".'"


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="index_urls"):
        check(["spam"], index_urls="x")  # type: ignore[call-arg]


def test_a_requirement_in_a_file_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("spam\n-r more.txt\n")
    (tmp_path / "more.txt").write_text("# first\n\neggs==\n")
    with pytest.raises(UsageError, match=r"'eggs==' in .*more.txt, line 3 is not a requirement"):
        check(requirement=["requirements.txt"], targets=[LINUX])


def test_credentials_are_in_no_answer() -> None:
    with simple_index(PROJECTS, auth=("me", "secret-word")) as server:
        report = check(["alone", "gone"], targets=[LINUX], index_url=server.with_credentials("me", "secret-word"))
        wrong = check(["alone"], targets=[LINUX], index_url=server.with_credentials("me", "wrong-word"), no_cache=True)
    assert report.exit_code == 1
    assert wrong.results[0].error.kind == "NotAuthorized"  # type: ignore[union-attr]
    text = json.dumps([report.to_dict(), wrong.to_dict()]) + str(wrong.results[0].error)
    assert "secret-word" not in text
    assert "wrong-word" not in text


def test_what_pip_is_configured_for_is_used_and_told(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.index)
    monkeypatch.setenv("PIP_PRE", "1")
    report = check(["spam"], targets=[LINUX])
    assert pins(report)["spam"] == "2.0rc1"
    assert {applied.option: applied.source for applied in report.applied}["index-url"] == "PIP_INDEX_URL"


def test_every_public_name_is_there() -> None:
    assert set(wheelcheck.__all__) <= set(dir(wheelcheck))
    for name in wheelcheck.__all__:
        assert getattr(wheelcheck, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        wheelcheck.no_such_name  # noqa: B018


def test_no_module_bears_the_name_of_a_public_function() -> None:
    modules = {entry.stem for entry in Path(wheelcheck.__file__).parent.iterdir()}
    assert not modules & set(wheelcheck.__all__)


@pytest.mark.parametrize("requirement", [None, 7, Path("requirements.txt")])
def test_a_requirement_that_is_no_text(requirement: Any) -> None:
    with pytest.raises(UsageError, match="A requirement is a text"):
        check([requirement], targets=[LINUX])


def test_lists_are_lists() -> None:
    for keywords in ({"targets": LINUX}, {"requirement": "x.txt"}, {"ignore": "x"}):
        with pytest.raises(UsageError, match="list"):
            check(["six"], **keywords)


def test_what_is_replaced_is_not_listed_as_applied(
    index: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(
        "[global]\nindex-url = http://127.0.0.1:9/\nextra-index-url = http://127.0.0.1:9/x\npre = yes\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    report = check(["spam"], targets=[LINUX], index_url=index.index)
    options = {setting.option for setting in report.applied}
    assert "pre" in options
    assert not options & {"index-url", "extra-index-url"}
    assert report.results[0].pins


def test_a_confirmation_that_tried_nothing_is_never_silent() -> None:
    nothing = NoModules(project="types-spam")
    (concern,) = _not_tried(Confirmation(not_tried=(nothing,)))
    assert (concern.kind, concern.why) == ("NotTried", nothing)
    beside = Confirmation(modules=(ModuleResult(module="spam", level="imported"),), not_tried=(nothing,))
    assert list(_not_tried(beside)) == []
