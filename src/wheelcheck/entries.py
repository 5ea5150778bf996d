"""The form of an entry on disk: a line with a checksum of the next, a line of JSON with those of the parts, parts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from io import BufferedReader, FileIO
from itertools import accumulate
from typing import Any
from zlib import crc32

from wheelcheck.standing import Stamp, stamp_of_status

try:
    from _blake2 import blake2b  # what hashlib has, without loading OpenSSL
except ImportError:
    from hashlib import blake2b

FORMAT, ANSWERS = "3", "answers"
"""The folder of all entries of this form, and the one in it that holds whole answers."""

MAGIC = b"wheelcheck"
FIRST_READ = 64 * 2**10
"""Bytes that are read at once: the lines before the parts, and all of a small entry."""


def digest_of(*parts: str) -> str:
    """A digest of some texts in their order, so that nothing of a URL or a secret shows in it."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


class Damaged(Exception):
    """A part of an entry is not what was written, or another entry took its place."""


def sealed(about: dict[str, Any], parts: Sequence[bytes | memoryview]) -> tuple[bytes, list[tuple[int, int]]]:
    """The two lines before the parts, and of each part its length and checksum."""
    sums = [(len(part), crc32(part)) for part in parts]
    head = json.dumps({"about": about, "parts": sums}).encode() + b"\n"
    return b"%s %08x\n%b" % (MAGIC, crc32(head), head), sums


def opened(place: str) -> tuple[dict[str, Any], Sequence[bytes]]:
    """What an entry holds.

    Args:
        place: its path.

    Raises:
        OSError: there is none.
        Damaged, ValueError: it is damaged.
    """
    with BufferedReader(FileIO(place), FIRST_READ) as handle:
        stamp = stamp_of_status(os.fstat(handle.fileno()))
        seal, head = handle.readline(), handle.readline()
        first = handle.read1(FIRST_READ)  # what was read along with the head
    if seal != b"%s %08x\n" % (MAGIC, crc32(head)):
        raise Damaged
    entry = json.loads(head)
    return entry["about"], Parts(place, first, len(seal) + len(head), entry["parts"], stamp)


class Parts(Sequence[bytes]):
    """The parts of an entry, each read and checked when it is asked for; any of them may be `Damaged`.

    Attributes:
        place: the path of the entry.
        stamp: what shows that another entry took its place.
    """

    def __init__(
        self,
        place: str,
        first: bytes,
        offset: int,
        sums: Sequence[tuple[int, int]],
        stamp: Stamp,
    ) -> None:
        self.place, self.stamp = place, stamp
        self._first, self._offset, self._sums = first, offset, sums
        self._begins = tuple(accumulate((length for length, _ in sums), initial=0))

    def __len__(self) -> int:
        return len(self._sums)

    def __getitem__(self, number: Any) -> Any:
        begin, (length, total) = self._begins[number], self._sums[number]
        end = begin + length
        part = self._first[begin:end] if end <= len(self._first) else self._read(self._offset + begin, length)
        if len(part) != length or crc32(part) != total:
            raise Damaged
        return part

    def _read(self, begin: int, length: int) -> bytes:
        try:
            with open(self.place, "rb") as handle:  # noqa: PTH123 -- pathlib is not loaded on the way of remembered answers
                handle.seek(begin)
                return handle.read(length)
        except OSError:
            return b""
