"""Load rules, the files of this package and the user's own, and what else is known of projects."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from functools import cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from wheelcheck.common.errors import UsageError
from wheelcheck.rules.model import Rule, Rules, RulesByProject, load_rules
from wheelcheck.standards.names import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


MAX_BYTES = 1_000_000
"""Maximum size of a file of rules; all curated ones together are far below."""
_FOLDER = Path(__file__).with_name("data")


@cache
def curated() -> Rules:
    """Return the curated rules. There is one file a project, read when the project first comes up.

    ``constrainers.json`` lists, for each project, the files whose rules look on its version.
    """
    names = sorted(canonicalize_name(entry.stem) for entry in _FOLDER.glob("*.toml"))
    links = _json("constrainers.json")
    return Rules(RulesByProject(names, _sheet), {name: frozenset(projects) for name, projects in links.items()})


def modules() -> Mapping[str, Sequence[NormalizedName]]:
    """Return the projects that install each module that several projects install."""
    found: Mapping[str, Sequence[NormalizedName]] = _json("projects.json")["modules"]
    return found


def imported(name: NormalizedName) -> frozenset[Version]:
    """Return the versions of a project that were installed and imported on Linux, whatever came of it."""
    return frozenset(map(Version, _json("runs.json").get(name, ())))


class Replacement(NamedTuple):
    """The project to use instead, why, and where that is from."""

    by: NormalizedName
    why: str
    source: str


def replacement_of(name: NormalizedName) -> Replacement | None:
    """Return what has replaced a project, if anything has."""
    found = _json("projects.json")["replacements"].get(name)
    return Replacement(**found) if found else None


@cache
def _json(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text("utf-8"))


def _sheet(name: NormalizedName) -> tuple[Rule, ...]:
    return tuple(load_rules([(f"rules/{name}.toml", _text(_FOLDER / f"{name}.toml"))]))


def rules_in_force(own: str | None = None) -> Rules:
    """Return the curated rules; the user's own rules replace those with the same id."""
    return curated().overridden_by(read_rules(own)) if own else curated()


def read_rules(path: Path | str) -> Rules:
    """Read the rules in a TOML file, or in every ``*.toml`` file of a directory.

    Raises:
        UsageError: there is nothing to read, or it is malformed.
    """
    return load_rules((str(place), _text(place)) for place in _places(Path(path)))


def _places(path: Path) -> Iterator[Path]:
    try:
        found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    except OSError as error:
        raise UsageError(f"The rules in {path} could not be read: {error.strerror}.") from None
    if not found:
        raise UsageError(f"{path} holds no file of rules; their names end in .toml.")
    yield from found


def _text(path: Path) -> str:
    try:
        if not S_ISREG(path.stat().st_mode):  # a FIFO would be waited for
            raise UsageError(f"{path} is not a file; rules are read from a TOML file, or a directory of them.")
        with path.open("rb") as file:
            read = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"The rules in {path} could not be read: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"The rules in {str(path)!r} could not be read: no file has such a name.") from None
    if len(read) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES:,} bytes; divide its rules into several files.")
    try:
        return read.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
