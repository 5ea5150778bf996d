"""Source distributions on servers and in directories: what they promise is read, and nothing of them is ever run."""

from __future__ import annotations

import gzip
import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

import loopback
import tars
from loopback import Server, simple_index
from memory import CAN_MEASURE, measured
from sdists import make_source, pkg_info_text, tarred
from wheelcheck.common.errors import IndexUnavailable, NotCached, Unreadable
from wheelcheck.index import sdists
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http.client import TransportOptions
from wheelcheck.index.index import FindLinks, Index, SimpleIndex
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata, HashMismatch
from wheels import zipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelcheck.index.index import Source
    from wheels import Dist

SPAM = canonicalize_name("spam")
PATIENT = TransportOptions(timeout=60, retries=0)
SOURCE = make_source("spam", requires=["eggs<2", "ham; extra == 'x'"], requires_python=">=3.8", extras=["x"])
NOISE = b"".join(hashlib.sha256(bytes([n, m])).digest() for n in range(100) for m in range(250))
"""800 kB that compression makes no smaller."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory in which each test runs, and in which no archive may leave anything."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    assert list(folder.iterdir()) == []


@contextmanager
def index(*sources: Source, directory: Path | None = None, **how: Any) -> Iterator[Index]:
    with Index(sources, cache=Cache(directory), **({"transport_options": PATIENT} | how)) as it:
        yield it


def told_on(it: Index) -> object:
    page = it.page(SPAM)
    assert page is not None
    return it.metadata(page.files[0])


def told_of(server: Server, **how: Any) -> object:
    with index(SimpleIndex(server.index), **how) as it:
        return told_on(it)


def told_in(folder: Path) -> object:
    with index(FindLinks(str(folder))) as it:
        return told_on(it)


def folder_with(folder: Path, *dists: Dist) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for dist in dists:
        (folder / dist.filename).write_bytes(dist.content)
    return folder


# -- what is static is read


@pytest.mark.parametrize("ending", [".tar.gz", ".zip", ".tgz", ".tar"])
@pytest.mark.parametrize("hashes", [True, False])
@pytest.mark.parametrize("beside", [True, "listed", False])
def test_static_metadata_is_read_wherever_it_stands(
    tmp_path: Path, ending: str, hashes: bool, beside: bool | str
) -> None:
    dist = make_source("spam", ending=ending, requires=["eggs<2"], requires_python=">=3.8", extras=["x"])
    dist = replace(dist, metadata=pkg_info_text("spam", "1.0", requires=["eggs<2"], requires_python=">=3.8").encode())
    with simple_index({"spam": [dist]}, hashes=hashes, metadata=beside) as server:
        found = told_of(server)
        asked = [path.rpartition("/")[2] for path in server.paths[1:]]
        sidecar, itself = f"{dist.filename}.metadata", dist.filename
        assert asked == {True: [sidecar], "listed": [sidecar, itself], False: [itself]}[beside]
    for told in (found, told_in(folder_with(tmp_path / "wheelhouse", dist))):
        assert isinstance(told, Metadata)
        assert (told.name, told.version, told.requires_python) == ("spam", "1.0", ">=3.8")
        assert [str(requirement) for requirement in told.requires_dist] == ["eggs<2"]


SPELLINGS = [
    ("Some.Name", "Some.Name-1.0", "Some.Name-1.0.tar.gz"),
    ("some-name", "some_name-1.0", "some-name-1.0.0.tar.gz"),
    ("some_name", "./some_name-1.0", "some_name-1.0.tar.gz"),
    ("some-name", "some-name-1.0.0", "some_name-1.0.zip"),
]


@pytest.mark.parametrize(("name", "folder", "filename"), SPELLINGS)
def test_another_spelling_of_the_folder_is_the_same(tmp_path: Path, name: str, folder: str, filename: str) -> None:
    ending = ".zip" if filename.endswith(".zip") else ".tar.gz"
    dist = make_source(name, folder=folder, ending=ending).named(filename)
    with index(FindLinks(str(folder_with(tmp_path / "wheelhouse", dist)))) as it:
        page = it.page(canonicalize_name(name))
        assert page is not None
        assert isinstance(it.metadata(page.files[0]), Metadata)


ELSEWHERE = {
    "a folder of another name": {"eggs-1.0/PKG-INFO": SOURCE},
    "a folder of another version": {"spam-2.0/PKG-INFO": SOURCE},
    "no folder": {"PKG-INFO": SOURCE},
    "an absolute path": {"/spam-1.0/PKG-INFO": SOURCE},
    "a path that leads out": {"spam-1.0/../PKG-INFO": SOURCE, "../spam-1.0/PKG-INFO": SOURCE},
    "deeper": {"spam-1.0/spam.egg-info/PKG-INFO": SOURCE, "spam-1.0/PKG-INFO/PKG-INFO": SOURCE},
    "a name that only ends so": {"spam-1.0/OLD-PKG-INFO": SOURCE},
}


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_a_pkg_info_anywhere_else_promises_nothing(tmp_path: Path, case: str, ending: str) -> None:
    members = dict.fromkeys(ELSEWHERE[case], pkg_info_text("spam", "1.0"))
    content = zipped(members) if ending == ".zip" else tarred(members)
    dist = make_source("spam", ending=ending).holding(content)
    assert told_in(folder_with(tmp_path / "wheelhouse", dist)) == DynamicMetadata()


DYNAMIC = [
    ({"dynamic": ["Requires-Dist", "License"]}, ("requires-dist",)),
    ({"dynamic": ["requires-python", "provides-extra"]}, ("requires-python", "provides-extra")),
    ({"metadata_version": "2.1"}, ()),
    ({"metadata_version": "1.0", "pkg_info": b"Metadata-Version: 1.0\nName: J\xf6rg"}, ()),
]


@pytest.mark.parametrize(("about", "fields"), DYNAMIC)
def test_what_only_a_build_can_tell_is_said_to_be_so(
    tmp_path: Path, about: dict[str, Any], fields: tuple[str, ...]
) -> None:
    dist = make_source("spam", **about)
    expected = DynamicMetadata(fields=fields)
    assert told_in(folder_with(tmp_path / "wheelhouse", dist)) == expected
    with simple_index({"spam": [dist]}) as server:
        for _ in range(2):  # from the server, then from the cache
            assert told_of(server, directory=tmp_path / "cache") == expected
        assert len(server.requests) == 2


def test_dynamic_metadata_beside_the_file_is_believed() -> None:
    dist = replace(SOURCE, metadata=pkg_info_text("spam", "1.0", dynamic=["Requires-Dist"]).encode())
    with simple_index({"spam": [dist]}) as server:
        assert told_of(server) == DynamicMetadata(fields=("requires-dist",))


# -- what is fetched


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
@pytest.mark.parametrize("sizes", [True, False])
def test_a_wrong_hash_refuses_the_file(ending: str, sizes: bool) -> None:
    stated, found = (make_source("spam", requires=[need], ending=ending) for need in ("eggs", "evil"))
    with simple_index({"spam": [stated]}, sizes=sizes) as server:
        server.resources[f"/files/{stated.filename}"].body = found.content
        told = told_of(server)
        assert told == HashMismatch(
            expected=(f"sha256:{stated.sha256}",), actual=f"sha256:{found.sha256}", received=True
        )


def test_a_wrong_hash_goes_before_what_is_wrong_inside() -> None:
    with simple_index({"spam": [SOURCE]}) as server:
        server.resources[f"/files/{SOURCE.filename}"].body = b"<html>" * 30
        assert isinstance(told_of(server), HashMismatch)


def test_a_wrong_hash_of_a_local_file_refuses_it(tmp_path: Path) -> None:
    folder_with(tmp_path / "files", SOURCE)
    (tmp_path / "simple" / "spam").mkdir(parents=True)
    entry = loopback.entry(make_source("spam", requires=["other"]))
    (tmp_path / "simple" / "spam" / "index.json").write_bytes(loopback.page_json("spam", [entry]))
    with index(SimpleIndex(str(tmp_path / "simple"))) as it:
        assert isinstance(told_on(it), HashMismatch)


EARLY = make_source("spam", folder="spam-1.0").holding(
    tarred({"spam-1.0/PKG-INFO": pkg_info_text("spam", "1.0"), **{f"spam-1.0/{n}": NOISE for n in range(6)}})
)
"""A source distribution of 5 MB whose PKG-INFO stands first."""


def test_without_a_hash_no_more_is_read_than_is_needed() -> None:
    with simple_index({"spam": [EARLY]}, hashes=False) as server, index(SimpleIndex(server.index)) as it:
        assert isinstance(told_on(it), Metadata)
        assert it.counters.bytes < len(EARLY.content) / 2


def test_what_is_large_is_not_fetched_for_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdists, "MODERATE", len(EARLY.content) - 1)
    with simple_index({"spam": [EARLY]}) as server, index(SimpleIndex(server.index)) as it:
        assert isinstance(told_on(it), Metadata)
        assert it.counters.bytes < len(EARLY.content) / 2
    monkeypatch.setattr(sdists, "MODERATE", len(EARLY.content))
    with simple_index({"spam": [EARLY]}) as server, index(SimpleIndex(server.index)) as it:
        assert isinstance(told_on(it), Metadata)
        assert it.counters.bytes > len(EARLY.content)


def test_a_file_larger_than_its_index_says_is_not_read_on() -> None:
    with simple_index({"spam": [SOURCE]}) as server:
        server.fault(f"/files/{SOURCE.filename}", loopback.endless("application/gzip"))
        with pytest.raises(Unreadable, match=f"beyond {len(SOURCE.content)} bytes"):
            told_of(server)


def test_a_file_is_not_fetched_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdists, "MAX_SIZE", 2**22)
    with simple_index({"spam": [SOURCE]}, sizes=False) as server:
        server.fault(f"/files/{SOURCE.filename}", loopback.endless("application/gzip"))
        with pytest.raises(Unreadable, match=f"beyond {2**22} bytes"):
            told_of(server)


UNREACHABLE = {
    "gone": (loopback.status(404), Unreadable, "HTTP 404"),
    "down": (loopback.status(503), IndexUnavailable, "HTTP 503"),
    "cut short": (loopback.truncated(SOURCE.content[:40]), IndexUnavailable, "cut short"),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_what_is_out_of_reach_is_neither_good_nor_bad(case: str) -> None:
    fault, kind, why = UNREACHABLE[case]
    with simple_index({"spam": [SOURCE]}) as server:
        server.fault(f"/files/{SOURCE.filename}", fault)
        with pytest.raises(kind, match=why) as caught:
            told_of(server)
        assert SOURCE.filename in str(caught.value)


def test_a_download_that_breaks_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with simple_index({"spam": [SOURCE]}) as server:
        server.fault(f"/files/{SOURCE.filename}", loopback.truncated(SOURCE.content[:40]), times=1)
        assert isinstance(told_of(server, transport_options=TransportOptions(timeout=60, retries=1)), Metadata)


@pytest.mark.parametrize("ending", [".tar.bz2", ".tar.xz", ".tar.Z"])
def test_archives_of_other_kinds_are_not_even_fetched(tmp_path: Path, ending: str) -> None:
    dist = make_source("spam").named(f"spam-1.0{ending}")
    with simple_index({"spam": [dist]}) as server:
        with pytest.raises(Unreadable, match=r"only \.tar\.gz, \.tgz, \.tar, \.zip are read"):
            told_of(server)
        assert len(server.requests) == 1
    with pytest.raises(Unreadable, match="are read"):
        told_in(folder_with(tmp_path / "wheelhouse", dist))


def test_the_cache_answers_the_second_time(tmp_path: Path) -> None:
    with simple_index({"spam": [SOURCE]}) as server:
        cache = tmp_path / "cache"
        with index(SimpleIndex(server.index), directory=cache) as it:
            it.page(SPAM)
        with pytest.raises(NotCached, match=SOURCE.filename):
            told_of(server, directory=cache, offline=True)
        first = told_of(server, directory=cache)
        server.forget()
        assert told_of(server, directory=cache) == told_of(server, directory=cache, offline=True) == first
        assert server.requests == []


# -- what is hostile


def tar_bomb() -> bytes:
    """Half a megabyte that expands to 150."""
    return tars.bomb(tars.header("bad-1.0/x", size=2**40), 150)


HOSTILE = {
    "another name": (make_source("spam", pkg_info=pkg_info_text("eggs", "1.0")), "it says that it is eggs 1.0"),
    "another version": (make_source("spam", pkg_info=pkg_info_text("spam", "2.0")), "it says that it is spam 2.0"),
    "no version": (make_source("spam", pkg_info="Metadata-Version: 2.2\nName: spam\n"), "no version"),
    "a bad requirement": (make_source("spam", requires=["eggs=1"]), "requirement that cannot be parsed"),
    "a long description": (
        make_source("spam", pkg_info=pkg_info_text("spam", "1.0").encode() + b"x" * 2**24),
        "its PKG-INFO has 16777",
    ),
    "a long description, zipped": (
        make_source("spam", pkg_info=pkg_info_text("spam", "1.0").encode() + b"x" * 2**24, ending=".zip"),
        "its PKG-INFO has 16777",
    ),
    "a link": (SOURCE.holding(gzip.compress(tars.header("spam-1.0/PKG-INFO", b"2"))), "no regular file"),
    "a device": (SOURCE.holding(gzip.compress(tars.header("spam-1.0/PKG-INFO", b"3"))), "no regular file"),
    "sparse": (SOURCE.holding(gzip.compress(tars.header("spam-1.0/x", b"S"))), "sparse"),
    "a size in the exabytes": (
        SOURCE.holding(gzip.compress(tars.header("spam-1.0/x", size=b"\x80" + b"\xff" * 11))),
        "cut short",
    ),
    "no archive": (SOURCE.holding(b"<html>not found</html>" * 10), "compression is damaged"),
    "an archive in an archive": (SOURCE.holding(gzip.compress(SOURCE.content * 3)), "not a tar archive"),
    "no zip": (make_source("spam", ending=".zip").holding(b"<html>" * 10), "not a ZIP archive"),
    "cut short": (SOURCE.holding(SOURCE.content[:60]), "cut short"),
    "nothing": (SOURCE.holding(b""), "cut short"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_hostile_or_broken_is_refused_for_good(tmp_path: Path, case: str) -> None:
    dist, why = HOSTILE[case]
    with simple_index({"spam": [dist]}) as server:
        for told in (told_of(server), told_in(folder_with(tmp_path / "wheelhouse", dist))):
            assert isinstance(told, BadMetadata)
            assert why in told.why


@pytest.mark.skipif(not CAN_MEASURE, reason="only Linux tells the peak of this very process")
@pytest.mark.parametrize("hashes", [True, False])
def test_a_bomb_takes_little_memory_as_measured(hashes: bool) -> None:
    bad = make_source("bad").holding(tar_bomb())
    first, told, why, more = measured(make_source("good"), bad, hashes=hashes)
    assert (first, told) == ("Metadata", "BadMetadata")
    assert "expands to more than" in why
    assert more < 16 * 2**20


@pytest.mark.skipif(not CAN_MEASURE, reason="only Linux tells the peak of this very process")
def test_a_large_file_is_not_held_in_memory() -> None:
    noise = os.urandom(2**20)
    bad = make_source("bad", files={f"{n}.bin": noise for n in range(40)}, requires=["eggs=1"])
    _, told, why, more = measured(make_source("good"), bad)
    assert (told, len(bad.content) > 30 * 2**20) == ("BadMetadata", True)
    assert "cannot be parsed" in why
    assert more < 16 * 2**20
