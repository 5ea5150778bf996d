"""The format of a cache entry: a checksum line, a JSON line with a table of the parts, then the parts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from itertools import accumulate
from os import environ
from typing import Any
from zlib import crc32

from wheelcheck.index.cache.stamps import Stamp, stamp_of_status
from wheelcheck.index.regular_files import open_regular

try:
    from _blake2 import blake2b  # what hashlib has, without loading OpenSSL
except ImportError:
    from hashlib import blake2b

FORMAT, ANSWERS = "5", "answers"
"""The directory for this format, and the directory in it for remembered answers."""

MAGIC = b"wheelcheck"
_ROW = 24
"""For each part its offset, length and checksum, eight hex digits each. One text is read in a fraction of the time that
JSON numbers take, and most parts are never accessed.
"""
FIRST_READ = 64 * 2**10
"""Bytes that are read at once: the lines before the parts, and all of a small entry."""


def digest_of(*parts: str) -> str:
    """Return a digest of some texts in order, so that no URL or secret appears in it."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


class Damaged(Exception):
    """A part of an entry is corrupt, or another entry replaced it."""


def entry_head(about: dict[str, Any], parts: Sequence[bytes | memoryview]) -> tuple[bytes, str]:
    """Return the two lines before the parts, and the table of parts in them."""
    lengths = list(map(len, parts))
    begins = accumulate(lengths[:-1], initial=0)
    table = "".join(["%08x%08x%08x" % row for row in zip(begins, lengths, map(crc32, parts), strict=False)])  # noqa: UP031
    head = json.dumps({"about": about, "parts": table}).encode() + b"\n"
    return b"%s %08x\n%b" % (MAGIC, crc32(head), head), table


def beginning_of(parts: Iterable[bytes | memoryview]) -> bytes:
    """Return the parts to keep in memory, so that a small entry is unaffected by a replacement."""
    beginning = bytearray()
    for part in parts:
        beginning += part[: FIRST_READ - len(beginning)]
        if len(beginning) == FIRST_READ:
            break
    return bytes(beginning)


def read_entry(place: str) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Read an entry.

    Args:
        place: its path.

    Raises:
        OSError: there is none.
        Damaged, ValueError: it is corrupt.
    """
    with open_regular(place, FIRST_READ) as handle:
        status = os.fstat(handle.fileno())
        if not is_own(status):
            raise Damaged
        stamp = stamp_of_status(status)
        seal, head = handle.readline(), handle.readline()
        first = handle.read1(FIRST_READ)  # what was read along with the head
    if seal != b"%s %08x\n" % (MAGIC, crc32(head)):
        raise Damaged
    entry = json.loads(head)
    return entry["about"], Parts(place, first, len(seal) + len(head), entry["parts"], stamp)


def is_own(status: os.stat_result) -> bool:
    """Return whether a file or directory belongs to the user who runs this; another one may have put anything there."""
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


class Parts(Sequence[bytes]):
    """The parts of an entry, each read and verified on access, which may raise `Damaged`.

    Attributes:
        place: the path of the entry.
        stamp: detects that another entry replaced it.
    """

    def __init__(
        self,
        place: str,
        first: bytes,
        offset: int,
        table: str,
        stamp: Stamp,
    ) -> None:
        self.place, self.stamp = place, stamp
        self._first, self._offset, self._table = first, offset, table

    def __len__(self) -> int:
        return len(self._table) // _ROW

    def __getitem__(self, number: Any) -> Any:
        row = range(0, len(self._table), _ROW)[number]
        begin, length, total = (int(self._table[place : place + 8], 16) for place in (row, row + 8, row + 16))
        end = begin + length
        part = self._first[begin:end] if end <= len(self._first) else self._read(self._offset + begin, length)
        if len(part) != length or crc32(part) != total:
            raise Damaged
        return part

    def _read(self, begin: int, length: int) -> bytes:
        try:
            with open_regular(self.place) as handle:
                handle.seek(begin)
                return handle.read(length)
        except OSError:
            return b""


ENVIRONMENT_VARIABLE = "WHEELCHECK_CACHE_DIR"


def cache_directory() -> str:
    """Return the cache directory: that of the environment variable, or the user's."""
    named = environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return named
    from platformdirs import user_cache_dir

    return user_cache_dir("wheelcheck", appauthor=False)
