"""A Python on a platform: tags by rank, the marker environment, and parsing of target names.

Nothing here queries the host: a target means the same on every machine. Tags come in the order of packaging 26.3 (PEP
425; PEP 703 and 803 for free-threaded builds); marker variables are those of PEP 508.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from wheelcheck.common.errors import UsageError
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import Plain, field, fields_of, record, replace
from wheelcheck.targets.parse import GROUP, Reading, find_platform, parse_platform, unknown_target
from wheelcheck.targets.platform import PYTHON, Platform
from wheelcheck.targets.python import LONG_NAMES, Python, read_python, shown, version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.version import Version

    from wheelcheck.targets.platform import Platform
    from wheelcheck.targets.presets import Preset


@record
class Target:
    """The interpreter and platform that a question is about. Equal targets give equal answers.

    Attributes:
        platform: the operating system, its release and architecture.
        python: the full version, such as ``3.12.12``.
        implementation: ``sys.implementation.name``, such as ``cpython`` or ``pypy``.
        abi: its ABI tag, such as ``cp312``, ``cp313t`` or ``pypy310_pp73``.
        implementation_version: the version of the implementation; for CPython that of Python.
        stated: marker variables that the interpreter reports differently from what follows from `platform`, by name.
        accepted: the tags that it accepts, best first, where they are given instead of following from the rest.
        assumed: what the text did not say: of ``python``, ``floor``, ``architecture``.
        interpreter: its path, if it was described by running it.
        translated: whether it runs under Rosetta; None where unknown.
        preset: the name of the preset that its text named, or None.

    Example:
        >>> Target.parse("macos-14-arm64-cp312").tags[0]
        'cp312-cp312-macosx_14_0_arm64'
    """

    platform: Platform
    python: str
    implementation: str
    abi: str
    implementation_version: str
    stated: tuple[tuple[str, str], ...] = ()
    accepted: tuple[str, ...] = ()
    assumed: frozenset[str] = field(default=frozenset(), compare=False)
    interpreter: str | None = field(default=None, compare=False)
    translated: bool | None = field(default=None, compare=False)
    preset: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target that a text such as ``macos-14-arm64-cp312`` or ``win_amd64-3.12`` names.

        The text means the same on every machine, so it has to name its Python.

        Raises:
            UsageError: it names no target; the message says what may have been meant.
        """
        return read_target(text)

    @property
    def name(self) -> str:
        """The canonical text, such as ``macos-14-arm64-cp312``; `parse` reads it back to an equal target.

        It cannot hold what only an interpreter reports (`stated`, `Manylinux.refused`); `to_dict` does.
        """
        platform = self.platform.name
        if self.translated and self.platform.machine == "x86_64":
            platform = platform.replace("x86_64", "rosetta")
        return f"{platform}-{python_of(self).name}"

    @property
    def version(self) -> Version:
        """The full Python version."""
        return version_of(self.python)

    @property
    def interpreter_tag(self) -> str:
        """Its python tag, such as ``cp312`` or ``pp310``."""
        return python_of(self).tag

    @property
    def free_threaded(self) -> bool:
        """Whether it is a free-threaded build (PEP 703)."""
        return "t" in python_of(self).flags

    @property
    def tags(self) -> tuple[str, ...]:
        """Its compatible tags, best first, as ``packaging.tags.sys_tags()`` would list them on it."""
        return self.accepted or _tags(self)

    @property
    def ranks(self) -> Mapping[str, int]:
        """The position of each triple in `tags`."""
        return _ranks(self)

    @property
    def environment(self) -> Mapping[str, str]:
        """All eleven marker variables (PEP 508); those unknown for a foreign target are empty."""
        return _environment(self)

    def to_dict(self) -> dict[str, Plain]:
        """Return the JSON form; `wheelcheck.targets.serialize.target_from_dict` reads it back to an equal target."""
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
            **({} if self.preset is None else {"preset": self.preset}),
        }


def python_of(target: Target) -> Python:
    """Return the Python of a target."""
    return Python(
        version=target.python,
        implementation=target.implementation,
        abi=target.abi,
        implementation_version=target.implementation_version,
        assumed=PYTHON in target.assumed,
    )


@lru_cache(maxsize=64)
def other_micros(target: Target) -> tuple[Target, ...]:
    """Return the target with each older micro version of its CPython; for other implementations, nothing."""
    if target.implementation != "cpython":
        return ()
    major, minor, micro = target.version.major, target.version.minor, target.version.micro
    older = [f"{major}.{minor}.{number}" for number in range(micro)]
    return tuple(replace(target, python=text, implementation_version=text) for text in older)


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
    """Return the ABIs that a target loads: a debug build of Python 3.8 or newer also loads release builds."""
    if target.version.minor >= 8 and "d" in python_of(target).flags:
        return target.abi, target.abi.replace("d", "")
    return (target.abi,)


@lru_cache(maxsize=64)
def _environment(target: Target) -> Mapping[str, str]:
    os_name, sys_platform, system, machine = target.platform.markers
    derived = {
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
    return MappingProxyType(derived | dict(target.stated))


_ANY_PYTHON = pattern(r"(?:cp|pp|pypy|py|python|cpython)\d.*|[23](?:\.\d.*)?")
"""The part after the last dash of a target that is meant as its Python, well-formed or not."""


class PythonMissingError(UsageError):
    """The text names a platform only, and no Python was given."""


def names_python(text: str, *, or_preset: bool = False) -> bool:
    """Return whether a target text names its Python, well-formed or not, or if asked whether its preset has one."""
    parts = _parts(text)
    return bool(parts.python_text) or (or_preset and parts.preset is not None and parts.preset.python is not None)


def read_target(text: str, python: Python | None = None) -> Target:
    """Parse ``PLATFORM[-PYTHON]``.

    Args:
        text: the target.
        python: the Python to use where the text names none.

    Raises:
        PythonMissingError: neither names a Python.
        UsageError: the text is no target, or names its Python although one was given.
    """
    parts = _parts(text)
    if parts.python_text and python:
        raise UsageError(f"The target {shown(text)} names its Python already. Leave one of the two out.")
    chosen = read_python(parts.python_text) if parts.python_text else python
    if chosen is None and parts.preset is not None and parts.preset.python is not None:
        chosen = read_python(parts.preset.python)
    if chosen is None:
        raise PythonMissingError(f"The target {shown(text)} names no Python. Write {shown(f'{text.strip()}-cp312')}.")
    target = target_on(parts.reading.platform, chosen, parts.reading.assumed, parts.reading.translated)
    return target if parts.preset is None else replace(target, preset=parts.preset.name)


def expanded(text: str) -> tuple[str, ...]:
    """Return the targets that a text names: those of a group such as ``all-mac-cp312``, or the text itself."""
    word, python_text = _split(text)
    whole = text.strip().lower()
    if not whole.startswith(GROUP):
        return (text,)
    from wheelcheck.targets.presets import groups

    for name, python in ((whole, ""), (word, python_text)):
        if name in groups():
            return tuple(f"{preset.name}-{python}" if python else preset.name for preset in groups()[name])
    raise UsageError(f"{shown(text)} is no group of targets: there are {', '.join(groups())}.")


class _Parts(NamedTuple):
    """What a target text says: its platform, its Python as text, and the preset, if it names one."""

    reading: Reading
    python_text: str
    preset: Preset | None


def _parts(text: str) -> _Parts:
    """Split a target text. A preset may end like a Python (``alpine-3.20``), so a whole name goes first."""
    platform_text, python_text = _split(text)
    reading = find_platform(platform_text)
    if reading is not None:
        return _Parts(reading, python_text, None)
    from wheelcheck.targets.presets import presets

    for name, python in ((text.strip().lower(), ""), (platform_text, python_text)):
        preset = presets().get(name)
        if preset is not None:
            return _Parts(parse_platform(text, preset.platform), python, preset)
    raise unknown_target(text, platform_text, presets())


def target_on(
    platform: Platform, python: Python, assumed: frozenset[str] = frozenset(), translated: bool | None = None
) -> Target:
    """Return a Python on a platform; `assumed` says what was assumed about the platform."""
    return Target(
        platform=platform,
        python=python.version,
        implementation=python.implementation,
        abi=python.abi,
        implementation_version=python.implementation_version,
        assumed=assumed | {PYTHON} if python.assumed else assumed,
        translated=translated,
    )


def _split(text: str) -> tuple[str, str]:
    word = text.strip().lower()
    head, dash, tail = word.rpartition("-")
    return (head, tail) if dash and _ANY_PYTHON.fullmatch(tail) else (word, "")
