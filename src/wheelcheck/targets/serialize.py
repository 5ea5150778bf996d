"""Targets from the facts that interpreters report, and from saved documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from packaging.version import InvalidVersion, Version

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import names_of, replace
from wheelcheck.targets.parse import read_platform
from wheelcheck.targets.platform import (
    ARCHITECTURE,
    FLOOR,
    GLIBC_MACHINES,
    MAC_MACHINES,
    PYTHON,
    WINDOWS_BY_TAG,
    MacOS,
    Manylinux,
    Musllinux,
    Other,
    Platform,
    Windows,
)
from wheelcheck.targets.python import OLDEST_MINOR, check_age, shown
from wheelcheck.targets.target import Target

# -- as an interpreter describes itself


def target_from_facts(facts: Mapping[str, Any]) -> Target:
    """Return the target for the facts that ``_describe.py`` collected in an interpreter.

    Raises:
        UsageError: the interpreter is older than Python 3.6.
        KeyError, TypeError, ValueError: the facts are malformed.
    """
    environment = {str(name): str(value) for name, value in facts["environment"].items()}
    major, minor = (int(number) for number in facts["version"][:2])
    if (major, minor) < (3, OLDEST_MINOR):
        raise UsageError(
            f"{facts['executable']} is Python {environment['python_full_version']}, which is too old:"
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


_OF_THE_PYTHON = frozenset({"implementation_name", "implementation_version", "python_full_version", "python_version"})
"""Marker variables that follow from a Python and cannot differ from it."""


def _with_environment(target: Target, environment: Mapping[str, str]) -> Target:
    """Return a target with the marker variables that its interpreter reports differently from what would follow."""
    derived = target.environment
    stated = {name: environment[name] for name in derived if name not in _OF_THE_PYTHON}
    return replace(target, stated=tuple((name, text) for name, text in stated.items() if text != derived[name]))


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
    """Return the ABI tag in the suffix of extension modules, such as ``.pypy310-pp73-x86_64-linux-gnu.so``."""
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
        mac = facts["mac"]
        major, minor = _two_numbers(f"{mac['version']}.0")
        if mac["machine"] not in MAC_MACHINES:
            return Other(tag=f"macosx_{major}_{minor}_{mac['machine']}")
        return MacOS(major=major, minor=minor, machine=mac["machine"])
    if system == "iOS":
        return Other(tag=_tag_text(f"ios_{facts['ios']['release']}_{facts['ios']['multiarch']}"))
    if system == "Android":
        return Other(tag=f"android_{int(facts['android'])}_{native.partition('_')[2].partition('_')[2]}")
    if system == "Emscripten" and facts.get("emscripten"):
        return Other(tag=f"pyemscripten_{_tag_text(str(facts['emscripten']))}_wasm32")
    if system == "Linux" and native.startswith("linux_"):
        return _linux_from_facts(native, facts)
    return WINDOWS_BY_TAG.get(native) or Other(tag=native)


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
    """Return whether manylinux tags apply: 32-bit Arm must be hard-float, and i686 a true i686 executable."""
    if machine in ("armv7l", "armv8l"):
        flags = int(elf.get("flags") or 0)
        hard = flags & _ARM_HARD_FLOAT and flags & _ARM_ABI_MASK == _ARM_ABI_5
        return _is_elf32(elf, _ELF_ARM) and bool(hard)
    if machine == "i686":
        return _is_elf32(elf, _ELF_386)
    return machine in GLIBC_MACHINES


def _is_elf32(elf: Mapping[str, Any], machine: int) -> bool:
    return elf.get("bits") == 32 and elf.get("little") is True and elf.get("machine") == machine


# -- as a document


_DOCUMENT = "The target document"
_WORD = re.compile(r"[a-z0-9_]{1,64}")
_KINDS: Mapping[str, type[Platform]] = {kind.__name__: kind for kind in get_args(Platform)}
_MACHINES: Mapping[type[Platform], tuple[str, ...]] = {
    MacOS: MAC_MACHINES,
    Windows: tuple(windows.machine for windows in WINDOWS_BY_TAG.values()),
}


def target_from_dict(data: object) -> Target:
    """Return the target of a document that `Target.to_dict` wrote.

    Raises:
        UsageError: something is missing, has a wrong type, or contradicts the rest.
    """
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
    for name in sorted(_OF_THE_PYTHON & environment.keys()):
        if environment[name] != target.environment[name]:
            raise UsageError(f"{_DOCUMENT} contradicts itself: {name} is {shown(environment[name])} in `environment`.")
    return _with_environment(target, {**target.environment, **environment})


def _stated_environment(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError("`environment` of the target document is not an object of texts.")
    return {str(name): text for name, text in value.items()}


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{_DOCUMENT} has no text under `{key}`.")
    return value


def _word(data: Mapping[str, object], key: str) -> str:
    value = _text(data, key)
    if not _WORD.fullmatch(value):
        raise UsageError(f"{_DOCUMENT} has {shown(value)} under `{key}`, which cannot stand in a tag.")
    return value


def _optional(data: Mapping[str, object], key: str, kind: type[Any]) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise UsageError(f"{_DOCUMENT} has something unexpected under `{key}`: {shown(str(value))}.")
    return value


def _python_version(data: Mapping[str, object]) -> str:
    text = _text(data, "python")
    try:
        version = Version(text)
    except InvalidVersion:
        raise UsageError(f"{_DOCUMENT} has {shown(text)} under `python`, which is no version.") from None
    check_age(f"Python {text}", version.major, version.minor)
    return text


def _assumed(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not set(map(str, value)) <= {PYTHON, FLOOR, ARCHITECTURE}:
        raise UsageError(f"{_DOCUMENT} has something unexpected under `assumed`: {shown(str(value))}.")
    return frozenset(map(str, value))


def _platform_from_dict(data: Mapping[str, object]) -> Platform:
    tag, system = _text(data, "platform"), data.get("system")
    if system is None:
        return read_platform(tag)
    platform = _platform_from_system(system)
    if platform.tag != tag:
        raise UsageError(f"{_DOCUMENT} contradicts itself: `platform` is {shown(tag)}, `system` is {platform.tag}.")
    return platform


def _platform_from_system(system: object) -> Platform:
    kind = _KINDS.get(str(system.get("kind"))) if isinstance(system, Mapping) else None
    if isinstance(system, Mapping) and kind is not None:
        values = {name: _tupled(system[name]) for name in names_of(kind) if name in system}
        if _is_sound(kind, values):
            return kind(**values)
    raise UsageError(f"{_DOCUMENT} has something unexpected under `system`: {shown(str(system))}.")


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_sound(kind: type[Platform], values: Mapping[str, Any]) -> bool:
    refused = values.get("refused", ())
    numbers = [values[name] for name in ("major", "minor") if name in values]
    words = [values[name] for name in ("machine", "tag") if name in values]
    machines = _MACHINES.get(kind)
    return (
        values.keys() | {"refused"} >= set(names_of(kind))
        and all(type(number) is int and 0 <= number < 1000 for number in numbers)
        and isinstance(refused, tuple)
        and all(isinstance(word, str) and _WORD.fullmatch(word) for word in (*words, *refused))
        and (machines is None or values["machine"] in machines)
    )
