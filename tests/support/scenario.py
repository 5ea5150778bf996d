"""Scenarios as data: one TOML file asks one question of a small index and says what must come of it.

asks = ["a", "b>=2"]            requirements
constraints = ["c<3"]           optional
target = "linux-cp312"          or targets = [...], each with the same expectation
rules = '''[[rule]] ...'''      optional, the language of src/wheelcheck/rules
pre, no_deps, resolution        optional, and so are the other fields of Policy
exclude_newer = "2024-05-01"    as on the command line; now is the beginning of 2026
[index.a]                       optional: status and status_reason of the project
[index.a."1.0"]                 one table a version; all keys optional
requires = ["b<2; python_version > '3.8'"]
requires_python = ">=3.9"
files = ["a-1.0-cp312-cp312-linux_x86_64.whl"]      default: NAME-VERSION-py3-none-any.whl
yanked = "reason"
uploaded = "2024-05-01T12:00:00Z"
sha256 = "ab"
broken = "why"                  its metadata refuses it
dynamic = ["requires-dist"]     only a build can tell its metadata
[index.a."1.0".metadata."FILE"] whatever differs for one file
[further."https://b/".a."1.0"]  a further index, or a directory of files where it begins with a slash
[expect]
pins = {a = "1.0"}              exactly these projects with these versions
files = {a = "FILE"}            the chosen files of some of them
ranks = {a = 3}                 the ranks of some of them
held_back = {a = "2.0"}         project -> version that only rules keep out
concerns = ["Yanked"]           kinds of the concerns, in their order; not looked at where it is left out
error = "Unreadable"            kind of what kept the answer from being found out
conflict, project, reasons      kind of the conflict, its project, kinds of reasons of the nearest file
demands = ["b<2"]               requirements that the conflict must show
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from wheelcheck.advice.changes import Remedy
from wheelcheck.advice.concerns import Concern
from wheelcheck.advice.find_concerns import concerns_of
from wheelcheck.advice.remedies import Answer, Case, remedies
from wheelcheck.common.dates import limit_of
from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import names_of
from wheelcheck.resolver.model import Asked, Constraint, Demand, Outcome, Policy, Question, Solution
from wheelcheck.resolver.resolve import resolve, solve
from wheelcheck.rules.model import NO_RULES, load_rules
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata, DynamicMetadata
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, direct_file, merged, read_file
from wheelcheck.targets.target import Target, read_target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[1] / "scenarios"
INDEX = "https://index.example/"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Scenario:
    """One file, parsed."""

    name: str
    told: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Scenario:
        return cls(path.stem, tomllib.loads(path.read_text("utf-8")))

    @property
    def targets(self) -> list[Target]:
        texts = self.told.get("targets") or [self.told.get("target", "linux-cp312")]
        return [read_target(text) for text in texts]

    @cached_property
    def shelf(self) -> VersionFiles:
        return VersionFiles(self.told.get("index", {}), self.told.get("further", {}))

    @property
    def policy(self) -> Policy:
        given = {name: self.told[name] for name in names_of(Policy) if name in self.told}
        chosen: dict[str, Any] = {n: frozenset(v) if isinstance(v, list) else v for n, v in given.items()}
        if "exclude_newer" in chosen:
            chosen["exclude_newer"] = limit_of(chosen["exclude_newer"], NOW)
        return Policy(**chosen)

    def concerns(self, solution: Solution, target: Target) -> tuple[Concern, ...]:
        return self.concerns_in(solution, self.question(target))

    def concerns_in(self, solution: Solution, question: Question) -> tuple[Concern, ...]:
        pages = {pin.name: self.shelf.pages[pin.name] for pin in solution.pins if pin.file.index}
        told = {pin.file: self.shelf.metadata(pin.file) for pin in solution.pins}
        known = {file: said for file, said in told.items() if isinstance(said, Metadata)}
        return concerns_of(solution, question, pages, known)

    def outcome(self, target: Target) -> Outcome:
        return resolve(self.question(target), self.shelf)

    def remedies(self, outcome: Outcome, target: Target) -> tuple[Remedy, ...]:
        """What would give a better answer, asked again on the same shelf."""
        solution = outcome if isinstance(outcome, Solution) else None
        case = Case(
            question=self.question(target),
            strategy="best-match",
            conflict=outcome if not isinstance(outcome, Solution) else None,
            pins=solution.pins if solution else (),
            concerns=self.concerns(solution, target) if solution else (),
            page=self.shelf.page,
            on=self.question,
        )
        return remedies(case, self.ask)

    def ask(self, question: Question, strategy: str | None) -> Answer | None:
        """What a changed question gives on the same shelf, or None."""
        try:
            solution = None if strategy else solve(question, self.shelf)
        except UndeterminedError:
            return None
        return Answer(solution.pins, self.concerns_in(solution, question)) if solution else None

    def question(self, target: Target) -> Question:
        told = self.told
        return Question(
            target=target,
            demands=tuple(_demand(text, target, Asked(place="the scenario")) for text in told["asks"]),
            constraints=tuple(
                _demand(text, target, Constraint(place="the scenario")) for text in told.get("constraints", ())
            ),
            rules=load_rules([("scenario.toml", told["rules"])]) if "rules" in told else NO_RULES,
            policy=self.policy,
        )


def _demand(text: str, target: Target, origin: Asked | Constraint) -> Demand:
    text, _, digest = text.partition(" --hash=")
    return Demand(requirement=Requirement(text), origin=origin, hashes=(digest,) if digest else ())


class VersionFiles:
    """Indexes in memory, behind the same seam as the real one."""

    def __init__(self, index: dict[str, Any], further: Mapping[str, dict[str, Any]] | None = None) -> None:
        found: dict[NormalizedName, list[ProjectPage]] = {}
        self.told: dict[tuple[str, str], dict[str, Any]] = {}
        for label, projects in {INDEX: index, **(further or {})}.items():
            for name, versions in projects.items():
                page = self._page(label, canonicalize_name(name), versions)
                found.setdefault(page.name, []).append(page)
        self.pages = {name: merged(name, pages) for name, pages in found.items()}

    def _page(self, label: str, name: NormalizedName, told: dict[str, Any]) -> ProjectPage:
        listed: list[Listed | UnreadableFile] = []
        versions = {version: about for version, about in told.items() if isinstance(about, dict)}
        is_index = not label.startswith("/")
        for version, about in versions.items():
            default = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            for filename in about.get("files", [default]):
                own = about | about.get("metadata", {}).get(filename, {}) | {"version": version}
                self.told[label, filename] = own
                listed.append(
                    read_file(
                        filename,
                        name,
                        url=f"{label}{filename}" if is_index else f"file://{label}/{filename}",
                        index=label,
                        requires_python=about.get("requires_python"),
                        yanked=own.get("yanked"),
                        upload_time=own.get("uploaded"),
                        hashes={key: own[key] for key in ("sha256", "md5") if key in own},
                    )
                )
        files = tuple(file for file in listed if not isinstance(file, UnreadableFile))
        return ProjectPage(
            name=name,
            files=files,
            unreadable=tuple(file for file in listed if isinstance(file, UnreadableFile)),
            status=told.get("status"),
            status_reason=told.get("status_reason", ""),
            indexes=(label,) if is_index else (),
        )

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        if then is not None and name in self.pages:
            then(self.pages[name])

    def page(self, name: NormalizedName) -> ProjectPage | None:
        return self.pages.get(name)

    def direct(self, url: str, name: NormalizedName, wanted: Collection[str] = ()) -> Listed | UnreadableFile:
        return direct_file(url, name)

    def start_metadata(self, file: Listed, then: Callable[[object], None] | None = None) -> None:
        told = self.metadata(file)
        if then is not None:
            then(told)

    def metadata(self, file: Listed) -> Metadata | BadMetadata | DynamicMetadata:
        told = self.told[file.index or INDEX, file.filename]
        if "broken" in told:
            return BadMetadata(why=told["broken"])
        if "dynamic" in told:
            return DynamicMetadata(fields=tuple(told["dynamic"]))
        return Metadata(
            name=file.name,
            version=told["version"],
            requires_dist=tuple(map(Requirement, told.get("requires", ()))),
            requires_python=told.get("metadata_requires_python", told.get("requires_python")),
            extras=extras_in(told.get("requires", ())),
        )


def extras_in(requires: Iterable[str]) -> frozenset[NormalizedName]:
    """The extras that requirements are for, as a project that says all declares them."""
    return frozenset(map(canonicalize_name, re.findall(r"extra == '([^']+)'", " ".join(requires))))
