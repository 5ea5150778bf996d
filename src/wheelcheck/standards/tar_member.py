"""Read one small file directly below the only folder of a tar archive, from its bytes as they arrive.

Supported are ustar with the extended headers of pax (POSIX.1-2001) and GNU's long names, plain or gzipped. Nothing is
unpacked: names are compared and contents skipped, so links, devices and paths that lead outside do no harm. Only one
header or the wanted file is in memory at a time. The expanded size, the number of members and the length of headers are
limited.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from wheelcheck.standards.zip_member import METADATA_LIMIT, ArchiveError, NoSuchMember

Chosen: TypeAlias = Callable[[str], bool]
"""A predicate that picks a member by its path."""

EXPANDED_LIMIT = 2**30
"""Maximum expanded bytes that are read in search of the file; the largest known archive has a third of it."""

MAX_MEMBERS = 200_000
HEADER_LIMIT, HEADERS_LIMIT = 2**16, 2**24
"""Maximum bytes of one extended header, and of all together."""

_BLOCK = 512
_INPUT, _OUTPUT = 2**16, 2**20
_REGULAR = (b"0", b"\0", b"7")
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK, _SPARSE = (b"x", b"X"), b"g", b"L", b"K", b"S"


class TarScan:
    """Search one file in an archive that is fed piece by piece.

    Args:
        chosen: picks the member by its path; the first match counts.
        what: how error messages call it.
        gzipped: whether the archive is compressed.

    Raises:
        ArchiveError: from any method, where the archive is corrupt or exceeds a limit.
    """

    def __init__(self, chosen: Chosen, what: str, *, gzipped: bool = True) -> None:
        self.found: bytes | None = None
        self.done = False
        self._chosen, self._what = chosen, what
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if gzipped else None
        self._held = bytearray()
        self._need, self._skip = _BLOCK, 0
        self._take: Callable[[bytes], None] = self._header
        self._stated: dict[str, str] = {}
        self._expanded = self._members = self._headers = 0

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes of the archive; return whether no more are needed."""
        for data in self._inflated(chunk) if not self.done else ():
            self._expanded += len(data)
            if self._expanded > EXPANDED_LIMIT:
                raise ArchiveError(f"it expands to more than {EXPANDED_LIMIT} bytes")
            self._read(data)
            if self.done:
                break
        return self.done

    def end(self) -> bytes:
        """Return the file. Raises `NoSuchMember` where the archive has none."""
        if self.found is not None:
            return self.found
        begun = self._held or self._skip or self._take != self._header
        if not self.done and (begun or (self._gzip and not self._gzip.eof)):
            raise ArchiveError("it is cut short")
        raise NoSuchMember(f"it has no {self._what}")

    # -- bytes

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed chunk in small pieces, one gzip member after the other."""
        if self._gzip is None:
            yield chunk
            return
        try:
            for at in range(0, len(chunk), _INPUT):
                part = chunk[at : at + _INPUT]
                while part:
                    if self._gzip.eof:
                        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
                    yield self._gzip.decompress(part, _OUTPUT)
                    part = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
        except zlib.error:
            raise ArchiveError("its compression is damaged") from None

    def _read(self, data: bytes) -> None:
        """Process headers and contents as they become complete."""
        at = 0
        while at < len(data) and not self.done:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(self._need - len(self._held), len(data) - at)
                self._held += data[at : at + step]
                if len(self._held) == self._need:
                    block, self._held, self._need = bytes(self._held), bytearray(), _BLOCK
                    self._take(block)
            at += step

    def _expect(self, what: str, size: int, limit: int, take: Callable[[bytes], None]) -> None:
        """Pass the next `size` bytes to `take` instead of parsing them as a header."""
        if size > limit:
            raise ArchiveError(f"{what} has {size} bytes, more than {limit}")

        def taken(content: bytes) -> None:
            self._take = self._header
            take(content[:size])

        if size:
            self._need, self._take = _padded(size), taken
        else:
            take(b"")

    # -- headers

    def _header(self, block: bytes) -> None:
        if not block.strip(b"\0"):
            self.done = True
            return
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise ArchiveError(f"it has more than {MAX_MEMBERS} members")
        rest = block[:148] + b" " * 8 + block[156:]
        digits = block[148:156].partition(b"\0")[0].strip()
        stated = int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else None
        if stated != sum(rest) and stated != sum(rest) - 256 * sum(byte > 127 for byte in rest):
            raise ArchiveError("it is not a tar archive, or one of its headers is damaged")
        kind, size = block[156:157], _number(block[124:136])
        if kind in _PAX:
            self._extended(size, lambda content: self._state(_records(content)))
        elif kind == _PAX_FOR_ALL:
            self._extended(size, _check_for_all)
        elif kind == _LONG_NAME:
            self._extended(size, lambda content: self._state({"path": _text(content)}))
        elif kind == _LONG_LINK:
            self._skip = _padded(size)
        else:
            self._member(block, kind, size)

    def _extended(self, size: int, take: Callable[[bytes], None]) -> None:
        self._expect("one of its headers", size, HEADER_LIMIT, take)
        self._headers += size
        if self._headers > HEADERS_LIMIT:
            raise ArchiveError(f"its headers have more than {HEADERS_LIMIT} bytes")

    def _state(self, records: dict[str, str]) -> None:
        """Apply extended headers to the next member."""
        if records.keys() & self._stated.keys():
            raise ArchiveError("it says one thing of a member twice")
        self._stated |= records

    def _member(self, block: bytes, kind: bytes, size: int) -> None:
        stated, self._stated = self._stated, {}
        if kind == _SPARSE or any(key.startswith("GNU.sparse.") for key in stated):
            raise ArchiveError("it has a sparse member")
        path = stated.get("path") or _path(block)
        size = _decimal(stated["size"]) if "size" in stated else size
        is_folder = kind in _WITHOUT_CONTENT or (kind == b"\0" and path.endswith("/"))
        if not self._chosen(path):
            self._skip = 0 if is_folder else _padded(size)
        elif is_folder or kind not in _REGULAR:
            raise ArchiveError(f"its {self._what} is no regular file")
        else:
            self._expect(f"its {self._what}", size, METADATA_LIMIT, self._find)

    def _find(self, content: bytes) -> None:
        self.found, self.done = content, True


def member_of_tar(chunks: Iterable[bytes], chosen: Chosen, what: str, *, gzipped: bool = True) -> bytes:
    """Return the first member of an archive that `chosen` picks; reading stops there.

    Raises:
        NoSuchMember: there is none.
        ArchiveError: the archive is corrupt or exceeds a limit.
    """
    scan = TarScan(chosen, what, gzipped=gzipped)
    for chunk in chunks:
        if scan.feed(chunk):
            break
    return scan.end()


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _path(block: bytes) -> str:
    prefix, name = _text(block[345:500]), _text(block[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return _decoded(field.partition(b"\0")[0])


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Parse a number in octal digits or, for large ones, in base 256."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    if not re.fullmatch(rb"[0-7]*", digits):
        raise ArchiveError("a size in it is no number")
    return int(digits or b"0", 8)


def _decimal(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ArchiveError("a size in it is no number")
    return int(text)


_RECORD = re.compile(rb"([0-9]{1,9}) ([^=]+)=")


def _records(content: bytes) -> dict[str, str]:
    """Yield the keys and values of a pax header, in which each record begins with its length."""
    found: dict[str, str] = {}
    at = 0
    while at < len(content):
        record = _RECORD.match(content, at)
        end = at + int(record[1]) if record else 0
        if record is None or not record.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise ArchiveError("one of its pax headers is damaged")
        found[_decoded(record[2])] = _decoded(content[record.end() : end - 1])
        at = end
    return found


def _check_for_all(content: bytes) -> None:
    """Reject a header that gives all members the same path or size."""
    if any(key in ("path", "size") or key.startswith("GNU.sparse.") for key in _records(content)):
        raise ArchiveError("it gives all its members the same path or size")
