"""What hypothesis draws platforms, Pythons and targets from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from packaging import markers

from wheelcheck.targets.platform import (
    GLIBC_MACHINES,
    MUSL_MACHINES,
    MacOS,
    Manylinux,
    Musllinux,
    Other,
    Platform,
    Windows,
)
from wheelcheck.targets.python import read_python
from wheelcheck.targets.target import target_on

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target

VARIABLES = set(markers.Environment.__annotations__)
"""The names of all marker variables."""

MAC_RELEASES = [*((10, minor) for minor in range(9, 16)), *((major, 0) for major in range(11, 16)), (12, 3), (14, 5)]
MAC_RELEASES += [(26, 0), (26, 2), (27, 0)]
macs = st.builds(
    lambda release, machine: MacOS(
        major=release[0], minor=release[1], machine=machine if release[0] > 10 else "x86_64"
    ),
    st.sampled_from(MAC_RELEASES),
    st.sampled_from(["arm64", "x86_64"]),
)
glibcs = st.builds(Manylinux, major=st.just(2), minor=st.integers(17, 60), machine=st.sampled_from(GLIBC_MACHINES))
old_glibcs = st.builds(
    Manylinux, major=st.just(2), minor=st.integers(5, 40), machine=st.sampled_from(["x86_64", "i686"])
)
musls = st.builds(Musllinux, major=st.just(1), minor=st.integers(0, 9), machine=st.sampled_from(MUSL_MACHINES))
windows = st.builds(Windows, machine=st.sampled_from(["amd64", "x86", "arm64"]))
others = st.builds(
    Other,
    tag=st.sampled_from(
        [
            *("ios_17_2_arm64_iphoneos", "android_24_x86_64", "pyemscripten_2026_0_wasm32", "linux_armv7l"),
            *("freebsd_14_1_release_amd64", "linux_mips64", "aix_7200_1806_64", "pyodide_2025_0_wasm32"),
        ]
    ),
)
platforms = st.one_of(macs, glibcs, old_glibcs, musls, windows, others)
pythons = st.sampled_from(
    [
        *(f"cp3{minor}" for minor in range(6, 17)),
        *(f"3.{minor}.{minor - 3}" for minor in range(6, 16)),
        *("cp313t", "3.14t", "3.13.2t", "cp312d", "3.13.1td", "cp37m", "3.6.1d", "3.16.0a2", "3.13.0+local"),
        *("pp310", "pp36", "pypy311_pp73", "pp311", "pp3.11.13_7.3.20", "pp3.10.14"),
    ]
)


def on(platform: Platform, python: str) -> Target:
    """The Python that a text names, on a platform."""
    return target_on(platform, read_python(python))


targets = st.builds(on, platforms, pythons)
