"""Platforms: their compatible platform tags, best first, and their marker variables.

Nothing here queries the host. Tags come in the order of packaging 26.3 (PEP 513, 571, 599 and 600 for manylinux, PEP
656 for musllinux, PEP 730 for iOS, PEP 738 for Android); marker variables are those of PEP 508.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import Variant, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PYTHON, FLOOR, ARCHITECTURE = "python", "floor", "architecture"
"""The parts of a target that may be assumed; the members of `Target.assumed`."""


NEWEST_MACOS = 27
"""The newest release of macOS, as of `wheelcheck.targets.python.NEWEST_DATE`; the presets have its source."""
MAC_MACHINES = ("arm64", "x86_64")
GLIBC_MACHINES = (
    *("x86_64", "i686", "aarch64", "armv7l", "armv8l", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"),
)
MUSL_MACHINES = (*GLIBC_MACHINES, "armv6l")
"""Architectures with wheels of their own, for macOS, manylinux and musllinux."""


@record
class MacOS(Variant):
    """macOS of some release, from 10.9 on. `machine` is ``arm64`` or ``x86_64``."""

    major: int
    minor: int
    machine: str

    @property
    def tag(self) -> str:
        """The most specific platform tag. From macOS 11 on, tags know major releases only."""
        return f"macosx_{self.major}_{self.minor if self.major == 10 else 0}_{self.machine}"

    @property
    def name(self) -> str:
        """The text that `read_platform` reads back, such as ``macos-14-arm64``."""
        return f"macos-{self.major}{f'.{self.minor}' if self.minor else ''}-{self.machine}"

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _mac_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "darwin", "Darwin", self.machine


@record
class Manylinux(Variant):
    """Linux with some version of glibc. `refused` are tags that a ``_manylinux`` module rejects."""

    major: int
    minor: int
    machine: str
    refused: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """The most specific portable tag (PEP 600); the native ``linux_*`` tag precedes it in `tags`."""
        return f"manylinux_{self.major}_{self.minor}_{self.machine}"

    @property
    def name(self) -> str:
        """The text that `read_platform` reads back: the tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _manylinux_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "linux", "Linux", self.machine


@record
class Musllinux(Variant):
    """Linux with some version of musl (PEP 656)."""

    major: int
    minor: int
    machine: str

    @property
    def tag(self) -> str:
        """The most specific portable tag; the native ``linux_*`` tag precedes it in `tags`."""
        return f"musllinux_{self.major}_{self.minor}_{self.machine}"

    @property
    def name(self) -> str:
        """The text that `read_platform` reads back: the tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _musllinux_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "linux", "Linux", self.machine


_WINDOWS_TAGS = {"amd64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}
_WINDOWS_MACHINES = {"amd64": "AMD64", "x86": "x86", "arm64": "ARM64"}


@record
class Windows(Variant):
    """Windows. `machine` is ``amd64``, ``x86`` or ``arm64``."""

    machine: str

    @property
    def tag(self) -> str:
        """Its only platform tag."""
        return _WINDOWS_TAGS[self.machine]

    @property
    def name(self) -> str:
        """The text that `read_platform` reads back, such as ``windows-amd64``."""
        return f"windows-{self.machine}"

    @property
    def tags(self) -> tuple[str, ...]:
        """Its only platform tag."""
        return (self.tag,)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "nt", "win32", "Windows", _WINDOWS_MACHINES[self.machine]


@record
class Other(Variant):
    """Any other platform, by its tag: iOS, Android, Emscripten, the BSDs, Linux with an unknown C library."""

    tag: str

    @property
    def name(self) -> str:
        """Its tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag, and for iOS (PEP 730) and Android (PEP 738) those of older releases."""
        return _older_tags(self.tag)

    @property
    def machine(self) -> str:
        """The architecture, as far as the tag says."""
        return self.markers[3]

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine, as far as the tag says."""
        return _other_markers(self.tag)


Platform: TypeAlias = MacOS | Manylinux | Musllinux | Windows | Other

WINDOWS_BY_TAG: Mapping[str, Windows] = MappingProxyType(
    {tag: Windows(machine=machine) for machine, tag in _WINDOWS_TAGS.items()}
)
"""Windows by platform tag."""


_INTEL_FORMATS = ("x86_64", "intel", "fat64", "fat3", "universal2", "universal")
_ARM_FORMATS = ("arm64", "universal2")


@lru_cache(maxsize=64)
def _mac_tags(mac: MacOS) -> tuple[str, ...]:
    formats = _ARM_FORMATS if mac.machine == "arm64" else _INTEL_FORMATS
    # A universal2 file may name the 10.x that its Intel half needs, so arm64 takes those of before macOS 11 too.
    older = ("universal2",) if mac.machine == "arm64" else formats
    newest = mac.minor if mac.major == 10 else 16
    return (
        *(f"macosx_{major}_0_{form}" for major in range(mac.major, 10, -1) for form in formats),
        *(f"macosx_10_{minor}_{form}" for minor in range(newest, 3, -1) for form in older),
    )


LEGACY_MANYLINUX: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"manylinux2014": (2, 17), "manylinux2010": (2, 12), "manylinux1": (2, 5)}
)
"""Manylinux tags older than PEP 600, with the glibc version that each stands for."""
_LEGACY_NAMES = {release: name for name, release in LEGACY_MANYLINUX.items()}
_LAST_MINOR = 50


@lru_cache(maxsize=64)
def _manylinux_tags(linux: Manylinux) -> tuple[str, ...]:
    machines = _linux_machines(linux.machine)
    portable = (tag for machine in machines for tag in _glibc_tags(linux, machine))
    return (*(f"linux_{machine}" for machine in machines), *portable)


def _glibc_tags(linux: Manylinux, machine: str) -> Iterator[str]:
    for major, minor in _glibc_releases(linux):
        tag = f"manylinux_{major}_{minor}_{machine}"
        if tag in linux.refused:
            continue
        yield tag
        if legacy := _LEGACY_NAMES.get((major, minor)):
            yield f"{legacy}_{machine}"


def _glibc_releases(linux: Manylinux) -> Iterator[tuple[int, int]]:
    for major in range(linux.major, 1, -1):
        newest = linux.minor if major == linux.major else _LAST_MINOR
        oldest = oldest_glibc_minor(linux.machine) if major == 2 else 0
        yield from ((major, minor) for minor in range(newest, oldest - 1, -1))


def oldest_glibc_minor(machine: str) -> int:
    """Return the minor version of the oldest glibc 2 with manylinux wheels for an architecture."""
    return 5 if machine in ("x86_64", "i686") else 17


@lru_cache(maxsize=64)
def _musllinux_tags(linux: Musllinux) -> tuple[str, ...]:
    machines, minors = _linux_machines(linux.machine), range(linux.minor, -1, -1)
    portable = (f"musllinux_{linux.major}_{minor}_{machine}" for machine in machines for minor in minors)
    return (*(f"linux_{machine}" for machine in machines), *portable)


def _linux_machines(machine: str) -> tuple[str, ...]:
    return ("armv8l", "armv7l") if machine == "armv8l" else (machine,)


_IOS = pattern(r"ios_([0-9]{1,3})_([0-9]{1,3})_(\w+_iphone(?:os|simulator))", re.ASCII)
_ANDROID = pattern(r"android_([0-9]{1,4})_(\w+)", re.ASCII)
_OLDEST_IOS = 12
_OLDEST_ANDROID = 16


@lru_cache(maxsize=64)
def _older_tags(tag: str) -> tuple[str, ...]:
    if ios := _IOS.fullmatch(tag):
        major, minor, rest = int(ios[1]), int(ios[2]), ios[3]
        releases = [(major, older) for older in range(minor, -1, -1)]
        releases += [(older, last) for older in range(major - 1, _OLDEST_IOS - 1, -1) for last in range(9, -1, -1)]
        return tuple(f"ios_{first}_{second}_{rest}" for first, second in releases)
    if android := _ANDROID.fullmatch(tag):
        levels = range(int(android[1]), min(_OLDEST_ANDROID, int(android[1])) - 1, -1)
        return tuple(f"android_{level}_{android[2]}" for level in levels)
    if tag.startswith("linux_"):
        return tuple(f"linux_{machine}" for machine in _linux_machines(tag.removeprefix("linux_")))
    return (tag,)


_ANDROID_MACHINES = {"arm64_v8a": "aarch64", "armeabi_v7a": "armv7l", "x86": "i686", "x86_64": "x86_64"}
_BSD_SYSTEMS = {"freebsd": "FreeBSD", "openbsd": "OpenBSD", "netbsd": "NetBSD", "dragonfly": "DragonFly"}


def _other_markers(tag: str) -> tuple[str, str, str, str]:
    family, _, rest = tag.partition("_")
    if ios := _IOS.fullmatch(tag):
        return "posix", "ios", "iOS", ios[3].rpartition("_")[0]
    if android := _ANDROID.fullmatch(tag):
        return "posix", "android", "Android", _ANDROID_MACHINES.get(android[2], android[2])
    if family in ("pyodide", "pyemscripten", "emscripten"):
        return "posix", "emscripten", "Emscripten", "wasm32"
    if family == "linux":
        return "posix", "linux", "Linux", rest
    if family in _BSD_SYSTEMS:
        return "posix", f"{family}{rest.partition('_')[0]}", _BSD_SYSTEMS[family], rest.rpartition("_")[2]
    return "posix", family, "", rest.rpartition("_")[2]
