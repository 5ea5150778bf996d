"""Asks pip and wheelcheck the sets of fixtures/pip of the configured index, and records what that took.

    python tests/support/record_pip.py

Prints where the two differ (with --compare that is all), and writes fixtures/pip/slice.jsonl anew: of each project the
versions whose metadata was read for a set, on one of the Pythons that the tests run on, with the next older one and the
newest beside them. A line is a release: the wheels of it that one of these Pythons would take on Linux, and what their
metadata says.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from peers import SLICE, files_by_pip, files_by_wheelcheck, served, sets
from record import Recorder, configured_index
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.index import Index, SimpleIndex
from wheelcheck.interpreters.find import describe
from wheelcheck.resolver.candidates import Candidates
from wheelcheck.resolver.compatibility import Judge
from wheelcheck.resolver.model import Policy
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.project_page import Listed, ProjectPage, Wheel
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from wheelcheck.resolver.model import PackageIndex

TARGETS = tuple(read_target(f"manylinux_2_36_x86_64-cp3{minor}") for minor in (10, 11, 12, 13))


def compare(recorder: Recorder, index: str) -> None:
    for one in sets():
        start = time.monotonic()
        ours = files_by_wheelcheck(one.requirements, describe(), recorder)
        middle = time.monotonic()
        theirs = files_by_pip(index, one.requirements)
        times = f"{middle - start:.1f} s, pip {time.monotonic() - middle:.1f} s"
        print(one.name, "equal" if ours == theirs else "DIFFERENT", f"{len(ours or ())} files", times, flush=True)
        if ours != theirs:
            print("  only wheelcheck:", sorted((ours or set()) - (theirs or set())))
            print("  only pip:", sorted((theirs or set()) - (ours or set())), flush=True)


def answers(index: PackageIndex) -> dict[tuple[str, str], set[str] | None]:
    """What each set comes to on each of the Pythons."""
    return {
        (one.name, target.name): files_by_wheelcheck(one.requirements, target, index)
        for one in sets()
        for target in TARGETS
    }


def kept_versions(page: ProjectPage, read: set[Version]) -> list[Version]:
    offers = Candidates(page, Judge(TARGETS[0]), Policy())
    usable = [v for v in page.versions if v in read or (not v.is_prerelease and not offers.is_yanked(v))]
    beside = {usable[at + 1] for at, version in enumerate(usable[:-1]) if version in read}
    return sorted({*usable[:1], *beside, *read})


def best_files(page: ProjectPage, version: Version) -> Iterator[Listed]:
    """Of a version the wheel that each of the Pythons would take."""
    found: dict[Listed, None] = {}
    for target in TARGETS:
        usable = Candidates(page, Judge(target), Policy()).files(version)
        found |= dict.fromkeys(file for _, file in usable[:1])
    yield from found


def release(file: Listed, told: Metadata, extras: set[str]) -> dict[str, Any]:
    requires = [str(r) for r in told.requires_dist if matters(r, extras)]
    about = {
        "project": file.name,
        "version": str(file.version),
        "requires-python": told.requires_python or file.requires_python,
        "yanked": None if file.yanked is None else file.yanked or True,
        "extras": sorted(set(told.extras) & extras),
        "requires": requires,
    }
    return {key: value for key, value in about.items() if value}


def matters(requirement: Requirement, extras: set[str]) -> bool:
    """Whether one of the Pythons could need it, with extras that somebody asks for."""
    environments = ({**target.environment, "extra": extra} for target in TARGETS for extra in ("", *extras))
    return requirement.marker is None or any(map(requirement.marker.evaluate, environments))


def asked_extras(recorder: Recorder) -> dict[str, set[str]]:
    """The extras of each project that are asked for somewhere."""
    found: dict[str, set[str]] = defaultdict(set)
    asked = [Requirement(text) for one in sets() for text in one.requirements]
    for requirement in (*asked, *(r for told in recorder.read.values() for r in told.requires_dist)):
        found[requirement.name.lower().replace("_", "-").replace(".", "-")] |= requirement.extras
    return found


def lines(recorder: Recorder) -> Iterator[str]:
    pages = [page for name in sorted(recorder.pages) if (page := recorder.index.page(name)) is not None]
    extras = asked_extras(recorder)
    wanted: list[Listed] = []
    for page in pages:
        read = {file.version for file in recorder.read if file.name == page.name}
        wanted += [file for version in kept_versions(page, read) for file in best_files(page, version)] if read else []
    for file in wanted:
        recorder.index.start_metadata(file)
    releases: dict[str, list[str]] = {}
    for file in wanted:
        told = recorder.index.metadata(file)
        if isinstance(file, Wheel) and isinstance(told, Metadata):
            key = json.dumps(release(file, told, extras[file.name]))
            releases.setdefault(key, []).append(file.filename)
    for key, wheels in releases.items():
        yield json.dumps(json.loads(key) | {"wheels": wheels}, separators=(",", ":"))


def main() -> None:
    with configured_index() as index:
        recorder = Recorder(index)
        compare(recorder, recorder.index.sources[0])
        if "--compare" in sys.argv:
            return
        given = answers(recorder)
        found = list(lines(recorder))
    with served(found) as server, Index([SimpleIndex(server.index)], cache=Cache(None)) as replayed:
        different = [key for key, files in answers(replayed).items() if files != given[key]]
    if different:
        raise SystemExit(f"The slice does not give what the index gave: {different}")
    print("no answer:", [key for key, files in given.items() if files is None])
    SLICE.write_text("\n".join(found) + "\n", "utf-8")
    print(f"{len(found)} releases, {SLICE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
