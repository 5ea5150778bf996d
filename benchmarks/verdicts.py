"""Verdicts a second on every file of a page, for one target and for twenty, beside packaging's own functions.

python benchmarks/verdicts.py [RUNS]. All sides must agree on every file before anything is timed.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import samples
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from side_by_side import Way, announce, compared, must_agree, ratio, runs_asked_for

import wheelcheck
from wheelcheck.resolver.compatibility import judge_all
from wheelcheck.standards.simple_api import parse_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheelcheck.standards.project_page import Listed
    from wheelcheck.targets.target import Target

PLATFORMS = ("manylinux_2_28_x86_64", "macos-14-arm64", "windows-amd64")
PYTHONS = ("cp312", "cp39", "cp310", "cp311", "cp313", "cp314")
TARGETS = [f"{platform}-{python}" for platform in PLATFORMS for python in PYTHONS]
TARGETS += ["manylinux_2_28_aarch64-cp313", "musllinux_1_2_x86_64-cp312"]

Parsed: TypeAlias = "tuple[frozenset[Tag], str | None]"


# -- packaging


def supported_by(target: Target) -> frozenset[Tag]:
    """The tags that packaging gives for a target, save for its platforms: packaging asks the host for those."""
    python, platforms = target.version.release[:2], target.platform.tags
    own = cpython_tags(python, abis=[target.abi], platforms=platforms)
    return frozenset(chain(own, compatible_tags(python, target.interpreter_tag, platforms)))


class Packaging:
    """What packaging offers for one target; each distinct Requires-Python is evaluated once."""

    def __init__(self, target: Target) -> None:
        self._supported = supported_by(target)
        self._python = target.python
        self._admits: dict[str | None, bool] = {None: True}

    def of_names(self, files: Sequence[Listed]) -> list[bool]:
        """Whether each file may be used, every name parsed now."""
        return [
            not self._supported.isdisjoint(tags_of(file.filename)) and self.admits(file.requires_python)
            for file in files
        ]

    def of_parsed(self, parsed: Sequence[Parsed]) -> list[bool]:
        """The same where the names were parsed before."""
        supported, admits = self._supported, self.admits
        return [not supported.isdisjoint(tags) and admits(specifier) for tags, specifier in parsed]

    def admits(self, specifier: str | None) -> bool:
        """Whether Requires-Python admits the target's Python."""
        if specifier not in self._admits:
            self._admits[specifier] = SpecifierSet(specifier or "").contains(self._python)
        return self._admits[specifier]


def tags_of(filename: str) -> frozenset[Tag]:
    """The tags in a file name; a source distribution has none."""
    return parse_wheel_filename(filename)[3] if filename.endswith(".whl") else frozenset()


# -- wheelcheck


def one_by_one(files: Sequence[Listed], target: Target) -> list[bool]:
    """One call of `wheelcheck.judge` a name, which knows nothing of Requires-Python."""
    return [wheelcheck.judge(file.filename, target=target, no_rules=True).ok for file in files]


def looked_at(files: Sequence[Listed], targets: Sequence[Target]) -> list[list[bool]]:
    """What `judge_all` says, every single verdict looked at."""
    return [[verdict.ok for verdict in verdicts] for verdicts in judge_all(files, targets)]


# -- both


def check(files: Sequence[Listed], parsed: Sequence[Parsed], targets: Sequence[Target], peers: list[Packaging]) -> None:
    """All sides must agree on every file for every target."""
    by_packaging = [peer.of_parsed(parsed) for peer in peers]
    for target, one, other in zip(targets, by_packaging, looked_at(files, targets), strict=True):
        must_agree(target.name, {"packaging": one, "judge_all": other})
    one_target = {"names": peers[0].of_names(files), "wheelcheck.judge": one_by_one(files, targets[0])}
    must_agree(targets[0].name, {"packaging": by_packaging[0]} | one_target)


def for_one_target(
    files: Sequence[Listed], parsed: Sequence[Parsed], target: Target, peer: Packaging, runs: int
) -> None:
    ways: dict[str, Callable[[], object]] = {
        "packaging, names": lambda: peer.of_names(files),
        "packaging, names parsed before": lambda: peer.of_parsed(parsed),
        "wheelcheck.judge, a call a name": lambda: one_by_one(files, target),
        "judge_all": lambda: judge_all(files, [target]),
        "judge_all, each verdict looked at": lambda: looked_at(files, [target]),
    }
    timed = [Way(name=name, run=run, things=len(files)) for name, run in ways.items()]
    compared(f"One target, {target.name}: {len(files):,} verdicts", timed, runs)


def for_many_targets(
    files: Sequence[Listed], parsed: Sequence[Parsed], targets: Sequence[Target], peers: list[Packaging], runs: int
) -> None:
    many = f"{len(targets)} targets"
    pairs: dict[str, Callable[[int], object]] = {
        "packaging, parsed before": lambda some: [peer.of_parsed(parsed) for peer in peers[:some]],
        "judge_all": lambda some: judge_all(files, targets[:some]),
        "judge_all, looked at": lambda some: looked_at(files, targets[:some]),
    }
    timed = [
        Way(name=f"{name}, {label}", run=partial(ask, some), things=some * len(files))
        for name, ask in pairs.items()
        for label, some in (("1 target", 1), (many, len(targets)))
    ]
    title = f"{many}: {len(targets) * len(files):,} verdicts"
    rounds = compared(title, timed, runs, peer=f"packaging, parsed before, {many}")
    for name in pairs:
        times = ratio(rounds, f"{name}, {many}", f"{name}, 1 target")
        print(f"  {name}: {many} cost {times:.2f} times 1 target")


def main() -> None:
    runs = runs_asked_for(15)
    targets = [wheelcheck.Target.parse(text) for text in TARGETS]
    page = parse_page(
        samples.json_page(), samples.JSON, name=canonicalize_name(samples.PROJECT), url=samples.URL, index=samples.INDEX
    )
    files = page.files
    parsed = [(tags_of(file.filename), file.requires_python) for file in files]
    peers = [Packaging(target) for target in targets]
    check(files, parsed, targets, peers)
    announce(f"Verdicts on the {len(files):,} files of a page that was read before", runs)
    for_one_target(files, parsed, targets[0], peers[0], runs)
    for_many_targets(files, parsed, targets, peers, runs)


if __name__ == "__main__":
    main()
