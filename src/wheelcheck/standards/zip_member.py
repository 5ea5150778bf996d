"""Read core metadata from a wheel or a zipped source distribution with as few bytes as possible.

The ZIP format of its application note 6.3 with ZIP64, restricted to what installers accept: one disk, nothing before
the first entry, stored or deflated members, no encryption. Bytes come from a function that reads at an offset.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from wheelcheck.common.records import record
from wheelcheck.standards.names import NormalizedName, canonicalize_name

Read: TypeAlias = Callable[[int, int], bytes]
"""``read(offset, length)`` returns exactly the bytes there, fewer only at the end of the file."""

METADATA_LIMIT = 8 * 2**20
"""Maximum bytes of core metadata; the largest known has less than one tenth of it."""

DIRECTORY_LIMIT = 32 * 2**20
"""Maximum bytes of a central directory; the longest known, of the largest wheels, has 2 MB."""

MAX_ENTRIES = 200_000
"""Maximum number of members of an archive; twice what the largest known wheels have."""

DIST_INFO_LIMIT = 64 * 2**20
"""Maximum bytes of all files beside METADATA, of which a RECORD of 100,000 files is the largest known, with 10 MB."""

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_SHAPE = struct.Struct("<4s24x3H8xL")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_ENCRYPTED, _PATCHED, _STRONGLY_ENCRYPTED, _HIDDEN = 1 << 0, 1 << 5, 1 << 6, 1 << 13
_STORED, _DEFLATED = 0, 8
_LOCAL_EXTRA_GUESS = 64


Chosen: TypeAlias = Callable[[bytes], bool]
"""A predicate that picks a member by its path."""


class ArchiveError(ValueError):
    """An archive that is corrupt, or does not hold the wanted file exactly once; the text is half a sentence."""


class NoSuchMember(ArchiveError):
    """An archive without the wanted file."""


@record
class _Directory:
    """The position of the central directory and the number of its entries."""

    offset: int
    size: int
    entries: int


@record
class _Entry:
    """One member as the central directory describes it.

    Attributes:
        what: how error messages call it.
        end: the first byte that belongs to something else.
    """

    what: str
    name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    expanded: int
    offset: int
    end: int


def reader_of(handle: BinaryIO) -> Read:
    """Return a function that reads an open file at an offset."""

    def read(offset: int, length: int) -> bytes:
        handle.seek(offset)
        return handle.read(length)

    return read


def metadata_of(read: Read, size: int, limit: int = METADATA_LIMIT, *, project: NormalizedName | None = None) -> bytes:
    """Return the only ``NAME-VERSION.dist-info/METADATA`` of a wheel.

    Args:
        read: reads bytes at an offset; its exceptions pass through.
        size: the length of the file.
        limit: the maximum size of METADATA.
        project: whose directory it has to be in, as the only one beside a WHEEL; None for anybody's.

    Raises:
        ArchiveError: the archive is corrupt, holds no METADATA or several, lies about its size, or holds the METADATA
            of another project.
    """
    names: list[bytes] = []

    def chosen(name: bytes) -> bool:
        if not name.partition(b"/")[0].endswith(b".dist-info"):
            return False
        names.append(name)
        return _is_metadata(name)

    body = member_of(read, size, chosen, "METADATA", limit)
    folders = {name.partition(b"/")[0] for name in names}
    folder = next(name for name in names if _is_metadata(name)).partition(b"/")[0]
    shown = folder.decode("utf-8", "replace")
    if project is None:
        return body
    if not canonicalize_name(shown).startswith(f"{project}-"):  # as pip compares them
        raise ArchiveError(f"its directory {shown} is not that of {project}")
    if folder + b"/METADATA/" in names:
        raise ArchiveError("its METADATA is a directory, too")
    if len(folders) > 1:
        raise ArchiveError(f"it has {len(folders)} directories that end in .dist-info")
    if folder + b"/WHEEL" not in names:
        raise ArchiveError(f"it has no {shown}/WHEEL")
    return body


def check_dist_info(handle: BinaryIO) -> None:
    """Read every file beside the METADATA of a wheel that is at hand as a whole, as installers do.

    Raises:
        ArchiveError: one of them is damaged, or the wheel follows a version of its format that installers do not know.
    """
    from email.parser import Parser
    from zipfile import ZipFile

    try:
        with ZipFile(handle) as archive:
            inside = [info for info in archive.infolist() if info.filename.partition("/")[0].endswith(".dist-info")]
            if sum(info.file_size for info in inside) > DIST_INFO_LIMIT:
                raise ArchiveError(f"its .dist-info directory has more than {DIST_INFO_LIMIT} bytes")
            bodies = {info.filename: archive.read(info) for info in inside if not info.is_dir()}
    except ArchiveError:
        raise
    except Exception as error:  # noqa: BLE001 -- zipfile documents no full list, and every one means the same
        raise ArchiveError(f"a file in its .dist-info directory is damaged ({error})") from None
    names = [name for name in bodies if name.endswith(".dist-info/WHEEL") and name.count("/") == 1]
    wheel = bodies[names[0]] if names else b""
    if not _is_utf8(wheel):
        raise ArchiveError("its WHEEL is not UTF-8")
    try:
        fields = Parser().parsestr(wheel.decode("utf-8"), headersonly=True)
        major, *_ = [int(part) for part in fields["Wheel-Version"].strip().split(".")]
    except (AttributeError, ValueError):
        raise ArchiveError("its WHEEL does not say which version of the format it follows") from None
    if major > 1:
        raise ArchiveError(f"it follows version {major} of the wheel format, which installers do not know")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def member_of(read: Read, size: int, chosen: Chosen, what: str, limit: int = METADATA_LIMIT) -> bytes:
    """Return the only member of a ZIP archive that `chosen` picks.

    Args:
        read, size, limit: as for `metadata_of`.
        chosen: picks the member by its path.
        what: how error messages call it.

    Raises:
        NoSuchMember: there is none.
        ArchiveError: the archive is corrupt, several match, or one lies about its size.
    """
    directory = _directory(read, size)
    raw = _exactly(read, directory.offset, directory.size)
    return _content(read, _chosen_entry(raw, directory, chosen, what), limit)


def _exactly(read: Read, offset: int, length: int) -> bytes:
    found = read(offset, length)
    if len(found) != length:
        raise ArchiveError("it is cut short")
    return found


# -- the end of the archive


def _directory(read: Read, size: int) -> _Directory:
    at, record = _end_record(read, size)
    _, disk, first_disk, here, entries, length, offset, _ = record
    locator_at = at - _LOCATOR.size
    if locator_at >= 0:
        locator = _LOCATOR.unpack(_exactly(read, locator_at, _LOCATOR.size))
        if locator[0] == b"PK\x06\x07":
            directory = _directory64(read, locator_at, locator)
            pairs = (
                (entries, directory.entries, 0xFFFF),
                (length, directory.size, _IN_ZIP64),
                (offset, directory.offset, _IN_ZIP64),
            )
            if any(short not in (long, elsewhere) for short, long, elsewhere in pairs):
                raise ArchiveError("its two end records disagree")
            return directory
    if disk or first_disk or here != entries:
        raise ArchiveError("it is one part of an archive of several")
    return _checked(_Directory(offset=offset, size=length, entries=entries), at)


def _end_record(read: Read, size: int) -> tuple[int, tuple[bytes, int, int, int, int, int, int, int]]:
    """Return the end record and its position: at the very end, or before the last thing that can be a comment."""
    if size < _END.size:
        raise ArchiveError("it is too short for a ZIP archive")
    at = size - _END.size
    tail = _exactly(read, at, _END.size)
    if not (tail.startswith(b"PK\x05\x06") and tail.endswith(b"\0\0")):
        start = max(0, at - _MAX_COMMENT)
        tail = _exactly(read, start, size - start)
        found = tail.rfind(b"PK\x05\x06")
        if found < 0 or found + _END.size > len(tail):
            raise ArchiveError("it is not a ZIP archive")
        at, tail = start + found, tail[found : found + _END.size]
    return at, _END.unpack(tail)


def _directory64(read: Read, locator_at: int, locator: tuple[bytes, int, int, int]) -> _Directory:
    _, disk, at, disks = locator
    if at + _END64.size > locator_at:
        raise ArchiveError("its ZIP64 end record is out of bounds")
    record = _END64.unpack(_exactly(read, at, _END64.size))
    signature, length, _, _, this_disk, first_disk, here, entries, size, offset = record
    if signature != b"PK\x06\x06" or at + 12 + length != locator_at:
        raise ArchiveError("its ZIP64 end record is not where it says")
    if disk or disks > 1 or this_disk or first_disk or here != entries:
        raise ArchiveError("it is one part of an archive of several")
    return _checked(_Directory(offset=offset, size=size, entries=entries), at)


def _checked(directory: _Directory, end: int) -> _Directory:
    if directory.offset + directory.size != end:
        raise ArchiveError("its central directory is not where its end record says")
    if directory.size > DIRECTORY_LIMIT:
        raise ArchiveError(f"its central directory has {directory.size} bytes, more than {DIRECTORY_LIMIT}")
    return directory


# -- the central directory


def _chosen_entry(raw: bytes, directory: _Directory, chosen: Chosen, what: str) -> _Entry:
    found: list[int] = []
    offsets = array("I")
    at, end = 0, len(raw)
    while at < end:
        if at + _CENTRAL.size > end:
            raise ArchiveError("its central directory is cut short")
        signature, name_length, extra_length, comment_length, offset = _CENTRAL_SHAPE.unpack_from(raw, at)
        if signature != b"PK\x01\x02":
            raise ArchiveError("its central directory has something that is no entry")
        name_at = at + _CENTRAL.size
        if chosen(raw[name_at : name_at + name_length]):
            found.append(at)
        offsets.append(offset)
        at = name_at + name_length + extra_length + comment_length
        if len(offsets) > MAX_ENTRIES:
            raise ArchiveError(f"it has more than {MAX_ENTRIES:,} members")
    if at != end or len(offsets) != directory.entries:
        raise ArchiveError("its central directory does not have the entries that its end record counts")
    if not found:
        raise NoSuchMember(f"it has no {what}")
    if len(found) > 1:
        raise ArchiveError(f"it has {len(found)} {what} files")
    return _entry(raw, found[0], offsets, directory.offset, what)


def _is_metadata(name: bytes) -> bool:
    """Return whether an entry is METADATA at depth one. Readers end a name at its first NUL, so this does too."""
    if b".dist-info/METADATA" not in name:
        return False
    name = name.partition(b"\0")[0]
    return name.endswith(b".dist-info/METADATA") and name.count(b"/") == 1


def _entry(raw: bytes, at: int, offsets: array[int], directory_offset: int, what: str) -> _Entry:
    fields = _CENTRAL.unpack_from(raw, at)
    flags, method, crc, compressed, expanded = fields[3], fields[4], *fields[7:10]
    name_at = at + _CENTRAL.size
    extra_at = name_at + fields[10]
    extra = raw[extra_at : extra_at + fields[11]]
    expanded, compressed, offset = _widened(extra, (expanded, compressed, fields[16]), what)
    if offsets.count(fields[16]) > 1 and fields[16] != _IN_ZIP64:
        raise ArchiveError(f"its {what} shares its bytes with another entry")
    return _Entry(
        what=what,
        name=raw[name_at:extra_at],
        flags=flags,
        method=method,
        crc=crc,
        compressed=compressed,
        expanded=expanded,
        offset=offset,
        end=min((other for other in offsets if offset < other < directory_offset), default=directory_offset),
    )


def _widened(extra: bytes, values: tuple[int, int, int], what: str) -> tuple[int, int, int]:
    """Return sizes and offset of an entry, those beyond 32 bits from its ZIP64 extra field."""
    wide = _extra_field(extra, 1) if _IN_ZIP64 in values else b""
    found: list[int] = []
    for value in values:
        if value == _IN_ZIP64:
            if len(wide) < 8:
                raise ArchiveError(f"the ZIP64 field of its {what} is cut short")
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        found.append(value)
    expanded, compressed, offset = found
    return expanded, compressed, offset


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""


# -- the member itself


def _content(read: Read, entry: _Entry, limit: int) -> bytes:
    if entry.flags & (_ENCRYPTED | _STRONGLY_ENCRYPTED | _HIDDEN):
        raise ArchiveError(f"its {entry.what} is encrypted")
    if entry.method not in (_STORED, _DEFLATED) or entry.flags & _PATCHED:
        raise ArchiveError(f"its {entry.what} is compressed by the unknown method {entry.method}")
    if max(entry.expanded, entry.compressed) > limit:
        raise ArchiveError(f"its {entry.what} has {entry.expanded} bytes, more than {limit}")
    head = _LOCAL.size + len(entry.name)
    if entry.offset + head + entry.compressed > entry.end:
        raise ArchiveError(f"its {entry.what} overlaps something else")
    raw = _exactly(read, entry.offset, min(head + _LOCAL_EXTRA_GUESS + entry.compressed, entry.end - entry.offset))
    name_length: int
    extra_length: int
    signature, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack_from(raw)
    name = raw[_LOCAL.size : _LOCAL.size + name_length]
    if signature != b"PK\x03\x04" or name != entry.name or method != entry.method or flags & _ENCRYPTED:
        raise ArchiveError(f"its central directory and its {entry.what} disagree")
    start = _LOCAL.size + name_length + extra_length
    stop = start + entry.compressed
    if entry.offset + stop > entry.end:
        raise ArchiveError(f"its {entry.what} overlaps something else")
    if stop > len(raw):
        raw += _exactly(read, entry.offset + len(raw), stop - len(raw))
    return _expanded(raw[start:stop], entry)


def _expanded(data: bytes, entry: _Entry) -> bytes:
    if entry.method == _DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            found = inflate.decompress(data, entry.expanded + 1)
        except zlib.error:
            raise ArchiveError(f"its {entry.what} is damaged") from None
        if not inflate.eof or inflate.unused_data:
            raise ArchiveError(f"its {entry.what} does not have the size that it declares")
        data = found
    if len(data) != entry.expanded:
        raise ArchiveError(f"its {entry.what} does not have the size that it declares")
    if zlib.crc32(data) != entry.crc:
        raise ArchiveError(f"its {entry.what} is damaged (wrong checksum)")
    return data
