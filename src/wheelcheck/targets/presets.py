"""Presets: well-known environments by name, such as ``colab``, and groups of them, such as ``all-mac``.

The data file says of each where its facts come from, and from when they are. It is read only for a text that is no
platform by itself.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wheelcheck.common.records import Plain, fields_of, record
from wheelcheck.targets.parse import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = Path(__file__).parent / "data" / "presets.toml"


@record
class Preset:
    """An environment that many people have.

    Attributes:
        name: the text that stands for it.
        about: what it is, in a few words.
        platform: the platform as text, such as ``linux-glibc2.39-x86_64``.
        python: the version of its own Python, such as ``3.13``; None where it has none, or no source says which.
        group: presets that belong together, such as ``github``.
        source: the URL of the page that says so.
        date: the date of that page, or when it was read, ISO 8601.
    """

    name: str
    about: str
    platform: str
    python: str | None
    group: str
    source: str
    date: str

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `presets` in ``wheelcheck/targets/1``."""
        return fields_of(self)


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """Return all presets by name, in the order of the data file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    rows = tomllib.loads(_FILE.read_text("utf-8"))["preset"]
    return {preset.name: preset for row in rows for preset in _of_each_machine(row)}


def _of_each_machine(row: Mapping[str, object]) -> Iterator[Preset]:
    about = {key: str(row[key]) for key in ("about", "group", "source", "date")}
    python = str(row["python"]) if "python" in row else None
    machines = row.get("machines")
    for suffix, machine in machines.items() if isinstance(machines, dict) else [("", "")]:
        platform = str(row["platform"]).replace("{machine}", machine)
        yield Preset(name=f"{row['name']}{suffix}", platform=platform, python=python, **about)


@lru_cache(maxsize=1)
def groups() -> Mapping[str, tuple[Preset, ...]]:
    """Return the presets of each group by the group's name, such as ``all-mac``."""
    found: dict[str, list[Preset]] = {}
    for preset in presets().values():
        found.setdefault(f"{GROUP}{preset.group}", []).append(preset)
    return {name: tuple(members) for name, members in found.items()}
