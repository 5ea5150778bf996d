"""What is kept of an index's answers, for how long, and what happens to the cache when the disk or a process fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.index.cache.entries import FORMAT, Damaged
from wheelcheck.index.cache.store import Cache, Kept, Key, Stored, key_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
KEY = key_of("http://index.test/simple/six/")


def date(at: float) -> str:
    return formatdate(at, usegmt=True)


def page(**about: object) -> Stored:
    fields = {
        "url": "http://index.test/simple/six/",
        "summary": {"versions": ["1.0"]},
        "parts": [b"<a>"],
        "stored": NOW,
    }
    return Stored(**(fields | about))  # type: ignore[arg-type]


def held(cache: Cache, key: str = KEY, name: str = "six") -> tuple[Stored, list[bytes]] | None:
    """What the cache has of a page, its parts read."""
    found = cache.page(Key(key), name)
    return None if found is None else (found, list(found.parts))


def whole(**about: object) -> tuple[Stored, list[bytes]]:
    return page(**about), list(page(**about).parts)


def test_a_page_is_fresh_until_its_time_and_stale_when_the_clock_was_set_back() -> None:
    stored = page(fresh_until=NOW + 10)
    assert [stored.is_fresh(NOW + after) for after in (0, 9, 10, -1)] == [True, True, False, False]


def test_a_confirmed_page_keeps_what_the_confirmation_leaves_out() -> None:
    stored = page(cache_control="max-age=30", etag='"a"', last_modified="then")
    confirmed = stored.confirmed({"etag": '"b"'}, NOW + 100)
    assert (confirmed.stored, confirmed.fresh_until) == (NOW + 100, NOW + 130)
    assert confirmed.conditions == {"if-none-match": '"b"', "if-modified-since": "then"}
    assert stored.confirmed({"cache-control": "max-age=5"}, NOW).fresh_until == NOW + 5


@given(
    parts=st.lists(st.binary(max_size=20) | st.just(b"x" * 100_000), max_size=4),
    url=st.text(),
    summary=st.dictionaries(st.text(), st.text() | st.lists(st.integers())),
    etag=st.text(),
    stored=st.floats(0, 2e9),
    found=st.booleans(),
)
def test_what_was_stored_is_loaded(tmp_path_factory: pytest.TempPathFactory, **fields: object) -> None:
    cache = Cache(tmp_path_factory.getbasetemp() / "round-trip")
    cache.store_page(KEY, "six", page(**fields))
    assert held(cache) == whole(**fields)


def test_another_process_finds_it(tmp_path: Path) -> None:
    Cache(tmp_path).store_page(KEY, "six", page())
    Cache(tmp_path).store_metadata(KEY, Kept(b"Name: six"))
    assert held(Cache(tmp_path)) == whole()
    assert Cache(tmp_path).metadata(KEY, NOW) == Kept(b"Name: six")
    assert Cache(tmp_path).page(key_of("else"), "six") is None


def test_metadata_may_be_kept_for_a_time(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_metadata(KEY, Kept(b"Name: six"), until=NOW + 10)
    assert [cache.metadata(KEY, at) for at in (NOW, NOW + 10)] == [Kept(b"Name: six"), None]


def test_a_project_that_appears_or_goes_replaces_what_was_known(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_page(KEY, "six", page(parts=(), found=False))
    assert cache.page(KEY, "six") == page(parts=(), found=False)
    assert cache.names() == frozenset()
    cache.store_page(KEY, "six", page())
    assert held(cache) == whole()
    cache.store_page(KEY, "six", page(parts=(), found=False))
    assert cache.page(KEY, "six") == page(parts=(), found=False)


def test_the_projects_that_it_has_seen(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for name in ("six", "typing-extensions", "con", "../../etc/passwd", ""):
        cache.store_page(key_of(name), name, page())
    assert cache.names() == {"six", "typing-extensions", "con"}
    assert held(cache, key_of("../../etc/passwd"), "../../etc/passwd") == whole()
    assert {path.parent.name for path in tmp_path.rglob("*") if path.is_file()} == {"pages"}


def test_nothing_of_a_url_shows_in_a_name(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_page(key_of("http://host.test/secret-token/six/"), "six", page(url="http://host.test/"))
    assert not any("secret" in str(path) for path in tmp_path.rglob("*"))


def test_size_and_clear(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_page(KEY, "six", page())
    cache.store_metadata(KEY, Kept(b"x" * 1000))
    entries, size = cache.size()
    assert entries == 2
    assert size > 1000
    assert cache.clear() == 2
    assert (cache.size(), cache.page(KEY, "six")) == ((0, 0), None)


def test_without_a_directory_nothing_is_kept() -> None:
    cache = Cache(None)
    cache.store_page(KEY, "six", page())
    assert (cache.page(KEY, "six"), cache.names(), cache.size(), cache.clear()) == (None, frozenset(), (0, 0), 0)


@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
@pytest.mark.parametrize("size", [3, 100_000])
def test_a_damaged_entry_is_not_used(
    tmp_path_factory: pytest.TempPathFactory, size: int, where: float, flip: int, cut: bool
) -> None:
    folder, pristine = tmp_path_factory.mktemp("damaged"), page(parts=[b"", b"x" * size, b"y" * size])
    cache = Cache(folder)
    cache.store_page(KEY, "six", pristine)
    (entry,) = (path for path in folder.rglob("*") if path.is_file())
    raw = bytearray(entry.read_bytes())
    at = int(where * len(raw))
    raw[at] ^= flip
    entry.write_bytes(raw[:at] if cut else raw)
    with suppress(Damaged):
        assert held(cache) is None
    cache.store_page(KEY, "six", pristine)
    assert held(cache) == (pristine, list(pristine.parts))


def test_an_entry_that_took_the_place_of_another_is_not_dropped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_page(KEY, "six", page(parts=[b"", b"x" * 100_000]))
    before = cache.page(KEY, "six")
    cache.store_page(KEY, "six", page(etag='"new"', parts=[b"y" * 100_000]))
    assert before is not None
    with pytest.raises(Damaged):
        before.parts[1]
    assert held(cache) == whole(etag='"new"', parts=[b"y" * 100_000])


def test_a_directory_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    cache = Cache(occupied, said.append)
    threads = [threading.Thread(target=cache.store_page, args=(key_of(str(i)), "six", page())) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.store_metadata(KEY, Kept(b"Name: six"))
    assert len(said) == 1
    assert str(occupied) in said[0]
    assert cache.page(KEY, "six") is None
    assert cache.metadata(KEY, NOW) is None
    assert occupied.read_text() == "not a directory"


def test_a_full_disk_leaves_no_entry_and_is_said_once(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    said: list[str] = []
    cache = Cache(tmp_path, said.append)
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        cache.store_page(KEY, "six", page(parts=[b"x" * 100_000]))
        cache.store_page(KEY, "six", page(parts=[b"y" * 100_000]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert len(said) == 1
    assert not cache.store_page(KEY, "six", page(parts=[b"y"]))
    assert cache.page(KEY, "six") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_page(KEY, "six", page())
    folder = tmp_path / FORMAT / "pages"
    old, new = folder / ".123-old", folder / ".124-new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    Cache(tmp_path).store_page(KEY, "six", page())
    assert not old.exists()
    assert new.exists()
    assert Cache(tmp_path).names() == {"six"}


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from wheelcheck.index.cache.store import Cache, Stored, key_of
    from wheelcheck.index.cache.entries import Damaged
    cache, key, seed = Cache(Path(sys.argv[1])), key_of("shared"), int(sys.argv[2])
    turn = 0
    while True:
        turn += 1
        letter = bytes([97 + (seed + turn) % 26])
        cache.store_page(key, "six", Stored(url=letter.decode(), parts=[b"", letter * 200_000]))
        found = cache.page(key, "six")
        try:
            if found is not None and found.parts[1] != found.url.encode() * 200_000:
                sys.exit("mixed")
        except Damaged:
            pass
    """
)


def test_processes_that_share_it_and_are_killed_leave_whole_entries(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)]) for n in range(4)]
    seen = 0
    try:
        while seen < 150:
            assert all(writer.poll() is None for writer in writers)
            found = cache.page(key_of("shared"), "six")
            with suppress(Damaged):  # replaced while it was read
                if found is not None:
                    assert found.parts[1] == found.url.encode() * 200_000
                    seen += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    last = cache.page(key_of("shared"), "six")
    assert last is not None
    assert last.parts[1] == last.url.encode() * 200_000
