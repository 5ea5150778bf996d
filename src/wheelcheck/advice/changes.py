"""Changes that improve an answer, and remedies: changes with the answers they give."""

from __future__ import annotations

from typing import TypeAlias

from wheelcheck.advice.concerns import Concern
from wheelcheck.common.records import Plain, Variant, fields_of, plain, record
from wheelcheck.resolver.model import Pin
from wheelcheck.standards.names import NormalizedName


@record
class ChangePython(Variant):
    """Use another Python. `python` is its version, such as ``3.13``; `target` is the name of the resulting target."""

    python: str
    target: str


@record
class RaiseOsFloor(Variant):
    """Use a newer system. `system` is ``macOS``, ``glibc`` or ``musl``, `floor` the minimum release."""

    system: str
    floor: str
    target: str


@record
class UseNativeArchitecture(Variant):
    """Use a Python for the machine's own architecture: on Apple silicon arm64 instead of a translated x86_64."""

    machine: str
    target: str


@record
class ReplaceProject(Variant):
    """Use another project instead, with the reason why it is the same."""

    project: NormalizedName
    by: NormalizedName
    requirement: str
    why: str


@record
class ChangeRequirement(Variant):
    """Loosen a requirement. `place` says where `before` is written."""

    project: NormalizedName
    before: str
    after: str
    place: str


@record
class AddRequirement(Variant):
    """Give further requirements, so that pip chooses what the curated rules admit."""

    requirements: tuple[str, ...]


@record
class AllowPreRelease(Variant):
    """Accept pre-releases of some projects: by requirements to add or, where there are none, by an option."""

    projects: tuple[NormalizedName, ...]
    requirements: tuple[str, ...]


@record
class AllowSource(Variant):
    """Accept source distributions (``--allow-sdists``), here of these projects."""

    projects: tuple[NormalizedName, ...]


@record
class DropRequirement(Variant):
    """Drop a requirement."""

    requirement: str
    place: str


@record
class ChangeIndexStrategy(Variant):
    """Choose among several indexes differently (``--index-strategy``)."""

    strategy: str


Change: TypeAlias = (
    "ChangePython | RaiseOsFloor | UseNativeArchitecture | ReplaceProject | AddRequirement | ChangeRequirement"
    " | AllowPreRelease | AllowSource | DropRequirement | ChangeIndexStrategy"
)

CHANGES: tuple[type[Variant], ...] = (
    ChangePython,
    RaiseOsFloor,
    UseNativeArchitecture,
    ReplaceProject,
    AddRequirement,
    ChangeRequirement,
    AllowPreRelease,
    AllowSource,
    DropRequirement,
    ChangeIndexStrategy,
)
"""The order in which remedies are reported."""


@record
class Remedy:
    """A change that was re-resolved, with its answer.

    Attributes:
        change: what to change.
        pins: the answer.
        concerns: the warnings that it introduces; a remedy with any comes after those without.
    """

    change: Change
    pins: tuple[Pin, ...]
    concerns: tuple[Concern, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of the change."""
        return self.change.kind

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `remedies` in a report."""
        change = {name: value for name, value in fields_of(self.change).items() if name != "kind"}
        pins: dict[str, Plain] = {pin.name: str(pin.version) for pin in self.pins}
        warned: dict[str, Plain] = {"concerns": plain(self.concerns)} if self.concerns else {}
        return {"kind": self.kind, "change": change, "pins": pins, **warned}
