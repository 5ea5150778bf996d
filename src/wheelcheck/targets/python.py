"""Pythons without a platform: parsing ``cp312`` or ``3.13t``, and their canonical text."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelcheck.common.errors import UsageError
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import field, record

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_MINOR = 6
"""The oldest supported minor version of a target."""

NEWEST_MICRO: Mapping[int, int] = MappingProxyType(
    {6: 15, 7: 17, 8: 20, 9: 25, 10: 22, 11: 18, 12: 16, 13: 18, 14: 10, 15: 2}
)
"""The newest micro version of each CPython 3 minor, assumed where a text names none: ``3.12`` is 3.12.16.

Source: the builds that uv 0.13.9 lists (``uv python list --all-versions``); for 3.6 and 3.7 the last source releases.
"""
OLDEST_SUPPORTED = 11
"""The oldest minor version of CPython 3 that still got fixes at `NEWEST_DATE`; 3.10 ended in October 2026 (PEP 619)."""
FIRST_FREE_THREADED = 13
"""The first minor version of CPython 3 with free-threaded builds (PEP 703)."""
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
"""The newest PyPy of each ABI, its Python version first. The last row of a Python is what ``pp311`` means. Same
source.
"""
NEWEST_DATE = "2026-11-22"
"""The date of both tables."""

SHORT_NAMES = {"python": "py", "cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}
LONG_NAMES = {
    "cpython": "CPython",
    "pypy": "PyPy",
    "graalpy": "GraalVM",
    "ironpython": "IronPython",
    "jython": "Jython",
}
"""Implementations by tag prefix (PEP 425), with the names that ``platform.python_implementation()`` gives."""


@record
class Python:
    """An interpreter without its platform. `assumed` says that its micro version comes from the tables of this
    module.
    """

    version: str
    implementation: str
    abi: str
    implementation_version: str
    assumed: bool = field(default=False, compare=False)

    @property
    def tag(self) -> str:
        """The python tag, such as ``cp312`` or ``pp310``."""
        version = version_of(self.version)
        return f"{SHORT_NAMES.get(self.implementation, self.implementation)}{version.major}{version.minor}"

    @property
    def flags(self) -> str:
        """The letters after the number in the ABI tag of a CPython, such as ``t`` or ``d``."""
        return re.sub(r"^cp[0-9]+", "", self.abi) if self.implementation == "cpython" else ""

    @property
    def name(self) -> str:
        """The shortest text that parses back to the same Python; in full where nothing was assumed."""
        if self.implementation == "cpython":
            flags = self.flags.replace("m", "")
            short, full = [f"{self.tag}{flags}"], f"{self.version}{flags}"
        elif self.implementation == "pypy":
            short, full = [self.tag, self.abi], f"pp{self.version}_{self.implementation_version}"
        else:
            return self.tag
        return next((text for text in short if self.assumed and _reads_as(text, self)), full)


_CPYTHON_TAG = pattern(r"cp([0-9])([0-9]|[1-9][0-9])(t?d?m?)")
_CPYTHON_VERSION = pattern(r"([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}(?:(?:a|b|rc)[0-9]{1,3})?(?:\+local)?))?(t?d?)")
_PYPY_TAG = pattern(r"(?:pp|pypy)([0-9])\.?([0-9]{1,2})")
_PYPY_ABI = pattern(r"pypy[0-9]{2,3}_pp[0-9]{2,3}")
_PYPY_VERSION = pattern(r"pp([0-9])\.([0-9]{1,2})\.([0-9]{1,2})(?:_([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}))?")


def read_python(text: str) -> Python:
    """Parse a Python: ``cp312``, ``cp313t``, ``pp310``, ``3.12``, ``3.12.4``, ``3.13t``.

    ABI tags (``cp312d``, ``pypy311_pp73``) and full PyPy versions (``pp3.11.13_7.3.20``) are accepted too.

    Raises:
        UsageError: the text is malformed, or there is no such Python.
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
        f"{shown(text)} is not a Python that wheelcheck knows. Write cp312, cp313t, pp310, 3.12, 3.12.4 or 3.13t."
    )


def _cpython(text: str, major: int, minor: int, micro: str | None, flags: str) -> Python:
    check_age(text, major, minor)
    if "t" in flags and minor < FIRST_FREE_THREADED:
        first = f"3.{FIRST_FREE_THREADED}"
        raise UsageError(f"{shown(text)} does not exist: free-threaded builds begin with Python {first}.")
    if "m" in flags and minor > 7:
        raise UsageError(f"{shown(text)} does not exist: the ABI tag has an m up to Python 3.7 only. Write cp3{minor}.")
    abi = f"cp3{minor}{flags.replace('m', '')}{'m' if minor < 8 else ''}"
    version = str(Version(f"3.{minor}.{micro or NEWEST_MICRO.get(minor, 0)}"))
    return Python(
        version=version, implementation="cpython", abi=abi, implementation_version=version, assumed=micro is None
    )


def check_age(text: str, major: int, minor: int) -> None:
    """Reject Pythons older than 3.6.

    Raises:
        UsageError: the Python is too old; `text` is how it was named.
    """
    if (major, minor) < (3, OLDEST_MINOR):
        raise UsageError(f"{shown(text)} is too old: targets begin with Python 3.{OLDEST_MINOR}.")
    if major > 3 or minor > 99:
        raise UsageError(f"{shown(text)} does not exist: name a Python 3, such as 3.12.")


def _pypy(text: str, major: str, minor: str, micro: str | None = None, release: str | None = None) -> Python:
    check_age(text, int(major), int(minor))
    known = [abi for abi in NEWEST_PYPY if abi.startswith(f"pypy{major}{int(minor)}_")]
    if not known and release is None:
        raise UsageError(f"{shown(text)} is not known: there is PyPy for Python {', '.join(_pypy_minors())}.")
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


def _reads_as(text: str, python: Python) -> bool:
    try:
        return read_python(text) == python
    except UsageError:
        return False


@lru_cache(maxsize=256)
def version_of(text: str) -> Version:
    """Parse a version once for each distinct text."""
    return Version(text)


_MAX_SHOWN = 100


def shown(text: str) -> str:
    """Return a text quoted for a message, cut where it is long."""
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}...")
