"""Compiled files, as far as their headers go."""

from __future__ import annotations

import struct

X86_64, ARM64 = 0x01000007, 0x0100000C


def mach(cpu: int, *commands: bytes, order: str = "<") -> bytes:
    """A thin 64-bit Mach-O file."""
    return struct.pack(f"{order}8I", 0xFEEDFACF, cpu, 0, 6, len(commands), sum(map(len, commands)), 0, 0) + b"".join(
        commands
    )


def build_version(platform: int, major: int, minor: int) -> bytes:
    return struct.pack("<6I", 0x32, 24, platform, major << 16 | minor << 8, 0, 0)


def version_min(major: int, minor: int) -> bytes:
    return struct.pack("<4I", 0x24, 16, major << 16 | minor << 8, 0)


def fat(*slices: tuple[int, bytes]) -> bytes:
    """A universal file."""
    head, body = struct.pack(">2I", 0xCAFEBABE, len(slices)), b""
    start = 8 + 20 * len(slices)
    for cpu, content in slices:
        head += struct.pack(">5I", cpu, 0, start + len(body), len(content), 0)
        body += content
    return head + body


def pe(machine: int) -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine)


def elf(machine: int, *versions: str, order: str = "<", wide: bool = True) -> bytes:
    """An ELF file whose one segment holds a dynamic section that needs symbol versions."""
    names = b"\0libc.so.6\0" + b"".join(version.encode() + b"\0" for version in versions)
    head = 64 + 2 * 56 if wide else 52 + 2 * 32
    strings, needed = head, head + len(names) + -len(names) % 8
    rows, at = b"", 11
    for number, version in enumerate(versions):
        rows += struct.pack(f"{order}I2H2I", 0, 0, number, at, 16 if number < len(versions) - 1 else 0)
        at += len(version) + 1
    need = struct.pack(f"{order}2H3I", 1, len(versions), 1, 16, 0) + rows
    dynamic = needed + len(need) + -len(need) % 8
    pairs = [(5, strings), (10, len(names)), (0x6FFFFFFE, needed), (0x6FFFFFFF, 1), (0, 0)]
    table = b"".join(struct.pack(f"{order}2{'Q' if wide else 'I'}", *pair) for pair in pairs)
    total = dynamic + len(table)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        header = ident + struct.pack(f"{order}2HI3QI6H", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
        segments = struct.pack(f"{order}2I6Q", 1, 5, 0, 0, 0, total, total, 8)
        segments += struct.pack(f"{order}2I6Q", 2, 5, dynamic, dynamic, 0, len(table), len(table), 8)
    else:
        header = ident + struct.pack(f"{order}2H5I6H", 3, machine, 1, 0, 52, 0, 0, 52, 32, 2, 40, 0, 0)
        segments = struct.pack(f"{order}8I", 1, 0, 0, 0, total, total, 5, 8)
        segments += struct.pack(f"{order}8I", 2, dynamic, dynamic, 0, len(table), len(table), 5, 8)
    content = header + segments + names
    content += bytes(needed - len(content)) + need
    return content + bytes(dynamic - len(content)) + table
