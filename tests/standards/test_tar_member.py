"""One file out of a tar archive: what tarfile reads is read here too, or refused; nothing is ever unpacked."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdists import tarred
from tars import bomb, extended, header, padded, pax
from wheelcheck.standards import tar_member as tarballs
from wheelcheck.standards.tar_member import TarScan, member_of_tar
from wheelcheck.standards.zip_member import METADATA_LIMIT, ArchiveError, NoSuchMember
from wheels import peak_of

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = "n-1.0/PKG-INFO"
BODY = b"Metadata-Version: 2.2\nName: n\nVersion: 1.0\n"
HONEST = {"n-1.0/setup.py": b"x = 1\n" * 400, WANTED: BODY, "n-1.0/last.py": b"y"}


def is_wanted(path: str) -> bool:
    return path == WANTED


def found_in(content: bytes, size: int = 1 << 16, gzipped: bool = True) -> bytes:
    chunks = (content[at : at + size] for at in range(0, len(content), size))
    return member_of_tar(chunks, is_wanted, "PKG-INFO", gzipped=gzipped)


def tarfile_finds(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = next(one for one in archive if one.name == WANTED)
        assert member.isreg()
        handle = archive.extractfile(member)
        assert handle is not None
        return handle.read()


FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=12).map("n-1.0/".__add__)
LONG_NAMES = st.integers(101, 3000).map(lambda length: f"n-1.0/{'x' * length}")
OTHERS = st.dictionaries(NAMES | LONG_NAMES, st.binary(max_size=1500), max_size=5)


@given(
    before=OTHERS, after=OTHERS, body=st.binary(max_size=3000), form=st.sampled_from(FORMS), size=st.integers(1, 4000)
)
def test_any_archive_that_tarfile_writes_is_read_the_same(
    before: dict[str, bytes], after: dict[str, bytes], body: bytes, form: int, size: int
) -> None:
    members = {path: content for path, content in before.items() if path != WANTED} | {WANTED: body}
    try:
        plain = tarred(
            members | {path: after[path] for path in after if path not in members}, compressed=False, form=form
        )
    except (ValueError, UnicodeError):  # ustar takes no long names
        return
    assert found_in(plain, size, gzipped=False) == body == tarfile_finds(plain)
    assert found_in(gzip.compress(plain), size) == body


def test_an_archive_in_several_gzip_members_is_one() -> None:
    plain = tarred(HONEST, compressed=False)
    content = b"".join(gzip.compress(plain[at : at + 700]) for at in range(0, len(plain), 700))
    assert found_in(content) == BODY == tarfile_finds(content)


def test_reading_ends_with_the_file_that_is_wanted() -> None:
    scan = TarScan(is_wanted, "PKG-INFO", gzipped=False)
    content = tarred(HONEST, compressed=False)
    end = content.index(BODY) + 512
    assert [scan.feed(content[:end]), scan.feed(b"what comes behind it is not looked at")] == [True, True]
    assert scan.end() == BODY


def test_an_archive_without_the_file_is_read_to_its_end() -> None:
    with pytest.raises(NoSuchMember, match="it has no PKG-INFO"):
        found_in(tarred({"n-1.0/a": b"", "n-1.0/x/PKG-INFO": BODY}))
    with pytest.raises(NoSuchMember):
        found_in(b"", gzipped=False)


# -- what is refused


WANTED_MEMBER = header(WANTED, size=len(BODY)) + padded(BODY)
END = b"\0" * 1024

READ = {
    "a name in two parts": header("PKG-INFO", size=len(BODY), prefix=b"n-1.0") + padded(BODY),
    "a name in a pax header": extended(pax(path=WANTED, mtime="1.5")) + header("x", size=len(BODY)) + padded(BODY),
    "a size in a pax header": extended(pax(size=str(len(BODY)))) + header(WANTED) + padded(BODY),
    "a long name of GNU": extended(WANTED.encode() + b"\0", b"L") + header("x", size=len(BODY)) + padded(BODY),
    "a size in base 256": header(WANTED, size=b"\x80" + len(BODY).to_bytes(11, "big")) + padded(BODY),
    "a comment for all": extended(pax(comment="0" * 40), b"g") + WANTED_MEMBER,
    "a link that says it has a size": header(kind=b"2", size=5000) + WANTED_MEMBER,
    "a device": header(kind=b"3", size=5000) + header(kind=b"4") + header(kind=b"6") + WANTED_MEMBER,
    "an old folder that says it has a size": header("n-1.0/", b"\0", 5000) + WANTED_MEMBER,
    "a kind that nobody knows": header(kind=b"Q", size=600) + padded(b"x" * 600) + WANTED_MEMBER,
    "a sum of signed bytes": header("n-1.0/\xe9", signed=True) + WANTED_MEMBER,
    "a long name of a link": extended(b"x" * 2000, b"K") + header(kind=b"2") + WANTED_MEMBER,
}


@pytest.mark.parametrize("case", READ)
def test_what_tar_archives_may_hold_is_read_as_tarfile_reads_it(case: str) -> None:
    content = READ[case] + END
    assert found_in(content, gzipped=False) == BODY == tarfile_finds(content)


REFUSED = {
    "not an archive": (b"<html>not found</html>" * 100, "not a tar archive"),
    "a header with a wrong sum": (b"x" + WANTED_MEMBER[1:], "one of its headers is damaged"),
    "a header without its end": (WANTED_MEMBER[:300], "cut short"),
    "contents without their end": (header(size=10_000) + b"x" * 600, "cut short"),
    "the file without its end": (WANTED_MEMBER[:520], "cut short"),
    "a size that is no number": (header(size=b"12x45678901\0"), "no number"),
    "a negative size": (header(size=b"\xff" * 12), "no number"),
    "an enormous file": (header(WANTED, size=METADATA_LIMIT + 1), f"its PKG-INFO has {METADATA_LIMIT + 1} bytes"),
    "an enormous header": (header(kind=b"x", size=2**30), "one of its headers has 1073741824 bytes"),
    "an enormous name": (header(kind=b"L", size=2**30), "one of its headers has 1073741824 bytes"),
    "a sparse member": (header(kind=b"S", size=0), "sparse"),
    "a sparse member by pax": (extended(pax(GNU__sparse__major="1")) + header(), "sparse"),
    "a link as the file": (header(WANTED, kind=b"2"), "no regular file"),
    "a hard link as the file": (header(WANTED, kind=b"1"), "no regular file"),
    "a folder as the file": (header(WANTED, kind=b"5"), "no regular file"),
    "a device as the file": (header(WANTED, kind=b"3"), "no regular file"),
    "a path for all": (extended(pax(path=WANTED), b"g"), "all its members"),
    "two headers of one member": (extended(pax(path=WANTED)) + extended(WANTED.encode(), b"L"), "twice"),
    "a damaged pax header": (extended(b"99 path=x\n"), "pax headers is damaged"),
    "a pax header of length nought": (extended(b"0 path=x\n"), "pax headers is damaged"),
    "a pax size that is no number": (extended(pax(size="1e9")) + header(), "no number"),
    "a pax size below nought": (extended(pax(size="-512")) + header(), "no number"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_not_sound_is_refused_with_why(case: str, compressed: bool) -> None:
    content, why = REFUSED[case]
    with pytest.raises(ArchiveError, match=why):
        found_in(gzip.compress(content) if compressed else content, gzipped=compressed)


COMPRESSED = tarred(HONEST)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tarred(HONEST, compressed=False), "compression is damaged"),
        (COMPRESSED[:12], "cut short"),
        (COMPRESSED[:5] + b"\xff" * 50, "compression is damaged"),
        (gzip.compress(b"", mtime=0) + b"and more", "compression is damaged"),
        (b"", "cut short"),
    ],
    ids=["plain", "twelve bytes", "damaged", "more behind it", "nothing"],
)
def test_damaged_compression_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ArchiveError, match=why):
        found_in(content)


# -- bombs


LARGE = 2**40
BOMBS = {
    "an enormous member": (lambda: bomb(header(size=LARGE), 40), "expands to more than"),
    "a long name of a link": (lambda: bomb(header(kind=b"K", size=LARGE), 40), "expands to more than"),
    "endless members": (lambda: gzip.compress(header() * 70_000, 9), "more than 50000 members"),
    "endless headers": (lambda: gzip.compress(extended(b"5 a=\n" * 10_000, b"g") * 60, 9), "headers have more than"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_refused_in_little_memory(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarballs, "EXPANDED_LIMIT", 2**25)
    monkeypatch.setattr(tarballs, "MAX_MEMBERS", 50_000)
    monkeypatch.setattr(tarballs, "HEADERS_LIMIT", 2**20)
    made: tuple[Callable[[], bytes], str] = BOMBS[case]
    content, why = made[0](), made[1]
    assert len(content) < 2**21

    def read() -> None:
        with pytest.raises(ArchiveError, match=why):
            found_in(content)

    assert peak_of(read) < 8 * 2**20


# -- properties

FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)
TARGETS = st.sampled_from([tarred(HONEST, compressed=False, form=form) for form in FORMS] + [*READ.values()])


@given(content=TARGETS, flips=FLIPS, cut=st.none() | st.floats(0, 1))
def test_whatever_is_done_to_the_bytes_it_is_read_or_refused(
    content: bytes, flips: list[tuple[float, int]], cut: float | None
) -> None:
    changed = bytearray(content)
    for where, value in flips:
        changed[int(where * len(changed))] = value
    mutated = bytes(changed[: int(cut * len(changed))] if cut is not None else changed)
    try:
        found = found_in(mutated, gzipped=False)
    except ArchiveError:
        return
    assert found == tarfile_finds(mutated + END)


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for data in (content, gzip.compress(content)):
        for gzipped in (True, False):
            with pytest.raises(ArchiveError):
                found_in(data, gzipped=gzipped)
