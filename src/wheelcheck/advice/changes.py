"""What can be changed in a question so that its answer gets better: each change a value, and what it gives."""

from __future__ import annotations

from typing import TypeAlias

from wheelcheck.advice.concerns import Concern
from wheelcheck.common.records import Plain, Variant, fields_of, plain, record
from wheelcheck.resolver.model import Pin
from wheelcheck.standards.names import NormalizedName


@record
class ChangePython(Variant):
    """Another Python: `python` is its text, such as ``3.13``; `target` is the name of the target that has it."""

    python: str
    target: str


@record
class RaiseOsFloor(Variant):
    """A newer system: `system` is ``macOS``, ``glibc`` or ``musl``, `floor` the release that it takes."""

    system: str
    floor: str
    target: str


@record
class UseNativeArchitecture(Variant):
    """A Python for the architecture that the machine has: on Apple silicon, arm64 instead of a translated x86_64."""

    machine: str
    target: str


@record
class ReplaceProject(Variant):
    """Another project in place of one, and why it is the same."""

    project: NormalizedName
    by: NormalizedName
    requirement: str
    why: str


@record
class ChangeRequirement(Variant):
    """Something less narrow asked of a project. `place` says where `before` stands."""

    project: NormalizedName
    before: str
    after: str
    place: str


@record
class AllowPreRelease(Variant):
    """Pre-releases of some projects taken on purpose: by the requirements to add, or where there are none by option."""

    projects: tuple[NormalizedName, ...]
    requirements: tuple[str, ...]


@record
class AllowSource(Variant):
    """Source distributions taken (``--allow-sdists``), here of these projects."""

    projects: tuple[NormalizedName, ...]


@record
class DropRequirement(Variant):
    """One requirement less."""

    requirement: str
    place: str


@record
class ChangeIndexStrategy(Variant):
    """Another way to choose among several indexes (``--index-strategy``)."""

    strategy: str


Change: TypeAlias = (
    "ChangePython | RaiseOsFloor | UseNativeArchitecture | ReplaceProject | ChangeRequirement | AllowPreRelease"
    " | AllowSource | DropRequirement | ChangeIndexStrategy"
)

CHANGES: tuple[type[Variant], ...] = (
    ChangePython,
    RaiseOsFloor,
    UseNativeArchitecture,
    ReplaceProject,
    ChangeRequirement,
    AllowPreRelease,
    AllowSource,
    DropRequirement,
    ChangeIndexStrategy,
)
"""The order in which remedies are told."""


@record
class Remedy:
    """A change that was asked, and the answer that it gave.

    Attributes:
        change: what to change.
        pins: the answer.
        concerns: the warnings that it brings in; a remedy with any is told after those without.
    """

    change: Change
    pins: tuple[Pin, ...]
    concerns: tuple[Concern, ...] = ()

    @property
    def kind(self) -> str:
        """The code of the change."""
        return self.change.kind

    def to_dict(self) -> dict[str, Plain]:
        """The form under `remedies` in a report."""
        change = {name: value for name, value in fields_of(self.change).items() if name != "kind"}
        pins: dict[str, Plain] = {pin.name: str(pin.version) for pin in self.pins}
        warned: dict[str, Plain] = {"concerns": plain(self.concerns)} if self.concerns else {}
        return {"kind": self.kind, "change": change, "pins": pins, **warned}
