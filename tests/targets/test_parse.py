"""Platforms and targets as text: what each spelling means, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import targets
from wheelcheck.common.errors import UsageError
from wheelcheck.targets.python import read_python
from wheelcheck.targets.target import PythonMissingError, names_python, read_target

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target

CP312 = read_python("3.12")
SPELLINGS = {
    # text: (canonical name, what it left open)
    "macos-14-arm64-cp312": ("macos-14-arm64-cp312", {"python"}),
    "macos-12.3-x86_64-3.12": ("macos-12.3-x86_64-cp312", {"python"}),
    "macos-14-rosetta-cp312": ("macos-14-rosetta-cp312", {"python"}),
    "macos-rosetta-3.9.1": ("macos-13-rosetta-3.9.1", {"floor"}),
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
    "linux-3": "is not a Python",
    "linux-py312": "is not a Python",
    "linux-cp3": "is not a Python",
    "macos-\u0663": "is neither",
    "linux-\u0663.12": "is neither",
    "macos-99999999999999999999999": "is neither",
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
