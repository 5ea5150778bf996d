"""A snapshot gives the answer again that it was recorded for, offline, and serves other installers as well."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from doors import LINUX, MAC, NOWHERE, PROJECTS, stand_alone
from loopback import JSON, Server, page_json, simple_index, status
from sdists import make_source
from wheelcheck import UndeterminedError, UsageError, check
from wheelcheck.cli.main import main
from wheelcheck.commands.snapshot import metadata_text, record_snapshot
from wheelcheck.common.errors import NotDownloaded
from wheelcheck.common.records import fields_of, plain
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.index import Index, SimpleIndex
from wheelcheck.standards.core_metadata import parse_metadata
from wheelcheck.standards.project_page import ProjectPage
from wheels import Dist, make_sdist, make_wheel
from wheels import metadata_text as metadata_of
from worlds import OLD, PLAIN, ROOTS, WORLDS, Release, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
TARGETS = [LINUX, MAC, OLD]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def index() -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        yield server


def answer(requirements: list[str], **options: Any) -> dict[str, Any]:
    """The answer without what it has cost."""
    document = json.loads(json.dumps(check(requirements, **{"targets": TARGETS, **options}).to_dict()))
    return {key: value for key, value in document.items() if key != "index"}


def replayed(place: Path, requirements: list[str], **options: Any) -> dict[str, Any]:
    """The answer from a snapshot, where no server can be asked and nothing is cached."""
    for source in ("extra_index_url", "find_links", "no_index"):
        options.pop(source, None)
    return answer(requirements, **{**options, "index_url": str(place), "offline": True, "no_cache": True})


def check_replay(place: Path, requirements: list[str], **options: Any) -> dict[str, Any]:
    """Records a question and holds the replay against the answer of the index."""
    expected = answer(requirements, **options)
    record_snapshot(place, requirements, **{"targets": TARGETS, **options})
    found = replayed(place, requirements, **options)
    for one, other in zip(found["results"], expected["results"], strict=True):
        if not (one["has_all_remedies"] and other["has_all_remedies"]):  # how far the search came is a matter of time
            for result in (one, other):
                del result["remedies"], result["has_all_remedies"]
    assert found == expected
    return found


def manifest_of(place: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((place / "manifest.json").read_bytes())
    return manifest


# -- the same answer


RICH = World(
    projects={
        "a": {"1": Release(("b", "c<2"), "any"), "2": Release(("b", "d[x]"), "both"), "3": Release((), "misnamed")},
        "b": {"1": Release((), "sdist"), "2": Release(("c",), "builds")},
        "c": {"1": Release(("d",), "withdrawn"), "2": Release(("e>=2; sys_platform == 'linux'",), "new python")},
        "d": {"1": Release(("e; extra == 'x'",), "any"), "3": Release(("e",), "refused")},
        "e": {"1": Release((), "any"), "2": Release(("nowhere",), "late python"), "3": Release((), "candidate")},
    },
    form="both",
    metadata=True,
    hashes=True,
)


@settings(max_examples=max(30, settings().max_examples // 3))
@example(world=RICH, roots=["a"], options={})
@example(world=RICH, roots=["a", "e>2"], options={"pre": True})
@example(world=RICH, roots=["c==1", "nowhere"], options={"resolution": "lowest"})
@given(
    world=WORLDS,
    roots=ROOTS,
    options=st.fixed_dictionaries(
        {},
        optional={
            "pre": st.just(True),
            "no_deps": st.just(True),
            "resolution": st.sampled_from(["lowest", "lowest-direct"]),
            "no_rules": st.just(True),
        },
    ),
)
def test_any_small_world_gives_the_same_answer_again(world: World, roots: list[str], options: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder, world.served() as server:
        check_replay(Path(folder, "snapshot"), roots, index_url=server.index, no_cache=True, **options)


QUESTIONS: dict[str, tuple[list[str], str]] = {
    "pins": (["spam"], "pins"),
    "extras": (["eggs[dev]<2"], "pins"),
    "only for another system": (["onlymac"], "NoCompatibleFile"),
    "a pre-release": (["candidate"], "pins"),
    "yanked": (["withdrawn==0.9"], "pins"),
    "missing": (["egs"], "Missing"),
    "no such version": (["eggs>5"], "NoMatchingVersion"),
    "a conflict": (["spam", "eggs>=2"], "Conflict"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_kind_of_answer(question: str, index: Server, tmp_path: Path) -> None:
    requirements, kind = QUESTIONS[question]
    found = check_replay(tmp_path / "snapshot", requirements, index_url=index.index)
    first = found["results"][0]
    assert (first["conflict"] or {"kind": "pins"})["kind"] == kind


def test_the_replay_asks_nobody_and_shows_where_files_came_from(index: Server, tmp_path: Path) -> None:
    record_snapshot(tmp_path / "snapshot", ["spam"], targets=TARGETS, index_url=index.index)
    index.forget()
    report = check(["spam"], targets=[LINUX], index_url=str(tmp_path / "snapshot"))
    assert index.paths == []
    assert report.counters == (0, 0, 0)
    assert report.sources == (str(tmp_path / "snapshot"),)
    assert [pin.file.url for pin in report.results[0].pins] == [
        f"{index.url}/files/eggs-1.5-py3-none-any.whl",
        f"{index.url}/files/spam-1.0-py3-none-any.whl",
    ]


def test_near_names_are_those_of_the_time(index: Server, tmp_path: Path) -> None:
    """They come from the machine that recorded, so another machine could not find them."""
    check(["eggs"], targets=TARGETS, index_url=index.index)
    found = check_replay(tmp_path / "snapshot", ["egs"], index_url=index.index)
    assert found["results"][0]["conflict"]["near"] == ["eggs"]
    assert found["results"][0]["conflict"]["indexes"] == [index.index]


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("metadata", [True, False])
def test_every_field_of_a_page_is_kept_in_both_forms(form: str, metadata: bool, tmp_path: Path) -> None:
    about: dict[str, Any] = {"requires_python": ">=3.8,<4", "upload_time": "2024-01-02T03:04:05Z"}
    wheels = [
        make_wheel("spam", "1.0", yanked='a <reason> & "more"', **about),
        make_wheel("spam", "2.0", "cp312-cp312-manylinux_2_17_x86_64", yanked=""),
        make_wheel("spam", "3.0+local.1", requires=["eggs ; extra == 'x'"], extras=("x",)),
        make_sdist("spam", "3.0"),
    ]
    with simple_index({"spam": wheels, "eggs": [make_wheel("eggs")]}, form=form, metadata=metadata) as server:
        check_replay(tmp_path / "snapshot", ["spam[x]"], index_url=server.index)
        expected = page(server.index, "spam")
        assert len(expected) == len(wheels)
        assert page(str(tmp_path / "snapshot"), "spam") == expected
        (tmp_path / "snapshot" / "spam" / "index.json").unlink()
        assert page(str(tmp_path / "snapshot"), "spam") == [{**file, "size": None} for file in expected]


def page(place: str, name: str) -> list[dict[str, Any]]:
    """What a place lists of a project, without where it is."""
    with Index([SimpleIndex(place)], cache=Cache(None)) as index:
        found = index.page(canonicalize_name(name))
    assert found is not None
    return [
        {field: value for field, value in fields_of(file).items() if field not in ("index", "core_metadata", "path")}
        for file in found.files
    ]


@pytest.mark.parametrize("status", ["archived", "quarantined", "deprecated", "made up"])
def test_the_status_of_a_project_is_kept(status: str, tmp_path: Path) -> None:
    with simple_index({"spam": [make_wheel("spam")]}, form="json") as server:
        resource = server.resources["/simple/spam/"]
        about = {"project-status": {"status": status, "reason": "we <left>"}}
        resource.body = json.dumps(json.loads(resource.body) | about).encode()
        check_replay(tmp_path / "snapshot", ["spam"], index_url=server.index)
        (tmp_path / "snapshot" / "spam" / "index.json").unlink()
        assert replayed(tmp_path / "snapshot", ["spam"]) == answer(["spam"], index_url=server.index)


def test_files_that_no_page_can_list_so_are_kept_as_they_were(tmp_path: Path) -> None:
    """Names that cannot be read, entries without a URL and with one that cannot be parsed, with a version and not."""
    names = [
        "spam-9.0-py3-none-any.whl",
        "spam-8.0-py3-none.whl",
        "spam.exe",
        "other-1.0.tar.gz",
        "spam-7.0.msi",
        "x/y",
    ]
    entries: list[dict[str, Any]] = [{"filename": name, "url": name, "hashes": {}} for name in names[1:]]
    entries += [{"filename": f"1{name}"} for name in names]
    entries += [{"filename": f"spam-1-{name}", "url": "http://["} for name in names]
    with simple_index({"spam": []}) as server:
        server.add("/simple/spam/", page_json("spam", entries), JSON)
        check_replay(tmp_path / "snapshot", ["spam"], index_url=server.index)
        expected = strange_names(server.index, "spam")
    assert sum(map(len, expected.values())) == len(entries)
    assert strange_names(str(tmp_path / "snapshot"), "spam") == expected


def strange_names(place: str, name: str) -> dict[str, set[Any]]:
    """The unreadable files of a project by version, with why."""
    with Index([SimpleIndex(place)], cache=Cache(None)) as index:
        found = index.page(canonicalize_name(name))
    assert found is not None
    shelves = {str(version): set(found.files_of(version).unreadable) for version in found.versions}
    return shelves | {"none": set(found.stray)}


@pytest.mark.parametrize("wrong", ["hash", "name", "text", "archive", "python"])
def test_files_that_refuse_themselves_do_so_again(wrong: str, tmp_path: Path) -> None:
    wheel, older = make_wheel("spam", "2.0"), make_wheel("spam", "1.0")
    match wrong:
        case "name":
            wheel = make_wheel("spam", "2.0", metadata="Metadata-Version: 2.1\nName: eggs\nVersion: 2.0\n")
        case "text":
            wheel = make_wheel("spam", "2.0", metadata=b"Name: spam\nVersion: 2.0\nRequires-Dist: \xff\n")
        case "archive":
            wheel = replace(wheel, content=b"no archive", metadata=None)
        case "python":
            wheel = replace(make_wheel("spam", "2.0", requires_python="<3"), requires_python=None)
    with simple_index({"spam": [wheel, older]}) as server:
        if wrong == "hash":
            server.resources[f"/files/{wheel.filename}.metadata"].body += b"\nmore"
        found = check_replay(tmp_path / "one", ["spam"], index_url=server.index)
        # as in pip, no other version is tried where the file cannot be what its index says, or cannot be read
        ends = wrong in ("hash", "text", "archive")
        assert [pin["version"] for pin in found["results"][0]["pins"]] == ([] if ends else ["1.0"])
        found = check_replay(tmp_path / "two", ["spam==2"], index_url=server.index)
        (refused,) = found["results"][0]["conflict"]["files"]
        assert [reason["kind"] for reason in refused["reasons"]] == [
            {"hash": "HashMismatch", "python": "RequiresPython"}.get(wrong, "BadMetadata")
        ]


def test_source_distributions_say_again_what_they_said(tmp_path: Path) -> None:
    with simple_index(
        {"spam": [make_source("spam", "2.0", requires=("eggs",))], "eggs": [make_wheel("eggs")]}
    ) as server:
        found = check_replay(tmp_path / "snapshot", ["spam"], index_url=server.index, allow_sdists=True)
    assert [pin["name"] for pin in found["results"][0]["pins"]] == ["eggs", "spam"]


def test_an_upload_time_decides_again(tmp_path: Path) -> None:
    dists = [
        make_wheel("spam", "1.0", upload_time="2024-01-02T03:04:05Z"),
        make_wheel("spam", "2.0", upload_time="2024-06-02T03:04:05Z"),
        make_wheel("spam", "3.0"),
    ]
    with simple_index({"spam": dists}) as server:
        for at, asked in enumerate(["spam", "spam>1", "spam==3"]):
            place = tmp_path / str(at)
            check_replay(place, [asked], index_url=server.index, exclude_newer="2024-03-01")


# -- where it came from


def other_index() -> dict[str, list[Dist]]:
    """A second index: another file of the same name, the same file, and a project that is only here."""
    return {
        "spam": [make_wheel("spam", "1.0", requires=["only"])],
        "alone": [make_wheel("alone")],
        "only": [make_wheel("only", "3")],
    }


@pytest.mark.parametrize("strategy", ["best-match", "first-index"])
def test_several_indexes_become_one(strategy: str, index: Server, tmp_path: Path) -> None:
    with simple_index(other_index()) as other:
        options = {"index_url": index.index, "extra_index_url": [other.index], "index_strategy": strategy}
        found = check_replay(tmp_path / "one", ["spam", "alone", "only"], **options)
        kinds = [(concern["kind"], concern["project"]) for concern in found["results"][0]["concerns"]]
        assert kinds == ([("SeveralIndexes", "spam")] if strategy == "best-match" else [])
        missing = check_replay(tmp_path / "two", ["nowhere"], **options)
        assert len(missing["results"][0]["conflict"]["indexes"]) == 2


@pytest.mark.parametrize("kind", ["directory", "page"])
def test_places_of_links_become_pages(kind: str, index: Server, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for dist in (make_wheel("eggs", "1.7", requires=["ham"]), make_wheel("eggs", "1.9", "cp39-cp39-win32")):
        (links / dist.filename).write_bytes(dist.content)
    (links / "eggs-1.8-bad.whl").write_bytes(b"")
    place = str(links)
    if kind == "page":
        names = sorted(path.name for path in links.iterdir())
        anchors = "".join(f'<a href="{name}">{name}</a>' for name in names)
        (links / "index.html").write_text(anchors)
        place = str(links / "index.html")
    options: dict[str, Any] = {"index_url": index.index, "find_links": [place]}
    found = check_replay(tmp_path / "one", ["spam"], **options)
    assert [pin["name"] for pin in found["results"][0]["pins"]] == ["eggs", "ham", "spam"]
    assert found["results"][0]["pins"][0]["url"].startswith("file:")
    check_replay(tmp_path / "two", ["eggs>1.8"], no_index=True, find_links=[place])
    check_replay(tmp_path / "three", ["eggs>2"], no_index=True, find_links=[place])
    check_replay(tmp_path / "four", ["eggs"], **options, exclude_newer="2020-01-01", no_upload_time="allow")


def test_hashes_that_are_asked_for_are_found_again(index: Server, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    wheel = make_wheel("eggs", "1.7")
    (links / wheel.filename).write_bytes(wheel.content)
    for at, (name, digest) in enumerate([("eggs", wheel.sha256), ("eggs", "0" * 64)]):
        listed = tmp_path / f"{at}.txt"
        listed.write_text(f"{name} --hash=sha256:{digest}\n")
        options: dict[str, Any] = {"index_url": index.index, "find_links": [str(links)], "requirement": [str(listed)]}
        check_replay(tmp_path / str(at), [], **options)


def test_files_of_requirements_and_constraints_are_part_of_the_question(index: Server, tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("spam\n")
    (tmp_path / "bounds.txt").write_text("eggs<1.4\n")
    options = {"requirement": [str(tmp_path / "asked.txt")], "constraint": [str(tmp_path / "bounds.txt")]}
    check_replay(tmp_path / "snapshot", [], index_url=index.index, **options)
    question = manifest_of(tmp_path / "snapshot")["question"]
    assert (question["requirements"], question["constraints"]) == (["spam"], ["eggs<1.4"])
    assert question["targets"] == TARGETS


def test_a_snapshot_of_a_snapshot_is_the_same(index: Server, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with simple_index(other_index()) as other:
        check_replay(first, ["spam", "egs"], index_url=index.index, extra_index_url=[other.index])
    record_snapshot(second, ["spam", "egs"], targets=TARGETS, index_url=str(first))
    assert replayed(second, ["spam", "egs"]) == replayed(first, ["spam", "egs"])
    one, two = manifest_of(first), manifest_of(second)
    assert (one["projects"], one["missing"], one["sources"]) == (two["projects"], two["missing"], two["sources"])


def test_pages_have_relative_urls_and_origins_stand_in_the_manifest(index: Server, tmp_path: Path) -> None:
    record_snapshot(tmp_path / "snapshot", ["spam"], targets=TARGETS, index_url=index.index)
    for path in (tmp_path / "snapshot").rglob("*"):
        assert path.name == "manifest.json" or path.is_dir() or b"127.0.0.1" not in path.read_bytes()
    manifest = manifest_of(tmp_path / "snapshot")
    assert manifest["sources"] == [index.index]
    assert manifest["projects"]["spam"]["pages"] == [f"{index.index}spam/"]
    file = "eggs-1.5-py3-none-any.whl"
    assert manifest["projects"]["eggs"]["files"][file] == {"source": index.index, "url": f"{index.url}/files/{file}"}
    assert {"wheelcheck", "recorded", "question", "missing"} <= set(manifest)


def test_metadata_is_served_for_the_files_that_were_asked_and_no_other(index: Server, tmp_path: Path) -> None:
    record_snapshot(tmp_path / "snapshot", ["spam"], targets=[LINUX], index_url=index.index)
    for project, read in (("spam", ["spam-1.0-py3-none-any.whl"]), ("eggs", ["eggs-1.5-py3-none-any.whl"])):
        listed = json.loads((tmp_path / "snapshot" / project / "index.json").read_bytes())["files"]
        assert len(listed) == 2
        assert [file["filename"] for file in listed if "core-metadata" in file] == read
        beside = sorted(path.name for path in (tmp_path / "snapshot" / project).glob("*.metadata"))
        assert beside == [f"{name}.metadata" for name in read]


def test_no_secret_is_recorded(tmp_path: Path) -> None:
    with simple_index(PROJECTS, auth=("me", "s3cr3t")) as server:
        secret = server.with_credentials("me", "s3cr3t")
        check_replay(tmp_path / "snapshot", ["spam"], index_url=secret)
        check_replay(tmp_path / "missing", ["nowhere"], index_url=secret)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"s3cr3t" not in path.read_bytes(), path


def test_a_file_of_the_users_own_is_left_out_and_that_is_said(index: Server, tmp_path: Path) -> None:
    wheel = make_wheel("mine", requires=["eggs<2"])
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    asked = [f"mine @ {(tmp_path / wheel.filename).as_uri()}"]
    check_replay(tmp_path / "snapshot", asked, index_url=index.index)
    (notice,) = record_snapshot(tmp_path / "snapshot", asked, targets=TARGETS, index_url=index.index).notices
    assert notice.startswith(("mine@ file:", "mine @ file:"))


# -- real questions


CASES = json.loads((FIXTURES / "cases.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_questions_of_the_fixtures(case: dict[str, Any], tmp_path: Path) -> None:
    check_replay(
        tmp_path / "snapshot", case["requirements"], targets=[case["target"]], index_url=str(FIXTURES / "index")
    )


def test_one_question_for_all_the_targets_of_the_fixtures(tmp_path: Path) -> None:
    targets = [case["target"] for case in CASES if case["requirements"] == ["tensorflow"]]
    assert len(targets) > 3
    check_replay(tmp_path / "snapshot", ["tensorflow"], targets=targets, index_url=str(FIXTURES / "index"))


@pytest.mark.network
@pytest.mark.parametrize("asked", [["tensorflow"], ["tensorflow-metal", "tensorflow"], ["numpy==1.26.4", "scipy"]])
def test_the_configured_index(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asserted of the answer, which a release may change, but that it is given again."""
    for variable in ("PIP_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(variable)
    check_replay(tmp_path / "snapshot", asked, targets=[LINUX, MAC])


# -- other questions


def test_what_was_not_recorded_is_not_known(index: Server, tmp_path: Path) -> None:
    """Neither a project that nobody asked for then nor the metadata of another file may become a "no"."""
    place = tmp_path / "snapshot"
    record_snapshot(place, ["spam", "nowhere"], targets=[LINUX], index_url=index.index)
    for asked, what in (("ham", "ham"), ("spam==2.0rc1", "the metadata of spam-2.0rc1-py3-none-any.whl")):
        report = check([asked], targets=[LINUX], index_url=str(place))
        error = report.to_dict()["results"][0]["error"]  # type: ignore[index,call-overload]
        assert (report.exit_code, error["kind"], error["what"]) == (2, "NotCached", what)
        assert str(place) in error["message"]
    assert check(["nowhere"], targets=[LINUX], index_url=str(place)).exit_code == 1


def test_projects_and_files_that_are_added_by_hand_count(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    record_snapshot(place, ["spam"], targets=[LINUX], index_url=index.index)
    (place / "more").mkdir()
    wheel = make_wheel("more", requires=["eggs"])
    (place / "more" / wheel.filename).write_bytes(wheel.content)
    (place / "more" / "index.html").write_text(f'<a href="{wheel.filename}">{wheel.filename}</a>')
    found = replayed(place, ["more", "spam"], targets=[LINUX])
    pins = {pin["name"]: pin["url"] for pin in found["results"][0]["pins"]}
    assert pins["more"] == (place / "more" / wheel.filename).as_uri()
    assert set(pins) == {"eggs", "more", "spam"}


def test_a_replay_downloads_what_lies_in_it_and_asks_nobody(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    record_snapshot(place, ["alone"], targets=[LINUX], index_url=index.index)
    index.forget()
    wheel = PROJECTS["alone"][0]
    with Index([SimpleIndex(str(place))], cache=Cache(None)) as opened:
        found = opened.page(canonicalize_name("alone"))
        assert found is not None
        (file,) = found.files
        with pytest.raises(NotDownloaded, match=re.escape(str(place))):
            opened.download(file, tmp_path / "got")
        (place / "alone" / wheel.filename).write_bytes(wheel.content)
        opened.download(file, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == wheel.content
    assert index.paths == []


# -- a snapshot from somebody else


def test_a_manifest_leads_nowhere(index: Server, tmp_path: Path) -> None:
    """Its URLs are shown and never asked, and its paths stay in the project's folder."""
    place = tmp_path / "snapshot"
    record_snapshot(place, ["alone"], targets=[LINUX], index_url=index.index)
    index.forget()
    outside = make_wheel("alone", "9.0", requires=["eggs"])
    assert outside.metadata is not None
    (tmp_path / f"{outside.filename}.metadata").write_bytes(outside.metadata)
    manifest, listed = manifest_of(place), json.loads((place / "alone" / "index.json").read_bytes())
    for way in (f"../../{outside.filename}", f"%2e%2e/%2e%2e/{outside.filename}", f"..%2F..%2F{outside.filename}"):
        told = {"source": index.index, "url": f"{index.url}/files/{outside.filename}"}
        entry = {"filename": outside.filename, "url": way, "hashes": {}}
        (place / "alone" / "index.json").write_text(json.dumps(listed | {"files": [entry]}))
        for path in (way, unquote(way), outside.filename):
            manifest["projects"]["alone"]["files"] = {path: told}
            (place / "manifest.json").write_text(json.dumps(manifest))
            report = check(["alone"], targets=[LINUX], index_url=str(place), extra_index_url=[NOWHERE])
            assert not report.ok
            with Index([SimpleIndex(str(place))], cache=Cache(None)) as opened:
                found = opened.page(canonicalize_name("alone"))
                assert found is not None
                assert [file.path for file in found.files] == [None]
    assert index.paths == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("file:///etc/passwd"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def somebodys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with a refused file and a missing project; its server is gone."""
    place = tmp_path_factory.mktemp("somebodys") / "snapshot"
    refused = make_wheel("spam", "2.0", metadata="Name: eggs")
    with simple_index({"spam": [make_wheel("spam", requires=["eggs"]), refused]}) as server:
        record_snapshot(place, ["spam"], targets=[LINUX], index_url=server.index, no_cache=True, isolated=True)
    return place


@settings(max_examples=max(300, settings().max_examples), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.integers(0, 9), min_size=1, max_size=6), value=VALUES)
def test_a_manifest_of_any_form_is_read_without_harm(path: list[int], value: Any, somebodys: Path) -> None:
    """Whatever stands at some place of it, there is an answer or a sentence, and nothing outside is asked or read."""
    manifest = manifest_of(somebodys)
    try:
        (somebodys / "manifest.json").write_text(json.dumps(changed(manifest, path, value)))
        with Index([SimpleIndex(str(somebodys))], cache=Cache(None)) as index:
            for name in ("spam", "eggs"):
                for file in told(index.page, name).files:
                    told(index.metadata, file)
            assert all(isinstance(origin, str) for origin in index.origins)
            assert index.counters.requests == 0
    finally:
        (somebodys / "manifest.json").write_text(json.dumps(manifest))


def told(ask: Callable[[Any], Any], about: Any) -> Any:
    """What an index says, or an empty page where it cannot tell."""
    try:
        return ask(about) or ProjectPage(name=canonicalize_name("none"))
    except UndeterminedError:
        return ProjectPage(name=canonicalize_name("none"))


def changed(document: Any, path: list[int], value: Any) -> Any:
    """A copy of a document with another value at the place to which a path leads."""
    places = list(document) if isinstance(document, dict) else list(range(len(document)))
    place = places[path[0] % len(places)]
    below = document[place]
    go_on = len(path) > 1 and isinstance(below, dict | list) and below
    new = changed(below, path[1:], value) if go_on else value
    return {**document, place: new} if isinstance(document, dict) else [*document[:place], new, *document[place + 1 :]]


def test_a_manifest_of_another_kind_is_none(tmp_path: Path) -> None:
    (tmp_path / "spam").mkdir()
    (tmp_path / "spam" / "index.json").write_bytes(page_json("spam", []))
    for content in (b"", b"[]", b"{}", b'{"schema": "other"}', b"\xff", b"[" * 100_000):
        (tmp_path / "manifest.json").write_bytes(content)
        with Index([SimpleIndex(str(tmp_path))], cache=Cache(None)) as index:
            assert index.page(canonicalize_name("nowhere")) is None
            assert index.origins == (str(tmp_path),)


# -- the directory


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_an_earlier_snapshot_is_replaced_as_a_whole(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "snapshot"
    record_snapshot(place, ["ham"], targets=TARGETS, index_url=index.index)
    check_replay(place, ["spam"], index_url=index.index)
    assert sorted(path.name for path in place.iterdir()) == [
        "eggs",
        "index.html",
        "index.json",
        "manifest.json",
        "spam",
    ]
    assert [path.name for path in place.parent.iterdir()] == ["snapshot"]


def test_an_empty_directory_is_taken(index: Server, tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    check_replay(tmp_path / "snapshot", ["spam"], index_url=index.index)


def strange_file(place: Path) -> None:
    place.mkdir()
    (place / "letter.txt").write_text("dear")


def a_file(place: Path) -> None:
    place.write_text("dear")


def another_index(place: Path) -> None:
    (place / "spam").mkdir(parents=True)
    (place / "spam" / "index.html").write_text("")


@pytest.mark.parametrize("what", [strange_file, a_file, another_index])
def test_nothing_else_is_overwritten(what: Any, index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    what(place)
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=re.escape(str(place))):
        record_snapshot(place, ["spam"], targets=TARGETS, index_url=index.index)
    assert contents(tmp_path) == before
    assert index.paths == []


def test_a_file_in_a_snapshot_that_is_not_of_it_is_kept(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    record_snapshot(place, ["spam"], targets=TARGETS, index_url=index.index)
    (place / "spam" / "spam-1.0-py3-none-any.whl").write_text("mine")
    with pytest.raises(UsageError, match=r"spam-1\.0-py3-none-any\.whl"):
        record_snapshot(place, ["spam"], targets=TARGETS, index_url=index.index)
    assert (place / "spam" / "spam-1.0-py3-none-any.whl").read_text() == "mine"


def test_the_current_directory_is_not_moved_away(index: Server, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    os.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="name another one"):
        record_snapshot(".", ["spam"], targets=TARGETS, index_url=index.index)


def test_what_cannot_be_told_is_not_recorded(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    record_snapshot(place, ["spam"], targets=TARGETS, index_url=index.index)
    before = contents(place)
    index.fault("/simple/eggs/", status(503))
    with pytest.raises(UndeterminedError):
        record_snapshot(place, ["spam"], targets=TARGETS, index_url=index.index, refresh=True)
    assert contents(place) == before
    assert not list(tmp_path.glob(".snapshot*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other limits")
@pytest.mark.parametrize("place", ["file/below", "n" * 300], ids=["below a file", "too long"])
def test_a_place_that_cannot_be_written_is_one_sentence(place: str, index: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="snapshot"):
        record_snapshot(tmp_path / place, ["spam"], targets=TARGETS, index_url=index.index)


# -- the command


def test_the_command_and_its_documents(index: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "snapshot"
    command = ["snapshot", str(place), "spam", "nowhere", "-t", LINUX, "--index-url", index.index]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert (err, out.splitlines()[0].partition(", ")[0]) == (
        "",
        f"{place} holds what the answer needs: the pages of 2 projects",
    )
    assert main([*command, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "wheelcheck/snapshot/1"
    assert document["ok"] is True
    assert (document["missing"], [answer["ok"] for answer in document["answers"]]) == (["nowhere"], [False])
    assert document["bytes"] == sum(map(len, contents(place).values()))
    assert main(["check", "nowhere", "-t", LINUX, "--index-url", str(place)]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Nothing to check"),
        (["spam", "-t", "atari"], "atari"),
        (["spam", "--index-url", NOWHERE], "could not be read"),
        (["spam", "--offline"], "--offline"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["snapshot", str(tmp_path / "snapshot"), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("wheelcheck: ")
    assert says in line
    assert not (tmp_path / "snapshot").exists()


# -- for others


@contextmanager
def static_server(place: Path) -> Iterator[str]:
    """The server of the standard library, which knows nothing of indexes."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(place))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_static_server_of_it_gives_the_same_pins(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "snapshot"
    expected = check_replay(place, ["spam"], index_url=index.index)
    with static_server(place) as url:
        found = answer(["spam"], index_url=url)
    for one, other in zip(found["results"], expected["results"], strict=True):
        assert [(pin["filename"], pin["hashes"]) for pin in one["pins"]] == [
            (pin["filename"], pin["hashes"]) for pin in other["pins"]
        ]


@pytest.mark.parametrize("through", ["server", "file"])
def test_pip_takes_the_same_versions(through: str, index: Server, tmp_path: Path) -> None:
    pytest.importorskip("pip", reason="pip is not installed beside the tests")
    place = tmp_path / "snapshot"
    expected = check_replay(place, ["spam", "ham"], targets=[LINUX], index_url=index.index)
    pins = {(pin["name"], pin["version"]) for pin in expected["results"][0]["pins"]}
    for dist in (dist for name, _ in pins for dist in PROJECTS[name]):  # older ones fetch them even for a dry run
        (place / dist.project / dist.filename).write_bytes(dist.content)
    platform = ["--platform", "manylinux_2_17_x86_64", "--python-version", "3.12", "--only-binary", ":all:"]
    with static_server(place) as url:
        source = url if through == "server" else place.as_uri()
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--isolated",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ]
        command += ["--dry-run", "--quiet", "--report", "-", "--target", str(tmp_path / "there"), *platform]
        ended = subprocess.run(
            [*command, "--index-url", source, "spam", "ham"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    installed = [item["metadata"] for item in json.loads(ended.stdout)["install"]]
    assert {(about["name"], about["version"]) for about in installed} == pins


# -- metadata


@given(
    name=st.sampled_from(["spam", "Spam.Eggs"]),
    version=st.sampled_from(["1.0", "2024.1rc1+local"]),
    needs=st.lists(
        st.one_of(
            PLAIN,
            st.sampled_from(
                [
                    "eggs[b,a] (>=1,<2) ; python_version < '3.9' and (extra == 'x' or sys_platform == \"win32\")",
                    "eggs @ https://host.example/eggs-1.0-py3-none-any.whl#sha256=00 ; os_name == 'nt'",
                    "eggs===1.0-weird",
                ]
            ),
        )
    ),
    python=st.sampled_from([None, ">=3.8", "not a specifier", ">=2.7, !=3.0.*, \xe4"]),
    extras=st.lists(st.sampled_from(["x", "Y_z"])),
)
def test_metadata_is_written_as_it_was_read(
    name: str, version: str, needs: list[str], python: str | None, extras: list[str]
) -> None:
    text = metadata_of(name, version, requires=needs, requires_python=python, extras=tuple(extras))
    told = parse_metadata(text.replace("\nName: ", "\nDynamic: License\nName: ", 1).encode())
    assert plain(parse_metadata(metadata_text(told))) == plain(told)
    assert metadata_text(parse_metadata(metadata_text(told))) == metadata_text(told)
