"""Pages and metadata as a user of the index sees them, over real servers, directories and files, sound and broken."""

from __future__ import annotations

import gc
import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

import loopback
import wheels
from loopback import Server, serve, simple_index
from wheelcheck.common.errors import (
    IndexNonsense,
    IndexUnavailable,
    NotAuthorized,
    NotCached,
    NotDownloaded,
    TimedOut,
    UndeterminedError,
    Unreadable,
    UsageError,
)
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http import client as transport
from wheelcheck.index.http.client import TransportOptions
from wheelcheck.index.index import Counters, FindLinks, Index, SimpleIndex, Source
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata, FileRefusedError, HashMismatch
from wheelcheck.standards.project_page import ProjectPage, Sdist, UnreadableFile, Wheel, direct_file
from wheels import Dist, make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIX = canonicalize_name("six")
BROKEN = canonicalize_name("broken")
PATIENT = TransportOptions(timeout=60, retries=0)
WHEEL = make_wheel("six", "1.16.0", requires=["numpy>=1; extra == 'fast'"], requires_python=">=3.8", extras=("fast",))
OLDER = make_wheel("six", "1.15.0", "py2.py3-none-any")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.01)


@contextmanager
def index(*sources: Source | str, directory: Path | None = None, **how: Any) -> Iterator[Index]:
    placed = [SimpleIndex(source) if isinstance(source, str) else source for source in sources]
    cache = how.pop("cache", None) or Cache(directory)
    with Index(placed, cache=cache, **({"transport_options": PATIENT} | how)) as it:
        yield it


def page_of(*sources: Source | str, name: str = "six", **how: Any) -> ProjectPage | None:
    with index(*sources, **how) as it:
        return it.page(canonicalize_name(name))


def filenames(page: ProjectPage | None) -> list[str]:
    assert page is not None
    return [file.filename for file in page.files]


def everything_on(page: ProjectPage) -> tuple[object, ...]:
    return page.name, page.files, page.unreadable, page.status


def told_of(server: Server, name: str = "broken", **how: Any) -> object:
    """What the index says of the only file of a project."""
    with index(server.index, **how) as it:
        page = it.page(canonicalize_name(name))
        assert page is not None
        return it.metadata(page.files[0])


# -- pages


@pytest.mark.parametrize("form", ["json", "html", "both"])
def test_a_page_lists_the_files(form: str) -> None:
    with simple_index({"six": [WHEEL, OLDER, make_sdist("six", "1.16.0")]}, form=form) as server:
        page = page_of(server.index)
        assert filenames(page) == [WHEEL.filename, "six-1.16.0.tar.gz", OLDER.filename]
        assert page is not None
        first = page.files[0]
        assert (first.url, first.index) == (f"{server.url}/files/{WHEEL.filename}", server.index)
        assert first.hashes == {"sha256": WHEEL.sha256}
        assert server.paths == ["/simple/six/"]
        accept = server.requests[0].headers["accept"]
        assert accept.startswith("application/vnd.pypi.simple.v1+json")
        assert "text/html;q=0.01" in accept


@pytest.mark.parametrize("ending", ["", "/"])
def test_the_index_url_may_end_in_a_slash_or_not(ending: str) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        assert page_of(f"{server.url}/simple{ending}") is not None
        assert server.paths == ["/simple/six/"]


def test_a_project_that_no_source_has_is_none() -> None:
    with simple_index() as server, simple_index() as other:
        other.fault("/simple/six/", loopback.status(410))
        assert page_of(server.index, other.index) is None
        assert len(server.requests) == len(other.requests) == 1


def test_an_empty_page_is_a_page() -> None:
    for form in ("json", "html"):
        with simple_index({"six": []}, form=form) as server:
            page = page_of(server.index)
            assert page is not None
            assert page.files == ()


def test_pages_of_several_sources_are_merged_in_their_order() -> None:
    other = make_sdist("six", "1.16.0")
    with simple_index({"six": [WHEEL]}) as first, simple_index({"six": [other]}) as second:
        assert filenames(page_of(first.index, second.index)) == [WHEEL.filename, other.filename]
        assert filenames(page_of(second.index, first.index)) == [other.filename, WHEEL.filename]


def test_a_source_that_is_named_twice_is_asked_once() -> None:
    with simple_index({"six": [WHEEL]}) as server, Index([SimpleIndex(server.index)] * 2, cache=Cache(None)) as index:
        page = index.page(SIX)
        assert page is not None
        assert len(page.files) == len(page.indexes) == len(server.paths) == 1


@pytest.mark.parametrize("second_first", [True, False])
def test_a_source_that_fails_is_never_passed_over(second_first: bool) -> None:
    with simple_index({"six": [WHEEL]}) as good, simple_index() as bad:
        bad.fault("/simple/six/", loopback.status(500))
        sources = [bad.index, good.index] if second_first else [good.index, bad.index]
        with pytest.raises(IndexUnavailable, match=str(bad.port)):
            page_of(*sources)


def test_the_failure_of_the_first_source_is_told_whichever_comes_first() -> None:
    with simple_index() as slow, simple_index() as fast:
        slow.latency = 0.15
        slow.fault("/simple/six/", loopback.status(401))
        fast.fault("/simple/six/", loopback.status(500))
        with pytest.raises(NotAuthorized):
            page_of(slow.index, fast.index)


FAILURES = {
    "500": (loopback.status(500), IndexUnavailable, "HTTP 500"),
    "502": (loopback.status(502), IndexUnavailable, "HTTP 502"),
    "400": (loopback.status(400), IndexUnavailable, "HTTP 400"),
    "401": (loopback.status(401), NotAuthorized, "HTTP 401"),
    "403": (loopback.status(403), NotAuthorized, "HTTP 403"),
    "429": (loopback.status(429, retry_after="1"), IndexUnavailable, "HTTP 429"),
    "silence": (loopback.stall(), TimedOut, "longer than"),
    "nonsense": (loopback.body("{nonsense"), IndexNonsense, "cannot be parsed"),
    "deep nonsense": (loopback.body("[" * 100_000), IndexNonsense, "cannot be parsed|no list"),
    "other JSON": (loopback.body('{"message": "ok"}'), IndexNonsense, "no list of files"),
    "another project": (
        loopback.body('{"meta": {"api-version": "1.0"}, "name": "evil", "files": []}'),
        IndexNonsense,
        "evil",
    ),
    "a later standard": (
        loopback.body('{"meta": {"api-version": "2.0"}, "name": "six", "files": []}'),
        IndexNonsense,
        "2.0",
    ),
    "a login page": (
        loopback.body("<html><form><input name=password></form></html>", "text/html"),
        IndexNonsense,
        "web page",
    ),
    "a picture": (loopback.body(b"\x89PNG", "image/png"), IndexNonsense, "image/png"),
    "HTML that calls itself JSON": (loopback.body("<html></html>"), IndexNonsense, "cannot be parsed"),
    "truncated": (loopback.truncated(), IndexUnavailable, "cut short"),
    "truncated gzip": (loopback.truncated_gzip(), IndexUnavailable, "cut short"),
    "bad gzip": (loopback.bad_gzip(), IndexUnavailable, "gzip"),
    "a circle": (loopback.redirect("/simple/six/"), IndexUnavailable, "redirects"),
    "a reset": (loopback.reset(), IndexUnavailable, "broke"),
}


def patience(expected: type[UndeterminedError]) -> float:
    """Seconds to wait for a server: few only where the wait itself is tested, since the machine may be busy."""
    return 0.5 if expected is TimedOut else 60


@pytest.mark.parametrize("case", FAILURES)
def test_what_an_index_does_wrong_has_one_sentence(case: str) -> None:
    fault, kind, why = FAILURES[case]
    with simple_index({"six": [WHEEL]}) as server:
        server.fault("/simple/six/", fault)
        with pytest.raises(kind, match=why) as caught:
            page_of(server.index, transport_options=TransportOptions(timeout=patience(kind), retries=1))
        assert f"{server.index}six/" in str(caught.value)


def test_an_index_that_is_not_there() -> None:
    with pytest.raises(IndexUnavailable, match="refused"):
        page_of(f"http://127.0.0.1:{loopback.free_port()}/simple/")


def test_an_oversized_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.Transport.get, "__kwdefaults__", {"headers": None, "limit": 10_000, "wanted": None})
    with simple_index() as server:
        server.fault("/simple/six/", loopback.endless())
        with pytest.raises(IndexNonsense, match="beyond"):
            page_of(server.index)


def test_html_to_a_json_request_is_read_as_html() -> None:
    with simple_index({"six": [WHEEL]}, form="html") as server:
        assert filenames(page_of(server.index)) == [WHEEL.filename]


def test_a_redirected_page_has_its_links_where_it_ended() -> None:
    with simple_index({"six": [WHEEL]}) as server:
        server.fault("/old/six/", loopback.redirect(f"{server.index}six/"))
        page = page_of(f"{server.url}/old/")
        assert page is not None
        assert page.files[0].url == f"{server.url}/files/{WHEEL.filename}"


def test_asking_twice_asks_the_server_once() -> None:
    with simple_index({"six": [WHEEL]}) as server, index(server.index) as it:
        it.start_page(SIX)
        assert it.page(SIX) is it.page(SIX)
        assert it.counters.requests == len(server.requests) == 1
        assert it.counters.bytes > 0


def test_a_failure_is_the_same_each_time() -> None:
    with simple_index() as server, index(server.index) as it:
        server.fault("/simple/six/", loopback.status(401))
        for _ in range(3):
            with pytest.raises(NotAuthorized):
                it.page(SIX)
        assert len(server.requests) == 1


def test_a_server_that_no_time_out_reaches_is_given_up() -> None:
    with simple_index() as server:
        server.fault("/simple/six/", loopback.drip(b"HTTP/1.1 200 OK\r\nX: "))
        with pytest.raises(TimedOut):
            page_of(server.index, transport_options=TransportOptions(timeout=0.1, retries=0))


# -- fetching ahead


def test_what_follows_a_page_runs_once_it_is_merged() -> None:
    arrived: list[tuple[list[str], str]] = []
    done = threading.Event()

    def then(page: ProjectPage) -> None:
        arrived.append((filenames(page), threading.current_thread().name))
        done.set()

    with simple_index({"six": [WHEEL]}) as first, simple_index({"six": [OLDER]}) as second:
        first.latency = 0.1
        with index(first.index, second.index) as it:
            it.start_page(SIX, then)
            assert done.wait(5)
            it.page(SIX)
            it.start_page(SIX, then)
            with suppress(UndeterminedError):
                it.page(canonicalize_name("must-be-waited-for"))
    assert [names for names, _ in arrived] == [[WHEEL.filename, OLDER.filename]] * 2
    assert threading.current_thread().name not in {thread for _, thread in arrived[:1]}


@pytest.mark.parametrize(
    ("vary", "asked_again"), [("Accept, Accept-Encoding", False), ("Cookie", False), ("*", True), ("User-Agent", False)]
)
def test_an_answer_that_varies_is_used_for_the_same_request_only(tmp_path: Path, vary: str, asked_again: bool) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        server.resources["/simple/six/"].headers = {"vary": vary}
        for _ in range(2):
            with Index([SimpleIndex(server.index)], cache=Cache(tmp_path)) as it:
                assert it.page(SIX) is not None
        assert server.paths.count("/simple/six/") == 1 + asked_again


def test_what_follows_may_fetch_on_and_its_errors_reach_nobody() -> None:
    with simple_index({"six": [WHEEL], "numpy": [make_wheel("numpy")]}) as server, index(server.index) as it:

        def then(page: ProjectPage) -> None:
            it.start_metadata(page.files[0])
            it.start_page(canonicalize_name("numpy"))
            raise RuntimeError("nobody hears this")

        it.start_page(SIX, then)
        page = it.page(SIX)
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)
        assert it.page(canonicalize_name("numpy")) is not None
        assert len(server.requests) == 3


def test_nothing_follows_what_is_missing_or_failed() -> None:
    with simple_index({"six": [WHEEL]}) as server, index(server.index) as it:
        server.fault("/simple/failing/", loopback.status(401))
        called: list[object] = []
        for name in ("missing", "failing"):
            it.start_page(canonicalize_name(name), called.append)
        assert it.page(canonicalize_name("missing")) is None
        with pytest.raises(NotAuthorized):
            it.page(canonicalize_name("failing"))
        assert called == []


def test_what_is_asked_for_goes_before_what_is_fetched_ahead() -> None:
    projects = {f"project-{n}": [WHEEL] for n in range(30)}
    with simple_index(projects | {"six": [WHEEL]}, latency=0.02) as server, index(server.index, workers=1) as it:
        for name in projects:
            it.start_page(canonicalize_name(name))
        it.start_page(SIX)
        it.page(SIX)
        assert server.paths.index("/simple/six/") <= 3


def answers(server: Server, workers: int, ahead: bool) -> dict[str, object]:
    """Everything that an index says of some projects, sound and broken."""
    found: dict[str, object] = {}
    names = [canonicalize_name(f"p{n}") for n in range(24)]
    with index(server.index, workers=workers, transport_options=TransportOptions(timeout=60, retries=2)) as it:

        def ask(about: str, question: Any) -> Any:
            try:
                answer = question()
            except UndeterminedError as error:
                answer = error.to_dict()
            found[about] = everything_on(answer) if isinstance(answer, ProjectPage) else answer
            return answer

        if ahead:
            for name in names:
                it.start_page(name, lambda page: [it.start_metadata(file) for file in page.files] and None)
        for name in names:
            page = ask(name, lambda name=name: it.page(name))
            for file in page.files if isinstance(page, ProjectPage) else ():
                ask(file.filename, lambda file=file: it.metadata(file))
    return found


def test_one_worker_tells_what_sixteen_tell() -> None:
    dists = {f"p{n}": [make_wheel(f"p{n}", requires=["six"]), wheels.not_utf8(f"p{n}", "2.0")] for n in range(20)}
    with simple_index(dists) as server:
        server.fault("/simple/p3/", loopback.status(401))
        server.fault("/simple/p4/", loopback.body("{"))
        server.fault("/simple/p5/", loopback.status(503), times=1)
        server.fault("/files/p6-1.0-py3-none-any.whl.metadata", loopback.body(b"Name: evil\n"))
        server.fault("/files/p7-1.0-py3-none-any.whl*", loopback.status(404))
        expected = answers(server, workers=1, ahead=False)
        kinds = {type(answer).__name__ for answer in expected.values()}
        assert kinds == {"tuple", "NoneType", "dict", "Metadata", "BadMetadata", "HashMismatch"}
        for workers, ahead in ((1, True), (16, True), (16, False)):
            server.mend()
            server.fault("/simple/p3/", loopback.status(401))
            server.fault("/simple/p4/", loopback.body("{"))
            server.fault("/files/p6-1.0-py3-none-any.whl.metadata", loopback.body(b"Name: evil\n"))
            server.fault("/files/p7-1.0-py3-none-any.whl*", loopback.status(404))
            assert answers(server, workers, ahead) == expected


# -- metadata


WAYS = list(
    product((True, "true", "listed", False), ("all", "no-suffix", "suffix-416", "suffix-501", "none"), (True, False))
)


@pytest.mark.parametrize(("beside", "ranges", "sizes"), WAYS)
def test_the_metadata_of_a_wheel_is_found_whatever_a_server_can(beside: bool | str, ranges: str, sizes: bool) -> None:
    for length in (True, False):
        how = {"metadata": beside, "ranges": ranges, "sizes": sizes, "length": length}
        with simple_index({"six": [WHEEL]}, **how) as server:
            found = told_of(server, "six")
            assert isinstance(found, Metadata)
            assert (found.name, found.version, found.requires_python) == ("six", "1.16.0", ">=3.8")
            assert [str(requirement) for requirement in found.requires_dist] == ['numpy>=1; extra == "fast"']
            assert found.extras == {"fast"}


WHEEL_TEXT = wheels.wheel_text("py3-none-any").encode()


def large(where: str) -> Dist:
    """A wheel of 3 MB whose metadata stands first, last, or far from both ends."""
    filler = {f"six/{n}.bin": hashlib.sha256(str(n).encode()).digest() * 8000 for n in range(12)}
    text = {"six-1.16.0.dist-info/METADATA": WHEEL.metadata or b"", "six-1.16.0.dist-info/WHEEL": WHEEL_TEXT}
    ends = list(filler.items())
    members = {"first": text | filler, "last": filler | text, "between": dict(ends[:6]) | text | dict(ends[6:])}
    return replace(WHEEL, content=wheels.zipped(members[where], method=0))


@pytest.mark.parametrize("where", ["first", "last", "between"])
@pytest.mark.parametrize("sizes", [True, False])
def test_a_large_wheel_is_read_in_parts(where: str, sizes: bool) -> None:
    with simple_index({"six": [large(where)]}, metadata=False, sizes=sizes) as server, index(server.index) as it:
        page = it.page(SIX)
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)
        assert it.counters.bytes < 300_000
        assert len(server.requests) <= 3


@pytest.mark.parametrize("sizes", [True, False])
def test_a_wheel_of_many_files_is_read_in_two_parts(sizes: bool) -> None:
    """Its central directory alone is longer than the end that is read first."""
    members = {f"six/{n:04}.bin": hashlib.sha256(str(n).encode()).digest() * 20 for n in range(2500)}
    members |= {"six-1.16.0.dist-info/METADATA": WHEEL.metadata or b"", "six-1.16.0.dist-info/WHEEL": WHEEL_TEXT}
    dist = replace(WHEEL, content=wheels.zipped(members, method=0))
    with simple_index({"six": [dist]}, metadata=False, sizes=sizes) as server, index(server.index) as it:
        page = it.page(SIX)
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)
        assert len(server.requests) == 3
        assert it.counters.bytes < 300_000 < len(dist.content)


def test_a_server_without_ranges_is_asked_for_the_whole_and_remembered(tmp_path: Path) -> None:
    others = [large("last").named(f"six-1.16.0-{n}-py3-none-any.whl") for n in range(3)]
    with simple_index({"six": others}, metadata=False, sizes=False, hashes=False, ranges="none") as server:
        with index(server.index) as it:
            page = it.page(SIX)
            assert page is not None
            assert all(isinstance(it.metadata(file), Metadata) for file in page.files)
        wanted = [request.headers.get("range") for request in server.requests[1:]]
        assert [asked for asked in wanted[-2:] if asked] == []
        assert len(wanted) == 5


BAD = {
    "no metadata": (wheels.without_metadata(), "no METADATA"),
    "two": (wheels.with_two_metadata(), "2 METADATA"),
    "not UTF-8": (wheels.not_utf8(), "UTF-8"),
    "50 MB": (wheels.enormous(), "52428800 bytes"),
    "lies about its size": (wheels.lying_about_size(), "size that it declares"),
    "damaged": (wheels.damaged(make_wheel("broken")), "damaged"),
    "another name": (make_wheel("broken", metadata="Name: other\nVersion: 1.0\n"), "other 1.0"),
    "another version": (make_wheel("broken", metadata="Name: broken\nVersion: 2.0\n"), "broken 2.0"),
    "no version": (make_wheel("broken", metadata="Name: broken\n"), "no version"),
    "a bad requirement": (
        make_wheel("broken", metadata="Name: broken\nVersion: 1.0\nRequires-Dist: six (>1\n"),
        "requirement that cannot be parsed",
    ),
    "no archive": (make_wheel("broken").holding(b"<html>" * 100), "not a ZIP archive"),
    "nothing": (make_wheel("broken").holding(b""), "too short"),
}


WELL_BESIDE = ("damaged", "no archive", "nothing")


@pytest.mark.parametrize(
    ("case", "beside"),
    [(case, beside) for case in BAD for beside in (True, False) if not beside or case not in WELL_BESIDE],
)
def test_a_wheel_whose_metadata_is_no_use_is_refused_for_good(case: str, beside: bool) -> None:
    dist, why = BAD[case]
    with simple_index({"broken": [dist]}, metadata=beside) as server:
        found = told_of(server)
        assert isinstance(found, BadMetadata)
        assert why in found.why


def test_a_broken_wheel_in_a_directory_is_refused_as_well(tmp_path: Path) -> None:
    for dist, why in BAD.values():
        (tmp_path / dist.filename).write_bytes(dist.content)
        with index(FindLinks(str(tmp_path))) as it:
            page = it.page(BROKEN)
            assert page is not None
            found = it.metadata(page.files[0])
        assert isinstance(found, BadMetadata)
        assert why in found.why


SPELLINGS = [
    ("Some.Name", "1.0", "some_name-1.0"),
    ("some-name", "1.0.0", "some_name-1.0"),
    ("a", "1+Local", "a-1+local"),
]


@pytest.mark.parametrize(("name", "version", "stem"), SPELLINGS)
def test_another_spelling_of_name_and_version_is_the_same(name: str, version: str, stem: str) -> None:
    dist = make_wheel("x", metadata=f"Name: {name}\nVersion: {version}\n").named(f"{stem}-py3-none-any.whl")
    with simple_index({name: [dist]}) as server:
        assert isinstance(told_of(server, name), Metadata)


BESIDE = {
    "missing": loopback.status(404),
    "forbidden": loopback.status(403),
    "failing": loopback.status(500),
    "not UTF-8": loopback.body(b"Name: six\nAuthor: J\xf6rg\nVersion: 1.16.0\n", "text/plain"),
    "another project": loopback.body(b"Name: other\nVersion: 1.16.0\n", "text/plain"),
    "a web page": loopback.body(b"<html>not found</html>", "text/html"),
    "endless": loopback.endless("text/plain"),
}


@pytest.mark.parametrize("case", BESIDE)
def test_metadata_of_the_wrong_form_beside_a_wheel_is_read_from_the_wheel(case: str) -> None:
    with simple_index({"six": [WHEEL]}, metadata="true") as server:
        server.fault(f"/files/{WHEEL.filename}.metadata", BESIDE[case])
        found = told_of(server, "six")
        assert isinstance(found, Metadata)
        assert len(found.requires_dist) == 1


@pytest.mark.parametrize("ranges", ["all", "none"])
def test_metadata_with_a_wrong_hash_refuses_the_file(ranges: str) -> None:
    with simple_index({"six": [WHEEL]}, ranges=ranges) as server:
        server.fault(f"/files/{WHEEL.filename}.metadata", loopback.body(b"Name: six\nVersion: 1.16.0\n", "text/plain"))
        found = told_of(server, "six")
        assert isinstance(found, HashMismatch)
        assert found.expected == (f"sha256:{hashlib.sha256(WHEEL.metadata or b'').hexdigest()}",)


def test_a_whole_wheel_with_a_wrong_hash_is_refused() -> None:
    with simple_index({"six": [WHEEL]}, metadata=False, ranges="none", length=False) as server:
        other = make_wheel("six", "1.16.0", requires=["evil"])
        server.resources[f"/files/{WHEEL.filename}"].body = other.content
        found = told_of(server, "six")
        assert found == HashMismatch(
            expected=(f"sha256:{WHEEL.sha256}",), actual=f"sha256:{other.sha256}", received=True
        )


UNREACHABLE = {
    "gone": (loopback.status(404), Unreadable, "HTTP 404"),
    "down": (loopback.status(503), IndexUnavailable, "HTTP 503"),
    "refused": (loopback.status(401), NotAuthorized, "HTTP 401"),
    "silent": (loopback.stall(), TimedOut, "longer"),
    "other bytes than it says": (
        loopback.status(206, b"x" * 10, content_range="bytes 0-99/100"),
        Unreadable,
        "other bytes",
    ),
    "another part": (
        loopback.status(206, b"x" * 100, content_range="bytes 100-199/99999999"),
        Unreadable,
        "a part of it where the whole was requested",
    ),
    "more than was asked": (
        loopback.status(206, b"x" * 2**21, content_range=f"bytes 0-{2**21 - 1}/{2**21}"),
        Unreadable,
        "beyond",
    ),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_wheel_out_of_reach_is_neither_good_nor_bad(case: str) -> None:
    fault, kind, why = UNREACHABLE[case]
    with simple_index({"six": [WHEEL]}, metadata=False) as server:
        server.fault(f"/files/{WHEEL.filename}", fault)
        with pytest.raises(kind, match=why) as caught:
            told_of(server, "six", transport_options=TransportOptions(timeout=patience(kind), retries=0))
        assert WHEEL.filename in str(caught.value)


def test_a_file_that_changes_while_it_is_read_is_not_believed() -> None:
    with simple_index({"six": [large("first")]}, metadata=False) as server:
        path = f"/files/{WHEEL.filename}"
        server.fault(path, loopback.honest, times=1)
        server.fault(path, loopback.status(206, b"x" * 50_000, content_range="bytes 0-49999/50000"))
        with pytest.raises(Unreadable, match="changed"):
            told_of(server, "six")


def test_metadata_belongs_to_a_file_and_not_to_a_version() -> None:
    stub = make_wheel("six", "1.0", "py3-none-macosx_11_0_arm64", requires=["six-macos"])
    full = make_wheel("six", "1.0", "py3-none-any", requires=["numpy"])
    with simple_index({"six": [stub, full]}) as server, index(server.index) as it:
        page = it.page(SIX)
        assert page is not None
        told = [it.metadata(file) for file in page.files]
        assert [str(one.requires_dist[0]) for one in told if isinstance(one, Metadata)] == ["six-macos", "numpy"]


def test_a_redirected_file_is_read_where_it_is() -> None:
    with simple_index({"six": [large("first")]}, metadata=False) as server, serve() as store:
        store.add("/bucket/x", large("first").content)
        server.fault(f"/files/{WHEEL.filename}", loopback.redirect(f"{store.url}/bucket/x?sig=1"))
        assert isinstance(told_of(server, "six"), Metadata)
        assert len(server.requests) == 2
        assert set(store.paths) == {"/bucket/x?sig=1"}


def test_the_place_beside_a_file_keeps_its_query() -> None:
    with serve() as server:
        core = {"sha256": hashlib.sha256(WHEEL.metadata or b"").hexdigest()}
        url = f"{server.url}/{WHEEL.filename}?key=1#x"
        file = {"filename": WHEEL.filename, "url": url, "hashes": {}, "core-metadata": core}
        body = json.dumps({"meta": {"api-version": "1.0"}, "name": "six", "files": [file]})
        server.add("/simple/six/", body, loopback.JSON)
        server.add(f"/{WHEEL.filename}.metadata", WHEEL.metadata or b"")
        assert isinstance(told_of(server, "six"), Metadata)
        assert server.paths[-1] == f"/{WHEEL.filename}.metadata?key=1"


@pytest.mark.parametrize("url", ["file:///etc/", "ftp://index.test/", "javascript:alert(1)/"])
def test_a_page_cannot_point_anywhere(url: str) -> None:
    with serve() as server:
        file = {"filename": WHEEL.filename, "url": f"{url}{WHEEL.filename}", "hashes": {}, "core-metadata": True}
        body = json.dumps({"meta": {"api-version": "1.0"}, "name": "six", "files": [file]})
        server.add("/simple/six/", body, loopback.JSON)
        with pytest.raises(UndeterminedError):
            told_of(server, "six")


@pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
@pytest.mark.parametrize("file_scheme", ["file", "FILE"])
def test_a_page_of_a_server_cannot_point_at_a_file_of_this_machine(
    tmp_path: Path, scheme: str, file_scheme: str
) -> None:
    path = folder_with(tmp_path, WHEEL) / WHEEL.filename
    with serve() as server:
        url = path.as_uri().replace("file", file_scheme, 1)
        server.add("/simple/six/", f'<a href="{url}">six</a>', "text/html")
        with index(server.index.replace("http", scheme, 1), local_hashes=["sha256"]) as it:
            page = it.page(SIX)
            assert page is not None
            assert page.files[0].hashes == {}
            with pytest.raises(Unreadable, match="points at a local file"):
                it.metadata(page.files[0])
            with pytest.raises(NotDownloaded, match="points at a local file"):
                it.download(page.files[0], tmp_path / "got.whl")
            own = direct_file(path.as_uri(), SIX)
            assert not isinstance(own, UnreadableFile)
            assert isinstance(it.metadata(own), Metadata)
    assert not (tmp_path / "got.whl").exists()


# -- local sources


def folder_with(path: Path, *dists: Dist) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for dist in dists:
        (path / dist.filename).write_bytes(dist.content)
    return path


def simple_folder(path: Path, form: str, *dists: Dist) -> Path:
    """A static simple index with relative links, as a snapshot has it."""
    folder_with(path / "files", *dists)
    entries = [loopback.entry(dist) for dist in dists]
    (path / "simple" / "six").mkdir(parents=True)
    page = (loopback.page_json if form == "json" else loopback.page_html)("six", entries)
    (path / "simple" / "six" / f"index.{form}").write_bytes(page)
    for dist in dists:
        (path / "files" / f"{dist.filename}.metadata").write_bytes(dist.metadata or b"")
    return path / "simple"


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("as_url", [True, False])
def test_a_directory_can_be_an_index(tmp_path: Path, form: str, as_url: bool) -> None:
    base = simple_folder(tmp_path / "with space", form, WHEEL)
    source = base.as_uri() if as_url else str(base)
    with index(source) as it:
        page = it.page(SIX)
        assert filenames(page) == [WHEEL.filename]
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)
        assert it.page(canonicalize_name("other")) is None
        assert it.counters == (0, 0, 0)
        assert it.sources == (source,)


def test_json_is_read_before_html(tmp_path: Path) -> None:
    base = simple_folder(tmp_path, "json", WHEEL)
    (base / "six" / "index.html").write_text("<a href='six-9.tar.gz'>six-9.tar.gz</a>")
    assert filenames(page_of(str(base))) == [WHEEL.filename]


def test_a_local_index_without_the_folder_of_a_project_does_not_have_it(tmp_path: Path) -> None:
    assert page_of(str(tmp_path)) is None
    (tmp_path / "six").mkdir()
    assert page_of(str(tmp_path)) is None
    assert page_of(tmp_path.as_uri()) is None


@pytest.mark.parametrize("as_url", [True, False])
@pytest.mark.parametrize("kind", [SimpleIndex, FindLinks])
def test_a_local_source_that_is_not_there_tells_nothing(tmp_path: Path, kind: type[Any], as_url: bool) -> None:
    folder_with(tmp_path / "wheels", WHEEL)
    typo = tmp_path / "wheeels"
    source = typo.as_uri() if as_url else str(typo)
    with pytest.raises(IndexUnavailable, match="there is no such") as caught:
        page_of(kind(source), FindLinks(str(tmp_path / "wheels")))
    assert caught.value.url == source


def test_local_metadata_is_checked_against_its_hash(tmp_path: Path) -> None:
    base = simple_folder(tmp_path, "json", WHEEL)
    (tmp_path / "files" / f"{WHEEL.filename}.metadata").write_bytes(b"Name: six\nVersion: 1.16.0\n")
    with index(str(base)) as it:
        page = it.page(SIX)
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), HashMismatch)


def test_a_local_file_that_is_listed_and_not_there(tmp_path: Path) -> None:
    base = simple_folder(tmp_path, "json", WHEEL)
    for path in (tmp_path / "files").iterdir():
        path.unlink()
    with index(str(base)) as it:
        page = it.page(SIX)
        assert page is not None
        with pytest.raises(Unreadable, match=r"six-1\.16\.0"):
            it.metadata(page.files[0])


# -- hashes of local files

OTHER = make_wheel("six", "1.16.0", requires=["evil"])
"""Another file under the name of `WHEEL`."""


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_local_file_is_checked_against_its_hashes(tmp_path: Path, algorithm: str, beside: bool) -> None:
    stated, found = (hashlib.new(algorithm, dist.content).hexdigest() for dist in (WHEEL, OTHER))
    link = f'<a href="{WHEEL.filename}#{algorithm}={stated}" data-core-metadata="{str(beside).lower()}">six</a>'
    (tmp_path / "six").mkdir()
    (tmp_path / "six" / "index.html").write_text(link)
    path = tmp_path / "six" / WHEEL.filename
    path.with_name(f"{WHEEL.filename}.metadata").write_bytes(WHEEL.metadata or b"")
    for content, expected in ((OTHER.content, HashMismatch), (WHEEL.content, Metadata)):
        path.write_bytes(content)
        with index(str(tmp_path)) as it:
            page = it.page(SIX)
            assert page is not None
            told = it.metadata(page.files[0])
            assert isinstance(told, expected)
            if isinstance(told, HashMismatch):
                assert told == HashMismatch(
                    expected=(f"{algorithm}:{stated}",), actual=f"{algorithm}:{found}", received=True
                )


def test_a_wheel_that_the_user_names_is_checked_against_the_hash_in_its_url(tmp_path: Path) -> None:
    url = (folder_with(tmp_path, WHEEL) / WHEEL.filename).as_uri()
    with index(FindLinks(str(tmp_path))) as it:
        listed = it.page(SIX)
        assert listed is not None
        wrong = direct_file(f"{url}#sha256={'0' * 64}", SIX)
        right = direct_file(f"{url}#sha256={WHEEL.sha256}", SIX)
        assert not isinstance(wrong, UnreadableFile)
        assert not isinstance(right, UnreadableFile)
        assert isinstance(it.metadata(wrong), HashMismatch)
        assert isinstance(it.metadata(right), Metadata)
        assert isinstance(it.metadata(listed.files[0]), Metadata)


def test_a_copy_of_an_index_without_its_files_still_tells_their_metadata(tmp_path: Path) -> None:
    base = simple_folder(tmp_path, "json", WHEEL)
    (tmp_path / "files" / WHEEL.filename).unlink()
    with index(str(base)) as it:
        page = it.page(SIX)
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)


def listing(folder: Path, kind: str) -> Source:
    """A source that lists `WHEEL`, an sdist and a name that cannot be read, without hashes."""
    folder_with(folder / "six", WHEEL, make_sdist("six", "1.16.0"), replace(WHEEL, filename="six-1.0-nonsense.whl"))
    (folder / "six" / "index.html").write_text("".join(f'<a href="{path.name}">x</a>' for path in folder.glob("*/*.*")))
    return {
        "directory": FindLinks(str(folder / "six")),
        "page": FindLinks((folder / "six" / "index.html").as_uri()),
        "index": SimpleIndex(folder.as_uri()),
    }[kind]


@pytest.mark.parametrize("kind", ["directory", "page", "index"])
def test_local_files_bear_the_digests_that_are_wanted(tmp_path: Path, kind: str) -> None:
    source = listing(tmp_path, kind)
    with index(source, local_hashes=["sha256", "sha512"]) as it:
        page = it.page(SIX)
        assert page is not None
        assert [file.filename for file in page.unreadable] == ["six-1.0-nonsense.whl"]
        wheel, _ = sorted(page.files, key=lambda file: not isinstance(file, Wheel))
        assert wheel.hashes == {"sha256": WHEEL.sha256, "sha512": hashlib.sha512(WHEEL.content).hexdigest()}
        assert isinstance(it.metadata(wheel), Metadata)
    page = page_of(source)
    assert page is not None
    assert {len(file.hashes) for file in page.files} == {0}


def test_a_digest_is_computed_only_when_it_is_looked_at(tmp_path: Path) -> None:
    source = listing(tmp_path, "directory")
    with index(source, local_hashes=["sha256"]) as it:
        page = it.page(SIX)
        assert page is not None
        for path in (tmp_path / "six").iterdir():
            path.unlink()
        assert list(page.files[0].hashes) == ["sha256"]
        it.start_metadata(page.files[0])
        with pytest.raises(Unreadable, match=r"six-1\.16\.0"):
            page.files[0].hashes["sha256"]


WHEELHOUSE = (
    WHEEL,
    make_sdist("six", "1.14.0"),
    make_wheel("six-extra", "2.0"),
    make_sdist("six-extra", "2.0"),
    make_wheel("numpy", "2.0"),
    replace(WHEEL, filename="six-1.0-nonsense.whl"),
    replace(WHEEL, filename="README.txt"),
)


def links_page(base: str) -> str:
    return "".join(f'<a href="{base}{dist.filename}">{dist.filename}</a>' for dist in WHEELHOUSE)


@pytest.mark.parametrize("kind", ["directory", "directory url", "file", "server"])
def test_find_links_gives_the_files_of_the_project_that_is_asked_for(tmp_path: Path, kind: str) -> None:
    folder = folder_with(tmp_path, *WHEELHOUSE)
    (folder / "links.html").write_text(links_page(""))
    with serve() as server:
        server.add("/links", links_page("files/"), "text/html")
        for dist in WHEELHOUSE:
            server.add(f"/files/{dist.filename}", dist.content)
        location = {
            "directory": str(folder),
            "directory url": folder.as_uri(),
            "file": str(folder / "links.html"),
            "server": f"{server.url}/links",
        }[kind]
        with index(FindLinks(location)) as it:
            page = it.page(SIX)
            assert page is not None
            assert sorted(filenames(page)) == sorted([WHEEL.filename, "six-1.14.0.tar.gz"])
            assert [file.filename for file in page.unreadable] == ["six-1.0-nonsense.whl"]
            assert {type(file) for file in page.files} == {Wheel, Sdist}
            assert len(filenames(it.page(canonicalize_name("six_extra")))) == 2
            assert it.page(canonicalize_name("absent")) is None
            wheel = next(file for file in page.files if isinstance(file, Wheel))
            assert isinstance(it.metadata(wheel), Metadata)
            assert server.paths.count("/links") == (kind == "server")


def test_find_links_and_an_index_are_merged(tmp_path: Path) -> None:
    folder_with(tmp_path, OLDER)
    with simple_index({"six": [WHEEL]}) as server:
        assert filenames(page_of(FindLinks(str(tmp_path)), server.index)) == [WHEEL.filename, OLDER.filename]


def test_find_links_on_a_server_that_fails() -> None:
    with serve() as server:
        server.fault("/links", loopback.status(500))
        with pytest.raises(IndexUnavailable):
            page_of(FindLinks(f"{server.url}/links"))


@pytest.mark.parametrize(
    "url", ["ftp://index.test/simple", "git+https://a.test/x", "http://a.test:port/simple/", "file://[x", "http://[x/"]
)
def test_what_is_no_index_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError), index(url):
        pass


# -- credentials


def test_credentials_of_an_index_reach_its_pages_and_files_and_nobody_else() -> None:
    with simple_index({"six": [WHEEL]}, auth=("me", "secret-word"), metadata=False) as server, serve() as elsewhere:
        elsewhere.add(f"/files/{WHEEL.filename}", WHEEL.content)
        server.fault(f"/files/{WHEEL.filename}", loopback.redirect(f"{elsewhere.url}/files/{WHEEL.filename}"))
        with index(server.with_credentials("me", "secret-word")) as it:
            page = it.page(SIX)
            assert page is not None
            assert isinstance(it.metadata(page.files[0]), Metadata)
            assert "secret-word" not in repr(page) + repr(it.sources)
        assert all(r.headers["authorization"] == loopback.basic("me", "secret-word") for r in server.requests)
        assert not any("authorization" in request.headers for request in elsewhere.requests)


def test_two_indexes_on_one_host_have_their_own_credentials(tmp_path: Path) -> None:
    """Each path is sent what its index was given, also for files that lie in one place for both."""
    numpy, attrs = make_wheel("numpy", "2.0"), make_wheel("attrs", "2.0")
    with serve() as server:
        server.add_project("six", [WHEEL], base="/one/simple")
        server.add_project("numpy", [numpy], base="/two/simple")
        server.add_project("attrs", [attrs], base="/two/simple", metadata=False)
        for resource in server.resources.values():
            resource.json = resource.json and resource.json.replace(b"../../files/", b"/files/")
        one = server.with_credentials("me", "first", "/one/simple/")
        two = server.with_credentials("me", "second", "/two/simple/")
        with index(one, two) as it:
            for name, dist in (("six", WHEEL), ("numpy", numpy), ("attrs", attrs)):
                page = it.page(canonicalize_name(name))
                assert page is not None
                assert isinstance(it.metadata(page.files[0]), Metadata)
                it.download(page.files[0], tmp_path / dist.filename)
        for request in server.requests:
            first = request.path.startswith("/one/") or WHEEL.filename in request.path
            expected = loopback.basic("me", "first" if first else "second")
            assert request.headers["authorization"] == expected, request.path
        assert sum("/files/" in path for path in server.paths) >= 6


def test_wrong_credentials_are_not_shown() -> None:
    with simple_index({"six": [WHEEL]}, auth=("me", "right")) as server:
        with pytest.raises(NotAuthorized) as caught:
            page_of(server.with_credentials("me", "wrong-word"))
        assert "wrong-word" not in str(caught.value) + repr(caught.value)


def test_the_cache_holds_no_credentials(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}, auth=("me", "secret-word")) as server:
        with index(server.with_credentials("me", "secret-word"), directory=tmp_path) as it:
            page = it.page(SIX)
            assert page is not None
            it.metadata(page.files[0])
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "salt"]
        assert len(kept) == 2
        assert not any(b"secret-word" in path.read_bytes() or "secret" in str(path) for path in kept)
        with pytest.raises(NotAuthorized):
            page_of(server.index, directory=tmp_path)


# -- the cache


def test_the_cache_holds_no_token_of_a_redirect(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        server.fault("/old/six/", loopback.redirect(f"{server.index}six/?signature=secret-word"))
        for _ in range(2):
            page = page_of(f"{server.url}/old/", directory=tmp_path)
            assert page is not None
            assert page.files[0].url == f"{server.url}/files/{WHEEL.filename}"
        assert len(server.requests) == 2
    assert not any(b"secret-word" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def run(server: Server, directory: Path | None, **how: Any) -> tuple[ProjectPage, object, Counters]:
    with index(server.index, directory=directory, **how) as it:
        page = it.page(SIX)
        assert it.page(canonicalize_name("absent")) is None
        assert page is not None
        return page, it.metadata(page.files[0]), it.counters


def content(found: tuple[ProjectPage, object, Counters]) -> tuple[object, ...]:
    return (*everything_on(found[0]), found[1])


@pytest.mark.parametrize("how", [{}, {"metadata": False}, {"hashes": False, "form": "html"}])
def test_a_second_run_asks_nothing(tmp_path: Path, how: dict[str, Any]) -> None:
    with simple_index({"six": [WHEEL]}, **how) as server:
        first = run(server, tmp_path)
        server.forget()
        second = run(server, tmp_path)
        assert content(second) == content(first)
        assert server.requests == []
        assert second[2] == (0, 0, 3)


def test_a_second_run_does_not_even_import_the_client(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from wheelcheck.index.cache.store import Cache
        from wheelcheck.index.index import Index, SimpleIndex
        from wheelcheck.index.http.client import TransportOptions
        with Index([SimpleIndex(sys.argv[1])], cache=Cache(Path(sys.argv[2]))) as index:
            page = index.page("six")
            print(index.metadata(page.files[0]).version, "httpx" in sys.modules)
        """
    )
    with simple_index({"six": [WHEEL]}) as server:
        said = [
            subprocess.run(
                [sys.executable, "-c", script, server.index, str(tmp_path)], capture_output=True, text=True, check=True
            ).stdout
            for _ in range(2)
        ]
    assert said == ["1.16.0 True\n", "1.16.0 False\n"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set by a test."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_a_page_without_headers_is_fresh_for_ten_minutes(tmp_path: Path, clock: list[float]) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        requests = []
        for after in (0, 599, 2, 598):
            clock[0] += after
            requests.append(run(server, tmp_path)[2].requests)
        assert requests == [3, 0, 2, 0]


def test_a_stale_page_is_confirmed_by_its_tag(tmp_path: Path, clock: list[float]) -> None:
    headers = {"etag": '"v1"', "cache-control": "max-age=60"}
    with simple_index({"six": [WHEEL]}, headers=headers) as server:
        assert filenames(page_of(server.index, directory=tmp_path)) == [WHEEL.filename]
        clock[0] += 61
        server.forget()
        assert filenames(page_of(server.index, directory=tmp_path)) == [WHEEL.filename]
        assert server.requests[0].headers["if-none-match"] == '"v1"'
        clock[0] += 59
        assert filenames(page_of(server.index, directory=tmp_path)) == [WHEEL.filename]
        assert len(server.requests) == 1
        clock[0] += 2
        server.add_project("six", [OLDER], headers={"etag": '"v2"'})
        assert filenames(page_of(server.index, directory=tmp_path)) == [OLDER.filename]


def test_a_page_that_must_not_be_stored_is_not(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}, headers={"cache-control": "no-store"}) as server:
        for _ in range(2):
            page_of(server.index, directory=tmp_path)
        assert len(server.requests) == 2
        assert Cache(tmp_path).size()[0] == 0


def test_refresh_asks_again(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}, headers={"cache-control": "max-age=9999"}) as server:
        page_of(server.index, directory=tmp_path)
        server.add_project("six", [OLDER])
        assert filenames(page_of(server.index, directory=tmp_path)) == [WHEEL.filename]
        assert filenames(page_of(server.index, directory=tmp_path, refresh=True)) == [OLDER.filename]
        assert filenames(page_of(server.index, directory=tmp_path)) == [OLDER.filename]


def test_offline_answers_from_the_cache_however_old_or_says_what_is_missing(tmp_path: Path, clock: list[float]) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        with pytest.raises(NotCached, match="/simple/six/"):
            page_of(server.index, directory=tmp_path, offline=True)
        page = page_of(server.index, directory=tmp_path)
        clock[0] += 10**7
        with index(server.index, directory=tmp_path, offline=True, refresh=True) as it:
            assert filenames(it.page(SIX)) == [WHEEL.filename]
            assert it.oldest == 1_800_000_000.0
            assert page is not None
            with pytest.raises(NotCached, match=r"six-1\.16\.0"):
                it.metadata(page.files[0])
        assert len(server.requests) == 1


def test_nonsense_is_not_kept(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        server.fault("/simple/six/", loopback.body("<form>", "text/html"), times=1)
        with pytest.raises(IndexNonsense):
            page_of(server.index, directory=tmp_path)
        assert filenames(page_of(server.index, directory=tmp_path)) == [WHEEL.filename]


@pytest.mark.parametrize("hashes", [True, False])
def test_a_refusal_is_kept_for_a_time_only(tmp_path: Path, clock: list[float], hashes: bool) -> None:
    """What broke on the way must not be held against a file for good."""
    with simple_index({"broken": [wheels.damaged(make_wheel("broken"))]}, metadata=False, hashes=hashes) as server:
        told = [told_of(server, cache=Cache(tmp_path)) for _ in range(2)]
        assert told[0] == told[1]
        assert isinstance(told[0], BadMetadata)
        assert len(server.requests) == 2
        clock[0] += 601
        server.add_project("broken", [make_wheel("broken")], metadata=False, hashes=hashes)
        assert isinstance(told_of(server, cache=Cache(tmp_path)), Metadata)


def test_metadata_without_a_hash_is_not_kept_for_good(tmp_path: Path, clock: list[float]) -> None:
    with simple_index({"six": [WHEEL]}, hashes=False, metadata=False, form="html") as server:
        run(server, tmp_path)
        clock[0] += 601
        server.forget()
        run(server, tmp_path)
        assert f"/files/{WHEEL.filename}" in server.paths


def test_one_index_cannot_speak_for_the_files_of_another(tmp_path: Path) -> None:
    """The same hash on two indexes: what the first says of its metadata is not believed of the second."""
    with (
        simple_index({"six": [WHEEL]}, metadata="true") as evil,
        simple_index({"six": [WHEEL]}, metadata="true") as good,
    ):
        evil.resources[f"/files/{WHEEL.filename}.metadata"].body = b"Name: six\nVersion: 1.16.0\nRequires-Dist: evil\n"
        told = [run(server, tmp_path)[1] for server in (evil, good)]
        assert [str(one.requires_dist[0]) for one in told if isinstance(one, Metadata)] == [
            "evil",
            'numpy>=1; extra == "fast"',
        ]


def test_a_damaged_entry_is_fetched_again(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}) as server:
        first = run(server, tmp_path)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[:-5] + b"xxxxx")
        assert content(run(server, tmp_path)) == content(first)
        assert len(server.requests) == 6


def test_an_unwritable_cache_is_said_once_and_all_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    with simple_index({"six": [WHEEL]}) as server:
        found = run(server, None, cache=Cache(tmp_path / "file" / "below", said.append))
        assert content(found) == content(run(server, None))
    assert len(said) == 1
    assert str(tmp_path / "file" / "below") in said[0]


def test_the_projects_in_the_cache_are_known(tmp_path: Path) -> None:
    projects = {"six": [WHEEL], "numpy": [make_wheel("numpy")]}
    with simple_index(projects) as server, index(server.index, directory=tmp_path) as it:
        for name in ("six", "numpy", "absent"):
            it.page(canonicalize_name(name))
        assert it.cached_names() == {"six", "numpy"}


# -- downloads


def test_a_file_is_downloaded_and_checked(tmp_path: Path) -> None:
    dist = large("last")
    told: list[int] = []
    with simple_index({"six": [dist]}) as server, index(server.index) as it:
        page = it.page(SIX)
        assert page is not None
        it.download(page.files[0], tmp_path / dist.filename, told.append)
    assert (tmp_path / dist.filename).read_bytes() == dist.content
    assert told[-1] == len(dist.content)
    assert told == sorted(told)
    assert [path.name for path in tmp_path.iterdir()] == [dist.filename]


def test_a_local_file_is_downloaded_and_checked(tmp_path: Path) -> None:
    base = simple_folder(tmp_path / "index", "json", WHEEL)
    with index(str(base)) as it:
        page = it.page(SIX)
        assert page is not None
        it.download(page.files[0], tmp_path / "got.whl")
        assert (tmp_path / "got.whl").read_bytes() == WHEEL.content
        (tmp_path / "index" / "files" / WHEEL.filename).write_bytes(b"other")
        with pytest.raises(FileRefusedError, match=r"^six-1\.16\.0-.*\.whl"):
            it.download(page.files[0], tmp_path / "other.whl")
    assert not (tmp_path / "other.whl").exists()


DOWNLOADS = {
    "endless": (loopback.endless("application/zip"), NotDownloaded, "goes on beyond"),
    "other bytes": (loopback.body(b"evil", "application/zip"), FileRefusedError, r"six-1\.16"),
    "gone": (loopback.status(404), NotDownloaded, "HTTP 404"),
    "cut short": (loopback.truncated(WHEEL.content[:100]), IndexUnavailable, "cut short"),
    "down": (loopback.status(503), IndexUnavailable, "503"),
}


@pytest.mark.parametrize("case", DOWNLOADS)
def test_a_download_that_fails_leaves_nothing(tmp_path: Path, case: str) -> None:
    fault, kind, why = DOWNLOADS[case]
    with simple_index({"six": [WHEEL]}) as server, index(server.index) as it:
        server.fault(f"/files/{WHEEL.filename}", fault)
        page = it.page(SIX)
        assert page is not None
        with pytest.raises(kind, match=why):
            it.download(page.files[0], tmp_path / "got.whl")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_cannot_be_written(tmp_path: Path) -> None:
    with simple_index({"six": [WHEEL]}) as server, index(server.index) as it:
        page = it.page(SIX)
        assert page is not None
        with pytest.raises(NotDownloaded, match="cannot be written"):
            it.download(page.files[0], tmp_path / "nowhere" / "got.whl")


def test_an_interrupt_ends_at_once(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from wheelcheck.index.cache.store import Cache
        from wheelcheck.index.index import Index, SimpleIndex
        from wheelcheck.index.http.client import TransportOptions
        with Index([SimpleIndex(sys.argv[1])], cache=Cache(None), transport_options=TransportOptions(timeout=60)) as it:
            for name in ("a", "b", "c"):
                it.start_page(name)
            try:
                it.page("a")
            except KeyboardInterrupt:
                print("interrupted")
        """
    )
    with simple_index() as server:
        server.fault("/simple/*", loopback.stall())
        command = [sys.executable, "-c", script, server.index]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while len(server.requests) < 3:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            said, complaints = process.communicate(timeout=300)
    assert (said, complaints, process.returncode) == ("interrupted\n", "", 0)


def test_closing_leaves_no_connection_behind() -> None:
    """Requests that are under way when it is closed end by themselves, and the last one closes what is left."""
    with simple_index({f"p{n}": [WHEEL] for n in range(20)}, latency=0.02) as server:
        for step in range(8):
            it = Index([SimpleIndex(server.index)], cache=Cache(None), transport_options=PATIENT)
            for n in range(20):
                it.start_page(canonicalize_name(f"p{n}"))
            time.sleep(step / 300)
            it.close()
            del it
            while any(thread.name == "wheelcheck-index" for thread in threading.enumerate()):
                time.sleep(0.01)
            gc.collect()


def test_closing_ends_at_once_with_requests_under_way() -> None:
    with simple_index(latency=0) as server:
        server.fault("/simple/*", loopback.stall())
        it = Index([SimpleIndex(server.index)], cache=Cache(None), transport_options=TransportOptions(timeout=60))
        for n in range(30):
            it.start_page(canonicalize_name(f"p{n}"))
        it.close()
