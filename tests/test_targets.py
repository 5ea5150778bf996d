"""Targets: tags against packaging's generators, texts against what they mean, facts against the target they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import packaging
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux, markers, tags
from packaging.version import Version

from wheelcheck.failures import UsageError
from wheelcheck.targets import (
    GLIBC_MACHINES,
    MUSL_MACHINES,
    NEWEST_DATE,
    NEWEST_MICRO,
    NEWEST_PYPY,
    MacOS,
    Manylinux,
    Musllinux,
    Other,
    Platform,
    Python,
    PythonMissingError,
    Target,
    Windows,
    names_python,
    python_of,
    read_python,
    read_target,
    target_from_facts,
    target_on,
)

SAVED = Path(__file__).parent.parent / "fixtures" / "targets"
VARIABLES = set(markers.Environment.__annotations__)
CP312 = read_python("3.12")

MAC_RELEASES = [*((10, minor) for minor in range(9, 16)), *((major, 0) for major in range(11, 16)), (12, 3), (14, 5)]
MAC_RELEASES += [(26, 0), (26, 2), (27, 0)]


def on(platform: Platform, python: str = "3.12") -> Target:
    return target_on(platform, read_python(python))


# -- strategies

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
targets = st.builds(on, platforms, pythons)


# -- tags are packaging's


MACS = [(release, "x86_64") for release in MAC_RELEASES]
MACS += [(release, "arm64") for release in MAC_RELEASES if release >= (11, 0)]


@pytest.mark.parametrize(("release", "machine"), MACS)
def test_mac_tags_are_those_of_packaging(release: tuple[int, int], machine: str) -> None:
    ours = MacOS(major=release[0], minor=release[1], machine=machine)
    assert list(ours.tags) == list(tags.mac_platforms(release, machine))
    assert ours.tag == ours.tags[0]


def linux_tags(patch: pytest.MonkeyPatch, platform: Manylinux | Musllinux) -> list[str]:
    """What packaging would say on a Linux of that kind."""
    small = {"i686": "x86_64", "armv8l": "aarch64"}.get(platform.machine)
    patch.setattr("sysconfig.get_platform", lambda: f"linux-{small or platform.machine}")
    patch.setattr(_manylinux, "_have_compatible_abi", lambda *_: isinstance(platform, Manylinux))
    patch.setattr(_manylinux, "_get_manylinux_module", lambda: None)
    patch.setattr(_manylinux, "_get_glibc_version", lambda: (platform.major, platform.minor))
    musl = _musllinux._MuslVersion(platform.major, platform.minor) if isinstance(platform, Musllinux) else None
    patch.setattr(_musllinux, "_get_musl_version", lambda _: musl)
    return list(tags._linux_platforms(is_32bit=small is not None))


@given(platform=st.one_of(glibcs, old_glibcs, musls))
def test_linux_tags_are_those_of_packaging(platform: Manylinux | Musllinux) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert list(platform.tags) == linux_tags(patch, platform)


def test_a_new_major_glibc_keeps_the_tags_of_the_old_one() -> None:
    platform = Manylinux(major=3, minor=1, machine="aarch64")
    with pytest.MonkeyPatch.context() as patch:
        assert list(platform.tags) == linux_tags(patch, platform)


def test_the_native_tag_stands_before_the_portable_ones_and_the_aliases_after_theirs() -> None:
    assert Manylinux(major=2, minor=17, machine="x86_64").tags[:3] == (
        "linux_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    )
    assert Manylinux(major=2, minor=5, machine="i686").tags == ("linux_i686", "manylinux_2_5_i686", "manylinux1_i686")


@pytest.mark.parametrize("release", [(13, 0), (17, 2), (26, 1)])
def test_ios_tags_are_those_of_packaging(release: tuple[int, int]) -> None:
    ours = Other(tag=f"ios_{release[0]}_{release[1]}_arm64_iphonesimulator")
    assert list(ours.tags) == list(tags.ios_platforms(release, "arm64-iphonesimulator"))


@pytest.mark.parametrize("level", [16, 24, 35])
def test_android_tags_are_those_of_packaging(level: int) -> None:
    assert list(Other(tag=f"android_{level}_arm64_v8a").tags) == list(tags.android_platforms(level, "arm64_v8a"))


def by_packaging(target: Target) -> list[str]:
    version = (3, target.version.minor)
    names = list(target.platform.tags)
    if target.implementation == "cpython":
        abis = [target.abi]
        if "d" in target.abi and target.version.minor >= 8:
            abis.append(target.abi.replace("d", ""))
        first = tags.cpython_tags(version, abis, names)
        wide = target.interpreter_tag
    else:
        first = tags.generic_tags(target.interpreter_tag, [target.abi], names)
        wide = "pp3"
    return [str(tag) for tag in [*first, *tags.compatible_tags(version, wide, names)]]


@given(target=targets)
@settings(deadline=None)
def test_triples_are_those_of_packaging_in_its_order(target: Target) -> None:
    assert list(target.tags) == by_packaging(target)


@given(target=targets)
@settings(deadline=None)
def test_a_rank_is_the_first_position_of_a_triple(target: Target) -> None:
    assert all(target.tags.index(triple) == rank for triple, rank in list(target.ranks.items())[::37])
    assert target.ranks.keys() == set(target.tags)


@pytest.mark.parametrize(
    ("python", "fits", "fits_not"),
    [
        ("3.12", ["cp312-abi3", "cp38-abi3", "cp312-cp312", "py3-none"], ["cp313-abi3", "cp312-abi3t", "cp311-cp311"]),
        ("3.13t", ["cp313-cp313t", "cp313-abi3t", "cp38-abi3t"], ["cp313-abi3", "cp38-abi3", "cp313-cp313"]),
        ("cp312d", ["cp312-cp312d", "cp312-cp312", "cp38-abi3"], []),
        ("cp314td", ["cp314-cp314td", "cp314-cp314t", "cp314-abi3t"], ["cp314-cp314", "cp314-abi3"]),
        ("3.7", ["cp37-cp37m", "cp37-abi3"], ["cp37-cp37"]),
        ("3.7d", ["cp37-cp37dm"], ["cp37-cp37m"]),
        ("3.8", ["cp38-cp38"], ["cp38-cp38m"]),
        ("pp311", ["pp311-pypy311_pp80", "pp311-none"], ["pp311-pypy311_pp73", "cp311-abi3", "pp311-abi3"]),
    ],
)
def test_which_abis_a_python_takes(python: str, fits: list[str], fits_not: list[str]) -> None:
    ranks = on(MacOS(major=14, minor=0, machine="arm64"), python).ranks
    assert [f"{pair}-macosx_11_0_arm64" in ranks for pair in fits] == [True] * len(fits)
    assert [f"{pair}-macosx_11_0_arm64" in ranks for pair in fits_not] == [False] * len(fits_not)


def test_a_mac_at_a_minor_release_takes_what_its_major_takes() -> None:
    five, zero = read_target("macosx_14_5_arm64-3.12"), read_target("macosx_14_0_arm64-3.12")
    assert five.tags == zero.tags
    assert five != zero
    assert "cp312-cp312-macosx_14_5_arm64" not in five.ranks
    assert five.platform.tag == "macosx_14_0_arm64"


def test_refused_manylinux_tags_are_left_out_with_their_alias() -> None:
    some = Manylinux(major=2, minor=18, machine="x86_64", refused=("manylinux_2_17_x86_64",))
    assert some.tags[:3] == ("linux_x86_64", "manylinux_2_18_x86_64", "manylinux_2_16_x86_64")
    assert "manylinux2014_x86_64" not in some.tags


# -- texts


SPELLINGS = {
    # text: (canonical name, what it left open)
    "macos-14-arm64-cp312": ("macos-14-arm64-cp312", {"python"}),
    "macos-12.3-x86_64-3.12": ("macos-12.3-x86_64-cp312", {"python"}),
    "macos-14-arm64-3.12.4": ("macos-14-arm64-3.12.4", set()),
    "macos-14-3.13t": ("macos-14-arm64-cp313t", {"architecture", "python"}),
    "macos-14-aarch64-3.13.1t": ("macos-14-arm64-3.13.1t", set()),
    "macos-12-x86_64-3.9.1": ("macos-12-x86_64-3.9.1", set()),
    "macos-12.3-3.9.1": ("macos-12.3-arm64-3.9.1", {"architecture"}),
    "macos-3.9.1": ("macos-13-arm64-3.9.1", {"architecture", "floor"}),
    "macos-10.15-x86_64-3.9.1": ("macos-10.15-x86_64-3.9.1", set()),
    "macos-26-arm64-3.14.0": ("macos-26-arm64-3.14.0", set()),
    "macosx_14_0_arm64-3.9.1": ("macos-14-arm64-3.9.1", set()),
    "macosx_10_9_x86_64-3.9.1": ("macos-10.9-x86_64-3.9.1", set()),
    "aarch64-apple-darwin-3.9.1": ("macos-13-arm64-3.9.1", {"floor"}),
    "x86_64-apple-darwin-3.9.1": ("macos-13-x86_64-3.9.1", {"floor"}),
    "linux-3.9.1": ("manylinux_2_28_x86_64-3.9.1", {"architecture", "floor"}),
    "linux_x86_64-3.9.1": ("manylinux_2_28_x86_64-3.9.1", {"floor"}),
    "linux-x86_64-3.9.1": ("manylinux_2_28_x86_64-3.9.1", {"floor"}),
    "linux_aarch64-3.9.1": ("manylinux_2_28_aarch64-3.9.1", {"floor"}),
    "linux-aarch64-3.9.1": ("manylinux_2_28_aarch64-3.9.1", {"floor"}),
    "linux-arm64-3.9.1": ("manylinux_2_28_aarch64-3.9.1", {"floor"}),
    "x86_64-unknown-linux-gnu-3.9.1": ("manylinux_2_28_x86_64-3.9.1", {"floor"}),
    "riscv64-unknown-linux-3.9.1": ("manylinux_2_39_riscv64-3.9.1", {"floor"}),
    "linux-glibc2.28-x86_64-3.9.1": ("manylinux_2_28_x86_64-3.9.1", set()),
    "manylinux_2_28_x86_64-3.9.1": ("manylinux_2_28_x86_64-3.9.1", set()),
    "x86_64-manylinux_2_28-3.9.1": ("manylinux_2_28_x86_64-3.9.1", set()),
    "manylinux2014_x86_64-3.9.1": ("manylinux_2_17_x86_64-3.9.1", set()),
    "aarch64-manylinux2014-3.9.1": ("manylinux_2_17_aarch64-3.9.1", set()),
    "manylinux2010_i686-3.9.1": ("manylinux_2_12_i686-3.9.1", set()),
    "manylinux1_x86_64-3.9.1": ("manylinux_2_5_x86_64-3.9.1", set()),
    "musllinux_1_2_aarch64-3.9.1": ("musllinux_1_2_aarch64-3.9.1", set()),
    "linux-musl1.1-x86_64-3.9.1": ("musllinux_1_1_x86_64-3.9.1", set()),
    "x86_64-unknown-linux-musl-3.9.1": ("musllinux_1_2_x86_64-3.9.1", {"floor"}),
    "windows-3.9.1": ("windows-amd64-3.9.1", {"architecture"}),
    "windows-amd64-3.9.1": ("windows-amd64-3.9.1", set()),
    "windows-x86_64-3.9.1": ("windows-amd64-3.9.1", set()),
    "windows-x64-3.9.1": ("windows-amd64-3.9.1", set()),
    "win_amd64-3.9.1": ("windows-amd64-3.9.1", set()),
    "x86_64-pc-windows-msvc-3.9.1": ("windows-amd64-3.9.1", set()),
    "windows-x86-3.9.1": ("windows-x86-3.9.1", set()),
    "win32-3.9.1": ("windows-x86-3.9.1", set()),
    "i686-pc-windows-msvc-3.9.1": ("windows-x86-3.9.1", set()),
    "windows-arm64-3.11.1": ("windows-arm64-3.11.1", set()),
    "win_arm64-3.11.1": ("windows-arm64-3.11.1", set()),
    "aarch64-pc-windows-msvc-3.11.1": ("windows-arm64-3.11.1", set()),
    "linux_armv7l-3.9.1": ("linux_armv7l-3.9.1", set()),
    "ios_17_0_arm64_iphoneos-3.13.1": ("ios_17_0_arm64_iphoneos-3.13.1", set()),
    "arm64-apple-ios-3.13.1": ("ios_13_0_arm64_iphoneos-3.13.1", {"floor"}),
    "aarch64-linux-android-3.13.1": ("android_24_arm64_v8a-3.13.1", {"floor"}),
    "wasm32-pyodide2025-3.13.1": ("pyodide_2025_0_wasm32-3.13.1", set()),
    "pyemscripten_2026_0_wasm32-3.14.1": ("pyemscripten_2026_0_wasm32-3.14.1", set()),
    "freebsd_14_1_release_amd64-3.9.1": ("freebsd_14_1_release_amd64-3.9.1", set()),
    "windows-pp310": ("windows-amd64-pp310", {"architecture", "python"}),
    "win_amd64-pypy310_pp73": ("windows-amd64-pp310", {"python"}),
    "win_amd64-pypy311_pp73": ("windows-amd64-pypy311_pp73", {"python"}),
    "win_amd64-pypy3.10": ("windows-amd64-pp310", {"python"}),
    "win_amd64-pp3.10.14_7.3.17": ("windows-amd64-pp3.10.14_7.3.17", set()),
    "win_amd64-cp37m": ("windows-amd64-cp37", {"python"}),
    "win_amd64-cp312d": ("windows-amd64-cp312d", {"python"}),
    "win_amd64-3.16.0a2": ("windows-amd64-3.16.0a2", set()),
    "  MacOS-14-ARM64-CP312 ": ("macos-14-arm64-cp312", {"python"}),
    "Win_AMD64-3.9.1": ("windows-amd64-3.9.1", set()),
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_spelling_means_its_canonical_name(text: str) -> None:
    name, assumed = SPELLINGS[text]
    target = read_target(text)
    assert (target.name, set(target.assumed)) == (name, assumed)
    assert read_target(name) == target


@pytest.mark.parametrize("text", SPELLINGS)
def test_case_does_not_matter(text: str) -> None:
    assert read_target(text.upper()) == read_target(text.lower())


UV_PLATFORMS = [
    *("windows", "linux", "macos", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"),
    *("i686-pc-windows-msvc", "x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-apple-darwin"),
    *("aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"),
    *("riscv64-unknown-linux", "x86_64-manylinux2014", "x86_64-manylinux_2_17", "x86_64-manylinux_2_28"),
    *("x86_64-manylinux_2_31", "x86_64-manylinux_2_40", "aarch64-manylinux2014"),
    *("aarch64-manylinux_2_17", "aarch64-manylinux_2_28", "aarch64-manylinux_2_40"),
    *("aarch64-linux-android", "x86_64-linux-android", "wasm32-pyodide2024", "wasm32-pyodide2025"),
    *("arm64-apple-ios", "arm64-apple-ios-simulator", "x86_64-apple-ios-simulator"),
]


@pytest.mark.parametrize("text", UV_PLATFORMS)
def test_uvs_platforms_are_read_with_and_without_a_python(text: str) -> None:
    assert not names_python(text)
    assert read_target(text, CP312) == read_target(f"{text}-3.12")


@given(target=targets)
@settings(deadline=None)
def test_the_name_of_a_target_is_read_back_to_an_equal_one(target: Target) -> None:
    again = read_target(target.name)
    assert (again, hash(again)) == (target, hash(target))
    assert again.name == target.name


@pytest.mark.parametrize("name", sorted({name for name, _ in SPELLINGS.values()}))
def test_targets_that_are_spelled_differently_are_equal_and_answer_alike(name: str) -> None:
    alike = [read_target(text) for text, (canonical, _) in SPELLINGS.items() if canonical == name]
    assert len(set(alike)) == 1
    assert len({target.tags for target in alike}) == 1
    assert all(target.environment == alike[0].environment for target in alike)


@pytest.mark.parametrize("minor", NEWEST_MICRO)
def test_a_minor_is_its_newest_micro_in_the_table(minor: int) -> None:
    python = read_python(f"3.{minor}")
    assert python == read_python(f"cp3{minor}")
    assert (python.version, python.assumed) == (f"3.{minor}.{NEWEST_MICRO[minor]}", True)
    assert read_python(python.version) == python
    assert not read_python(python.version).assumed


def test_the_tables_are_dated_and_sound() -> None:
    assert len(NEWEST_DATE.split("-")) == 3
    for abi, (python, release) in NEWEST_PYPY.items():
        major, minor = Version(python).release[:2]
        assert abi == f"pypy{major}{minor}_pp{''.join(release.split('.')[:2])}"


def test_a_python_newer_than_the_table_is_its_first_release() -> None:
    assert read_python("3.17").version == "3.17.0"


REFUSED = {
    # text: words of the sentence
    "": "names no platform",
    "   ": "names no platform",
    "-cp312": "names no platform",
    "-": "is not a target",
    "any": "is not a target",
    "foo": "is not a target",
    "foo bar_baz": "is not a target",
    "macos-14-universal2": "Name a slice: arm64 or x86_64",
    "macosx_11_0_universal2": "Name a slice: arm64 or x86_64",
    "macosx_10_9_intel": "Name a slice",
    "macos-universal2-cp312": "Name a slice",
    "macos-16-arm64": "after 15 comes 26",
    "macosx_25_0_arm64": "after 15 comes 26",
    "macos-10.16-x86_64": "10.16 is what macOS 11 and newer call themselves",
    "macos-10": "10.9 to 10.15",
    "macos-10.8-x86_64": "10.9 to 10.15",
    "macos-9-x86_64": "10.9 to 10.15",
    "macos-10.15-arm64": "arm64 begins with macOS 11",
    "macos-10.15": "arm64 begins with macOS 11",
    "macos-14-arm65": "arm64 or x86_64",
    "macosx_14_arm64": "Did you mean macosx_14_0_arm64",
    "macos_14_arm64": "Did you mean macosx_14_0_arm64",
    "manylinux_2_28": "manylinux_2_28_x86_64",
    "manylinux_2_28_arm64": "aarch64",
    "manylinux_2_28_amd64": "x86_64",
    "manylinux_2_4_x86_64": "on x86_64 2.5 and newer",
    "manylinux1_aarch64": "on aarch64 2.17 and newer",
    "manylinux_3_0_x86_64": "names no glibc",
    "manlinux_2_28_x86_64": "Did you mean manylinux_2_28_x86_64",
    "musllinux_2_0_x86_64": "Write 1.1 or 1.2",
    "musllinux_1_2": "musllinux_1_2_x86_64",
    "win_amd65": "Did you mean win_amd64",
    "win64": "is not a target",
    "windows-ia64": "amd64, x86 or arm64",
    "linux_amd64": "linux_",
    "linux-glibc2.28": "'glibc2.28' is neither",
    "x86_64_linux": "is not a target",
    "macos-14-arm64-foo": "'foo' is neither",
    "linux-x86_64-4.0": "'4.0' is neither",
    "linux-2.7": "targets begin with Python 3.6",
    "linux-cp27": "targets begin with Python 3.6",
    "linux-3.5.9": "targets begin with Python 3.6",
    "linux-pp27": "targets begin with Python 3.6",
    "linux-3": "is not a Python",
    "linux-py312": "is not a Python",
    "linux-cp3": "is not a Python",
    "linux-3.12.4.5": "is not a Python",
    "linux-cp312t": "free-threaded builds begin with Python 3.13",
    "linux-3.12t": "free-threaded builds begin with Python 3.13",
    "linux-cp38m": "Write cp38",
    "linux-pp313": "there is PyPy for Python 3.6",
    "linux-3.100": "does not exist",
    "linux-cp50": "name a Python 3",
    "macos-\u0663": "is neither",
    "linux-3.\u0661\u0662": "is not a Python",
    "linux-\u0663.12": "is neither",
    "macos-99999999999999999999999": "is neither",
    "linux-3.99999999999999999999": "is not a Python",
    "x" * 100_000: "is not a target",
    "macos-14-arm64" + "-cp312" * 10_000: "is not a target",
    "\0": "is not a target",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:40]))
def test_nonsense_is_refused_in_one_sentence_that_helps(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_target(text, None if names_python(text) else CP312)
    assert REFUSED[text] in str(caught.value)
    assert len(str(caught.value)) < 500


@given(text=st.one_of(st.text(), st.from_regex(r"(macos|linux|win|manylinux|cp|pp|[-_.0-9a-z]){0,8}", fullmatch=True)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    try:
        target = read_target(text, None if names_python(text) else CP312)
    except UsageError:
        return
    assert read_target(target.name) == target
    assert target.tags


@given(text=st.one_of(st.text(), st.from_regex(r"(cp|pp|pypy|[.t_0-9]){0,6}", fullmatch=True)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_python_or_a_usage_error(text: str) -> None:
    try:
        assert isinstance(read_python(text), Python)
    except UsageError:
        return


def test_a_text_without_a_python_needs_one_beside_it() -> None:
    with pytest.raises(PythonMissingError, match="names no Python"):
        read_target("macos-14-arm64")
    assert read_target("macos-14-arm64", read_python("3.12.4")).name == "macos-14-arm64-3.12.4"


def test_a_python_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="names its Python already"):
        read_target("macos-14-arm64-cp312", CP312)


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        *(("macos-12.3", False), ("macos-14", False), ("macos-3.12", True), ("macos-14-arm64-3.12", True)),
        *(("linux-ppc64le", False), ("linux-cp3x", True), ("linux-2.7", True), ("x86_64-manylinux2014", False)),
    ],
)
def test_whether_a_text_names_its_python(text: str, names_one: bool) -> None:
    assert names_python(text) is names_one


# -- markers


@given(target=targets)
@settings(deadline=None)
def test_all_marker_variables_are_there(target: Target) -> None:
    assert set(target.environment) == VARIABLES
    assert all(isinstance(value, str) for value in target.environment.values())
    assert (target.environment["platform_release"], target.environment["platform_version"]) == ("", "")
    assert target.environment["python_full_version"] == target.python
    assert Version(target.environment["python_version"]).release == Version(target.python).release[:2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("macos-14-arm64-3.12.4", ("posix", "darwin", "Darwin", "arm64", "cpython", "CPython", "3.12.4")),
        ("macos-14-x86_64-3.12.4", ("posix", "darwin", "Darwin", "x86_64", "cpython", "CPython", "3.12.4")),
        ("manylinux_2_28_aarch64-3.12.4", ("posix", "linux", "Linux", "aarch64", "cpython", "CPython", "3.12.4")),
        ("musllinux_1_2_x86_64-3.12.4", ("posix", "linux", "Linux", "x86_64", "cpython", "CPython", "3.12.4")),
        ("windows-amd64-3.12.4", ("nt", "win32", "Windows", "AMD64", "cpython", "CPython", "3.12.4")),
        ("windows-x86-3.12.4", ("nt", "win32", "Windows", "x86", "cpython", "CPython", "3.12.4")),
        ("windows-arm64-3.12.4", ("nt", "win32", "Windows", "ARM64", "cpython", "CPython", "3.12.4")),
        ("linux-pypy310_pp73", ("posix", "linux", "Linux", "x86_64", "pypy", "PyPy", "7.3.19")),
        ("arm64-apple-ios-3.13.1", ("posix", "ios", "iOS", "arm64", "cpython", "CPython", "3.13.1")),
        ("aarch64-linux-android-3.13.1", ("posix", "android", "Android", "aarch64", "cpython", "CPython", "3.13.1")),
        ("wasm32-pyodide2025-3.13.1", ("posix", "emscripten", "Emscripten", "wasm32", "cpython", "CPython", "3.13.1")),
        ("freebsd_14_1_release_amd64-3.9.1", ("posix", "freebsd14", "FreeBSD", "amd64", "cpython", "CPython", "3.9.1")),
        ("linux_armv7l-3.9.1", ("posix", "linux", "Linux", "armv7l", "cpython", "CPython", "3.9.1")),
    ],
)
def test_markers_of_a_foreign_target(text: str, expected: tuple[str, ...]) -> None:
    names = ["os_name", "sys_platform", "platform_system", "platform_machine", "implementation_name"]
    names += ["platform_python_implementation", "implementation_version"]
    environment = read_target(text).environment
    assert tuple(environment[name] for name in names) == expected


def test_the_host_never_leaks_into_a_marker() -> None:
    target = read_target("windows-arm64-3.11")
    for name in VARIABLES:
        marker = markers.Marker(f'{name} == "{target.environment[name]}"')
        assert marker.evaluate(dict(target.environment))


# -- documents


@given(target=targets)
@settings(deadline=None)
def test_a_document_is_read_back_to_an_equal_target(target: Target) -> None:
    document = json.loads(json.dumps(target.to_dict()))
    again = Target.from_dict(document)
    assert (again, again.assumed, again.to_dict()) == (target, target.assumed, target.to_dict())


def test_the_keys_of_a_document() -> None:
    document = read_target("macos-14.5-arm64-3.12.4").to_dict()
    assert (document["name"], document["platform"], document["machine"]) == (
        "macos-14.5-arm64-3.12.4",
        "macosx_14_0_arm64",
        "arm64",
    )
    assert {"python", "implementation", "abi", "translated", "assumed", "interpreter", "environment"} <= set(document)


def test_a_document_with_the_reported_keys_only_is_enough() -> None:
    least = {"python": "3.12.4", "implementation": "cpython", "implementation_version": "3.12.4", "abi": "cp312"}
    assert Target.from_dict(least | {"platform": "macosx_14_0_arm64"}) == read_target("macos-14-arm64-3.12.4")


DOCUMENT = read_target("manylinux_2_28_x86_64-3.12.4").to_dict()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python": None}, "no text under `python`"),
        ({"python": "three"}, "which is no version"),
        ({"python": "2.7.18"}, "targets begin with Python 3.6"),
        ({"python": "3.11.1"}, "contradicts itself"),
        ({"abi": 312}, "no text under `abi`"),
        ({"abi": "cp312-abi3"}, "cannot stand in a tag"),
        ({"implementation": "C Python"}, "cannot stand in a tag"),
        ({"platform": "macosx_14_0_arm64"}, "contradicts itself"),
        ({"platform": "nonsense", "system": None, "environment": None}, "is not a target"),
        ({"system": {"kind": "Amiga"}}, "under `system`"),
        ({"system": "MacOS"}, "under `system`"),
        ({"system": {"kind": "MacOS", "major": 10**9, "minor": 0, "machine": "arm64"}}, "under `system`"),
        ({"system": {"kind": "Manylinux", "major": "2", "minor": 28, "machine": "x86_64"}}, "under `system`"),
        ({"system": {"kind": "Manylinux", "major": True, "minor": 28, "machine": "x86_64"}}, "under `system`"),
        ({"system": {"kind": "Manylinux", "minor": 28, "machine": "x86_64"}}, "under `system`"),
        ({"system": {"kind": "Windows", "machine": "ia64"}}, "under `system`"),
        ({"assumed": "python"}, "under `assumed`"),
        ({"assumed": ["weather"]}, "under `assumed`"),
        ({"environment": []}, "is not an object of texts"),
        ({"environment": {"os_name": 1}}, "is not an object of texts"),
        ({"translated": "yes"}, "under `translated`"),
        ({"interpreter": 5}, "under `interpreter`"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Target.from_dict(DOCUMENT | change)


@pytest.mark.parametrize("data", [None, [], "text", 5, {}])
def test_what_is_no_document_is_refused(data: object) -> None:
    with pytest.raises(UsageError):
        Target.from_dict(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from(sorted(DOCUMENT)), value=anything)
@settings(max_examples=300, deadline=None)
def test_any_damage_to_a_document_is_refused_or_harmless(key: str, value: object) -> None:
    try:
        target = Target.from_dict(DOCUMENT | {key: value})
    except UsageError:
        return
    assert set(target.environment) == VARIABLES


@pytest.mark.parametrize("path", sorted(SAVED.glob("*.json")), ids=lambda path: path.stem)
def test_saved_targets_are_what_they_were(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    assert document["schema"] == "wheelcheck/target/1"
    assert Target.from_dict(document["target"]).to_dict() == document["target"]


def test_there_are_saved_targets() -> None:
    assert len(list(SAVED.glob("*.json"))) >= 4


# -- facts that interpreters told


def facts(**changes: Any) -> dict[str, Any]:
    """What CPython 3.12.4 on a Linux with glibc 2.36 tells, with changes. Those of `environment` are merged."""
    environment = {
        "implementation_name": "cpython",
        "implementation_version": "3.12.4",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1.0",
        "platform_system": "Linux",
        "platform_version": "#1 SMP",
        "python_full_version": "3.12.4",
        "python_version": "3.12",
        "sys_platform": "linux",
    }
    base: dict[str, Any] = {
        "version": [3, 12, 4],
        "executable": "/usr/bin/python3",
        "platform": "linux-x86_64",
        "bits": 64,
        "ext_suffix": ".cpython-312-x86_64-linux-gnu.so",
        "py_debug": 0,
        "gil_disabled": 0,
        "with_pymalloc": 1,
        "counts_references": False,
        "debug_suffix": False,
        "elf": {"bits": 64, "little": True, "machine": 62, "flags": 0},
        "glibc": "2.36",
        "musl": None,
        "refused": [],
    }
    return base | changes | {"environment": environment | changes.get("environment", {})}


def python_facts(version: str, **changes: Any) -> dict[str, Any]:
    numbers = list(Version(version.rstrip("+")).release)
    environment = {"python_full_version": version, "implementation_version": version.rstrip("+")}
    environment["python_version"] = f"{numbers[0]}.{numbers[1]}"
    return facts(version=numbers, **changes, environment=environment)


DARWIN = {"platform_system": "Darwin", "sys_platform": "darwin", "platform_release": "23.5.0"}
WINDOWS = {"platform_system": "Windows", "sys_platform": "win32", "os_name": "nt", "platform_release": "11"}
ARM_HARD = {"bits": 32, "little": True, "machine": 40, "flags": 0x05000400}
ARM_SOFT = {"bits": 32, "little": True, "machine": 40, "flags": 0x05000200}


def mac_facts(version: str, machine: str, translated: bool = False) -> dict[str, Any]:
    told = {"version": version, "machine": machine, "translated": translated, "native_arm64": True}
    return facts(platform="macosx-10.9-universal2", mac=told, environment=DARWIN | {"platform_machine": machine})


def windows_facts(platform: str, machine: str, **changes: Any) -> dict[str, Any]:
    environment = WINDOWS | {"platform_machine": machine}
    nothing = {"py_debug": None, "gil_disabled": None, "with_pymalloc": None}
    return facts(platform=platform, environment=environment, **(nothing | changes))


def pypy_facts(suffix: str, release: str) -> dict[str, Any]:
    names = {"implementation_name": "pypy", "platform_python_implementation": "PyPy", "implementation_version": release}
    return facts(ext_suffix=suffix, environment=names)


TOLD = {
    "a plain Linux": (facts(), "manylinux_2_36_x86_64-3.12.4", "cp312", False),
    "musl": (facts(glibc=None, musl="1.2"), "musllinux_1_2_x86_64-3.12.4", "cp312", False),
    "a glibc with a vendor's suffix": (facts(glibc="2.20-2014.11"), "manylinux_2_20_x86_64-3.12.4", "cp312", False),
    "a static executable": (facts(glibc=None), "linux_x86_64-3.12.4", "cp312", False),
    "an architecture without manylinux": (facts(platform="linux-mips64"), "linux_mips64-3.12.4", "cp312", False),
    "32 bits on a 64-bit kernel": (
        facts(bits=32, elf={"bits": 32, "little": True, "machine": 3, "flags": 0}),
        "manylinux_2_36_i686-3.12.4",
        "cp312",
        False,
    ),
    "x32, which is no i686": (facts(bits=32, elf={"bits": 32, "machine": 62}), "linux_i686-3.12.4", "cp312", False),
    "32-bit Arm on a 64-bit kernel": (
        facts(bits=32, platform="linux-aarch64", elf=ARM_HARD),
        "manylinux_2_36_armv8l-3.12.4",
        "cp312",
        False,
    ),
    "32-bit Arm, soft-float": (
        facts(bits=32, platform="linux-armv7l", elf=ARM_SOFT),
        "linux_armv7l-3.12.4",
        "cp312",
        False,
    ),
    "a native Mac": (mac_facts("14.5", "arm64"), "macos-14.5-arm64-3.12.4", "cp312", False),
    "a Mac under Rosetta": (mac_facts("14.5", "x86_64", translated=True), "macos-14.5-x86_64-3.12.4", "cp312", True),
    "a Mac that says 10.16": (mac_facts("10.16", "x86_64"), "macos-10.16-x86_64-3.12.4", "cp312", False),
    "a Mac of three numbers": (mac_facts("13.6.1", "arm64"), "macos-13.6-arm64-3.12.4", "cp312", False),
    "a Mac of one number": (mac_facts("26", "arm64"), "macos-26-arm64-3.12.4", "cp312", False),
    "Windows": (windows_facts("win-amd64", "AMD64"), "windows-amd64-3.12.4", "cp312", False),
    "Windows on Arm": (windows_facts("win-arm64", "ARM64"), "windows-arm64-3.12.4", "cp312", False),
    "32 bits on 64-bit Windows": (windows_facts("win32", "AMD64", bits=32), "windows-x86-3.12.4", "cp312", False),
    "a debug build on Windows": (
        windows_facts("win-amd64", "AMD64", debug_suffix=True),
        "windows-amd64-3.12.4d",
        "cp312d",
        False,
    ),
    "a debug build": (facts(py_debug=1), "manylinux_2_36_x86_64-3.12.4d", "cp312d", False),
    "a free-threaded build": (
        python_facts("3.13.0", gil_disabled=1),
        "manylinux_2_36_x86_64-3.13.0t",
        "cp313t",
        False,
    ),
    "a free-threaded debug build": (
        python_facts("3.14.2", gil_disabled=1, py_debug=1),
        "manylinux_2_36_x86_64-3.14.2td",
        "cp314td",
        False,
    ),
    "Python 3.7": (python_facts("3.7.16"), "manylinux_2_36_x86_64-3.7.16", "cp37m", False),
    "Python 3.7 that does not tell of pymalloc": (
        python_facts("3.7.16", with_pymalloc=None),
        "manylinux_2_36_x86_64-3.7.16",
        "cp37m",
        False,
    ),
    "a release candidate": (python_facts("3.15.0rc1"), "manylinux_2_36_x86_64-3.15.0rc1", "cp315", False),
    "a build from a checkout": (python_facts("3.13.1+"), "manylinux_2_36_x86_64-3.13.1+local", "cp313", False),
    "PyPy": (
        pypy_facts(".pypy312-pp80-x86_64-linux-gnu.so", "8.0.1"),
        "manylinux_2_36_x86_64-pp3.12.4_8.0.1",
        "pypy312_pp80",
        False,
    ),
    "FreeBSD": (
        facts(platform="freebsd-14.1-RELEASE-amd64", environment={"platform_system": "FreeBSD"}),
        "freebsd_14_1_release_amd64-3.12.4",
        "cp312",
        False,
    ),
    "iOS": (
        facts(
            platform="ios-13.0-arm64-iphoneos",
            ios={"release": "17.2", "multiarch": "arm64-iphoneos"},
            environment={"platform_system": "iOS", "sys_platform": "ios"},
        ),
        "ios_17_2_arm64_iphoneos-3.12.4",
        "cp312",
        False,
    ),
    "Android": (
        facts(platform="android-24-arm64_v8a", android=30, environment={"platform_system": "Android"}),
        "android_30_arm64_v8a-3.12.4",
        "cp312",
        False,
    ),
    "Emscripten": (
        facts(platform="emscripten-4.0.9-wasm32", emscripten="2026_0", environment={"platform_system": "Emscripten"}),
        "pyemscripten_2026_0_wasm32-3.12.4",
        "cp312",
        False,
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_facts_make_the_target_that_they_tell_of(case: str) -> None:
    told, name, abi, translated = TOLD[case]
    target = target_from_facts(told)
    assert (target.name, target.abi, target.translated) == (name, abi, translated)
    assert not target.assumed
    assert target.interpreter == "/usr/bin/python3"


@pytest.mark.parametrize("case", TOLD)
def test_a_described_target_keeps_the_markers_that_it_told(case: str) -> None:
    told = TOLD[case][0]["environment"]
    target = target_from_facts(TOLD[case][0])
    expected = told | {"python_full_version": told["python_full_version"].replace("+", "+local")}
    assert dict(target.environment) == expected
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target


def test_a_32_bit_python_keeps_the_machine_of_its_kernel_in_markers() -> None:
    target = target_from_facts(windows_facts("win32", "AMD64", bits=32))
    assert (target.platform.tag, target.environment["platform_machine"]) == ("win32", "AMD64")


def test_soft_float_arm_has_native_tags_only() -> None:
    target = target_from_facts(facts(bits=32, platform="linux-aarch64", elf=ARM_SOFT))
    assert target.platform.tags == ("linux_armv8l", "linux_armv7l")


def test_what_a_manylinux_module_refuses_stays_refused() -> None:
    target = target_from_facts(facts(refused=["manylinux_2_17_x86_64"]))
    assert "cp312-cp312-manylinux2014_x86_64" not in target.ranks
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target


@pytest.mark.parametrize(
    ("name", "suffix", "abi", "triple"),
    [
        ("pypy", ".pypy310-pp73-darwin.so", "pypy310_pp73", "pp312-pypy310_pp73-linux_x86_64"),
        ("graalpy", ".graalpy250-312-native-x86_64-linux.so", "graalpy250_312_native", None),
        ("pyston", ".pyston-23-x86_64-linux-gnu.so", "pyston_23_x86_64_linux_gnu", None),
        ("cinder", ".cpython-310-x86_64-linux-gnu.so", "cp310", None),
        ("other", ".cp310-win_amd64.pyd", "cp310", None),
        ("other", ".pyd", "cp312", None),
    ],
)
def test_the_abi_of_other_implementations(name: str, suffix: str, abi: str, triple: str | None) -> None:
    target = target_from_facts(facts(ext_suffix=suffix, environment={"implementation_name": name}))
    assert target.abi == abi
    assert (triple or f"{name}312-{abi}-linux_x86_64") in target.ranks
    assert "py3-none-any" in target.ranks
    assert "cp312-abi3-linux_x86_64" not in target.ranks


@pytest.mark.parametrize("version", ["2.7.18", "3.5.10"])
def test_an_interpreter_that_is_too_old_is_refused_by_name_and_version(version: str) -> None:
    with pytest.raises(UsageError, match=rf"/usr/bin/python3 is Python {version}, which is too old"):
        target_from_facts(python_facts(version))


def test_python_of_a_target_can_be_put_on_another_platform() -> None:
    mac = target_from_facts(mac_facts("14.5", "arm64"))
    moved = target_on(Windows(machine="amd64"), python_of(mac))
    assert moved == read_target("windows-amd64-3.12.4")


def test_packaging_is_the_one_whose_order_is_followed() -> None:
    assert Version(packaging.__version__) >= Version("26.3")
