"""What an index answered before, kept on disk: pages by RFC 9111's rules, core metadata for good.

One file an entry, its body in parts that are read when they are asked for: an answer that needs two versions of a
thousand reads two. Files are written beside their place and renamed onto it, so several processes may share a directory
and one that is killed leaves nothing half-written. An entry that is damaged is fetched again. Where the directory
cannot be written, all goes on uncached and that is said once.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, TypeVar

from wheelcheck.common.records import field, names_of, record, replace
from wheelcheck.index.cache.entries import ANSWERS, FORMAT, Damaged, Parts, beginning_of, digest_of, opened, sealed
from wheelcheck.index.cache.stamps import Stamp, stamp_of_status
from wheelcheck.index.http.cache_control import freshness
from wheelcheck.standards.names import NormalizedName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

PAGES, ABSENT, METADATA = "pages", "absent", "metadata"
KINDS = (PAGES, ABSENT, METADATA, ANSWERS)
_STALE_TEMPORARY = 3600.0

Key = NewType("Key", str)


def key_of(*parts: str) -> Key:
    """The name of the entry of what is told apart by these texts."""
    return Key(digest_of(*parts)[:32])


@record
class Stored:
    """A page as an index answered it.

    Attributes:
        url: where it came from after redirects, without credentials and query.
        found: False for a project that the index answered with 404 or 410.
        stored: when it was answered or last confirmed, in seconds since the epoch.
        fresh_until: until when it may be used without asking.
        cache_control: the header's value, which holds until another answer says otherwise.
        etag, last_modified: validators, empty where there are none.
        varied: what another request must say to be given this answer (RFC 9111, section 4.1).
        summary: what its reader wants to know without reading a part, as JSON has it.
        parts: the body as its reader cut it; read from the disk one by one, each of which may be `Damaged`.
    """

    url: str
    found: bool = True
    stored: float = 0.0
    fresh_until: float = 0.0
    cache_control: str = ""
    etag: str = ""
    last_modified: str = ""
    varied: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[bytes | memoryview] = field(default=(), compare=False)

    @property
    def kept_at(self) -> dict[str, Stamp]:
        """The file in the cache that this was read from, with what shows that it was replaced; empty for none."""
        return {self.parts.place: self.parts.stamp} if isinstance(self.parts, Parts) else {}

    def is_fresh(self, now: float) -> bool:
        """Whether it may be used as it is. A clock that was set back makes it stale."""
        return self.stored <= now < self.fresh_until

    @property
    def conditions(self) -> dict[str, str]:
        """The request headers that ask whether it still holds."""
        pairs = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in pairs.items() if value and self.found}

    def confirmed(self, headers: Mapping[str, str], now: float) -> Stored:
        """The same page after a 304, with the freshness that came with it (RFC 9111, section 4.3.4)."""
        headers = {"cache-control": self.cache_control} | dict(headers)
        return replace(
            self,
            stored=now,
            fresh_until=now + (freshness(headers, now) or 0.0),
            cache_control=headers["cache-control"],
            etag=headers.get("etag", self.etag),
            last_modified=headers.get("last-modified", self.last_modified),
        )


class Kept(NamedTuple):
    """The head of a file's core metadata, or why the file holds none that can be used."""

    head: bytes
    refused: str = ""


class Cache:
    """A directory of entries; ``Cache(None)`` keeps nothing.

    Args:
        directory: made when the first entry is stored.
        warn: is told, in one sentence and once, that the directory cannot be written.
    """

    def __init__(self, directory: Path | None, warn: Callable[[str], None] | None = None) -> None:
        self.directory = directory
        self._root = directory / FORMAT if directory is not None else None
        self._warn = warn or (lambda _: None)
        self._lock = threading.Lock()
        self._serial = count()
        self._swept = False
        self._writable = directory is not None

    def page(self, key: Key, name: str) -> Stored | None:
        """The page of a project that was stored under a key, or that the index has no such project."""
        for kind, entry_name in ((PAGES, _page_name(key, name)), (ABSENT, key)):
            found = self._load(kind, entry_name, partial(_stored, found=kind == PAGES))
            if found is not None:
                return found
        return None

    def store_page(self, key: Key, name: str, page: Stored) -> Stored | None:
        """Keeps a page and forgets what it contradicts; the page as it is on the disk, None where it is not kept."""
        about = {name: getattr(page, name) for name in names_of(Stored) if name not in ("parts", "found")}
        entry_name = _page_name(key, name)
        kind, other = ((PAGES, entry_name), (ABSENT, key)) if page.found else ((ABSENT, key), (PAGES, entry_name))
        parts = self._store(*kind, about, page.parts)
        self._forget(*other)
        return replace(page, parts=parts) if parts is not None else None

    def metadata(self, key: Key, now: float) -> Kept | None:
        """What was stored of a file's core metadata under a key, unless it was stored for a time that is over."""
        return self._load(METADATA, key, partial(_unexpired, now=now))

    def store_metadata(self, key: Key, kept: Kept, until: float | None = None) -> None:
        """Keeps what is known of a file's core metadata, for good or until a time in seconds since the epoch."""
        self._store(METADATA, key, {"until": until, "refused": kept.refused}, [kept.head])

    def store_answer(self, key: str, about: dict[str, Any], text: bytes) -> None:
        """Keeps a whole answer; `wheelcheck.cli.answer_cache` gives it again."""
        self._store(ANSWERS, key, about, [text])

    def names(self) -> frozenset[NormalizedName]:
        """The projects whose pages are here."""
        listed = (entry.name.partition("-")[2] for entry in self._entries(PAGES))
        return frozenset(NormalizedName(name) for name in listed if name)

    def size(self) -> tuple[int, int]:
        """How many entries there are, and their bytes."""
        sizes = []
        for entry in chain.from_iterable(map(self._entries, KINDS)):
            with suppress(FileNotFoundError):  # another process removes entries meanwhile
                sizes.append(entry.stat().st_size)
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Removes every entry; how many there were."""
        entries = list(chain.from_iterable(map(self._entries, KINDS)))
        for entry in entries:
            Path(entry.path).unlink(missing_ok=True)
        return len(entries)

    # -- files

    def _entries(self, kind: str) -> list[os.DirEntry[str]]:
        if self._root is None:
            return []
        try:
            with os.scandir(self._root / kind) as found:
                return [entry for entry in found if not entry.name.startswith(".")]
        except OSError:
            return []

    def _load(self, kind: str, name: str, decode: Callable[[dict[str, Any], Sequence[bytes]], T]) -> T | None:
        if self._root is None:
            return None
        try:
            about, parts = opened(f"{self._root}/{kind}/{name}")
            if about.pop("entry") != name:
                raise Damaged
            return decode(about, parts)
        except (OSError, Damaged, ValueError, TypeError, KeyError):
            return None  # what is damaged stays until what is fetched again takes its place

    def _store(self, kind: str, name: str, about: dict[str, Any], parts: Sequence[bytes | memoryview]) -> Parts | None:
        """The parts as they are in the entry that was made; None where there is none or another process replaced it."""
        if self._root is None or not self._writable:
            return None
        place = self._root / kind / name
        temporary = place.with_name(f".{os.getpid()}-{threading.get_ident()}-{next(self._serial)}")
        try:
            self._prepare(place.parent)
            with temporary.open("wb", 2**20) as handle:
                head, table = sealed({"entry": name} | about, parts)
                handle.writelines([head, *parts])
                made = os.fstat(handle.fileno())
            _rename(temporary, place)
        except OSError as error:
            self._give_up(error)
            _remove(temporary)
            return None
        try:
            there = place.stat()
        except OSError:  # another process has just removed it
            return None
        if there.st_ino != made.st_ino:
            return None
        return Parts(str(place), beginning_of(parts), len(head), table, stamp_of_status(there))

    def _prepare(self, folder: Path) -> None:
        """Makes the folder; once, removes what processes that were killed have left in it."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not self._swept:
            self._swept = True
            oldest = time.time() - _STALE_TEMPORARY
            for path in folder.glob(".*"):
                with suppress(FileNotFoundError):  # its process has just renamed it
                    if path.stat().st_mtime < oldest:
                        _remove(path)

    def _forget(self, kind: str, name: str) -> None:
        if self._root is not None and self._writable:
            _remove(self._root / kind / name)

    def _give_up(self, error: OSError) -> None:
        with self._lock:
            first, self._writable = self._writable, False
        if first:
            why = error.strerror or type(error).__name__
            self._warn(f"The cache in {self.directory} cannot be written ({why}); going on without storing anything.")


def _page_name(key: Key, name: str) -> str:
    return f"{key}-{name}" if len(name) <= 120 and name.replace("-", "").isalnum() and name.isascii() else f"{key}-"


def _stored(about: dict[str, Any], parts: Sequence[bytes], *, found: bool) -> Stored:
    return Stored(**about, parts=parts, found=found)


def _unexpired(about: dict[str, Any], parts: Sequence[bytes], *, now: float) -> Kept | None:
    return Kept(parts[0], about["refused"]) if about["until"] is None or now < about["until"] else None


def _rename(temporary: Path, place: Path) -> None:
    """Windows refuses while another process reads the place; that entry is as good as this one. A directory goes."""
    try:
        temporary.replace(place)
    except (IsADirectoryError, PermissionError):
        if place.is_dir():
            _remove(place)
            temporary.replace(place)
        elif place.exists():
            _remove(temporary)
        else:
            raise


def _remove(path: Path) -> None:
    """Removes what is there, also a directory that somebody put in the place of an entry."""
    from shutil import rmtree

    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
