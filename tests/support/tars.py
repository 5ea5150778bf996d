"""Tar archives made block by block, sound and broken."""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def header(
    name: str = "n-1.0/a", kind: bytes = b"0", size: int | bytes = 0, prefix: bytes = b"", signed: bool = False
) -> bytes:
    """One header block with a right sum."""
    field = size if isinstance(size, bytes) else f"{size:011o}\0".encode()
    block = bytearray(struct.pack("100s24s12s12s8s1s100s8s80s155s12x", *fields(name, field, kind, prefix)))
    total = sum(struct.unpack("512b", block)) if signed else sum(block)
    block[148:156] = f"{total:06o}\0 ".encode()
    return bytes(block)


def fields(name: str, size: bytes, kind: bytes, prefix: bytes) -> tuple[bytes, ...]:
    return name.encode(), b"0000644\0" * 3, size, b"00000000000\0", b" " * 8, kind, b"", b"ustar\00000", b"", prefix


def padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 512)


def pax(**records: str) -> bytes:
    lines = b""
    for key, value in records.items():
        text = f" {key.replace('__', '.')}={value}\n".encode()
        length = next(n for n in range(3, 9000) if n == len(str(n)) + len(text))
        lines += str(length).encode() + text
    return lines


def extended(content: bytes, kind: bytes = b"x") -> bytes:
    return header("pax", kind, len(content)) + padded(content)


def zeros(count: int) -> Iterable[bytes]:
    """A gzip stream of so many MiB of zeros, made piece by piece."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(count):
        yield made.compress(b"\0" * 2**20)
    yield made.flush()


def bomb(head: bytes, count: int) -> bytes:
    """A member that says it is large, and is."""
    return gzip.compress(head) + b"".join(zeros(count))
