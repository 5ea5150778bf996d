"""Write an answer as a lock file (pylock.toml, PEP 751).

One lock file holds the answers for all targets: `environments` has a marker for each, which exclude one another, and a
package whose pin differs between targets carries the markers of those that have it. So no two entries of a project ever
apply.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from wheelcheck.common.dates import instant_of, shown
from wheelcheck.common.errors import UsageError
from wheelcheck.common.urls import mask, path_of_url
from wheelcheck.standards.project_page import Listed, Sdist

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.pylock import Package, Pylock

    from wheelcheck.commands.report import Report, Result
    from wheelcheck.resolver.model import Pin
    from wheelcheck.standards.names import NormalizedName
    from wheelcheck.targets.target import Target

USUAL = ("implementation_name", "python_version", "sys_platform", "platform_machine")
"""The variables that distinguish targets, and one more for where these do not."""
FURTHER = "python_full_version"
STRONG = ("sha256", "sha384", "sha512")
"""The hashes that installers accept."""

Digests = Callable[[Listed], Mapping[str, str]]


def check_name(path: Path) -> None:
    """Raise `UsageError` for a name that installers do not accept for a lock file."""
    from packaging.pylock import is_valid_pylock_path

    if not is_valid_pylock_path(path):
        raise UsageError(f"A lock is called pylock.toml or pylock.NAME.toml (PEP 751), not {path.name}: rename it.")


def lock_of(report: Report, folder: Path, digests: Digests) -> Pylock:
    """Return the lock file for a report.

    Args:
        report: it has an answer for every target.
        folder: the directory of the lock file; files below it get relative paths.
        digests: returns the hashes of a local file without published ones.

    Raises:
        UsageError: the answers do not fit into one lock file: a file has no hash, or targets cannot be distinguished.
    """
    from packaging.pylock import Pylock
    from packaging.version import Version

    markers = _markers([result.target for result in report.results])
    lock = Pylock(
        lock_version=Version("1.0"),
        environments=list(dict.fromkeys(markers)),
        created_by="wheelcheck",
        packages=[
            _package(pins, folder, digests, _where(pins, report.results, markers))
            for pins in _grouped(report.results, markers)
        ],
    )
    lock.validate()
    return lock


def render_lock(lock: Pylock) -> str:
    """Return a lock file as TOML."""
    document = dict(lock.to_dict())
    packages = document.pop("packages")
    lines = [*_pairs(document)]
    for package in packages:
        lines += ["", "[[packages]]", *_pairs(package)]
    return "\n".join([*lines, ""])


# -- targets


def _markers(targets: Sequence[Target]) -> list[Marker]:
    """Return a marker for each target. Those of two targets exclude each other, or are equal."""
    from packaging.markers import Marker

    found = [tuple(target.environment[name] for name in USUAL) for target in targets]
    pythons = {values: {t.python for t, own in zip(targets, found, strict=True) if own == values} for values in found}
    variables = USUAL if all(len(known) == 1 for known in pythons.values()) else (*USUAL, FURTHER)
    return [Marker(" and ".join(f"{name} == {_quoted(t.environment[name])}" for name in variables)) for t in targets]


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else f"'{text}'"


def _grouped(results: Sequence[Result], markers: Sequence[Marker]) -> list[list[Pin]]:
    """Group the pins that share an entry: those of one version of a project, or of one location."""
    found: dict[tuple[NormalizedName, str], list[Pin]] = {}
    taken: dict[tuple[NormalizedName, Marker], tuple[str, Result]] = {}
    for result, marker in zip(results, markers, strict=True):
        for pin in result.pins:
            what = str(pin.version) if pin.file.index else f"{pin.version} from {pin.file.filename}"
            other, first = taken.setdefault((pin.name, marker), (what, result))
            if other != what:
                _refuse(first.target, result.target, f"{pin.name} is {other} on one and {what} on the other")
            found.setdefault((pin.name, what), []).append(pin)
    _check_presence(results, markers)
    return [found[key] for key in sorted(found)]


def _check_presence(results: Sequence[Result], markers: Sequence[Marker]) -> None:
    """Reject targets with equal markers of which only some need a project."""
    first: dict[Marker, Result] = {}
    for result, marker in zip(results, markers, strict=True):
        other = first.setdefault(marker, result)
        differing = {pin.name for pin in other.pins} ^ {pin.name for pin in result.pins}
        if differing:
            _refuse(other.target, result.target, f"only one of them needs {min(differing)}")


def _refuse(one: Target, other: Target, why: str) -> None:
    raise UsageError(
        f"No marker tells {one.name} and {other.name} apart, and {why}: write a lock for each of them, "
        "as pylock.NAME.toml."
    )


def _where(pins: Sequence[Pin], results: Sequence[Result], markers: Sequence[Marker]) -> Marker | None:
    """Return the marker of the targets that have a pin; None where all do."""
    from packaging.markers import Marker

    own = set(map(id, pins))
    here = [m for result, m in zip(results, markers, strict=True) if any(id(pin) in own for pin in result.pins)]
    if len(here) == len(results):
        return None
    return Marker(" or ".join(f"({marker})" for marker in dict.fromkeys(here)))


# -- packages


def _package(pins: Sequence[Pin], folder: Path, digests: Digests, marker: Marker | None) -> Package:
    from packaging.pylock import Package, PackageSdist, PackageWheel

    files = list({pin.file.filename: pin.file for pin in pins}.values())
    about: dict[str, Any] = {"name": pins[0].name, "version": pins[0].version, "marker": marker}
    if not files[0].index:
        return Package(**about | _direct(files[0], folder, digests))
    entries = {file.filename: {"name": file.filename} | _entry(file, folder, digests) for file in files}
    sdist = next((PackageSdist(**entries[file.filename]) for file in files if isinstance(file, Sdist)), None)
    wheels = [PackageWheel(**entries[file.filename]) for file in files if not isinstance(file, Sdist)]
    index = _public(files[0].index) if path_of_url(files[0].index) is None and "://" in files[0].index else None
    return Package(**about, index=index, wheels=wheels or None, sdist=sdist)


def _direct(file: Listed, folder: Path, digests: Digests) -> dict[str, Any]:
    """Return the entry of a direct reference: a directory, or any file as an archive."""
    from packaging.pylock import PackageArchive, PackageDirectory

    path = path_of_url(file.url)
    if path is not None and Path(path).is_dir():
        return {"version": None, "directory": PackageDirectory(path=_from(folder, path))}
    return {"archive": PackageArchive(**_entry(file, folder, digests))}


def _entry(file: Listed, folder: Path, digests: Digests) -> dict[str, Any]:
    """Return the entry of a file: its location, size and hashes."""
    path = path_of_url(file.url)
    place = {"url": _public(file.url)} if path is None else {"path": _from(folder, path)}
    return place | {
        "size": file.size,
        "upload_time": instant_of(file.upload_time),
        "hashes": _strong(file, digests),
    }


def _strong(file: Listed, digests: Digests) -> dict[str, str]:
    """Return the hashes that installers accept. Raises `UsageError` where there is none."""
    known = {name: digest for name, digest in file.hashes.items() if name in STRONG} or dict(digests(file))
    if not known:
        raise UsageError(
            f"{file.filename} has no hash that a lock file can hold ({', '.join(STRONG)}), because none is published. "
            "Name an index that does, or give --hash with the file in a requirements file."
        )
    return dict(sorted(known.items()))


def _public(url: str) -> str:
    """Return a URL without credentials and fragment, and without a query that holds a secret."""
    parts = urlsplit(url)
    query = parts.query if mask(f"?{parts.query}") == f"?{parts.query}" else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _from(folder: Path, path: str) -> str:
    """Return a path relative to a folder if it is below that, with forward slashes."""
    full = Path(os.path.normpath(path))
    return (full.relative_to(folder) if full.is_relative_to(folder) else full).as_posix()


# -- TOML


def _pairs(table: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines of a table."""
    return (f"{key} = {_value(value)}" for key, value in table.items())


def _value(value: Any) -> str:
    match value:
        case str():
            return _text(value)
        case datetime():
            return shown(value)
        case list():
            return f"[\n{''.join(f'  {_value(one)},{chr(10)}' for one in value)}]" if value else "[]"
        case Mapping():
            return f"{{ {', '.join(_pairs(value))} }}"
    return str(value)


def _text(text: str) -> str:
    """Quote a text; JSON's escapes are TOML's, except that TOML escapes DEL, too."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
