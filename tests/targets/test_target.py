"""Targets: their tags and ranks against packaging's, and their markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import packaging
import pytest
from hypothesis import given, settings
from packaging import markers, tags
from packaging.version import Version

from strategies import VARIABLES, on, targets
from wheelcheck.targets.platform import MacOS
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target


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


def test_packaging_is_the_one_whose_order_is_followed() -> None:
    assert Version(packaging.__version__) >= Version("26.3")


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
