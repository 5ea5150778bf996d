"""The requirement sets of fixtures/pip, the slice of an index that they need, and what pip makes of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from packaging.requirements import Requirement
from packaging.version import Version

from loopback import JSON, Server
from wheelcheck.resolver.model import Asked, Demand, Question, Solution
from wheelcheck.resolver.resolve import resolve

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelcheck.resolver.model import PackageIndex
    from wheelcheck.targets.target import Target

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "pip"
SETS = FOLDER / "sets.toml"
SLICE = FOLDER / "slice.jsonl"

OLDEST_PIP = Version("26")
"""Older ones have older rules, such as that ``<1.0.post1`` leaves out 1.0rc1."""


def pip_version() -> Version:
    """The version of the pip that stands beside the tests; 0 where there is none."""
    try:
        return Version(version("pip"))
    except PackageNotFoundError:
        return Version("0")


def files_by_pip(index: str, requirements: Sequence[str], *options: str) -> set[str] | None:
    """The names of the files that pip would install, of wheels alone; None where it would install nothing."""
    quietly = ["--dry-run", "--ignore-installed", "--no-cache-dir", "--isolated", "--retries=3", "--only-binary=:all:"]
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        places = ["-i", index, "--report", str(report)]
        command = [sys.executable, "-m", "pip", "install", *quietly, *options, *places, *requirements]
        done = subprocess.run(
            command, capture_output=True, check=False, text=True, env=os.environ | {"PIP_CONFIG_FILE": os.devnull}
        )
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            return None
        installed = json.loads(report.read_text("utf-8"))["install"]
    return {PurePosixPath(unquote(urlsplit(one["download_info"]["url"]).path)).name for one in installed}


@dataclass(frozen=True)
class Peers:
    """One set, with the written reason where pip and wheelcheck do not pin the same."""

    name: str
    requirements: tuple[str, ...]
    differs: str = ""


@cache
def sets() -> tuple[Peers, ...]:
    """Every set, in the order of the file."""
    told = tomllib.loads(SETS.read_text("utf-8"))
    reasons = told.pop("differs", {})
    named = {f"{field}-{name}": asked for field, about in told.items() for name, asked in about.items()}
    return tuple(Peers(name, tuple(asked), reasons.get(name, "")) for name, asked in named.items())


def files_by_wheelcheck(requirements: Sequence[str], target: Target, index: PackageIndex) -> set[str] | None:
    """The names of the files that wheelcheck pins; None where there is no answer."""
    origin = Asked(place="the set")
    demands = tuple(Demand(requirement=Requirement(text), origin=origin) for text in requirements)
    outcome = resolve(Question(target=target, demands=demands), index)
    return {pin.file.filename for pin in outcome.pins} if isinstance(outcome, Solution) else None


# -- the slice


@contextmanager
def served(lines: Iterable[str]) -> Iterator[Server]:
    """A server that has what the lines of a slice tell."""
    files: dict[str, list[dict[str, Any]]] = {}
    with Server() as server:
        for line in lines:
            release = json.loads(line)
            core = core_metadata(release)
            for filename in release["wheels"]:
                server.add(f"/files/{filename}.metadata", core)
                files.setdefault(release["project"], []).append(entry(release, filename, core))
        for project, entries in files.items():
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
            server.add(f"/simple/{project}/", json.dumps(page), JSON)
        yield server


def entry(release: dict[str, Any], filename: str, core: bytes) -> dict[str, Any]:
    """The entry of a file on its project's page."""
    about = {"filename": filename, "url": f"../../files/{quote(filename)}", "hashes": {}}
    about["core-metadata"] = {"sha256": hashlib.sha256(core).hexdigest()}
    return about | {key: release[key] for key in ("requires-python", "yanked") if key in release}


def core_metadata(release: dict[str, Any]) -> bytes:
    """The metadata of the files of a release, as far as an answer depends on it."""
    fields = [("Metadata-Version", "2.1"), ("Name", release["project"]), ("Version", release["version"])]
    fields += [("Requires-Python", release["requires-python"])] if "requires-python" in release else []
    fields += [("Provides-Extra", extra) for extra in release.get("extras", ())]
    fields += [("Requires-Dist", requirement) for requirement in release.get("requires", ())]
    return "".join(f"{name}: {value}\n" for name, value in fields).encode()
