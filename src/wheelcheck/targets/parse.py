"""Platforms as text: ``macos-14-arm64``, platform tags, uv's and Rust's names.

Every text means the same on every machine. What it does not say is decided here, and recorded in the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelcheck.common.errors import UsageError
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import record, replace
from wheelcheck.targets.platform import (
    ARCHITECTURE,
    FLOOR,
    GLIBC_MACHINES,
    LEGACY_MANYLINUX,
    MUSL_MACHINES,
    WINDOWS_BY_TAG,
    MacOS,
    Manylinux,
    Musllinux,
    Other,
    Platform,
    Windows,
    oldest_glibc_minor,
)
from wheelcheck.targets.python import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_MACOS = (13, 0)
DEFAULT_GLIBC = (2, 28)
DEFAULT_GLIBC_OF = {"riscv64": (2, 39), "loongarch64": (2, 36)}
DEFAULT_MUSL = (1, 2)
"""The releases that are assumed where a text names none. They are uv's, so that both tools answer the same question."""

_LINUX_MACHINES = frozenset(
    {*MUSL_MACHINES, "alpha", "armv5tel", "hppa", "i386", "i486", "i586", "ia64", "m68k", "mips", "mips64"}
    | {"parisc", "parisc64", "ppc", "riscv32", "s390", "sh4", "sparc", "sparc64"}
)
_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "powerpc64le": "ppc64le", "powerpc64": "ppc64"}
_MAC_WORDS = {"arm64": "arm64", "aarch64": "arm64", "x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64"}
_WINDOWS_WORDS = {"amd64": "amd64", "x86_64": "amd64", "x64": "amd64", "x86": "x86", "i686": "x86"}
_WINDOWS_WORDS |= {"arm64": "arm64", "aarch64": "arm64"}
_NAMED_OTHERS = {
    "aarch64-linux-android": "android_24_arm64_v8a",
    "x86_64-linux-android": "android_24_x86_64",
    "arm64-apple-ios": "ios_13_0_arm64_iphoneos",
    "arm64-apple-ios-simulator": "ios_13_0_arm64_iphonesimulator",
    "x86_64-apple-ios-simulator": "ios_13_0_x86_64_iphonesimulator",
}
_PYODIDE = {f"wasm32-pyodide{year}": f"pyodide_{year}_0_wasm32" for year in (2024, 2025)}

_N = r"([0-9]{1,3})"
_MAC = pattern(rf"macos(?:-{_N}(?:\.{_N})?)?(?:-([a-z]\w*))?")
_MAC_TAG = pattern(rf"macosx_{_N}_{_N}_(\w+)")
_MAC_TRIPLE = pattern(r"(aarch64|arm64|x86_64)-apple-darwin")
_GLIBC = pattern(rf"(?:manylinux_{_N}_{_N}_|linux-glibc{_N}\.{_N}-)(\w+)")
_GLIBC_TRIPLE = pattern(rf"(\w+)-manylinux_{_N}_{_N}")
_GLIBC_LEGACY = pattern(r"(manylinux(?:1|2010|2014))_(\w+)|(\w+)-(manylinux2014)")
_LINUX = pattern(r"linux(?:_(x86_64|aarch64)|-(\w+))?|(\w+)-unknown-linux-gnu|(riscv64)-unknown-linux")
_MUSL = pattern(rf"(?:musllinux_{_N}_{_N}_|linux-musl{_N}\.{_N}-)(\w+)")
_MUSL_TRIPLE = pattern(r"linux-musl-(\w+)|(\w+)-unknown-linux-musl")
_WINDOWS = pattern(r"windows(?:-(\w+))?|(x86_64|aarch64|i686)-pc-windows-msvc")
_OTHER = pattern(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_FAMILIES = ("macosx", "macos", "manylinux", "musllinux", "windows", "linux", "win")
_MAX_LENGTH = 100
"""Maximum length of a target text."""


def read_platform(text: str) -> Platform:
    """Parse a platform such as ``macos-14-arm64`` or ``win_arm64``.

    Raises:
        UsageError: it names no platform.
    """
    return parse_platform(text, text.lower()).platform


def parse_platform(text: str, platform_text: str) -> Reading:
    """Return what the platform part of a target text means, with what it leaves open.

    Args:
        text: the whole target, for error messages.
        platform_text: its platform part, lower case.

    Raises:
        UsageError: it names no platform.
    """
    reading = find_platform(platform_text)
    if reading is None:
        raise unknown_target(text, platform_text)
    return reading


def find_platform(word: str) -> Reading | None:
    """Return what a lower-case platform means, or None if it has the form of none.

    Raises:
        UsageError: it has the form of a platform, but there is no such platform.
    """
    return _read(word) if word and len(word) <= _MAX_LENGTH else None


GROUP = "all-"
"""The beginning of the name of a group of presets."""
SPELLINGS = (
    *(
        "macos-14-arm64",
        "macos-12.3-x86_64",
        "macos-14-rosetta",
        "macos",
        "linux",
        "windows",
        "windows-amd64",
        "windows-x86",
    ),
    *("windows-arm64", "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "manylinux2014_x86_64"),
    *("linux-glibc2.28-x86_64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64", "linux-musl1.2-x86_64"),
    *("linux-x86_64", "linux-aarch64", "linux_x86_64", "linux_aarch64", "macosx_14_0_arm64", "macosx_14_0_x86_64"),
    *("win_amd64", "win32", "win_arm64", "aarch64-apple-darwin", "x86_64-apple-darwin"),
    *("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl"),
    *("aarch64-unknown-linux-musl", "riscv64-unknown-linux", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"),
    *("i686-pc-windows-msvc", "x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-manylinux2014"),
    *(*_NAMED_OTHERS, *_PYODIDE),
)
"""Platforms to suggest for a misspelt text."""


def unknown_target(text: str, platform_text: str, presets: Iterable[str] = ()) -> UsageError:
    """Return the error about a text that names no platform, with similar texts that do."""
    if not platform_text:
        return UsageError(f"The target {shown(text)} names no platform. Write one such as macos-14-arm64-cp312.")
    head, _, tail = platform_text.rpartition("-")
    if head and _is_platform(head):
        return UsageError(
            f"In the target {shown(text)}, {shown(tail)} is neither a part of the platform nor a Python."
            " Write a target such as macos-14-arm64-cp312 or linux-x86_64-3.12."
        )
    from difflib import get_close_matches

    near = get_close_matches(platform_text[:_MAX_LENGTH], [*SPELLINGS, *presets], n=2, cutoff=0.6)
    proposal = f" Did you mean {' or '.join(near)}?" if near else ""
    return UsageError(
        f"{shown(text)} is not a target.{proposal} Targets are PLATFORM or PLATFORM-PYTHON, such as"
        " macos-14-arm64-cp312, manylinux_2_28_x86_64-3.12 or windows-amd64, a platform tag such as win_arm64,"
        " a preset such as colab (wheelcheck targets list), 'running', or the path of an interpreter."
    )


def _is_platform(word: str) -> bool:
    try:
        return _read(word) is not None
    except UsageError:
        return False


# -- readers, one a family


@record
class Reading:
    """A platform with what its text left open.

    Attributes:
        platform: the platform.
        assumed: what the package decided: of ``floor`` and ``architecture``.
        translated: True for a Mac under Rosetta, None where the text does not say.
    """

    platform: Platform
    assumed: frozenset[str] = frozenset()
    translated: bool | None = None


def _read(word: str) -> Reading | None:
    """Parse a lower-case platform; return None if it has the form of none.

    Raises:
        UsageError: it has the form of a platform, but there is no such platform.
    """
    for reader in (_read_mac, _read_glibc, _read_linux, _read_musl, _read_windows, _read_other):
        if found := reader(word):
            return found
    return None


def _read_mac(word: str) -> Reading | None:
    if match := _MAC.fullmatch(word):
        major, minor, machine = match.groups()
        if machine == "rosetta":  # on Apple silicon, so from macOS 11 on; the process is an x86_64 one
            mac = _read_mac(word.replace("rosetta", "x86_64"))
            return replace(mac, translated=True) if mac and _mac(word, *_release(major, minor), "arm64") else None
        left_open = {FLOOR} if major is None else set()
        left_open |= {ARCHITECTURE} if machine is None else set()
        return Reading(platform=_mac(word, *_release(major, minor), machine or "arm64"), assumed=frozenset(left_open))
    if match := _MAC_TAG.fullmatch(word):
        return Reading(platform=_mac(word, int(match[1]), int(match[2]), match[3]))
    if match := _MAC_TRIPLE.fullmatch(word):
        return Reading(platform=_mac(word, *DEFAULT_MACOS, match[1]), assumed=frozenset({FLOOR}))
    return None


def _release(major: str | None, minor: str | None) -> tuple[int, int]:
    return DEFAULT_MACOS if major is None else (int(major), int(minor or 0))


def _mac(text: str, major: int, minor: int, machine: str) -> MacOS:
    if machine in ("universal2", "universal", "intel", "fat", "fat3", "fat64"):
        raise UsageError(f"{shown(text)} names files with several slices, not a Mac. Name a slice: arm64 or x86_64.")
    if machine not in _MAC_WORDS:
        raise UsageError(f"{shown(text)} names no architecture of a Mac. Write arm64 or x86_64 in place of {machine}.")
    if (major, minor) == (10, 16):
        raise UsageError(f"{shown(text)}: 10.16 is what macOS 11 and newer call themselves to old programs. Name 11.")
    if major < 10 or (major == 10 and not 9 <= minor <= 15):
        raise UsageError(f"{shown(text)} names no macOS that is known: 10.9 to 10.15, 11 to 15, and 26 and newer are.")
    if 15 < major < 26:
        raise UsageError(f"{shown(text)} names a macOS that does not exist: after 15 comes 26.")
    machine = _MAC_WORDS[machine]
    if machine == "arm64" and major == 10:
        raise UsageError(f"{shown(text)} does not exist: arm64 begins with macOS 11.")
    return MacOS(major=major, minor=minor, machine=machine)


def _read_glibc(word: str) -> Reading | None:
    if match := _GLIBC.fullmatch(word):
        major, minor = (int(number) for number in match.groups()[:4] if number)
        return Reading(platform=_glibc(word, major, minor, match[5]))
    if match := _GLIBC_TRIPLE.fullmatch(word):
        return Reading(platform=_glibc(word, int(match[2]), int(match[3]), match[1]))
    if match := _GLIBC_LEGACY.fullmatch(word):
        alias, machine = match[1] or match[4], match[2] or match[3]
        return Reading(platform=_glibc(word, *LEGACY_MANYLINUX[alias], machine))
    return None


def _glibc(text: str, major: int, minor: int, machine: str) -> Manylinux:
    machine = _linux_machine(text, machine, GLIBC_MACHINES)
    oldest = oldest_glibc_minor(machine)
    if major != 2 or not oldest <= minor <= 99:
        raise UsageError(
            f"{shown(text)} names no glibc that wheels are built for: on {machine} 2.{oldest} and newer are."
        )
    return Manylinux(major=major, minor=minor, machine=machine)


def _linux_machine(text: str, machine: str, known: Iterable[str]) -> str:
    machine = machine if text.startswith(("manylinux", "musllinux")) else _ALIASES.get(machine, machine)
    if machine not in known:
        raise UsageError(f"{shown(text)} names no architecture that has such wheels. Write one of {', '.join(known)}.")
    return machine


def _read_linux(word: str) -> Reading | None:
    match = _LINUX.fullmatch(word)
    if match is None:
        return None
    machine = next(filter(None, match.groups()), None)
    left_open = {FLOOR} if machine else {FLOOR, ARCHITECTURE}
    machine = _linux_machine(word, machine or "x86_64", GLIBC_MACHINES)
    platform = _glibc(word, *DEFAULT_GLIBC_OF.get(machine, DEFAULT_GLIBC), machine)
    return Reading(platform=platform, assumed=frozenset(left_open))


def _read_musl(word: str) -> Reading | None:
    if match := _MUSL.fullmatch(word):
        major, minor = (int(number) for number in match.groups()[:4] if number)
        return Reading(platform=_musl(word, major, minor, match[5]))
    if match := _MUSL_TRIPLE.fullmatch(word):
        return Reading(platform=_musl(word, *DEFAULT_MUSL, match[1] or match[2]), assumed=frozenset({FLOOR}))
    return None


def _musl(text: str, major: int, minor: int, machine: str) -> Musllinux:
    machine = _linux_machine(text, machine, MUSL_MACHINES)
    if major != 1 or minor > 99:
        raise UsageError(f"{shown(text)} names no musl that is known. Write 1.1 or 1.2.")
    return Musllinux(major=major, minor=minor, machine=machine)


def _read_windows(word: str) -> Reading | None:
    if word in WINDOWS_BY_TAG:
        return Reading(platform=WINDOWS_BY_TAG[word])
    match = _WINDOWS.fullmatch(word)
    if match is None:
        return None
    machine = match[1] or match[2]
    if machine and machine not in _WINDOWS_WORDS:
        raise UsageError(f"{shown(word)} names no architecture of Windows. Write amd64, x86 or arm64.")
    assumed = frozenset() if machine else frozenset({ARCHITECTURE})
    return Reading(platform=Windows(machine=_WINDOWS_WORDS[machine or "amd64"]), assumed=assumed)


def _read_other(word: str) -> Reading | None:
    if word in _NAMED_OTHERS:
        return Reading(platform=Other(tag=_NAMED_OTHERS[word]), assumed=frozenset({FLOOR}))
    if word in _PYODIDE:
        return Reading(platform=Other(tag=_PYODIDE[word]))
    if _OTHER.fullmatch(word) and not _is_misspelt(word):
        return Reading(platform=Other(tag=word))
    return None


def _is_misspelt(word: str) -> bool:
    """Return whether a text in the form of a platform tag must be a misspelling of a known family."""
    family, _, rest = word.partition("_")
    letters = family.rstrip("0123456789")
    if family == "linux":
        return rest not in _LINUX_MACHINES
    from difflib import get_close_matches

    near = get_close_matches(letters, _FAMILIES, n=1, cutoff=0.75)
    machines = ("x86", "aarch64", "arm64", "amd64", "x64", *_LINUX_MACHINES)
    return bool(near) or letters in ("mac", "osx", "darwin", "musl") or family in machines
