"""Small real wheels in memory for tests, and broken ones: what a hostile or careless publisher could upload."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Dist:
    """A distribution file as bytes, with what an index says of it.

    `metadata` is what a server gives beside it; None where it has nothing to give.
    """

    filename: str
    content: bytes
    metadata: bytes | None = None
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def project(self) -> str:
        return self.filename.partition("-")[0]

    def named(self, filename: str) -> Dist:
        return replace(self, filename=filename)

    def holding(self, content: bytes) -> Dist:
        return replace(self, content=content)


def make_wheel(
    name: str,
    version: str = "1.0",
    tags: str = "py3-none-any",
    *,
    requires: tuple[str, ...] | list[str] = (),
    requires_python: str | None = None,
    extras: tuple[str, ...] = (),
    files: Mapping[str, bytes | str] | None = None,
    metadata: bytes | str | None = None,
    yanked: str | None = None,
    upload_time: str | None = None,
    comment: bytes = b"",
) -> Dist:
    """A wheel that installers take: a module of the project's name, unless `files` are given, and its dist-info.

    Args:
        name, version, tags: as in its file name.
        requires, requires_python, extras: for its METADATA.
        files: path in the wheel to content.
        metadata: METADATA itself, instead of what the arguments above would make.
        yanked, upload_time: what an index says of it.
        comment: the archive's comment.
    """
    if metadata is None:
        metadata = metadata_text(name, version, requires=requires, requires_python=requires_python, extras=extras)
    body = metadata.encode() if isinstance(metadata, str) else metadata
    stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
    module = name.replace("-", "_").replace(".", "_").lower()
    members = dict(files) if files is not None else {f"{module}/__init__.py": f"__version__ = {version!r}\n"}
    info = f"{stem}.dist-info"
    members[f"{info}/METADATA"] = body
    members[f"{info}/WHEEL"] = wheel_text(tags)
    members[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"])
    return Dist(
        filename=f"{stem}-{tags}.whl",
        content=zipped(members, comment=comment),
        metadata=body,
        requires_python=requires_python,
        yanked=yanked,
        upload_time=upload_time,
    )


def make_sdist(name: str, version: str = "1.0", *, requires_python: str | None = None) -> Dist:
    """A source distribution with nothing in it but a name."""
    return Dist(filename=f"{name}-{version}.tar.gz", content=b"\x1f\x8b", requires_python=requires_python)


def metadata_text(
    name: str,
    version: str,
    *,
    requires: tuple[str, ...] | list[str] = (),
    requires_python: str | None = None,
    extras: tuple[str, ...] = (),
) -> str:
    """Core metadata 2.1 with a description, in which something stands that looks like a field."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {text}" for text in requires]
    return "\n".join([*lines, "", "A test wheel.", "Requires-Dist: not-a-requirement", ""])


def wheel_text(tags: str) -> str:
    python, abi, platform = tags.split("-")[-3:]
    triples = [f"{p}-{a}-{s}" for p in python.split(".") for a in abi.split(".") for s in platform.split(".")]
    pure = "true" if platform == "any" else "false"
    return "".join(
        ["Wheel-Version: 1.0\nGenerator: tests\n", f"Root-Is-Purelib: {pure}\n", *(f"Tag: {t}\n" for t in triples)]
    )


def zipped(members: Mapping[str, bytes | str], *, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of some members, the same bytes for the same members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            about = zipfile.ZipInfo(name)
            about.compress_type = method
            archive.writestr(about, content)
    return buffer.getvalue()


def peak_of(work: Callable[[], object]) -> int:
    """The bytes that some work takes in memory at its worst."""
    was_on = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_on:
            tracemalloc.stop()


# -- broken ones


def without_metadata(name: str = "broken", version: str = "1.0", tags: str = "py3-none-any") -> Dist:
    info = f"{name}-{version}.dist-info"
    content = zipped({f"{name}.py": "", f"{info}/WHEEL": wheel_text(tags), "elsewhere/METADATA": b"Name: x\n"})
    return Dist(filename=f"{name}-{version}-{tags}.whl", content=content)


def with_two_metadata(name: str = "broken", version: str = "1.0", tags: str = "py3-none-any") -> Dist:
    text = metadata_text(name, version)
    content = zipped({f"{name}-{version}.dist-info/METADATA": text, f"other-{version}.dist-info/METADATA": text})
    return Dist(filename=f"{name}-{version}-{tags}.whl", content=content)


def not_utf8(name: str = "broken", version: str = "1.0") -> Dist:
    text = metadata_text(name, version, requires=["six"]).replace("Version: 2.1", "Version: 2.1\nAuthor: J\xf6rg")
    return make_wheel(name, version, metadata=text.encode("latin-1"))


def enormous(name: str = "broken", version: str = "1.0", size: int = 50 * 2**20) -> Dist:
    """Metadata of 50 MB that takes 50 kB compressed."""
    head = metadata_text(name, version).encode()
    return make_wheel(name, version, metadata=head + b"\0" * (size - len(head)))


def lying_about_size(name: str = "broken", version: str = "1.0", *, stated: int = 100, size: int = 50 * 2**20) -> Dist:
    """Metadata that expands to far more than its archive says."""
    honest = enormous(name, version, size)
    assert honest.metadata is not None
    true_size = struct.pack("<L", len(honest.metadata))
    return honest.holding(honest.content.replace(true_size, struct.pack("<L", stated)))


def damaged(dist: Dist) -> Dist:
    """The same wheel with one byte of its METADATA changed after its checksum was made."""
    return dist.holding(with_metadata_bytes_changed(dist.content))


def with_metadata_bytes_changed(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = next(info for info in archive.infolist() if info.filename.endswith("METADATA"))
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def zip64(members: Mapping[str, bytes]) -> bytes:
    """An archive whose sizes and offsets all stand in ZIP64 fields, as a very large one has them."""
    out, directory = bytearray(), bytearray()
    for name, content in members.items():
        raw, offset = name.encode(), len(out)
        wide = struct.pack("<2H2Q", 1, 16, len(content), len(content))
        common = struct.pack(
            "<5HL2L2H", 45, 0, 0, 0, 33, zlib.crc32(content), 2**32 - 1, 2**32 - 1, len(raw), len(wide)
        )
        out += b"PK\x03\x04" + common + raw + wide + content
        wide = struct.pack("<2H3Q", 1, 24, len(content), len(content), offset)
        common = common[:-2] + struct.pack("<H", len(wide))
        directory += b"PK\x01\x02" + struct.pack("<H", 45) + common + struct.pack("<3H2L", 0, 0, 0, 0, 2**32 - 1)
        directory += raw + wide
    at, count = len(out), len(members)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return bytes(out + directory + end64 + locator + end)
