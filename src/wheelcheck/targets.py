"""What is asked about: an interpreter on a platform, on this machine or not, and all that follows from the two.

Nothing here asks the host: a target means the same on every machine. Tags come in the order of packaging 26.3 (PEP 425
and its specification; PEP 513, 571, 599 and 600 for manylinux, PEP 656 for musllinux, PEP 703 and 803 for free-threaded
builds); marker variables are those of PEP 508.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from packaging.version import InvalidVersion, Version

from wheelcheck.failures import UsageError
from wheelcheck.values import Plain, Variant, fields_of

if TYPE_CHECKING:
    import os

OLDEST_MINOR = 6
"""Targets begin with Python 3.6."""

NEWEST_MICRO: Mapping[int, int] = MappingProxyType(
    {6: 15, 7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2}
)
"""The newest micro of every CPython 3 minor, where a text names none: ``3.12`` is 3.12.16.

Source: the builds that uv 0.13.9 lists (``uv python list --all-versions``); for 3.6 and 3.7 the last source releases.
"""
NEWEST_PYPY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pypy36_pp73": ("3.6.12", "7.3.3"),
        "pypy37_pp73": ("3.7.13", "7.3.9"),
        "pypy38_pp73": ("3.8.16", "7.3.11"),
        "pypy39_pp73": ("3.9.19", "7.3.16"),
        "pypy310_pp73": ("3.10.16", "7.3.19"),
        "pypy311_pp73": ("3.11.15", "7.3.23"),
        "pypy311_pp80": ("3.11.17", "8.0.1"),
        "pypy312_pp80": ("3.12.15", "8.0.1"),
    }
)
"""The newest PyPy of every ABI, its Python first; the last row of a Python is what ``pp311`` means. Same source."""
NEWEST_DATE = "2026-11-22"
"""When both tables were made."""

PYTHON, FLOOR, ARCHITECTURE = "python", "floor", "architecture"
"""What a text may leave open, so that the package decides; the members of `Target.assumed`."""

NOTHING: frozenset[str] = frozenset()
SHORT_NAMES = {"python": "py", "cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}
LONG_NAMES = {
    "cpython": "CPython",
    "pypy": "PyPy",
    "graalpy": "GraalVM",
    "ironpython": "IronPython",
    "jython": "Jython",
}
"""Names of implementations: the prefix of their tags (PEP 425), and what ``platform.python_implementation()`` says."""


# -- platforms


@dataclass(frozen=True, slots=True, kw_only=True)
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
        """The text that is read back to the same platform, such as ``macos-14-arm64``."""
        return f"macos-{self.major}{f'.{self.minor}' if self.minor else ''}-{self.machine}"

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _platform_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "darwin", "Darwin", self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Manylinux(Variant):
    """Linux with the GNU C library of some version. `refused` are tags that its ``_manylinux`` module turns down."""

    major: int
    minor: int
    machine: str
    refused: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """The most specific portable tag (PEP 600). The native ``linux_*`` tag stands before it in `tags`."""
        return f"manylinux_{self.major}_{self.minor}_{self.machine}"

    @property
    def name(self) -> str:
        """The text that is read back to the same platform: its tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _platform_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "linux", "Linux", self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Musllinux(Variant):
    """Linux with the musl C library of some version (PEP 656)."""

    major: int
    minor: int
    machine: str

    @property
    def tag(self) -> str:
        """The most specific portable tag. The native ``linux_*`` tag stands before it in `tags`."""
        return f"musllinux_{self.major}_{self.minor}_{self.machine}"

    @property
    def name(self) -> str:
        """The text that is read back to the same platform: its tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """All platform tags, best first."""
        return _platform_tags(self)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "posix", "linux", "Linux", self.machine


_WINDOWS_TAGS = {"amd64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}
_WINDOWS_MACHINES = {"amd64": "AMD64", "x86": "x86", "arm64": "ARM64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows(Variant):
    """Windows. `machine` is ``amd64``, ``x86`` or ``arm64``."""

    machine: str

    @property
    def tag(self) -> str:
        """Its only platform tag."""
        return _WINDOWS_TAGS[self.machine]

    @property
    def name(self) -> str:
        """The text that is read back to the same platform, such as ``windows-amd64``."""
        return f"windows-{self.machine}"

    @property
    def tags(self) -> tuple[str, ...]:
        """Its only platform tag."""
        return (self.tag,)

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine."""
        return "nt", "win32", "Windows", _WINDOWS_MACHINES[self.machine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Variant):
    """Any other platform, by its tag: iOS, Android, Emscripten, the BSDs, Linux without a known C library."""

    tag: str

    @property
    def name(self) -> str:
        """Its tag."""
        return self.tag

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag, and for iOS (PEP 730) and Android (PEP 738) those of older releases."""
        return _platform_tags(self)

    @property
    def machine(self) -> str:
        """The architecture, as far as the tag tells."""
        return self.markers[3]

    @property
    def markers(self) -> tuple[str, str, str, str]:
        """os_name, sys_platform, platform_system and platform_machine, as far as the tag tells."""
        return _other_markers(self.tag)


Platform: TypeAlias = "MacOS | Manylinux | Musllinux | Windows | Other"


@lru_cache(maxsize=256)
def _platform_tags(platform: MacOS | Manylinux | Musllinux | Other) -> tuple[str, ...]:
    if isinstance(platform, MacOS):
        return tuple(_mac_tags(platform))
    if isinstance(platform, Manylinux):
        return tuple(_manylinux_tags(platform))
    if isinstance(platform, Musllinux):
        return tuple(_musllinux_tags(platform))
    return _older_tags(platform.tag)


_INTEL_FORMATS = ("x86_64", "intel", "fat64", "fat3", "universal2", "universal")
_ARM_FORMATS = ("arm64", "universal2")


def _mac_tags(mac: MacOS) -> Iterator[str]:
    formats = _ARM_FORMATS if mac.machine == "arm64" else _INTEL_FORMATS
    for major in range(mac.major, 10, -1):
        yield from (f"macosx_{major}_0_{form}" for form in formats)
    # A universal2 file may name the 10.x that its Intel half needs, so arm64 takes those of before macOS 11 too.
    older = ("universal2",) if mac.machine == "arm64" else formats
    for minor in range(mac.minor if mac.major == 10 else 16, 3, -1):
        yield from (f"macosx_10_{minor}_{form}" for form in older)


_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_LAST_MINOR = 50


def _manylinux_tags(linux: Manylinux) -> Iterator[str]:
    machines = _linux_machines(linux.machine)
    yield from (f"linux_{machine}" for machine in machines)
    for machine in machines:
        for major, minor in _glibc_releases(linux):
            tag = f"manylinux_{major}_{minor}_{machine}"
            if tag in linux.refused:
                continue
            yield tag
            if legacy := _LEGACY_MANYLINUX.get((major, minor)):
                yield f"{legacy}_{machine}"


def _glibc_releases(linux: Manylinux) -> Iterator[tuple[int, int]]:
    for major in range(linux.major, 1, -1):
        newest = linux.minor if major == linux.major else _LAST_MINOR
        oldest = _oldest_glibc_minor(linux.machine) if major == 2 else 0
        yield from ((major, minor) for minor in range(newest, oldest - 1, -1))


def _oldest_glibc_minor(machine: str) -> int:
    return 5 if machine in ("x86_64", "i686") else 17


def _musllinux_tags(linux: Musllinux) -> Iterator[str]:
    machines = _linux_machines(linux.machine)
    yield from (f"linux_{machine}" for machine in machines)
    for machine in machines:
        yield from (f"musllinux_{linux.major}_{minor}_{machine}" for minor in range(linux.minor, -1, -1))


def _linux_machines(machine: str) -> tuple[str, ...]:
    return ("armv8l", "armv7l") if machine == "armv8l" else (machine,)


_IOS = re.compile(r"ios_([0-9]{1,3})_([0-9]{1,3})_(\w+_iphone(?:os|simulator))", re.ASCII)
_ANDROID = re.compile(r"android_([0-9]{1,4})_(\w+)", re.ASCII)
_OLDEST_IOS = 12
_OLDEST_ANDROID = 16


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


# -- targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An interpreter that is asked about. Two targets are equal when no question could tell them apart.

    Attributes:
        platform: the system that it runs on.
        python: the full version, such as ``3.12.12``.
        implementation: ``sys.implementation.name``, such as ``cpython`` or ``pypy``.
        abi: the ABI tag of its own, such as ``cp312``, ``cp313t`` or ``pypy310_pp73``.
        implementation_version: the version of the implementation; for CPython that of Python.
        stated: marker variables where the interpreter itself says otherwise than `platform` does, in order of name.
        assumed: what the text left open and the package decided: of ``python``, ``floor``, ``architecture``.
        interpreter: its path, if it was described by asking it.
        translated: whether it runs under Rosetta; None where nobody was asked.

    ``running``, ``of`` and ``parse`` need the host: `wheelcheck.interpreters` provides them when it is imported.
    """

    platform: Platform
    python: str
    implementation: str
    abi: str
    implementation_version: str
    stated: tuple[tuple[str, str], ...] = ()
    assumed: frozenset[str] = field(default=NOTHING, compare=False)
    interpreter: str | None = field(default=None, compare=False)
    translated: bool | None = field(default=None, compare=False)

    running: ClassVar[Callable[[], Target]]
    """The interpreter that runs wheelcheck."""
    of: ClassVar[Callable[[str | os.PathLike[str]], Target]]
    """The interpreter at a path, described by asking it."""
    parse: ClassVar[Callable[[str], Target]]
    """The target that a text names, in any of the spellings."""

    @property
    def name(self) -> str:
        """The canonical text, such as ``macos-14-arm64-cp312``; `parse` reads it back to an equal target.

        What only an interpreter itself can tell (`stated`, `Manylinux.refused`) is in no name; `to_dict` keeps it.
        """
        return f"{self.platform.name}-{_python_text(python_of(self))}"

    @property
    def version(self) -> Version:
        """The full Python version, to compare with."""
        return _version(self.python)

    @property
    def interpreter_tag(self) -> str:
        """The python tag of its own, such as ``cp312`` or ``pp310``."""
        return f"{SHORT_NAMES.get(self.implementation, self.implementation)}{self.version.major}{self.version.minor}"

    @property
    def free_threaded(self) -> bool:
        """Whether it is a build without the global interpreter lock (PEP 703)."""
        return self.implementation == "cpython" and "t" in _abi_flags(self.abi)

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag triple that it supports, best first, as ``packaging.tags.sys_tags()`` there would list them."""
        return _tags(self)

    @property
    def ranks(self) -> Mapping[str, int]:
        """The position of every triple in `tags`."""
        return _ranks(self)

    @property
    def environment(self) -> Mapping[str, str]:
        """All eleven marker variables (PEP 508); what is unknown of a foreign target is empty."""
        return _environment(self)

    def to_dict(self) -> dict[str, Plain]:
        """The document form; `from_dict` reads it back to an equal target."""
        return {
            "name": self.name,
            "python": self.python,
            "implementation": self.implementation,
            "implementation_version": self.implementation_version,
            "abi": self.abi,
            "platform": self.platform.tag,
            "machine": self.platform.machine,
            "system": fields_of(self.platform),
            "translated": self.translated,
            "assumed": [*sorted(self.assumed)],
            "interpreter": self.interpreter,
            "environment": dict(self.environment),
        }

    @classmethod
    def from_dict(cls, data: object) -> Target:
        """The target of a document that `to_dict` wrote.

        Raises:
            UsageError: something is missing, is of the wrong type, or contradicts the rest.
        """
        return _target_from_dict(data)


@lru_cache(maxsize=256)
def _version(text: str) -> Version:
    return Version(text)


@lru_cache(maxsize=64)
def _tags(target: Target) -> tuple[str, ...]:
    return tuple(_triples(target))


@lru_cache(maxsize=64)
def _ranks(target: Target) -> Mapping[str, int]:
    ranks: dict[str, int] = {}
    for rank, triple in enumerate(target.tags):
        ranks.setdefault(triple, rank)
    return MappingProxyType(ranks)


def _triples(target: Target) -> Iterator[str]:
    platforms, minor = target.platform.tags, target.version.minor
    interpreter = target.interpreter_tag
    if target.implementation == "cpython":
        yield from _cpython_triples(interpreter, target, platforms)
        wide = interpreter
    else:
        abis = dict.fromkeys((target.abi, "none"))
        yield from (f"{interpreter}-{abi}-{platform}" for abi in abis for platform in platforms)
        wide = "pp3" if target.implementation == "pypy" else ""
    pythons = (f"py3{minor}", "py3", *(f"py3{older}" for older in range(minor - 1, -1, -1)))
    yield from (f"{python}-none-{platform}" for python in pythons for platform in platforms)
    yield from (f"{python}-none-any" for python in (wide, *pythons) if python)


def _cpython_triples(interpreter: str, target: Target, platforms: Iterable[str]) -> Iterator[str]:
    stable = "abi3t" if target.free_threaded else "abi3"
    for abi in (*_loadable_abis(target), stable, "none"):
        yield from (f"{interpreter}-{abi}-{platform}" for platform in platforms)
    for minor in range(target.version.minor - 1, 1, -1):
        yield from (f"cp3{minor}-{stable}-{platform}" for platform in platforms)


def _loadable_abis(target: Target) -> tuple[str, ...]:
    """A debug build of Python 3.8 or newer loads what was built for the release build, too."""
    if target.version.minor >= 8 and "d" in _abi_flags(target.abi):
        return target.abi, target.abi.replace("d", "")
    return (target.abi,)


def _abi_flags(abi: str) -> str:
    return re.sub(r"^cp[0-9]+", "", abi)


@lru_cache(maxsize=64)
def _environment(target: Target) -> Mapping[str, str]:
    return MappingProxyType(_derived_environment(target) | dict(target.stated))


def _derived_environment(target: Target) -> dict[str, str]:
    os_name, sys_platform, system, machine = target.platform.markers
    return {
        "implementation_name": target.implementation,
        "implementation_version": target.implementation_version,
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": LONG_NAMES.get(target.implementation, target.implementation),
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": target.python,
        "python_version": f"{target.version.major}.{target.version.minor}",
        "sys_platform": sys_platform,
    }


# -- Pythons, as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter without its platform. `assumed` says that its micro comes from the table of this module."""

    version: str
    implementation: str
    abi: str
    implementation_version: str
    assumed: bool = field(default=False, compare=False)


_CPYTHON_TAG = re.compile(r"cp([0-9])([0-9]|[1-9][0-9])(t?d?m?)")
_CPYTHON_VERSION = re.compile(
    r"([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}(?:(?:a|b|rc)[0-9]{1,3})?(?:\+local)?))?(t?d?)"
)
_PYPY_TAG = re.compile(r"(?:pp|pypy)([0-9])\.?([0-9]{1,2})")
_PYPY_ABI = re.compile(r"pypy[0-9]{2,3}_pp[0-9]{2,3}")
_PYPY_VERSION = re.compile(r"pp([0-9])\.([0-9]{1,2})\.([0-9]{1,2})(?:_([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}))?")
_ANY_PYTHON = re.compile(r"(?:cp|pp|pypy|py|python|cpython)\d.*|[23](?:\.\d.*)?")
"""What stands after the last dash of a target and is meant as its Python, right or wrong."""


def read_python(text: str) -> Python:
    """The Python that a text names: ``cp312``, ``cp313t``, ``pp310``, ``3.12``, ``3.12.4``, ``3.13t``.

    Beyond these, ABI tags (``cp312d``, ``pypy311_pp73``) and ``pp3.11.13_7.3.20``, a PyPy in full, are read.

    Raises:
        UsageError: the text is no such spelling, or there is no such Python.
    """
    word = text.strip().lower()
    if tag := _CPYTHON_TAG.fullmatch(word):
        return _cpython(text, int(tag[1]), int(tag[2]), None, tag[3])
    if version := _CPYTHON_VERSION.fullmatch(word):
        return _cpython(text, int(version[1]), int(version[2]), version[3], version[4])
    if _PYPY_ABI.fullmatch(word) and word in NEWEST_PYPY:
        return _newest_pypy(word)
    if pypy := _PYPY_TAG.fullmatch(word) or _PYPY_VERSION.fullmatch(word):
        return _pypy(text, *pypy.groups())
    raise UsageError(
        f"{_shown(text)} is not a Python that wheelcheck knows. Write cp312, cp313t, pp310, 3.12, 3.12.4 or 3.13t."
    )


def _cpython(text: str, major: int, minor: int, micro: str | None, flags: str) -> Python:
    _check_age(text, major, minor)
    if "t" in flags and minor < 13:
        raise UsageError(f"{_shown(text)} does not exist: free-threaded builds begin with Python 3.13.")
    if "m" in flags and minor > 7:
        raise UsageError(
            f"{_shown(text)} does not exist: the ABI tag has an m up to Python 3.7 only. Write cp3{minor}."
        )
    abi = f"cp3{minor}{flags.replace('m', '')}{'m' if minor < 8 else ''}"
    version = f"3.{minor}.{micro or NEWEST_MICRO.get(minor, 0)}"
    if micro is not None:
        version = str(Version(version))
    return Python(
        version=version, implementation="cpython", abi=abi, implementation_version=version, assumed=micro is None
    )


def _check_age(text: str, major: int, minor: int) -> None:
    if (major, minor) < (3, OLDEST_MINOR):
        raise UsageError(f"{_shown(text)} is too old to be asked about: targets begin with Python 3.{OLDEST_MINOR}.")
    if major > 3 or minor > 99:
        raise UsageError(f"{_shown(text)} does not exist: name a Python 3, such as 3.12.")


def _pypy(text: str, major: str, minor: str, micro: str | None = None, release: str | None = None) -> Python:
    _check_age(text, int(major), int(minor))
    known = [abi for abi in NEWEST_PYPY if abi.startswith(f"pypy{major}{int(minor)}_")]
    if not known and release is None:
        raise UsageError(f"{_shown(text)} is not known: there is PyPy for Python {', '.join(_pypy_minors())}.")
    newest = _newest_pypy(known[-1]) if known else None
    if micro is None and newest:
        return newest
    release = release or (newest.implementation_version if newest else "")
    series = "".join(release.split(".")[:2])
    return Python(
        version=f"{major}.{int(minor)}.{int(micro or 0)}",
        implementation="pypy",
        abi=f"pypy{major}{int(minor)}_pp{series}",
        implementation_version=release,
    )


def _newest_pypy(abi: str) -> Python:
    version, release = NEWEST_PYPY[abi]
    return Python(version=version, implementation="pypy", abi=abi, implementation_version=release, assumed=True)


def _pypy_minors() -> list[str]:
    return list(dict.fromkeys(version.rpartition(".")[0] for version, _ in NEWEST_PYPY.values()))


def python_of(target: Target) -> Python:
    """The Python of a target."""
    return Python(
        version=target.python,
        implementation=target.implementation,
        abi=target.abi,
        implementation_version=target.implementation_version,
        assumed=PYTHON in target.assumed,
    )


def _python_text(python: Python) -> str:
    """The shortest spelling that is read back to the same Python; in full where nothing was assumed."""
    version = _version(python.version)
    short = f"{SHORT_NAMES.get(python.implementation, python.implementation)}{version.major}{version.minor}"
    if python.implementation == "cpython":
        flags = _abi_flags(python.abi).replace("m", "")
        spellings = [f"{short}{flags}", f"{python.version}{flags}"]
    elif python.implementation == "pypy":
        spellings = [short, python.abi, f"pp{python.version}_{python.implementation_version}"]
    else:
        return short
    return next((text for text in spellings[:-1] if python.assumed and _reads_as(text, python)), spellings[-1])


def _reads_as(text: str, python: Python) -> bool:
    try:
        return read_python(text) == python
    except UsageError:
        return False


# -- platforms, as text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A platform as it was read, and what its text left open."""

    platform: Platform
    assumed: frozenset[str] = NOTHING


DEFAULT_MACOS = (13, 0)
DEFAULT_GLIBC = (2, 28)
DEFAULT_GLIBC_OF = {"riscv64": (2, 39), "loongarch64": (2, 36)}
DEFAULT_MUSL = (1, 2)
"""What is meant where a text names no release; uv's choices, so that both tools answer the same question."""

GLIBC_MACHINES = (
    *("x86_64", "i686", "aarch64", "armv7l", "armv8l", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"),
)
MUSL_MACHINES = (*GLIBC_MACHINES, "armv6l")
_LINUX_MACHINES = frozenset(
    {*MUSL_MACHINES, "alpha", "armv5tel", "hppa", "i386", "i486", "i586", "ia64", "m68k", "mips", "mips64"}
    | {"parisc", "parisc64", "ppc", "riscv32", "s390", "sh4", "sparc", "sparc64"}
)
_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "powerpc64le": "ppc64le", "powerpc64": "ppc64"}
_MAC_MACHINES = {"arm64": "arm64", "aarch64": "arm64", "x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64"}
_WINDOWS_WORDS = {"amd64": "amd64", "x86_64": "amd64", "x64": "amd64", "x86": "x86", "i686": "x86"}
_WINDOWS_WORDS |= {"arm64": "arm64", "aarch64": "arm64"}
_WINDOWS_NAMES = {tag: machine for machine, tag in _WINDOWS_TAGS.items()}
_NAMED_OTHERS = {
    "aarch64-linux-android": "android_24_arm64_v8a",
    "x86_64-linux-android": "android_24_x86_64",
    "arm64-apple-ios": "ios_13_0_arm64_iphoneos",
    "arm64-apple-ios-simulator": "ios_13_0_arm64_iphonesimulator",
    "x86_64-apple-ios-simulator": "ios_13_0_x86_64_iphonesimulator",
}
_PYODIDE = {f"wasm32-pyodide{year}": f"pyodide_{year}_0_wasm32" for year in (2024, 2025)}

_N = r"([0-9]{1,3})"
_MAC = re.compile(rf"macos(?:-{_N}(?:\.{_N})?)?(?:-([a-z]\w*))?")
_MAC_TAG = re.compile(rf"macosx_{_N}_{_N}_(\w+)")
_MAC_TRIPLE = re.compile(r"(aarch64|arm64|x86_64)-apple-darwin")
_GLIBC = re.compile(rf"(?:manylinux_{_N}_{_N}_|linux-glibc{_N}\.{_N}-)(\w+)")
_GLIBC_TRIPLE = re.compile(rf"(\w+)-manylinux_{_N}_{_N}")
_GLIBC_LEGACY = re.compile(r"(manylinux(?:1|2010|2014))_(\w+)|(\w+)-(manylinux2014)")
_LINUX = re.compile(r"linux(?:_(x86_64|aarch64)|-(\w+))?|(\w+)-unknown-linux-gnu|(riscv64)-unknown-linux")
_MUSL = re.compile(rf"(?:musllinux_{_N}_{_N}_|linux-musl{_N}\.{_N}-)(\w+)")
_MUSL_TRIPLE = re.compile(r"linux-musl-(\w+)|(\w+)-unknown-linux-musl")
_WINDOWS = re.compile(r"windows(?:-(\w+))?|(x86_64|aarch64|i686)-pc-windows-msvc")
_OTHER = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_FAMILIES = ("macosx", "macos", "manylinux", "musllinux", "windows", "linux", "win")
_MAX_LENGTH = 100


def _read(word: str) -> _Question | None:
    """What a lower-case text means as a platform; None if it has the form of none.

    Raises:
        UsageError: it has the form of a platform that does not exist.
    """
    for reader in (_read_mac, _read_glibc, _read_linux, _read_musl, _read_windows, _read_other):
        if found := reader(word):
            return found
    return None


def _read_mac(word: str) -> _Question | None:
    if match := _MAC.fullmatch(word):
        major, minor, machine = match.groups()
        left_open = {FLOOR} if major is None else set()
        left_open |= {ARCHITECTURE} if machine is None else set()
        release = DEFAULT_MACOS if major is None else (int(major), int(minor or 0))
        return _Question(platform=_mac(word, *release, machine or "arm64"), assumed=frozenset(left_open))
    if match := _MAC_TAG.fullmatch(word):
        return _Question(platform=_mac(word, int(match[1]), int(match[2]), match[3]))
    if match := _MAC_TRIPLE.fullmatch(word):
        return _Question(platform=_mac(word, *DEFAULT_MACOS, match[1]), assumed=frozenset({FLOOR}))
    return None


def _mac(text: str, major: int, minor: int, machine: str) -> MacOS:
    if machine in ("universal2", "universal", "intel", "fat", "fat3", "fat64"):
        raise UsageError(f"{_shown(text)} names files with several slices, not a Mac. Name a slice: arm64 or x86_64.")
    if machine not in _MAC_MACHINES:
        raise UsageError(f"{_shown(text)} names no architecture of a Mac. Write arm64 or x86_64 in place of {machine}.")
    if (major, minor) == (10, 16):
        raise UsageError(f"{_shown(text)}: 10.16 is what macOS 11 and newer call themselves to old programs. Name 11.")
    if major < 10 or (major == 10 and not 9 <= minor <= 15):
        raise UsageError(f"{_shown(text)} names no macOS that is known: 10.9 to 10.15, 11 to 15, and 26 and newer are.")
    if 15 < major < 26:
        raise UsageError(f"{_shown(text)} names a macOS that does not exist: after 15 comes 26.")
    machine = _MAC_MACHINES[machine]
    if machine == "arm64" and major == 10:
        raise UsageError(f"{_shown(text)} does not exist: arm64 begins with macOS 11.")
    return MacOS(major=major, minor=minor, machine=machine)


def _read_glibc(word: str) -> _Question | None:
    if match := _GLIBC.fullmatch(word):
        major, minor = (int(number) for number in match.groups()[:4] if number)
        return _Question(platform=_glibc(word, major, minor, match[5]))
    if match := _GLIBC_TRIPLE.fullmatch(word):
        return _Question(platform=_glibc(word, int(match[2]), int(match[3]), match[1]))
    if match := _GLIBC_LEGACY.fullmatch(word):
        alias, machine = match[1] or match[4], match[2] or match[3]
        release = next(release for release, name in _LEGACY_MANYLINUX.items() if name == alias)
        return _Question(platform=_glibc(word, *release, machine))
    return None


def _glibc(text: str, major: int, minor: int, machine: str) -> Manylinux:
    machine = _linux_machine(text, machine, GLIBC_MACHINES)
    oldest = _oldest_glibc_minor(machine)
    if major != 2 or not oldest <= minor <= 99:
        raise UsageError(
            f"{_shown(text)} names no glibc that wheels are built for: on {machine} 2.{oldest} and newer are."
        )
    return Manylinux(major=major, minor=minor, machine=machine)


def _linux_machine(text: str, machine: str, known: Iterable[str]) -> str:
    machine = machine if text.startswith(("manylinux", "musllinux")) else _ALIASES.get(machine, machine)
    if machine not in known:
        raise UsageError(f"{_shown(text)} names no architecture that has such wheels. Write one of {', '.join(known)}.")
    return machine


def _read_linux(word: str) -> _Question | None:
    match = _LINUX.fullmatch(word)
    if match is None:
        return None
    machine = next(filter(None, match.groups()), None)
    left_open = {FLOOR} if machine else {FLOOR, ARCHITECTURE}
    machine = _linux_machine(word, machine or "x86_64", GLIBC_MACHINES)
    platform = _glibc(word, *DEFAULT_GLIBC_OF.get(machine, DEFAULT_GLIBC), machine)
    return _Question(platform=platform, assumed=frozenset(left_open))


def _read_musl(word: str) -> _Question | None:
    if match := _MUSL.fullmatch(word):
        major, minor = (int(number) for number in match.groups()[:4] if number)
        return _Question(platform=_musl(word, major, minor, match[5]))
    if match := _MUSL_TRIPLE.fullmatch(word):
        return _Question(platform=_musl(word, *DEFAULT_MUSL, match[1] or match[2]), assumed=frozenset({FLOOR}))
    return None


def _musl(text: str, major: int, minor: int, machine: str) -> Musllinux:
    machine = _linux_machine(text, machine, MUSL_MACHINES)
    if major != 1 or minor > 99:
        raise UsageError(f"{_shown(text)} names no musl that is known. Write 1.1 or 1.2.")
    return Musllinux(major=major, minor=minor, machine=machine)


def _read_windows(word: str) -> _Question | None:
    if word in _WINDOWS_NAMES:
        return _Question(platform=Windows(machine=_WINDOWS_NAMES[word]))
    match = _WINDOWS.fullmatch(word)
    if match is None:
        return None
    machine = match[1] or match[2]
    if machine and machine not in _WINDOWS_WORDS:
        raise UsageError(f"{_shown(word)} names no architecture of Windows. Write amd64, x86 or arm64.")
    assumed = NOTHING if machine else frozenset({ARCHITECTURE})
    return _Question(platform=Windows(machine=_WINDOWS_WORDS[machine or "amd64"]), assumed=assumed)


def _read_other(word: str) -> _Question | None:
    if word in _NAMED_OTHERS:
        return _Question(platform=Other(tag=_NAMED_OTHERS[word]), assumed=frozenset({FLOOR}))
    if word in _PYODIDE:
        return _Question(platform=Other(tag=_PYODIDE[word]))
    if _OTHER.fullmatch(word) and not _is_misspelt(word):
        return _Question(platform=Other(tag=word))
    return None


def _is_misspelt(word: str) -> bool:
    """Whether a text in the form of a platform tag must be meant as one of a family that has rules of its own."""
    family, _, rest = word.partition("_")
    letters = family.rstrip("0123456789")
    if family == "linux":
        return rest not in _LINUX_MACHINES
    near = difflib.get_close_matches(letters, _FAMILIES, n=1, cutoff=0.75)
    machines = ("x86", "aarch64", "arm64", "amd64", "x64", *_LINUX_MACHINES)
    return bool(near) or letters in ("mac", "osx", "darwin", "musl") or family in machines


# -- targets, as text


class PythonMissingError(UsageError):
    """The text names a platform only, and no Python was given beside it."""


def names_python(text: str) -> bool:
    """Whether a target says which Python it means, rightly spelled or not."""
    return bool(_split(text)[1])


def read_target(text: str, python: Python | None = None) -> Target:
    """The target that ``PLATFORM[-PYTHON]`` names.

    Args:
        python: the Python to take where the text names none.

    Raises:
        PythonMissingError: neither names a Python.
        UsageError: the text is no target, or names its Python although one was given.
    """
    platform_text, python_text = _split(text)
    question = _read(platform_text) if platform_text and len(text) <= _MAX_LENGTH else None
    if question is None:
        raise _unknown(text, platform_text)
    if python_text and python:
        raise UsageError(f"The target {_shown(text)} names its Python already. Leave one of the two out.")
    chosen = read_python(python_text) if python_text else python
    if chosen is None:
        raise PythonMissingError(
            f"The target {_shown(text)} names no Python. Write {_shown(f'{platform_text}-cp312')}."
        )
    return target_on(question.platform, chosen, question.assumed)


def target_on(platform: Platform, python: Python, assumed: frozenset[str] = NOTHING) -> Target:
    """A Python on a platform; `assumed` is what was left open about the platform."""
    return Target(
        platform=platform,
        python=python.version,
        implementation=python.implementation,
        abi=python.abi,
        implementation_version=python.implementation_version,
        assumed=assumed | {PYTHON} if python.assumed else assumed,
    )


def _split(text: str) -> tuple[str, str]:
    word = text.strip().lower()
    head, dash, tail = word.rpartition("-")
    return (head, tail) if dash and _ANY_PYTHON.fullmatch(tail) else (word, "")


SPELLINGS = (
    *("macos-14-arm64", "macos-12.3-x86_64", "macos", "linux", "windows", "windows-amd64", "windows-x86"),
    *("windows-arm64", "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "manylinux2014_x86_64"),
    *("linux-glibc2.28-x86_64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64", "linux-musl1.2-x86_64"),
    *("linux-x86_64", "linux-aarch64", "linux_x86_64", "linux_aarch64", "macosx_14_0_arm64", "macosx_14_0_x86_64"),
    *("win_amd64", "win32", "win_arm64", "aarch64-apple-darwin", "x86_64-apple-darwin"),
    *("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl"),
    *("aarch64-unknown-linux-musl", "riscv64-unknown-linux", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"),
    *("i686-pc-windows-msvc", "x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "x86_64-manylinux2014"),
    *(*_NAMED_OTHERS, *_PYODIDE),
)
"""Platforms to propose where a text comes near one."""


def _unknown(text: str, platform_text: str) -> UsageError:
    if not platform_text:
        return UsageError(f"The target {_shown(text)} names no platform. Write one such as macos-14-arm64-cp312.")
    head, _, tail = platform_text.rpartition("-")
    if head and _is_platform(head):
        return UsageError(
            f"In the target {_shown(text)}, {_shown(tail)} is neither a part of the platform nor a Python."
            " Write a target such as macos-14-arm64-cp312 or linux-x86_64-3.12."
        )
    near = difflib.get_close_matches(platform_text[:_MAX_LENGTH], SPELLINGS, n=2, cutoff=0.6)
    proposal = f" Did you mean {' or '.join(near)}?" if near else ""
    return UsageError(
        f"{_shown(text)} is not a target.{proposal} Targets are PLATFORM or PLATFORM-PYTHON, such as"
        " macos-14-arm64-cp312, manylinux_2_28_x86_64-3.12 or windows-amd64, a platform tag such as win_arm64,"
        " 'running', or the path of an interpreter."
    )


def _is_platform(word: str) -> bool:
    try:
        return _read(word) is not None
    except UsageError:
        return False


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}...")


# -- targets, as an interpreter describes itself


def target_from_facts(facts: Mapping[str, Any]) -> Target:
    """The target that an interpreter is, from what ``_describe.py`` collected in it.

    Raises:
        UsageError: the interpreter is older than Python 3.6.
        KeyError, TypeError, ValueError: these are no such facts.
    """
    environment = {str(name): str(value) for name, value in facts["environment"].items()}
    major, minor = (int(number) for number in facts["version"][:2])
    if (major, minor) < (3, OLDEST_MINOR):
        raise UsageError(
            f"{facts['executable']} is Python {environment['python_full_version']}, which is too old to be asked about:"
            f" targets begin with Python 3.{OLDEST_MINOR}."
        )
    python = environment["python_full_version"].replace("+", "+local")
    target = Target(
        platform=_platform_from_facts(facts),
        python=str(Version(python)),
        implementation=environment["implementation_name"],
        abi=_abi_from_facts(facts, minor),
        implementation_version=environment["implementation_version"],
        interpreter=str(facts["executable"]),
        translated=bool((facts.get("mac") or {}).get("translated")),
    )
    return _with_environment(target, environment)


def _with_environment(target: Target, environment: Mapping[str, str]) -> Target:
    """The target with what it says itself, where that differs from what follows from its platform and Python."""
    derived = _derived_environment(target)
    stated = {name: environment[name] for name in derived if name not in _OF_THE_PYTHON}
    return replace(target, stated=tuple((name, text) for name, text in stated.items() if text != derived[name]))


_OF_THE_PYTHON = frozenset({"implementation_name", "implementation_version", "python_full_version", "python_version"})


def _abi_from_facts(facts: Mapping[str, Any], minor: int) -> str:
    if facts["environment"]["implementation_name"] != "cpython":
        return _abi_from_suffix(str(facts["ext_suffix"]), minor)
    debug = facts["py_debug"]
    if debug is None:
        debug = facts["counts_references"] or facts["debug_suffix"]
    pymalloc = facts["with_pymalloc"]
    flags = "t" if minor >= 13 and facts["gil_disabled"] else ""
    flags += "d" if debug else ""
    flags += "m" if minor < 8 and (pymalloc or pymalloc is None) else ""
    return f"cp3{minor}{flags}"


_ABI_PARTS = {"pypy": 2, "graalpy": 3}


def _abi_from_suffix(suffix: str, minor: int) -> str:
    """The ABI tag in the file ending of extension modules, such as ``.pypy310-pp73-x86_64-linux-gnu.so``."""
    parts = suffix.split(".")
    if parts[0] or len(parts) < 2:
        raise ValueError(f"no ending of an extension module: {suffix!r}")
    if len(parts) == 2:
        return f"cp3{minor}"
    words = parts[1].split("-")
    if words[0] == "cpython":
        return f"cp{words[1]}"
    if words[0].startswith("cp"):
        return words[0]
    length = next((count for name, count in _ABI_PARTS.items() if words[0].startswith(name)), len(words))
    return _tag_text("-".join(words[:length])) or "none"


def _tag_text(text: str) -> str:
    return re.sub(r"[-. ]", "_", text).lower()


def _platform_from_facts(facts: Mapping[str, Any]) -> Platform:
    system, native = facts["environment"]["platform_system"], _tag_text(str(facts["platform"]))
    if system == "Darwin":
        return _mac_from_facts(facts["mac"])
    if system == "iOS":
        return Other(tag=_tag_text(f"ios_{facts['ios']['release']}_{facts['ios']['multiarch']}"))
    if system == "Android":
        return Other(tag=f"android_{int(facts['android'])}_{native.partition('_')[2].partition('_')[2]}")
    if system == "Emscripten" and facts.get("emscripten"):
        return Other(tag=f"pyemscripten_{_tag_text(str(facts['emscripten']))}_wasm32")
    if system == "Linux" and native.startswith("linux_"):
        return _linux_from_facts(native, facts)
    if native in _WINDOWS_NAMES:
        return Windows(machine=_WINDOWS_NAMES[native])
    return Other(tag=native)


def _mac_from_facts(mac: Mapping[str, Any]) -> Platform:
    major, minor = _two_numbers(f"{mac['version']}.0")
    if mac["machine"] not in _MAC_MACHINES:
        return Other(tag=f"macosx_{major}_{minor}_{mac['machine']}")
    return MacOS(major=major, minor=minor, machine=_MAC_MACHINES[mac["machine"]])


def _linux_from_facts(native: str, facts: Mapping[str, Any]) -> Platform:
    machine = native.removeprefix("linux_")
    if int(facts["bits"]) == 32:
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    if facts.get("musl"):
        major, minor = _two_numbers(facts["musl"])
        return Musllinux(major=major, minor=minor, machine=machine)
    if facts.get("glibc") and _has_portable_abi(machine, facts.get("elf") or {}):
        major, minor = _two_numbers(facts["glibc"])
        return Manylinux(major=major, minor=minor, machine=machine, refused=tuple(sorted(facts.get("refused") or ())))
    return Other(tag=f"linux_{machine}")


def _two_numbers(text: str) -> tuple[int, int]:
    match = re.match(r"([0-9]{1,3})\.([0-9]{1,3})(?![0-9])", text)
    if match is None:
        raise ValueError(f"no release of a system: {text!r}")
    return int(match[1]), int(match[2])


_ELF_386, _ELF_ARM = 3, 40
_ARM_ABI_MASK, _ARM_ABI_5, _ARM_HARD_FLOAT = 0xFF000000, 0x05000000, 0x400


def _has_portable_abi(machine: str, elf: Mapping[str, Any]) -> bool:
    """Whether manylinux tags hold: 32-bit Arm must be hard-float, i686 must be what the executable really is."""
    if machine in ("armv7l", "armv8l"):
        flags = int(elf.get("flags") or 0)
        hard = flags & _ARM_HARD_FLOAT and flags & _ARM_ABI_MASK == _ARM_ABI_5
        return _is_elf32(elf, _ELF_ARM) and bool(hard)
    if machine == "i686":
        return _is_elf32(elf, _ELF_386)
    return machine in GLIBC_MACHINES


def _is_elf32(elf: Mapping[str, Any], machine: int) -> bool:
    return elf.get("bits") == 32 and elf.get("little") is True and elf.get("machine") == machine


# -- targets, as documents


_DOCUMENT = "The target document"
_WORD = re.compile(r"[a-z0-9_]{1,64}")
_KINDS: Mapping[str, type[MacOS | Manylinux | Musllinux | Windows | Other]] = {
    kind.__name__: kind for kind in (MacOS, Manylinux, Musllinux, Windows, Other)
}


def _target_from_dict(data: object) -> Target:
    if not isinstance(data, Mapping):
        raise UsageError(f"{_DOCUMENT} is not an object.")
    environment = _stated_environment(data.get("environment"))
    target = Target(
        platform=_platform_from_dict(data),
        python=_python_version(data),
        implementation=_word(data, "implementation"),
        abi=_word(data, "abi"),
        implementation_version=_text(data, "implementation_version"),
        assumed=_assumed(data.get("assumed", [])),
        interpreter=_optional(data, "interpreter", str),
        translated=_optional(data, "translated", bool),
    )
    derived = _derived_environment(target)
    for name in sorted(_OF_THE_PYTHON & environment.keys()):
        if environment[name] != derived[name]:
            raise UsageError(f"{_DOCUMENT} contradicts itself: {name} is {_shown(environment[name])} in `environment`.")
    return _with_environment(target, derived | environment)


def _stated_environment(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError(f"`environment` of {_DOCUMENT[0].lower()}{_DOCUMENT[1:]} is not an object of texts.")
    return {str(name): text for name, text in value.items()}


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{_DOCUMENT} has no text under `{key}`.")
    return value


def _word(data: Mapping[str, object], key: str) -> str:
    value = _text(data, key)
    if not _WORD.fullmatch(value):
        raise UsageError(f"{_DOCUMENT} has {_shown(value)} under `{key}`, which cannot stand in a tag.")
    return value


def _optional(data: Mapping[str, object], key: str, kind: type[Any]) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise UsageError(f"{_DOCUMENT} has something unexpected under `{key}`: {_shown(str(value))}.")
    return value


def _python_version(data: Mapping[str, object]) -> str:
    text = _text(data, "python")
    try:
        version = Version(text)
    except InvalidVersion:
        raise UsageError(f"{_DOCUMENT} has {_shown(text)} under `python`, which is no version.") from None
    _check_age(f"Python {text}", version.major, version.minor)
    return text


def _assumed(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not set(map(str, value)) <= {PYTHON, FLOOR, ARCHITECTURE}:
        raise UsageError(f"{_DOCUMENT} has something unexpected under `assumed`: {_shown(str(value))}.")
    return frozenset(map(str, value))


def _platform_from_dict(data: Mapping[str, object]) -> Platform:
    tag = _text(data, "platform")
    system = data.get("system")
    if system is None:
        question = _read(tag.lower())
        if question is None:
            raise _unknown(tag, tag)
        return question.platform
    platform = _platform_from_system(system)
    if platform.tag != tag:
        raise UsageError(f"{_DOCUMENT} contradicts itself: `platform` is {_shown(tag)}, `system` is {platform.tag}.")
    return platform


def _platform_from_system(system: object) -> Platform:
    kind = _KINDS.get(str(system.get("kind"))) if isinstance(system, Mapping) else None
    if kind is None or not isinstance(system, Mapping):
        raise UsageError(f"{_DOCUMENT} has something unexpected under `system`: {_shown(str(system))}.")
    values = {f.name: system[f.name] for f in fields(kind) if f.name in system}
    if "refused" in values and isinstance(values["refused"], list):
        values["refused"] = tuple(values["refused"])
    if not _is_sound(kind, values):
        raise UsageError(f"{_DOCUMENT} has something unexpected under `system`: {_shown(str(system))}.")
    return kind(**values)


def _is_sound(kind: type[MacOS | Manylinux | Musllinux | Windows | Other], values: Mapping[str, Any]) -> bool:
    needed = {f.name for f in fields(kind)} - {"refused"}
    numbers = [values[name] for name in ("major", "minor") if name in values]
    words = [values[name] for name in ("machine", "tag") if name in values] + list(values.get("refused", ()))
    machines = {MacOS: ("arm64", "x86_64"), Windows: tuple(_WINDOWS_TAGS)}.get(kind)
    return (
        needed <= values.keys()
        and all(type(number) is int and 0 <= number < 1000 for number in numbers)
        and all(isinstance(word, str) and _WORD.fullmatch(word) for word in words)
        and (machines is None or values["machine"] in machines)
    )
