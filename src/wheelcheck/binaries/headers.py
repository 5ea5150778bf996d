"""What the headers of a compiled file say: for which processors it is, and which system it needs at least.

Only headers are read, at most `MAX_READ` bytes of a file of any size, and every offset and count in them is checked:
a file in a wheel may hold anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Literal, TypeAlias

from wheelcheck.common.records import Plain, plain, record

Format: TypeAlias = Literal["Mach-O", "ELF", "PE"]

MAX_READ = 1 << 20
"""Bytes that are read of one file."""
MAX_SLICES = 16
"""Slices of a universal file; Apple's tools make at most a handful."""
MAX_COMMANDS = 4096
"""Load commands of a slice, and program headers of an ELF file."""
MAX_VERSIONS = 4096
"""Symbol versions that an ELF file needs."""


@record
class Image:
    """A compiled file.

    Attributes:
        format: the file format.
        architectures: its processors, as targets of its system call them, such as ``arm64``, ``aarch64``, ``amd64``.
        minimum_os: the least macOS (``12.0``) or glibc (``2.17``) that it needs, the greatest of all slices; None where
            it does not say.
    """

    format: Format
    architectures: tuple[str, ...]
    minimum_os: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, Plain]:
        """Return the JSON form."""
        floor = None if self.minimum_os is None else ".".join(map(str, self.minimum_os))
        return {"format": self.format, "architectures": plain(self.architectures), "minimum_os": floor}


class BadHeaderError(ValueError):
    """A file that begins as a compiled one, and whose headers lead nowhere."""


def read_image(stream: BinaryIO) -> Image | None:
    """Return what the headers of a file say, or None where it is no compiled file.

    Args:
        stream: a seekable file, at its beginning.

    Raises:
        BadHeaderError: it is cut off or damaged.
        OSError: it cannot be read.

    Example:
        >>> import io
        >>> read_image(io.BytesIO(b"#!/bin/sh")) is None
        True
    """
    reader = _Reader(stream)
    magic = reader.optional(0, 8)
    if magic[:4] == b"\x7fELF":
        return _elf(reader)
    if magic[:2] == b"MZ":
        return _pe(reader)
    if magic[:4] in _THIN:
        return _mach([_slice(reader, 0)])
    if magic[:4] in _FAT and len(magic) == 8 and 0 < struct.unpack(">I", magic[4:])[0] <= MAX_SLICES:
        return _mach(list(_slices(reader, magic)))  # a Java class has the same first bytes, and a greater number here
    return None


class _Reader:
    """Read parts of a file, up to `MAX_READ` bytes in all."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = MAX_READ

    def optional(self, offset: int, size: int) -> bytes:
        """Return what there is of a part."""
        if size > self._left:
            raise BadHeaderError("its headers are too long")
        self._left -= size
        self._stream.seek(offset)
        return self._stream.read(size)

    def part(self, offset: int, size: int) -> bytes:
        """Return a part. Raises BadHeaderError where the file ends before it does."""
        if not 0 <= offset < 1 << 62:
            raise BadHeaderError("an offset leads out of it")
        data = self.optional(offset, size)
        if len(data) != size:
            raise BadHeaderError("it is cut off")
        return data

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Return the numbers of a structure."""
        return struct.unpack(layout, self.part(offset, struct.calcsize(layout)))


# -- Mach-O, as in <mach-o/loader.h> and <mach-o/fat.h>

_THIN = {b"\xfe\xed\xfa\xce": ">", b"\xce\xfa\xed\xfe": "<", b"\xfe\xed\xfa\xcf": ">", b"\xcf\xfa\xed\xfe": "<"}
"""The first bytes of a file with one slice, with its byte order."""
_WIDE = (b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe")
_FAT = {b"\xca\xfe\xba\xbe": ">IIIII", b"\xca\xfe\xba\xbf": ">IIQQII"}
"""The first bytes of a file with several slices, with the layout of a row of its table."""
_CPUS = {
    7: "i386",
    0x01000007: "x86_64",
    12: "arm",
    0x0100000C: "arm64",
    0x0200000C: "arm64_32",
    18: "ppc",
    0x01000012: "ppc64",
}
_VERSION_MIN_MACOSX, _BUILD_VERSION = 0x24, 0x32
_MACOS = 1


def _slices(reader: _Reader, magic: bytes) -> Iterator[tuple[str, tuple[int, int] | None]]:
    layout = _FAT[magic[:4]]
    for number in range(struct.unpack(">I", magic[4:8])[0]):
        row = reader.unpack(layout, 8 + number * struct.calcsize(layout))
        yield _slice(reader, row[2])


def _slice(reader: _Reader, start: int) -> tuple[str, tuple[int, int] | None]:
    """Return the processor of a slice, and the macOS that it needs."""
    magic = reader.part(start, 4)
    if magic not in _THIN:
        raise BadHeaderError("a slice is no Mach-O file")
    order = _THIN[magic]
    cpu, _, _, commands, _, _ = reader.unpack(f"{order}6I", start + 4)
    if commands > MAX_COMMANDS:
        raise BadHeaderError("it has too many load commands")
    place, floor = start + (32 if magic in _WIDE else 28), None
    for _ in range(commands):
        command, size = reader.unpack(f"{order}2I", place)
        if size < 8:
            raise BadHeaderError("a load command has no size")
        if command == _VERSION_MIN_MACOSX:
            floor = _release(reader.unpack(f"{order}I", place + 8)[0])
        elif command == _BUILD_VERSION:
            platform, least = reader.unpack(f"{order}2I", place + 8)
            floor = _release(least) if platform == _MACOS else floor
        place += size
    return _CPUS.get(cpu, f"cpu {cpu}"), floor


def _release(packed: int) -> tuple[int, int]:
    return packed >> 16, packed >> 8 & 0xFF


def _mach(slices: list[tuple[str, tuple[int, int] | None]]) -> Image:
    floors = [floor for _, floor in slices if floor is not None]
    return Image(format="Mach-O", architectures=tuple(cpu for cpu, _ in slices), minimum_os=max(floors, default=None))


# -- ELF, as in the System V ABI

_MACHINES = {
    3: "i686",
    21: "ppc64",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}
_LOAD, _DYNAMIC = 1, 2
_STRTAB, _STRSZ, _VERNEED, _VERNEEDNUM = 5, 10, 0x6FFFFFFE, 0x6FFFFFFF


def _elf(reader: _Reader) -> Image:
    kind = reader.part(4, 2)
    if kind[0] not in (1, 2) or kind[1] not in (1, 2):
        raise BadHeaderError("its class or byte order does not exist")
    is_wide, order = kind[0] == 2, "<" if kind[1] == 1 else ">"
    machine = reader.unpack(f"{order}H", 18)[0]
    name = _MACHINES.get(machine, f"machine {machine}")
    if machine == 21 and order == "<":
        name = "ppc64le"
    if machine == 62 and not is_wide:
        name = "x32"
    return Image(format="ELF", architectures=(name,), minimum_os=_glibc(reader, is_wide, order))


def _glibc(reader: _Reader, is_wide: bool, order: str) -> tuple[int, int] | None:
    """Return the newest glibc whose symbols are needed."""
    table = reader.unpack(f"{order}Q" if is_wide else f"{order}I", 32 if is_wide else 28)[0]
    size, count = reader.unpack(f"{order}2H", 54 if is_wide else 42)
    if count > MAX_COMMANDS or (count and size < (56 if is_wide else 32)):
        raise BadHeaderError("its program headers are malformed")
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    for number in range(count):
        at = table + number * size
        if is_wide:
            kind, _, offset, address, _, length, _, _ = reader.unpack(f"{order}2I6Q", at)
        else:
            kind, offset, address, _, length, _, _, _ = reader.unpack(f"{order}8I", at)
        if kind == _LOAD:
            loads.append((address, length, offset))
        elif kind == _DYNAMIC:
            dynamic = offset, length
    return _needed_glibc(reader, loads, dynamic, is_wide, order) if dynamic is not None else None


def _needed_glibc(
    reader: _Reader, loads: list[tuple[int, int, int]], dynamic: tuple[int, int], is_wide: bool, order: str
) -> tuple[int, int] | None:
    layout = f"{order}2Q" if is_wide else f"{order}2I"
    tags: dict[int, int] = {}
    for number in range(min(dynamic[1] // struct.calcsize(layout), MAX_COMMANDS)):
        tag, value = reader.unpack(layout, dynamic[0] + number * struct.calcsize(layout))
        if tag == 0:
            break
        tags.setdefault(tag, value)
    if _VERNEED not in tags or _STRTAB not in tags:
        return None
    names, found = _offset(loads, tags[_STRTAB]), list[tuple[int, int]]()
    place, seen = _offset(loads, tags[_VERNEED]), 0
    for _ in range(min(tags.get(_VERNEEDNUM, 0), MAX_VERSIONS)):
        _, count, _, first, following = reader.unpack(f"{order}2H3I", place)
        at = place + first
        for _ in range(count):
            seen += 1
            if seen > MAX_VERSIONS:
                raise BadHeaderError("it needs too many symbol versions")
            _, _, _, name, after = reader.unpack(f"{order}I2H2I", at)
            text = reader.optional(names + name, 32).split(b"\0")[0]
            found += _glibc_version(text)
            if not after:
                break
            at += after
        if not following:
            break
        place += following
    return max(found, default=None)


def _glibc_version(text: bytes) -> list[tuple[int, int]]:
    parts = text.removeprefix(b"GLIBC_").split(b".") if text.startswith(b"GLIBC_") else []
    numbers = [int(part) for part in parts[:2] if part.isdigit() and len(part) < 6]
    return [(numbers[0], numbers[1])] if len(numbers) == 2 else []


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    """Return where in the file an address of the loaded image is."""
    for start, length, offset in loads:
        if start <= address < start + length:
            return offset + address - start
    raise BadHeaderError("an address is outside of every segment")


# -- PE, as in Microsoft's PE format

_PE_MACHINES = {0x14C: "x86", 0x8664: "amd64", 0xAA64: "arm64", 0x1C4: "arm", 0xA641: "arm64ec"}


def _pe(reader: _Reader) -> Image | None:
    head = reader.optional(60, 4)
    if len(head) < 4:
        return None  # a text that begins with MZ
    start = struct.unpack("<I", head)[0]
    if reader.optional(start, 4) != b"PE\0\0":
        return None  # a program for DOS
    machine = reader.unpack("<H", start + 4)[0]
    return Image(format="PE", architectures=(_PE_MACHINES.get(machine, f"machine {machine}"),))
