"""Examine an interpreter of this machine: what is installed in it, file by file, without running any of it."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from packaging.tags import parse_tag

from wheelcheck.advice.environment import DescribedEnvironment, InstalledFile, InstalledProject
from wheelcheck.binaries.headers import BadHeaderError, Image, read_image
from wheelcheck.common.errors import UsageError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.records import replace
from wheelcheck.interpreters import _distributions
from wheelcheck.interpreters.find import answer_of
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.targets.serialize import target_from_facts

MAX_TEXT = 64 << 20
"""Bytes that are read of RECORD, and of any other file of a metadata directory."""
COMPILED = (".so", ".pyd", ".dylib", ".dll")
"""How compiled files end; on Linux a version may follow, as in ``libfoo.so.2``."""
NOT_MODULES = frozenset(["test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "setup"])
"""Top-level names that wheels contain by mistake, and share."""
T = TypeVar("T")

WORKERS = 8
"""Threads that read: it is waiting for the disk that takes the time."""


def examine(interpreter: Path, *, hashes: bool = False) -> DescribedEnvironment:
    """Describe an interpreter and what is installed in it.

    Args:
        interpreter: its path.
        hashes: whether to compare the content of every file with RECORD, and not only its size.

    Raises:
        UsageError: it cannot be run.
    """
    facts = answer_of(interpreter, Path(_distributions.__file__), environ=dict(os.environ))
    try:
        target = replace(target_from_facts(facts), interpreter=str(interpreter))
        paths = list(dict.fromkeys(str(path) for path in facts["path"]))
        found = [info for path in paths for info in _information_in(path)]
        with ThreadPoolExecutor(WORKERS) as pool:
            ACTIVITY.begin("comparing files with RECORD", total=len(found), unit="distributions")
            distributions = tuple(map(_counted, pool.map(lambda pair: _examined(*pair, hashes=hashes), found)))
        return DescribedEnvironment(
            target=target,
            prefix=str(facts["prefix"]),
            base_prefix=str(facts["base_prefix"]),
            native_arm64=bool((facts.get("mac") or {}).get("native_arm64")),
            is_conda=bool(facts["conda"]),
            is_externally_managed=bool(facts["externally_managed"]) and facts["prefix"] == facts["base_prefix"],
            distributions=distributions,
            leftovers=tuple(path for place in paths for path in _leftovers(place)),
            shadowed=_shadowed(distributions, paths),
            conda=_conda(Path(facts["prefix"])) if facts["conda"] else {},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(f"{interpreter} is not a usable interpreter: its answer does not describe a Python.") from None


def _counted(examined: T) -> T:
    ACTIVITY.add(1)
    return examined


def _names_in(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 -- the names alone, of hundreds of directories
    except OSError:
        return []


def _information_in(path: str) -> Iterator[tuple[Path, str]]:
    for name in _names_in(path):
        if name.lower().endswith((".dist-info", ".egg-info")) and not name.startswith("~"):
            yield Path(path, name), path


def _leftovers(path: str) -> Iterator[str]:
    """Yield what pip renames before it removes it, and leaves behind where it is interrupted."""
    yield from (os.path.join(path, name) for name in _names_in(path) if name.startswith("~"))  # noqa: PTH118


# -- one distribution


def _examined(info: Path, location: str, *, hashes: bool) -> InstalledProject:
    """Return a distribution; one whose files make a reader fail is a fault, whatever they hold."""
    try:
        return _distribution(info, location, hashes=hashes)
    except Exception as error:  # noqa: BLE001
        name = re.sub(r"[^a-z0-9]+", "-", info.name.lower().partition(".dist-info")[0]).strip("-") or "unknown"
        fault = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return InstalledProject(
            name=canonicalize_name(name), version="", info=str(info), location=location, fault=fault
        )


def _distribution(info: Path, location: str, *, hashes: bool) -> InstalledProject:
    one = _distributions.distribution(str(info), location)  # type: ignore[no-untyped-call]
    stem = re.match(r"(.+?)-([^-]+?)(?:-py[0-9.]+)?\.(?:dist|egg)-info$", info.name)
    name, version = (stem[1], stem[2]) if stem else (info.name, "")
    fault = "" if one is not None else "it has no name or version"
    if one is not None:
        name, version, fault = one["name"], one["version"], str(one.get("fault", ""))
    rows, record_fault = _record(info)
    files = list(_files(rows, Path(location), hashes=hashes))
    return InstalledProject(
        name=canonicalize_name(name),
        version=version,
        head=_printable(one["head"]) if one is not None else "",
        info=str(info),
        location=location,
        installer=(_text(info / "INSTALLER") or "").strip()[:100],
        editable=bool(one and one["editable"]),
        tags=tuple(_tags(info)),
        modules=tuple(sorted({name for path, _, _ in rows for name in _module(path)})),
        files=tuple(files),
        fault=fault or record_fault,
    )


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_TEXT).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _tags(info: Path) -> Iterator[str]:
    """Yield the tags in WHEEL, each compressed set (``py2.py3-none-any``) expanded."""
    for line in (_text(info / "WHEEL") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "tag" and value.strip().count("-") == 2:
            yield from sorted(map(str, parse_tag(value.strip().lower())))


def _record(info: Path) -> tuple[list[tuple[str, str, str]], str]:
    """Return the rows of RECORD: path, hash, size; with what is wrong with it."""
    text = _text(info / "RECORD")
    if text is None:
        return [], ""  # conda and the packagers of Linux distributions leave it out
    try:
        rows = [(row[0], *(*row[1:3], "", "")[:2]) for row in csv.reader(text.splitlines()) if row and row[0]]
    except csv.Error as error:
        return [], f"its RECORD cannot be read ({error})"
    return [(path, digest, size) for path, digest, size in rows if "\0" not in path], ""


def _module(path: str) -> Iterator[str]:
    """Yield the top-level module or package of which a file is the initializer, or that it is itself."""
    parts = path.replace("\\", "/").split("/")
    stem, dot, ending = parts[-1].partition(".")
    if parts[0] in ("", "..") or not dot or not ending.endswith(("py", "so", "pyd")) or parts[0] in NOT_MODULES:
        return
    if len(parts) == 2 and stem == "__init__":
        yield parts[0]
    elif len(parts) == 1 and stem not in NOT_MODULES and not stem.startswith("__editable__"):
        yield stem


def _files(rows: Sequence[tuple[str, str, str]], location: Path, *, hashes: bool) -> Iterator[InstalledFile]:
    for path, digest, size in rows:
        place = os.path.join(location, path)  # noqa: PTH118 -- a path that leads out is looked at, not followed
        state = _state(place, digest if hashes else "", size)
        image: Image | None = None
        if state != "missing" and _is_compiled(path):
            try:
                with open(place, "rb") as stream:  # noqa: PTH123
                    image = read_image(stream)
            except BadHeaderError:
                state = "cut off"
            except OSError:
                state = "missing"
        if state != "there" or image is not None:
            yield InstalledFile(path=path, state=state, image=image)


def _is_compiled(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.endswith(COMPILED) or ".so." in name


def _state(place: str, digest: str, size: str) -> str:
    if place.endswith((".pyc", ".pyo")):
        return "there"  # written by whatever Python imported it last
    try:
        status = os.stat(place)  # noqa: PTH116 -- a Path for each of ten thousands of files takes longer
    except (OSError, ValueError):
        return "missing"
    if size.isdigit() and status.st_size != int(size):
        return "altered"
    return "altered" if digest and not _has_digest(place, digest) else "there"


def _has_digest(place: str, digest: str) -> bool:
    import base64
    import hashlib

    algorithm, _, wanted = digest.partition("=")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return True
    try:
        with open(place, "rb") as stream:  # noqa: PTH123
            found = hashlib.file_digest(stream, algorithm) if hasattr(hashlib, "file_digest") else None
            if found is None:
                found = hashlib.new(algorithm)
                while chunk := stream.read(1 << 20):
                    found.update(chunk)
    except OSError:
        return False
    return base64.urlsafe_b64encode(found.digest()).decode().rstrip("=") == wanted.rstrip("=")


# -- what all of them share


_LIBRARY = re.compile(
    r"[/\\](?:lib(?:64)?[/\\](?:python|pypy)\d[\d.]*t?(?:[/\\]lib-dynload)?|Lib|DLLs|python\d+\.zip)$"
)
"""Where the standard library is. It comes before what is installed, such as a backport of one of its modules."""


def _shadowed(distributions: Iterable[InstalledProject], paths: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Return the modules that a file earlier on the path hides, where no distribution owns that; with their project,
    or nothing for those of Python.
    """
    names = {path: frozenset(_names_in(path)) for path in paths}
    owned = {(one.location, module) for one in distributions for module in one.modules}
    found: dict[str, tuple[str, str]] = {}
    for one in distributions:
        for module in one.modules:
            for path in paths[: paths.index(one.location)] if one.location in paths else ():
                file = _own_file(module, path, names[path])
                if file is not None and (path, module) not in owned and not _LIBRARY.search(path):
                    found.setdefault(module, (file, str(one.name)))
    library = next((place for place, path in enumerate(paths) if _LIBRARY.search(path)), 0)
    for path in paths[:library]:
        for module in sorted(sys.stdlib_module_names):
            file = _own_file(module, path, names[path])
            if file is not None and (path, module) not in owned:
                found.setdefault(module, (file, ""))
    return found


def _own_file(module: str, path: str, names: frozenset[str]) -> str | None:
    if f"{module}.py" in names:
        return os.path.join(path, f"{module}.py")  # noqa: PTH118
    package = os.path.join(path, module, "__init__.py")  # noqa: PTH118
    return package if module in names and os.path.isfile(package) else None  # noqa: PTH113


def _conda(prefix: Path) -> dict[str, str]:
    """Return the packages that conda has installed, by the names of their records: ``NAME-VERSION-BUILD.json``."""
    found: dict[str, str] = {}
    for name in _names_in(str(prefix / "conda-meta")):
        parts = name.removesuffix(".json").rsplit("-", 2)
        if name.endswith(".json") and len(parts) == 3:
            found[canonicalize_name(parts[0])] = parts[1]
    return found
