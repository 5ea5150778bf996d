"""What counts, and from where: upload times, the strategy for several indexes, source distributions, project status.

What each policy chooses stands in tests/scenarios; here is how it is asked for, and that it reaches a real index.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from doors import LINUX, MAC, stand_alone
from loopback import HTML, JSON, Server, page_html, page_json, serve, status
from scenario import FOLDER, Scenario
from sdists import make_source
from wheelcheck import Report, UsageError, check
from wheelcheck.advice.concerns import Elsewhere, ProjectStatus, SeveralIndexes, SourceOnly
from wheelcheck.advice.find_concerns import concerns_of
from wheelcheck.cli.main import main
from wheelcheck.index.index import FindLinks, SimpleIndex
from wheelcheck.inputs.options import DEFAULTS, complete
from wheelcheck.inputs.request import Request, sources_of
from wheelcheck.render import phrases
from wheelcheck.resolver.model import Pin, Question, Solution
from wheelcheck.standards.project_page import ProjectPage, UnreadableFile, read_file
from wheelcheck.targets.target import read_target
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "2020-06-15T12:00:00Z", "2024-06-15T12:00:00.123456Z"
DATED = [make_wheel("spam", "1.0", upload_time=OLD), make_wheel("spam", "2.0", upload_time=NEW)]
UNDATED = [make_wheel("ham", "1.0"), make_wheel("ham", "2.0", upload_time="last summer")]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def main_index() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def extra_index() -> Iterator[Server]:
    with serve() as server:
        yield server


def pins(report: Report) -> dict[str, str]:
    return {pin.name: str(pin.version) for pin in report.results[0].pins}


def kinds(report: Report) -> list[str]:
    return [concern.kind for concern in report.results[0].concerns]


def reasons(report: Report) -> list[str]:
    conflict = report.results[0].conflict
    assert conflict is not None
    return [reason.kind for reason in conflict.files[0].reasons]


# -- upload times


@pytest.mark.parametrize("form", ["json", "html"])
def test_what_is_uploaded_too_late_is_left_out(main_index: Server, form: str) -> None:
    main_index.add_project("spam", DATED, form=form)
    ask: Any = {"targets": [LINUX], "index_url": main_index.index}
    assert pins(check(["spam"], **ask)) == {"spam": "2.0"}
    report = check(["spam"], exclude_newer="2023-12-31", **ask)
    assert pins(report) == {"spam": "1.0"}
    assert report.to_dict()["index"]["exclude_newer"] == "2024-01-01T00:00:00Z"  # type: ignore[index,call-overload]
    report = check(["spam>=2"], exclude_newer="2023-12-31", **ask)
    assert (report.exit_code, reasons(report)) == (1, ["TooNew"])
    conflict: Any = report.to_dict()["results"][0]["conflict"]  # type: ignore[index,call-overload]
    assert conflict["files"][0]["reasons"] == [
        {"kind": "TooNew", "uploaded": NEW, "limit": "2024-01-01T00:00:00Z"},
    ]


def test_the_very_instant_is_too_late(main_index: Server) -> None:
    main_index.add_project("spam", DATED)
    ask: Any = {"targets": [LINUX], "index_url": main_index.index}
    assert pins(check(["spam"], exclude_newer=NEW, **ask)) == {"spam": "1.0"}
    assert pins(check(["spam"], exclude_newer="2024-06-15T14:00:00.123457+02:00", **ask)) == {"spam": "2.0"}
    assert pins(check(["spam"], exclude_newer="2024-06-15", **ask)) == {"spam": "2.0"}
    assert pins(check(["spam"], exclude_newer="2024-06-14", **ask)) == {"spam": "1.0"}


def test_a_duration_counts_back_from_now(main_index: Server) -> None:
    now = datetime.now(timezone.utc)
    dists = [
        make_wheel("spam", f"{days}.0", upload_time=(now - timedelta(days=days)).isoformat()) for days in (1, 5, 50)
    ]
    main_index.add_project("spam", dists)
    ask: Any = {"targets": [LINUX], "index_url": main_index.index, "resolution": "lowest"}
    assert pins(check(["spam"], exclude_newer="30 days", **ask)) == {"spam": "50.0"}
    assert pins(check(["spam<50"], exclude_newer="P2D", **ask)) == {"spam": "5.0"}
    assert pins(check(["spam"], exclude_newer="12 hours", **ask)) == {"spam": "1.0"}


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of this system cannot be set")
def test_a_day_is_the_same_everywhere(main_index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    dists = [make_wheel("spam", "1.0", upload_time=OLD), make_wheel("spam", "2.0", upload_time="2024-06-15T23:30:00Z")]
    main_index.add_project("spam", dists)
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        ask: Any = {"targets": [LINUX], "index_url": main_index.index}
        assert pins(check(["spam"], exclude_newer="2024-06-15", **ask)) == {"spam": "2.0"}
        assert pins(check(["spam"], exclude_newer="2024-06-14", **ask)) == {"spam": "1.0"}
    monkeypatch.undo()
    time.tzset()


def test_an_index_without_upload_times_is_no_reason_to_guess(main_index: Server) -> None:
    main_index.add_project("ham", UNDATED)
    ask: Any = {"targets": [LINUX], "index_url": main_index.index}
    report = check(["ham"], exclude_newer="2024-05-01", **ask)
    assert (report.exit_code, reasons(report)) == (1, ["NoUploadTime"])
    assert pins(check(["ham"], exclude_newer="2024-05-01", no_upload_time="allow", **ask)) == {"ham": "2.0"}
    assert pins(check(["ham"], no_upload_time="refuse", **ask)) == {"ham": "2.0"}


def test_files_of_ones_own_are_not_asked_when_they_were_uploaded(main_index: Server, tmp_path: Path) -> None:
    (wheels := tmp_path / "wheels").mkdir()
    (wheels / UNDATED[0].filename).write_bytes(UNDATED[0].content)
    main_index.add_project("ham", UNDATED)
    main_index.add_project("spam", DATED)
    ask: Any = {"targets": [LINUX], "index_url": main_index.index, "exclude_newer": "2024-05-01"}
    assert pins(check(["ham"], find_links=[str(wheels)], **ask)) == {"ham": "1.0"}
    assert pins(check([f"ham @ {main_index.url}/files/{UNDATED[1].filename}"], **ask)) == {"ham": "2.0"}
    assert pins(check([str(wheels / UNDATED[0].filename)], **ask)) == {"ham": "1.0"}


@pytest.mark.parametrize("dated", [True, False])
def test_an_index_in_a_directory_is_asked_like_any_other(tmp_path: Path, dated: bool) -> None:
    dists = DATED if dated else UNDATED
    name = dists[0].project
    (folder := tmp_path / "index" / name).mkdir(parents=True)
    for dist in dists:
        (folder / dist.filename).write_bytes(dist.content)
    files = [
        {"filename": d.filename, "url": d.filename, "hashes": {}} | ({"upload-time": d.upload_time} if dated else {})
        for d in dists
    ]
    (folder / "index.json").write_bytes(page_json(name, files))
    report = check([name], targets=[LINUX], index_url=str(tmp_path / "index"), exclude_newer="2023-01-01")
    if dated:
        assert pins(report) == {"spam": "1.0"}
    else:
        assert reasons(report) == ["NoUploadTime"]


@pytest.mark.parametrize("value", ["soon", "6 months", "2024-05-01T12:00:00", "2024-02-30"])
def test_a_bad_limit_is_refused_before_the_first_request(main_index: Server, value: str) -> None:
    with pytest.raises(UsageError, match="--exclude-newer is"):
        check(["spam"], targets=[LINUX], index_url=main_index.index, exclude_newer=value)
    assert main_index.requests == []


def test_the_limit_is_told(main_index: Server, capsys: pytest.CaptureFixture[str]) -> None:
    main_index.add_project("spam", DATED)
    ask = ["check", "spam>=2", "-t", LINUX, "-i", main_index.index, "--exclude-newer", "2023-12-31", "-v"]
    assert main(ask) == 1
    out = capsys.readouterr().out
    assert "spam has no file from before 2024-01-01T00:00:00Z compatible with CPython 3.12.4 on Linux" in out
    assert f"uploaded at {NEW}; --exclude-newer leaves out all from 2024-01-01T00:00:00Z on" in out
    assert "left out: what was uploaded at 2024-01-01T00:00:00Z or later" in out


# -- several indexes


SPAM = {version: make_wheel("spam", version) for version in ("1.0", "2.0", "3.0")}


def two(main_index: Server, extra_index: Server) -> Any:
    return {"targets": [LINUX], "index_url": main_index.index, "extra_index_url": [extra_index.index]}


def test_by_default_the_best_version_of_all_indexes_wins(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"], SPAM["3.0"]])
    extra_index.add_project("spam", [SPAM["2.0"]])
    report = check(["spam"], **two(main_index, extra_index))
    assert pins(report) == {"spam": "3.0"}
    assert report.results[0].concerns == (
        SeveralIndexes(
            project=canonicalize_name("spam"),
            version=Version("3.0"),
            filename="spam-3.0-py3-none-any.whl",
            chosen=main_index.index,
            others=(Elsewhere(index=extra_index.index, has="nothing"),),
        ),
    )
    assert report.ok
    assert check(["spam"], strict=True, **two(main_index, extra_index)).exit_code == 1


def test_the_first_index_that_has_a_project_supplies_it(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"], SPAM["3.0"]])
    main_index.add_project("eggs", [make_wheel("eggs")])
    extra_index.add_project("spam", [SPAM["2.0"], SPAM["1.0"]])
    report = check(["spam", "eggs"], index_strategy="first-index", **two(main_index, extra_index))
    assert pins(report) == {"eggs": "1.0", "spam": "2.0"}
    assert report.results[0].concerns == ()
    assert report.sources == (extra_index.index, main_index.index)
    assert "/simple/spam/" not in main_index.paths
    assert "/simple/eggs/" in extra_index.paths


def test_the_first_index_holds_even_where_it_has_no_file_that_fits(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"]])
    extra_index.add_project("spam", [make_wheel("spam", "1.0", "cp312-cp312-win_amd64")])
    assert pins(check(["spam"], **two(main_index, extra_index))) == {"spam": "1.0"}
    report = check(["spam"], index_strategy="first-index", **two(main_index, extra_index))
    assert (report.exit_code, reasons(report)) == (1, ["WrongPlatformTag"])


@pytest.mark.parametrize("strategy", ["best-match", "first-index"])
@pytest.mark.parametrize("failing", ["main", "extra"])
def test_an_index_that_fails_is_passed_over_only_by_who_was_served_before_it(
    main_index: Server, extra_index: Server, strategy: str, failing: str
) -> None:
    main_index.add_project("spam", [SPAM["1.0"]])
    extra_index.add_project("spam", [SPAM["1.0"]])
    (main_index if failing == "main" else extra_index).fault("/simple/spam/", status(503))
    report = check(["spam"], index_strategy=strategy, **two(main_index, extra_index))
    served = (strategy, failing) == ("first-index", "main")
    assert report.exit_code == (0 if served else 2)


def test_a_project_that_no_index_has_is_missing_under_either_strategy(main_index: Server, extra_index: Server) -> None:
    for strategy in ("best-match", "first-index"):
        report = check(["nowhere"], index_strategy=strategy, **two(main_index, extra_index))
        assert report.results[0].conflict is not None
        assert report.results[0].conflict.kind == "Missing"


def test_places_of_links_count_beside_the_first_index(main_index: Server, extra_index: Server, tmp_path: Path) -> None:
    (tmp_path / SPAM["3.0"].filename).write_bytes(SPAM["3.0"].content)
    main_index.add_project("spam", [SPAM["1.0"]])
    extra_index.add_project("spam", [SPAM["2.0"]])
    ask = two(main_index, extra_index) | {"index_strategy": "first-index", "find_links": [str(tmp_path)]}
    assert pins(check(["spam"], **ask)) == {"spam": "3.0"}
    assert pins(check(["spam<3"], **ask)) == {"spam": "2.0"}


def test_the_order_of_indexes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://configured-1/ https://configured-2/")
    monkeypatch.setenv("PIP_INDEX_URL", "https://configured/")
    (tmp_path / "r.txt").write_text("--extra-index-url https://of-the-file/\n--find-links /links\nspam\n")
    found = {}
    for strategy in ("best-match", "first-index"):
        options = complete(
            {
                "index_strategy": strategy,
                "requirement": [str(tmp_path / "r.txt")],
                "extra_index_url": ["https://named-1/", "https://named-2/"],
            }
        )
        request = Request.read([], [LINUX], options)
        links, *sources = sources_of(options, request.configuration, request.inputs.options)
        assert isinstance(links, FindLinks)
        found[strategy] = [source.url for source in sources if isinstance(source, SimpleIndex)]
    configured = ["https://configured-1/", "https://configured-2/"]
    named = ["https://named-1/", "https://named-2/", "https://of-the-file/"]
    assert found["best-match"] == ["https://configured/", *configured, *named]
    assert found["first-index"] == [*named, *configured, "https://configured/"]


def test_credentials_of_the_indexes_that_differ_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(auth=("me", "s3cret")) as one, serve(auth=("you", "hidden")) as other:
        one.add_project("spam", [SPAM["1.0"]])
        other.add_project("spam", [SPAM["1.0"].named("spam-1.0-1-py3-none-any.whl")])
        places = ["-i", one.with_credentials("me", "s3cret"), "--extra-index-url"]
        code = main(["check", "spam", "-t", LINUX, *places, other.with_credentials("you", "hidden"), "--format=json"])
    out = capsys.readouterr().out
    (concern,) = json.loads(out)["results"][0]["concerns"]
    assert code == 0
    assert (concern["kind"], concern["level"]) == ("SeveralIndexes", "warning")
    assert concern["chosen"] == f"http://you:****@127.0.0.1:{other.port}/simple/"
    assert concern["others"] == [{"index": f"http://me:****@127.0.0.1:{one.port}/simple/", "has": "nothing"}]
    assert "s3cret" not in out
    assert "hidden" not in out


def test_the_same_file_on_every_index_is_no_concern(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"]])
    extra_index.add_project("spam", [SPAM["1.0"]])
    assert kinds(check(["spam"], **two(main_index, extra_index))) == []
    assert kinds(check(["spam"], **two(main_index, main_index))) == []


def test_a_hash_that_one_index_does_not_state_proves_nothing(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"]], hashes=False)
    extra_index.add_project("spam", [SPAM["1.0"]])
    (concern,) = check(["spam"], **two(main_index, extra_index)).results[0].concerns
    assert isinstance(concern, SeveralIndexes)
    assert concern.others == (Elsewhere(index=main_index.index, has="unproven"),)


def test_a_file_that_the_user_names_is_mixed_with_nothing(main_index: Server, extra_index: Server) -> None:
    main_index.add_project("spam", [SPAM["1.0"]])
    extra_index.add_project("spam", [SPAM["2.0"]])
    ask = f"spam @ {main_index.url}/files/{SPAM['1.0'].filename}"
    assert kinds(check([ask], **two(main_index, extra_index))) == []
    assert "/simple/spam/" not in main_index.paths + extra_index.paths


def concerns_in(name: str) -> Any:
    scenario = Scenario.read(FOLDER / f"{name}.toml")
    outcome = scenario.outcome(scenario.targets[0])
    assert isinstance(outcome, Solution)
    return scenario.concerns(outcome, scenario.targets[0])


def test_what_the_other_index_has() -> None:
    found = [concern.others[0].has for concern in concerns_in("several-indexes-with-different-files")]
    assert found == ["other", "nothing", "unproven", "unproven"]


def test_of_files_that_an_index_lists_twice_the_one_that_differs_counts() -> None:
    spam = canonicalize_name("spam")
    one, other, again = (
        read_file(SPAM["1.0"].filename, url=SPAM["1.0"].filename, index=index, hashes={"sha256": digest})
        for index, digest in (("https://a/", "ab"), ("https://b/", "ab"), ("https://b/", "cd"))
    )
    assert not isinstance(one, UnreadableFile)
    assert not isinstance(other, UnreadableFile)
    assert not isinstance(again, UnreadableFile)
    page = ProjectPage(name=spam, files=[one, other, again], indexes=["https://a/", "https://b/"])
    pin = Pin(name=spam, version=one.version, extras=(), file=one, rank=0, demands=())
    question = Question(target=read_target("linux-cp312"), demands=())
    (concern,) = concerns_of(Solution(pins=(pin,)), question, {spam: page}, {})
    assert isinstance(concern, SeveralIndexes)
    assert concern.others == (Elsewhere(index="https://b/", has="other"),)


def test_several_indexes_in_words() -> None:
    one, *_ = concerns_in("several-indexes-with-different-files")
    assert phrases.concern(one) == (
        "a-1.0-py3-none-any.whl is from https://b.example/ and not the same on every index that has a: "
        "https://index.example/ has another file of that name. Name one index only, or pin the hash."
    )


# -- source distributions


def test_a_static_source_distribution_counts_where_it_is_allowed(main_index: Server) -> None:
    main_index.add_project("spam", [make_source("spam", "1.0", requires=("eggs",), requires_python=">=3.8")])
    main_index.add_project("eggs", [make_wheel("eggs")])
    ask: Any = {"targets": [LINUX, MAC], "index_url": main_index.index}
    report = check(["spam"], **ask)
    assert (report.exit_code, reasons(report)) == (1, ["SourceOnly"])
    report = check(["spam"], allow_sdists=True, **ask)
    assert (report.exit_code, pins(report)) == (0, {"eggs": "1.0", "spam": "1.0"})
    assert report.results[0].concerns == (SourceOnly(project=canonicalize_name("spam"), version=Version("1.0")),)
    for result in report.results:
        assert [pin.rank for pin in result.pins][1] == len(result.target.tags)
    assert check(["spam"], allow_sdists=True, strict=True, **ask).exit_code == 1


def test_a_dynamic_source_distribution_cannot_be_told(main_index: Server) -> None:
    main_index.add_project("spam", [make_source("spam", "2.0", dynamic=("Requires-Dist",)), make_wheel("spam", "1.0")])
    ask: Any = {"targets": [LINUX], "index_url": main_index.index}
    assert pins(check(["spam"], **ask)) == {"spam": "1.0"}
    report = check(["spam"], allow_sdists=True, **ask)
    error = report.results[0].error
    assert error is not None
    assert (report.exit_code, error.kind) == (2, "Unreadable")
    assert str(error).startswith("Only a build can tell what spam-2.0.tar.gz needs, because its metadata declares")


def test_pips_choice_of_formats_reaches_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_ONLY_BINARY", "spam")
    monkeypatch.setenv("PIP_NO_BINARY", "eggs")
    monkeypatch.setenv("PIP_PREFER_BINARY", "1")
    request = Request.read(["spam"], [LINUX], complete({"allow_sdists": True}))
    policy = request.question(request.targets[0]).policy
    spam, eggs, ham = map(canonicalize_name, ("spam", "eggs", "ham"))
    assert [policy.wheels(name) for name in (spam, eggs, ham)] == [True, False, True]
    assert [policy.sdists(name) for name in (spam, eggs, ham)] == [False, True, True]
    assert policy.prefer_binary


# -- the status of a project


@pytest.mark.parametrize(
    ("about", "concern", "said"),
    [
        ({}, None, ""),
        ({"status": "active"}, None, ""),
        ({"status": ""}, None, ""),
        ({"reason": "no status"}, None, ""),
        (
            {"status": "archived"},
            ("archived", "", "note"),
            "spam is archived, so no further release is to be expected.",
        ),
        (
            {"status": "archived", "reason": "It is done."},
            ("archived", "It is done.", "note"),
            "spam is archived, so no further release is to be expected: It is done.",
        ),
        (
            {"status": "deprecated", "reason": "use eggs"},
            ("deprecated", "use eggs", "warning"),
            "spam is deprecated by its maintainers: use eggs.",
        ),
        (
            {"status": "on\x1b[31m fire"},
            ("on\x1b[31m fire", "", "note"),
            "The index calls the status of spam 'on\\x1b[31m fire'.",
        ),
    ],
)
@pytest.mark.parametrize("form", ["json", "html"])
def test_what_the_index_says_of_a_project_is_told(
    main_index: Server, form: str, about: dict[str, str], concern: tuple[str, str, str] | None, said: str
) -> None:
    main_index.add_project("spam", [SPAM["1.0"]])
    main_index.add("/simple/spam/", page_with(about, form), JSON if form == "json" else HTML)
    found = check(["spam"], targets=[LINUX], index_url=main_index.index).results[0].concerns
    if concern is None:
        assert found == ()
        return
    status, why, level = concern
    assert found == (ProjectStatus(project=canonicalize_name("spam"), status=status, why=why),)
    assert found[0].level == level
    assert phrases.concern(found[0]) == said


def page_with(about: dict[str, str], form: str) -> bytes:
    files = [{"filename": SPAM["1.0"].filename, "url": f"/files/{SPAM['1.0'].filename}", "hashes": {}}]
    if form == "json":
        return json.dumps(json.loads(page_json("spam", files)) | {"project-status": about}).encode()
    names = {"status": "pypi:project-status", "reason": "pypi:project-status-reason"}
    metas = "".join(f'<meta name="{names[key]}" content="{value}">' for key, value in about.items())
    return page_html("spam", files).replace(b"<head>", f"<head>{metas}".encode())


def test_the_gravest_status_of_several_indexes_is_told_with_its_reason(main_index: Server, extra_index: Server) -> None:
    main_index.add("/simple/spam/", page_with({"status": "archived", "reason": "done"}, "json"), JSON)
    extra_index.add("/simple/spam/", page_with({"status": "deprecated", "reason": "use eggs"}, "json"), JSON)
    for server in (main_index, extra_index):
        server.add(f"/files/{SPAM['1.0'].filename}", SPAM["1.0"].content)
    found = check(["spam"], **two(main_index, extra_index)).results[0].concerns
    assert [(c.status, c.why) for c in found if isinstance(c, ProjectStatus)] == [("deprecated", "use eggs")]


# -- options


def test_defaults_are_those_of_pip() -> None:
    assert DEFAULTS["index_strategy"] == "best-match"
    assert DEFAULTS["exclude_newer"] is None
    assert DEFAULTS["no_upload_time"] == "refuse"
    assert DEFAULTS["allow_sdists"] is False


@pytest.mark.parametrize(
    ("option", "value"), [("index_strategy", "unsafe-best-match"), ("no_upload_time", "maybe"), ("resolution", "best")]
)
def test_a_choice_that_is_none_is_refused(option: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"The option {option} is '{value}', not one of"):
        complete({option: value})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, "3.0"),
        ({"WHEELCHECK_INDEX_STRATEGY": "first-index"}, "2.0"),
        ({"WHEELCHECK_EXCLUDE_NEWER": "2020-01-01", "WHEELCHECK_NO_UPLOAD_TIME": "allow"}, "3.0"),
        ({"WHEELCHECK_EXCLUDE_NEWER": "2020-01-01"}, None),
    ],
)
def test_variables_stand_for_these_options(
    main_index: Server,
    extra_index: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    found: str | None,
) -> None:
    main_index.add_project("spam", [SPAM["3.0"]])
    extra_index.add_project("spam", [SPAM["2.0"]])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    places = ["-i", main_index.index, "--extra-index-url", extra_index.index]
    code = main(["check", "spam", "-t", LINUX, *places, "--format", "json"])
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert code == (1 if found is None else 0)
    assert [pin["version"] for pin in result["pins"]] == ([] if found is None else [found])
