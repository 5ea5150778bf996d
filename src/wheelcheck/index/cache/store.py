"""The cache on disk: pages by the rules of RFC 9111, core metadata permanently.

Each entry is one file, its body in parts that are read on access: an answer that needs two versions of a thousand reads
two. Files are written elsewhere and renamed into place, so several processes may share a directory, and a killed one
leaves nothing half-written. Corrupt entries are fetched again. If the directory is not writable, nothing is cached,
which is reported once.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NewType, TypeVar

from wheelcheck.common.records import field, names_of, record, replace
from wheelcheck.index.cache.entries import (
    ANSWERS,
    FORMAT,
    Damaged,
    Parts,
    beginning_of,
    digest_of,
    entry_head,
    is_own,
    read_entry,
)
from wheelcheck.index.cache.stamps import Stamp, stamp_of_status
from wheelcheck.index.http.cache_control import freshness
from wheelcheck.standards.names import NormalizedName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

PAGES, ABSENT, METADATA = "pages", "absent", "metadata"
KINDS = (PAGES, ABSENT, METADATA, ANSWERS)
_STALE_TEMPORARY = 3600.0
_SALT = 32

Key = NewType("Key", str)


def key_of(*parts: str) -> Key:
    """Return the name of the entry for some texts."""
    return Key(digest_of(*parts)[:32])


@record
class Stored:
    """A page as an index sent it.

    Attributes:
        url: its URL after redirects, without credentials and query.
        found: False for a project that the index answered with 404 or 410.
        stored: when it was received or last revalidated, in seconds since the epoch.
        fresh_until: the time until which it may be used without a request.
        cache_control: the value of the header, valid until another answer replaces it.
        etag, last_modified: validators, or empty.
        sent: salted digests of the credentials that were sent to get it, by URL; who has others asks the server.
        varied: the headers that another request must have to get this answer (RFC 9111, section 4.1).
        summary: what its reader needs without reading a part, as JSON.
        parts: the parts of the body, each of which may be `Damaged`.
    """

    url: str
    found: bool = True
    stored: float = 0.0
    fresh_until: float = 0.0
    cache_control: str = ""
    etag: str = ""
    last_modified: str = ""
    varied: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[bytes | memoryview] = field(default=(), compare=False)

    @property
    def kept_at(self) -> dict[str, Stamp]:
        """The cache file that it was read from, with its stamp; empty for none."""
        return {self.parts.place: self.parts.stamp} if isinstance(self.parts, Parts) else {}

    def is_fresh(self, now: float) -> bool:
        """Return whether it is fresh. A clock that was set back makes it stale."""
        return self.stored <= now < self.fresh_until

    @property
    def conditions(self) -> dict[str, str]:
        """The request headers that revalidate it."""
        pairs = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in pairs.items() if value and self.found}

    def confirmed(self, headers: Mapping[str, str], now: float) -> Stored:
        """Return the page after a 304, with the new freshness (RFC 9111, section 4.3.4)."""
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
    """The head of a file's core metadata, or why it is unusable, as in `BadMetadata`; and `Metadata.beside`."""

    head: bytes
    refused: str = ""
    ends_search: bool = False
    beside: tuple[str, ...] = ()


class Cache:
    """A directory of entries; ``Cache(None)`` stores nothing.

    Args:
        directory: created when the first entry is stored.
        warn: called once, with a sentence, if the directory is not writable.
    """

    def __init__(self, directory: Path | None, warn: Callable[[str], None] | None = None) -> None:
        self.directory = directory
        self._root = directory / FORMAT if directory is not None else None
        self._warn = warn or (lambda _: None)
        self._lock = threading.Lock()
        self._serial = count()
        self._salt = b""
        self._swept = False
        self._writable = directory is not None
        if directory is not None and _is_of_another(directory):
            self._root, self._writable = None, False
            advice = "so it is not used; name one of your own with --cache-dir"
            self._warn(f"The cache in {directory} belongs to another user, {advice}.")

    def salted(self, text: str) -> str:
        """Return a digest of a secret with this cache's salt, so that what is stored tells nothing about it.

        The salt is created on first use. Where it cannot be stored, digests are those of this process only.
        """
        with self._lock:
            if not self._salt:
                self._salt = self._stored_salt() or os.urandom(_SALT)
        return digest_of(self._salt.hex(), text)

    def _stored_salt(self) -> bytes:
        """Return the salt on disk, created if necessary; empty where there is none."""
        if self._root is None:
            return b""
        place = self._root / "salt"
        for attempt in range(2):
            with suppress(OSError):
                salt = place.read_bytes() if place.is_file() and is_own(place.stat()) else b""
                if len(salt) == _SALT:
                    return salt
                if attempt == 0 and self._writable:
                    self._prepare(self._root)
                    temporary = place.with_name(f".salt-{os.getpid()}-{next(self._serial)}")
                    temporary.touch(mode=0o600)
                    temporary.write_bytes(os.urandom(_SALT))
                    _rename(temporary, place)
        return b""

    def page(self, key: Key, name: str) -> Stored | None:
        """Return the page stored under a key, or the record that the index has no such project."""
        for kind, entry_name in ((PAGES, _page_name(key, name)), (ABSENT, key)):
            found = self._load(
                kind,
                entry_name,
                lambda about, parts: Stored(**about, parts=parts, found=kind == PAGES),  # noqa: B023
            )
            if found is not None:
                return found
        return None

    def store_page(self, key: Key, name: str, page: Stored) -> Stored | None:
        """Store a page and remove what it contradicts; return it as it is on disk, None where it is not stored."""
        about = {name: getattr(page, name) for name in names_of(Stored) if name not in ("parts", "found")}
        entry_name = _page_name(key, name)
        kind, other = ((PAGES, entry_name), (ABSENT, key)) if page.found else ((ABSENT, key), (PAGES, entry_name))
        parts = self._store(*kind, about, page.parts)
        if self._root is not None and self._writable:
            _remove(self._root.joinpath(*other))
        return replace(page, parts=parts) if parts is not None else None

    def metadata(self, key: Key, now: float) -> Kept | None:
        """Return the core metadata stored under a key, unless it has expired."""

        def unexpired(about: dict[str, Any], parts: Sequence[bytes]) -> Kept | None:
            is_fresh = about["until"] is None or now < about["until"]
            return Kept(parts[0], about["refused"], about["ends_search"], tuple(about["beside"])) if is_fresh else None

        return self._load(METADATA, key, unexpired)

    def store_metadata(self, key: Key, kept: Kept, until: float | None = None) -> None:
        """Store core metadata, permanently or until a time in seconds since the epoch."""
        self._store(
            METADATA, key, {"until": until} | {name: getattr(kept, name) for name in Kept._fields[1:]}, [kept.head]
        )

    def store_answer(self, key: str, about: dict[str, Any], text: bytes) -> None:
        """Store a whole answer for `wheelcheck.cli.answer_cache`."""
        self._store(ANSWERS, key, about, [text])

    def names(self) -> frozenset[NormalizedName]:
        """Return the projects with a stored page."""
        listed = (entry.name.partition("-")[2] for entry in self._entries(PAGES))
        return frozenset(NormalizedName(name) for name in listed if name)

    def size(self) -> tuple[int, int]:
        """Return the number of entries and their total size."""
        sizes = []
        for entry in chain.from_iterable(map(self._entries, KINDS)):
            with suppress(FileNotFoundError):  # another process removes entries meanwhile
                sizes.append(entry.stat().st_size)
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Remove every entry; return how many there were."""
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
            about, parts = read_entry(f"{self._root}/{kind}/{name}")
            if about.pop("entry") != name:
                raise Damaged
            return decode(about, parts)
        except (OSError, Damaged, ValueError, TypeError, KeyError):
            return None  # what is damaged stays until what is fetched again takes its place

    def _store(self, kind: str, name: str, about: dict[str, Any], parts: Sequence[bytes | memoryview]) -> Parts | None:
        """Write an entry; return its parts on disk, or None where another process replaced it."""
        if self._root is None or not self._writable:
            return None
        place = self._root / kind / name
        temporary = place.with_name(f".{os.getpid()}-{threading.get_ident()}-{next(self._serial)}")
        try:
            self._prepare(place.parent)
            with temporary.open("wb", 2**20) as handle:
                head, table = entry_head({"entry": name} | about, parts)
                handle.writelines([head, *parts])
                made = os.fstat(handle.fileno())
            _rename(temporary, place)
        except OSError as error:
            with self._lock:
                first, self._writable = self._writable, False
            if first:
                why = error.strerror or type(error).__name__
                self._warn(
                    f"The cache in {self.directory} cannot be written ({why}); going on without storing anything."
                )
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
        """Create the directory; once, remove what killed processes have left in it."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not self._swept:
            self._swept = True
            oldest = time.time() - _STALE_TEMPORARY
            for path in folder.glob(".*"):
                with suppress(FileNotFoundError):  # its process has just renamed it
                    if path.stat().st_mtime < oldest:
                        _remove(path)


def _is_of_another(directory: Path) -> bool:
    try:
        return not is_own(directory.stat())
    except OSError:
        return False


def _page_name(key: Key, name: str) -> str:
    return f"{key}-{name}" if len(name) <= 120 and name.replace("-", "").isalnum() and name.isascii() else f"{key}-"


def _rename(temporary: Path, place: Path) -> None:
    """Rename into place. Windows refuses while another process reads the old entry, which is as good. A directory is
    removed.
    """
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
    """Remove whatever is there, even a directory in the place of an entry."""
    from shutil import rmtree

    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
