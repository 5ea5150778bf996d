"""Makes docs/matrix.md: which TensorFlow runs on which Python and system, with which NumPy and tensorflow-metal.

    python tests/support/make_matrix.py

Everything on the page is asked of the index that pip is configured for, under the curated rules; nothing is typed in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from wheelcheck import check, explain
from wheelcheck.resolver.model import AddedByRule, NeededBy
from wheelcheck.rules.load import curated
from wheelcheck.rules.model import Rule
from wheelcheck.standards.project_page import Wheel

if TYPE_CHECKING:
    from wheelcheck.commands.report import Result

PAGE = Path(__file__).parents[2] / "docs" / "matrix.md"
SYSTEMS = {
    "Linux x86_64": "manylinux_2_28_x86_64",
    "Linux aarch64": "manylinux_2_28_aarch64",
    "Windows": "windows-amd64",
    "macOS arm64": "macos-15-arm64",
    "macOS x86_64": "macos-15-x86_64",
}
PYTHONS = range(6, 15)
MACS = ("11.0", "12.0", "12.1", "13.0", "14.0", "15.0")
"""The releases of macOS at which wheels and rules draw a line, oldest first."""
SHELLED = ("tensorflow-intel", "tensorflow-macos")
"""The projects that some releases of TensorFlow leave all to."""
OLDEST = Version("2.5")
ABOUT = ("tensorflow", "tensorflow-intel", "tensorflow-macos", "tensorflow-metal")
"""The projects whose rules bear on the page."""

HEAD = """\
# TensorFlow by Python, system, NumPy and Metal

Made on {date} by `python tests/support/make_matrix.py`, of what the index lists and of the curated rules. For each
minor version its newest release was asked for, on CPython 3.6 to 3.14 and on systems of today.

- A cell names the Pythons for which there is an answer of wheels alone, of macOS also the oldest version that a wheel's
  tag admits, and where the files are those of tensorflow-macos. That is from the names and the metadata of the wheels.
  Where there is none, it names what has no wheel, unless that is TensorFlow itself.
- The column NumPy has what the metadata of these wheels asks for, by Python where that differs; what a rule adds has
  the rule's number.
- The last column has the versions of tensorflow-metal that can stand beside it on macOS arm64, with the Pythons for
  which both have a wheel, and the oldest macOS. Its metadata names no TensorFlow, so which pairs fit, and on which
  macOS, is from the rules that have the numbers.
- The rules stand below the table; `wheelcheck rules show ID` has their sources.

"""


class Answer(NamedTuple):
    """The answer for one minor version of Python: what was asked for, its file, and what NumPy is held to, by whom."""

    project: str
    version: Version
    minor: int
    file: Wheel
    needs_macos: bool
    asked: tuple[str, ...]
    ruled: tuple[tuple[str, Rule], ...]


class Found(NamedTuple):
    """The answers for one system, and where there are none, the projects that have no wheel for it."""

    answers: Sequence[Answer] = ()
    lacking: Sequence[str] = ()


def main() -> None:
    """Asks for everything and writes the page."""
    released = {project: _releases(project) for project in ("tensorflow", "tensorflow-macos")}
    minors = sorted({minor for found in released.values() for minor in found}, reverse=True)
    rows = [_row({project: found[minor] for project, found in released.items() if minor in found}) for minor in minors]
    columns = ["TensorFlow", *SYSTEMS, "NumPy", "tensorflow-metal"]
    lines = [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
    head = HEAD.format(date=datetime.now(timezone.utc).date())
    PAGE.write_text(head + "\n".join([*lines, "", *rule_lines()]) + "\n", "utf-8")


def rule_lines() -> Iterator[str]:
    """What the curated rules say of the projects on the page; a test holds the page against it."""
    yield "## Rules"
    yield ""
    for number, rule in enumerate(rules(), 1):
        when = "".join(f", {name} {value}" for name, value in rule.when.items())
        asks = " ".join([rule.effect.value, *map(str, rule.requirements)])
        yield f"{number}. `{rule.id}`: {rule.project} {rule.versions}{when} {asks} ({rule.confidence}). {rule.why}"


def rules() -> list[Rule]:
    """The rules that bear on the page."""
    return [rule for rule in curated() if rule.project in ABOUT]


def _numbers(bearing: Iterable[Rule]) -> str:
    """The numbers of rules on the page, as the end of a cell."""
    every = [rule.id for rule in rules()]
    numbers = sorted({every.index(rule.id) + 1 for rule in bearing})
    return f"({'rule' if len(numbers) == 1 else 'rules'} {', '.join(map(str, numbers))})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _releases(project: str) -> dict[tuple[int, ...], Version]:
    """The newest release of each minor version, or where there is none yet, the newest candidate."""
    found: dict[tuple[int, ...], Version] = {}
    for version in sorted(map(Version, _listed(project))):
        known = found.get(version.release[:2])
        if version >= OLDEST and not version.is_devrelease and (known is None or not version.is_prerelease):
            found[version.release[:2]] = version
    return found


def _listed(project: str) -> set[str]:
    files = (judged.file for judged in explain(project, target="manylinux_2_28_x86_64-cp312").files)
    return {str(file.version) for file in files if isinstance(file, Wheel)}


def _row(versions: Mapping[str, Version]) -> list[str]:
    print(versions, file=sys.stderr)
    found = {system: answers(versions, platform) for system, platform in SYSTEMS.items()}
    every = [answer for each in found.values() for answer in each.answers]
    newest = str(max(versions.values()))
    return [newest, *map(cell, found.values()), numpy(every), _metal(found["macOS arm64"].answers)]


def answers(versions: Mapping[str, Version], platform: str) -> Found:
    """What there is on a system of one release of each of some projects, of the first that has any."""
    lacking: dict[str, None] = {}
    for project, version in versions.items():
        targets = [f"{platform}-cp3{minor}" for minor in PYTHONS]
        report = check([f"{project}=={version}"], targets=targets, no_remedies=True)
        results = zip(PYTHONS, report.results, strict=True)
        found = [_answer(project, version, minor, result) for minor, result in results if result.ok]
        if found:
            return Found(found)
        conflicts = (result.conflict for result in report.results if result.conflict is not None)
        lacking |= {str(told.project): None for told in conflicts if told.project not in versions}
    return Found(lacking=sorted(lacking))


def _answer(project: str, version: Version, minor: int, result: Result) -> Answer:
    pins = {str(pin.name): pin for pin in result.pins}
    file = next(pins[name].file for name in (*SHELLED, project) if name in pins)
    assert isinstance(file, Wheel)
    demands = [
        demand for demand in pins["numpy"].demands if getattr(demand.origin, "name", None) in (*SHELLED, project)
    ]
    return Answer(
        project=project,
        version=version,
        minor=minor,
        file=file,
        needs_macos=project != "tensorflow-macos" and "tensorflow-macos" in pins,
        asked=tuple(str(demand.requirement.specifier) for demand in demands if isinstance(demand.origin, NeededBy)),
        ruled=tuple(
            (str(d.requirement.specifier), d.origin.rule) for d in demands if isinstance(d.origin, AddedByRule)
        ),
    )


def cell(found: Found) -> str:
    """The Pythons for which there is an answer on a system, and what it stands on."""
    answers = found.answers
    if not answers:
        return f"- (no wheel of {', '.join(found.lacking)})" if found.lacking else "-"
    floors = sorted(floor for answer in answers for floor in _floors(answer.file))
    floor = f", macOS {floors[0][0]}.{floors[0][1]}" if floors else ""
    first = answers[0]
    alias = f", as {first.project} {first.version}" if first.project != "tensorflow" else ""
    return f"{pythons(answer.minor for answer in answers)}{floor}{alias or ', by tensorflow-macos' * first.needs_macos}"


def _floors(file: Wheel) -> Iterator[tuple[int, int]]:
    """The oldest macOS that each tag of a wheel admits."""
    for platform in file.tags.rpartition("-")[2].split("."):
        if platform.startswith("macosx_"):
            major, minor = platform.split("_")[1:3]
            yield int(major), int(minor)


def numpy(answers: Iterable[Answer]) -> str:
    """What the metadata of the files asks of NumPy, by Python where that differs, and what rules add to it."""
    asked: dict[str, set[int]] = {}
    ruled: dict[str, list[Rule]] = {}
    for answer in answers:
        if answer.asked:
            asked.setdefault(",".join(sorted(set(answer.asked))), set()).add(answer.minor)
        for specifier, rule in answer.ruled:
            ruled.setdefault(specifier, []).append(rule)
    parts = [text if len(asked) == 1 else f"{pythons(minors)}: {text}" for text, minors in asked.items()]
    added = [f"{text} {_numbers(bearing)}" for text, bearing in ruled.items()]
    return " and ".join(["; ".join(parts), *added] if parts else added) or "-"


def pythons(minors: Iterable[int]) -> str:
    """A range of minor versions of Python 3."""
    found = sorted(minors)
    return f"3.{found[0]}" if len(found) == 1 else f"3.{found[0]} to 3.{found[-1]}"


def _metal(answers: Sequence[Answer]) -> str:
    """The versions of tensorflow-metal that stand beside a TensorFlow on macOS arm64, by Python and oldest macOS."""
    found: dict[str, list[Version]] = {}
    for metal in sorted(map(Version, _listed("tensorflow-metal"))) if answers else ():
        pair = [f"{answers[0].project}=={answers[0].version}", f"tensorflow-metal=={metal}"]
        minors = [answer.minor for answer in answers]
        fitting = [minor for minor, result in zip(minors, _checked(pair, MACS[-1], minors), strict=True) if result.ok]
        if fitting:
            oldest = next(mac for mac in MACS if any(result.ok for result in _checked(pair, mac, fitting)))
            found.setdefault(f"{pythons(fitting)}, macOS {oldest}", []).append(metal)
    about = [rule for rule in rules() if rule.project == "tensorflow-metal" and not rule.warns_only]
    bearing = [rule for rule in about if any(rule.versions.contains(one) for ones in found.values() for one in ones)]
    cells = [f"{', '.join(map(str, versions))} on {where}" for where, versions in found.items()]
    return f"{'; '.join(cells)} {_numbers(bearing)}" if found else "-"


def _checked(asks: Sequence[str], macos: str, minors: Iterable[int]) -> Sequence[Result]:
    targets = [f"macos-{macos}-arm64-cp3{minor}" for minor in minors]
    return check(list(asks), targets=targets, no_remedies=True).results


if __name__ == "__main__":
    main()
