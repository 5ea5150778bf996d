"""Headers of compiled files: made by hand for each format, those of this machine, and any bytes at all."""

from __future__ import annotations

import io
import platform
import re
import struct
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images import ARM64, X86_64, build_version, elf, fat, mach, pe, version_min
from wheelcheck.binaries.headers import MAX_READ, BadHeaderError, Image, read_image

IMAGES = {
    "a Mac's, for macOS 12": (mach(ARM64, build_version(1, 12, 0)), "Mach-O", ("arm64",), (12, 0)),
    "an older one": (mach(X86_64, version_min(10, 9)), "Mach-O", ("x86_64",), (10, 9)),
    "of an iPhone": (mach(ARM64, build_version(2, 17, 0)), "Mach-O", ("arm64",), None),
    "universal2": (
        fat((X86_64, mach(X86_64, version_min(10, 13))), (ARM64, mach(ARM64, build_version(1, 11, 0)))),
        "Mach-O",
        ("x86_64", "arm64"),
        (11, 0),
    ),
    "an unknown processor": (mach(99), "Mach-O", ("cpu 99",), None),
    "Linux": (elf(62, "GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.4", "GLIBCXX_3.4.29"), "ELF", ("x86_64",), (2, 17)),
    "Linux on Arm": (elf(183, "GLIBC_2.34"), "ELF", ("aarch64",), (2, 34)),
    "Linux, 32 bits": (elf(3, "GLIBC_2.28", wide=False), "ELF", ("i686",), (2, 28)),
    "Linux, big-endian": (elf(22, "GLIBC_2.29", order=">"), "ELF", ("s390x",), (2, 29)),
    "Linux, POWER": (elf(21, "GLIBC_2.17"), "ELF", ("ppc64le",), (2, 17)),
    "musl": (elf(62, "GCC_3.0"), "ELF", ("x86_64",), None),
    "Windows": (pe(0x8664), "PE", ("amd64",), None),
    "Windows on Arm": (pe(0xAA64), "PE", ("arm64",), None),
}


@pytest.mark.parametrize(("content", "form", "architectures", "floor"), IMAGES.values(), ids=IMAGES)
def test_what_headers_say(
    content: bytes, form: str, architectures: tuple[str, ...], floor: tuple[int, int] | None
) -> None:
    image = read_image(io.BytesIO(content))
    assert image == Image(format=form, architectures=architectures, minimum_os=floor)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", b"MZ is a text", b"MZ" + bytes(100), b"PK\x03\x04", struct.pack(">2I", 0xCAFEBABE, 52)],
)
def test_what_is_no_compiled_file(content: bytes) -> None:
    assert read_image(io.BytesIO(content)) is None


@pytest.mark.parametrize("content", [row[0] for row in IMAGES.values()], ids=IMAGES)
def test_a_file_that_is_cut_off_is_never_misread(content: bytes) -> None:
    whole = read_image(io.BytesIO(content))
    for length in range(len(content)):
        try:
            image = read_image(io.BytesIO(content[:length]))
        except BadHeaderError:
            continue
        assert image in (None, whole)


@given(st.sampled_from([row[0] for row in IMAGES.values()]), st.data())
def test_damaged_headers_end_in_an_answer_or_an_error(content: bytes, data: st.DataObject) -> None:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    stream = Counting(bytes(changed))
    with suppress(BadHeaderError):
        read_image(stream)
    assert stream.count <= MAX_READ


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x7fELF\x02\x01", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\2", b"MZ"]),
)
def test_any_bytes_end_in_an_answer_or_an_error(rest: bytes, start: bytes) -> None:
    with suppress(BadHeaderError):
        read_image(io.BytesIO(start + rest))


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_the_interpreter_itself() -> None:
    with Path(sys.executable).resolve().open("rb") as stream:
        image = read_image(stream)
    assert image is not None
    machine = {"AMD64": "amd64", "ARM64": "arm64"}.get(platform.machine(), platform.machine())
    assert machine in image.architectures


@pytest.mark.skipif(sys.platform != "linux", reason="readelf reads ELF")
def test_binaries_of_this_machine_need_the_glibc_that_readelf_tells() -> None:
    folder = Path(sysconfig.get_config_var("DESTSHARED"))
    try:
        subprocess.run(["readelf", "--version"], capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("no readelf here")
    files = sorted(folder.glob("*.so"))[:20]
    assert files
    for file in files:
        told = subprocess.run(["readelf", "-V", file], capture_output=True, text=True, check=True).stdout
        versions = [tuple(map(int, text.split(".")[:2])) for text in re.findall(r"GLIBC_([0-9.]+)", told)]
        with file.open("rb") as stream:
            image = read_image(stream)
        assert image is not None
        assert image.minimum_os == max(versions, default=None), file
