"""Scenarios as data: one TOML file asks one question of a small index and says what must come of it.

asks = ["a", "b>=2"]            requirements
constraints = ["c<3"]           optional
target = "linux-cp312"          or targets = [...], each with the same expectation
rules = '''[[rule]] ...'''      optional, the language of src/wheelcheck/rules
pre, no_deps, resolution        optional
[index.a."1.0"]                 one table a version; all keys optional
requires = ["b<2; python_version > '3.8'"]
requires_python = ">=3.9"
files = ["a-1.0-cp312-cp312-linux_x86_64.whl"]      default: NAME-VERSION-py3-none-any.whl
yanked = "reason"
broken = "why"                  its metadata refuses it
[index.a."1.0".metadata."FILE"] requires and requires_python of one file, where they differ
[expect]
pins = {a = "1.0"}              exactly these projects with these versions
files = {a = "FILE"}            the chosen files of some of them
held_back = {a = "2.0"}         project -> version that only rules keep out
conflict, project, reasons      kind of the conflict, its project, kinds of reasons of the nearest file
demands = ["b<2"]               requirements that the conflict must show
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from wheelcheck.distributions import Listed, Metadata, ProjectPage, UnreadableFile, canonicalize_name, read_file
from wheelcheck.outcomes import Asked, Constraint, Demand, Outcome, Policy, Question
from wheelcheck.resolver import resolve
from wheelcheck.rules import NO_RULES, load_rules
from wheelcheck.spellings import read_target
from wheelcheck.targets import Target
from wheelcheck.verdicts import BadMetadata

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent / "scenarios"


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

    def outcome(self, target: Target) -> Outcome:
        told = self.told
        question = Question(
            target=target,
            demands=tuple(_demand(text, target, Asked(place="the scenario")) for text in told["asks"]),
            constraints=tuple(
                _demand(text, target, Constraint(place="the scenario")) for text in told.get("constraints", ())
            ),
            rules=load_rules([("scenario.toml", told["rules"])]) if "rules" in told else NO_RULES,
            policy=Policy(
                pre=told.get("pre", False),
                all_releases=frozenset(told.get("all_releases", ())),
                only_final=frozenset(told.get("only_final", ())),
                no_binary=frozenset(told.get("no_binary", ())),
                require_hashes=told.get("require_hashes", False),
                no_deps=told.get("no_deps", False),
                resolution=told.get("resolution", "highest"),
            ),
        )
        return resolve(question, Shelf(told.get("index", {})))


def _demand(text: str, target: Target, origin: Asked | Constraint) -> Demand:
    text, _, digest = text.partition(" --hash=")
    return Demand(requirement=Requirement(text), origin=origin, hashes=(digest,) if digest else ())


class Shelf:
    """An index in memory, behind the same seam as the real one."""

    def __init__(self, index: dict[str, Any]) -> None:
        self.pages: dict[NormalizedName, ProjectPage] = {}
        self.told: dict[str, dict[str, Any]] = {}
        for name, versions in index.items():
            self.pages[canonicalize_name(name)] = self._page(canonicalize_name(name), versions)

    def _page(self, name: NormalizedName, versions: dict[str, Any]) -> ProjectPage:
        listed: list[Listed | UnreadableFile] = []
        status = versions.pop("status", None)
        for version, about in versions.items():
            default = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            for filename in about.get("files", [default]):
                own = about | about.get("metadata", {}).get(filename, {}) | {"version": version}
                self.told[filename] = own
                hashes = {"sha256": about["sha256"]} if "sha256" in about else {}
                listed.append(
                    read_file(
                        filename,
                        name,
                        url=f"https://index.example/{filename}",
                        requires_python=about.get("requires_python"),
                        yanked=own.get("yanked"),
                        hashes=hashes,
                    )
                )
        files = tuple(file for file in listed if not isinstance(file, UnreadableFile))
        return ProjectPage(
            name=name,
            files=files,
            unreadable=tuple(file for file in listed if isinstance(file, UnreadableFile)),
            status=status,
        )

    def start_page(self, name: NormalizedName, then: Callable[[ProjectPage], None] | None = None) -> None:
        if then is not None and name in self.pages:
            then(self.pages[name])

    def page(self, name: NormalizedName) -> ProjectPage | None:
        return self.pages.get(name)

    def hashed(self, file: Listed) -> Listed:
        return file

    def start_metadata(self, file: Listed) -> None:
        self.metadata(file)

    def metadata(self, file: Listed) -> Metadata | BadMetadata:
        told = self.told[file.filename]
        if "broken" in told:
            return BadMetadata(why=told["broken"])
        return Metadata(
            name=file.name,
            version=told["version"],
            requires_dist=tuple(map(Requirement, told.get("requires", ()))),
            requires_python=told.get("metadata_requires_python"),
        )
