"""Targets as documents that are read back, and as what interpreters told of themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from strategies import VARIABLES, targets
from wheelcheck.common.errors import UsageError
from wheelcheck.targets.platform import Windows
from wheelcheck.targets.serialize import target_from_dict, target_from_facts
from wheelcheck.targets.target import Target, python_of, read_target, target_on

SAVED = Path(__file__).parents[2] / "fixtures" / "targets"


# -- documents


@given(target=targets)
@settings(deadline=None)
def test_a_document_is_read_back_to_an_equal_target(target: Target) -> None:
    document = json.loads(json.dumps(target.to_dict()))
    again = target_from_dict(document)
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
    assert target_from_dict(least | {"platform": "macosx_14_0_arm64"}) == read_target("macos-14-arm64-3.12.4")


DOCUMENT = read_target("manylinux_2_28_x86_64-3.12.4").to_dict()
SYSTEM = {"kind": "Manylinux", "major": 2, "minor": 28, "machine": "x86_64"}


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
        ({"system": SYSTEM | {"major": "2"}}, "under `system`"),
        ({"system": SYSTEM | {"major": True}}, "under `system`"),
        ({"system": {"kind": "Manylinux", "minor": 28, "machine": "x86_64"}}, "under `system`"),
        ({"system": {"kind": "Windows", "machine": "ia64"}}, "under `system`"),
        ({"system": SYSTEM | {"refused": 5}}, "under `system`"),
        ({"system": SYSTEM | {"refused": "manylinux_2_17_x86_64"}}, "under `system`"),
        ({"system": SYSTEM | {"refused": [5]}}, "under `system`"),
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
        target_from_dict(DOCUMENT | change)


@pytest.mark.parametrize("data", [None, [], "text", 5, {}])
def test_what_is_no_document_is_refused(data: object) -> None:
    with pytest.raises(UsageError):
        target_from_dict(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from(sorted(DOCUMENT)), value=anything)
@settings(max_examples=300, deadline=None)
def test_any_damage_to_a_document_is_refused_or_harmless(key: str, value: object) -> None:
    try:
        target = target_from_dict(DOCUMENT | {key: value})
    except UsageError:
        return
    assert set(target.environment) == VARIABLES


@pytest.mark.parametrize("path", sorted(SAVED.glob("*.json")), ids=lambda path: path.stem)
def test_saved_targets_are_what_they_were(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    assert document["schema"] == "wheelcheck/target/1"
    assert target_from_dict(document["target"]).to_dict() == document["target"]


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
    "a Mac under Rosetta": (mac_facts("14.5", "x86_64", translated=True), "macos-14.5-rosetta-3.12.4", "cp312", True),
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
    assert target_from_dict(json.loads(json.dumps(target.to_dict()))) == target


def test_a_32_bit_python_keeps_the_machine_of_its_kernel_in_markers() -> None:
    target = target_from_facts(windows_facts("win32", "AMD64", bits=32))
    assert (target.platform.tag, target.environment["platform_machine"]) == ("win32", "AMD64")


def test_soft_float_arm_has_native_tags_only() -> None:
    target = target_from_facts(facts(bits=32, platform="linux-aarch64", elf=ARM_SOFT))
    assert target.platform.tags == ("linux_armv8l", "linux_armv7l")


def test_what_a_manylinux_module_refuses_stays_refused() -> None:
    target = target_from_facts(facts(refused=["manylinux_2_17_x86_64"]))
    assert "cp312-cp312-manylinux2014_x86_64" not in target.ranks
    assert target_from_dict(json.loads(json.dumps(target.to_dict()))) == target


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
