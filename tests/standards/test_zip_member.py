"""The metadata inside a wheel: what zipfile reads is read here too, or refused; nothing else ever happens."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memory
import wheels
from wheelcheck.standards.zip_member import ArchiveError, metadata_of

HONEST = wheels.make_wheel("some-name", "1.0", requires=["numpy<2"], files={"a.py": "x = 1\n" * 50, "b/c.txt": "c"})


class Reads:
    """A file in memory that notes what was read of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.parts: list[tuple[int, int]] = []

    def __call__(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= len(self.content)
        assert length >= 0
        self.parts.append((offset, length))
        return self.content[offset : offset + length]


def found_in(content: bytes, **limit: int) -> bytes:
    return metadata_of(Reads(content), len(content), **limit)


def zipfile_finds(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
        assert len(names) == 1
        return archive.read(names[0])


def test_the_metadata_of_a_wheel_is_what_zipfile_reads() -> None:
    assert found_in(HONEST.content) == zipfile_finds(HONEST.content) == HONEST.metadata


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=20)
OTHERS = st.dictionaries(NAMES, st.binary(max_size=200), max_size=8)


@given(
    others=OTHERS,
    body=st.binary(max_size=3000),
    deflated=st.booleans(),
    comment=st.binary(max_size=70).filter(lambda text: b"PK" not in text) | st.just(b"\0" * 0xFFFF),
    last=st.booleans(),
)
def test_any_archive_that_zipfile_writes_is_read_the_same(
    others: dict[str, bytes], body: bytes, deflated: bool, comment: bytes, last: bool
) -> None:
    metadata = {"n-1.dist-info/METADATA": body}
    members = others | metadata if last else metadata | others
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    content = wheels.zipped(members, comment=comment, method=method)
    assert found_in(content) == body == zipfile_finds(content)


def test_an_archive_that_was_streamed_is_read() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[type-var]
        archive.writestr("n/x.py", "x")
        with archive.open("n-1.dist-info/METADATA", "w", force_zip64=True) as member:
            member.write(b"Name: n\n" * 100)
    assert found_in(bytes(pipe.content)) == b"Name: n\n" * 100


def test_sizes_and_offsets_in_zip64_fields_are_read() -> None:
    members = {"n/x.py": b"x" * 100, "n-1.dist-info/METADATA": b"Name: n\n", "n/y.py": b"y"}
    content = wheels.zip64(members)
    assert found_in(content) == b"Name: n\n" == zipfile_finds(content)


def test_two_end_records_that_disagree_are_refused() -> None:
    content = wheels.zip64({"n-1.dist-info/METADATA": b"Name: n\n"})
    with pytest.raises(ArchiveError, match="end records disagree"):
        found_in(content[:-12] + b"\x02\x00" + content[-10:])


def test_a_large_wheel_is_read_in_a_few_small_parts() -> None:
    dist = wheels.make_wheel("big", files={f"big/{i}.bin": bytes([i]) * 20_000 for i in range(50)})
    stored = wheels.zipped(
        {f"big/{i}.bin": bytes([i]) * 20_000 for i in range(50)} | {"big-1.dist-info/METADATA": dist.metadata or b""},
        method=zipfile.ZIP_STORED,
    )
    reads = Reads(stored)
    metadata_of(reads, len(stored))
    assert len(reads.parts) <= 4
    assert sum(length for _, length in reads.parts) < 10_000


REFUSED = {
    "no metadata": (wheels.without_metadata().content, "no METADATA"),
    "two": (wheels.with_two_metadata().content, "2 METADATA files"),
    "50 MB": (wheels.enormous().content, "52428800 bytes"),
    "a size that lies": (wheels.lying_about_size().content, "size that it declares"),
    "a damaged member": (wheels.damaged(HONEST).content, "damaged"),
    "not an archive": (b"<html>not found</html>" * 10, "not a ZIP archive"),
    "nothing": (b"", "too short"),
    "the first half": (HONEST.content[: len(HONEST.content) // 2], "not a ZIP archive"),
    "something before it": (b"#!/bin/sh\n" + HONEST.content, "central directory is not where"),
    "the last half": (HONEST.content[len(HONEST.content) // 2 :], "central directory is not where"),
    "encrypted": (
        HONEST.content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
        "encrypted",
    ),
    "an entry too few": (
        HONEST.content.replace(b"\x05\x00\x05\x00", b"\x04\x00\x04\x00"),
        "entries that its end record counts",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sound_is_refused_with_why(case: str) -> None:
    content, why = REFUSED[case]
    with pytest.raises(ArchiveError, match=why):
        found_in(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_two_files() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for body in ("Name: good\n", "Name: evil\n"):
            archive.writestr("n-1.dist-info/METADATA", body)
    with pytest.raises(ArchiveError, match="2 METADATA files"):
        found_in(buffer.getvalue())


def test_metadata_deeper_than_one_folder_does_not_count() -> None:
    vendored = {"n/_vendor/x-2.dist-info/METADATA": b"Name: x\n", "n-1.dist-info/METADATA": b"Name: n\n"}
    assert found_in(wheels.zipped(vendored)) == b"Name: n\n"


def test_a_name_ends_at_its_first_nul_as_zipfile_ends_it() -> None:
    content = wheels.zipped({"n-1.dist-info/METADATA_and": b"Name: evil\n", "n-1.dist-info/METADATA": b"Name: n\n"})
    with pytest.raises(ArchiveError, match="2 METADATA files"):
        found_in(content.replace(b"METADATA_and", b"METADATA\0and"))


def test_two_entries_cannot_share_their_bytes() -> None:
    content = bytearray(wheels.zipped({"a": b"x" * 10, "n-1.dist-info/METADATA": b"Name: n\n"}))
    first, second = (match for match in range(len(content)) if content[match : match + 4] == b"PK\x01\x02")
    content[first + 42 : first + 46] = content[second + 42 : second + 46]
    with pytest.raises(ArchiveError, match="shares its bytes"):
        found_in(bytes(content))


def test_memory_is_bounded_by_the_limit_whatever_an_archive_expands_to() -> None:
    bomb = wheels.lying_about_size(stated=1000, size=200 * 2**20).content

    def work() -> None:
        with pytest.raises(ArchiveError):
            found_in(bomb)

    assert wheels.peak_of(work) < 4 * 2**20


def test_a_directory_beyond_all_measure_is_not_read() -> None:
    size = 2**40
    end = wheels.zip64({"n-1.dist-info/METADATA": b"Name: n\n"})[-98:]
    directory_size = size - 98 - 8
    end = end[:40] + directory_size.to_bytes(8, "little") + (8).to_bytes(8, "little") + end[56:]
    end = end[:64] + (size - 98).to_bytes(8, "little") + end[72:]

    def read(offset: int, length: int) -> bytes:
        assert length < 2**20
        return end[offset - size + 98 : offset - size + 98 + length]

    with pytest.raises(ArchiveError, match="more than"):
        metadata_of(read, size)


ZIPFILE_REFUSES = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, RuntimeError)
"""It also reads the entries that nobody asked for, and the version that they are said to need."""

FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)
TARGETS = st.sampled_from([HONEST.content, wheels.zip64({"n-1.dist-info/METADATA": b"Name: n\n", "b": b"b"})])


@given(content=TARGETS, flips=FLIPS, cut=st.none() | st.floats(0, 1), tail=st.binary(max_size=30))
def test_whatever_is_done_to_the_bytes_it_is_read_or_refused(
    content: bytes, flips: list[tuple[float, int]], cut: float | None, tail: bytes
) -> None:
    changed = bytearray(content)
    for where, value in flips:
        changed[int(where * len(changed))] = value
    mutated = bytes(changed[: int(cut * len(changed))] if cut is not None else changed) + tail
    try:
        found = found_in(mutated)
        expected = zipfile_finds(mutated)
    except (ArchiveError, *ZIPFILE_REFUSES):
        return
    assert found == expected


@given(where=st.integers(0, len(HONEST.content) - 1), value=st.integers(0, 255))
def test_a_single_changed_byte_never_gives_other_metadata(where: int, value: int) -> None:
    changed = HONEST.content[:where] + bytes([value]) + HONEST.content[where + 1 :]
    try:
        found = found_in(changed)
    except ArchiveError:
        return
    assert found == HONEST.metadata


# -- memory, as it is measured


def with_long_directory(entries: int) -> wheels.Dist:
    """A wheel whose central directory has so many entries besides its METADATA, which all claim the same byte."""
    text, name = wheels.metadata_text("bad", "1.0").encode(), b"bad-1.0.dist-info/METADATA"
    start = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, zlib.crc32(text), *[len(text)] * 2, len(name), 0)
    own = central(zlib.crc32(text), len(text), len(name), 0) + name
    directory = own + (central(0, 0, 1, len(start) + len(name)) + b"x") * entries
    at, count = len(start + name + text), entries + 1
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return wheels.make_wheel("bad").holding(start + name + text + directory + end64 + locator + end)


def central(crc: int, size: int, name_length: int, offset: int) -> bytes:
    return struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, crc, size, size, name_length, 0, 0, 0, 0, 0, offset
    )


MEASURED = {
    "50 MB of metadata": (wheels.enormous("bad"), "52428800 bytes, more than", 16),
    "metadata that lies about its size": (wheels.lying_about_size("bad"), "size that it declares", 16),
    "a directory of 700,000 entries": (with_long_directory(700_000), "it has more than 200,000 members", 64),
    "a directory beyond the limit": (with_long_directory(750_000), "central directory has 35", 16),
}


@pytest.mark.skipif(not memory.CAN_MEASURE, reason="only Linux tells the peak of this very process")
@pytest.mark.parametrize("case", MEASURED)
def test_a_hostile_wheel_takes_little_memory_as_measured(case: str) -> None:
    dist, why, most = MEASURED[case]
    first, told, found, more = memory.measured(wheels.make_wheel("good"), dist, metadata=False)
    assert (first, told) == ("Metadata", "BadMetadata")
    assert why in found
    assert more < most * 2**20
