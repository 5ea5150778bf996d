"""What is wrong with an answer that works, each concern a value with a level: ``warning`` or ``note``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from packaging.version import Version

from wheelcheck.common.records import Plain, Variant, fields_of, plain, record
from wheelcheck.resolver.model import RefusedFile
from wheelcheck.rules.model import Rule
from wheelcheck.standards.names import NormalizedName

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from wheelcheck.diagnosis import confirmation


MONTHS_OF_GRACE = 12
"""How far an answer may be behind before that is a warning."""
YEARS_OF_SUPPORT = 5
"""How long a minor version of CPython is maintained (PEP 602); each year brings one."""


class _Concern(Variant):
    """A concern leaves an answer compatible; under ``--strict`` a warning does not."""

    __slots__ = ()

    @property
    def level(self) -> str:
        """``warning`` or ``note``."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report."""
        return {"kind": self.kind, "level": self.level} | fields_of(self)


@record
class PreRelease(_Concern):
    """A pre-release was chosen that the user did not ask for.

    Attributes:
        project, version: what was chosen.
        newest_final: the newest final release, if it is that no file of it fits the target; None where the requirement
            of another project names pre-releases.
        needs: the files of that release that came nearest, each with why it is refused.
    """

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    newest_final: Version | None = None
    needs: tuple[RefusedFile, ...] = ()


@record
class NightlyDependency(_Concern):
    """A development release that something in the answer needs: another is published soon, and this one removed.

    `needed_by` are the projects whose `requirements` led to it.
    """

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    needed_by: tuple[NormalizedName, ...]
    requirements: tuple[Requirement, ...]


@record
class Stale(_Concern):
    """Newer final releases that all in the answer would take have no file for the target, or need what has none.

    Attributes:
        project, version: what was chosen.
        fitting: the newest release that has a file for the target; another one than was chosen, where something else
            in the answer leaves it out.
        newest: the newest final release.
        versions: how many final releases newer than the fitting one have no file for the target.
        months: whole months between the uploads of these two; None where the index does not say.
        of: the project of which no file fits: this one, or one that the newest release needs.
        needs: the files of it that came nearest, each with why it is refused.
    """

    project: NormalizedName
    version: Version
    fitting: Version
    newest: Version
    versions: int
    months: int | None
    of: NormalizedName
    needs: tuple[RefusedFile, ...]

    @property
    def level(self) -> str:
        """A note below twelve months, or where nobody knows how many there are; a warning above."""
        return "warning" if (self.months or 0) >= MONTHS_OF_GRACE else "note"


@record
class Antique(_Concern):
    """The chosen wheel names only Pythons older than the target's, such as ``py33``; `newest` is the newest of them.

    Such a tag is taken by every later Python (PEP 425), although nobody can have tried the file there.
    """

    project: NormalizedName
    version: Version
    filename: str
    newest: str
    python: str

    @property
    def level(self) -> str:
        """A warning where support for the named Python, of five years, ended before the target's own came out."""
        named, own = int(self.newest.partition(".")[2]), int(self.python.split(".")[1])
        return "warning" if own - named >= YEARS_OF_SUPPORT else "note"


@record
class SameModule(_Concern):
    """Two or more projects of the answer install one module, so what works depends on which was installed last."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    others: tuple[NormalizedName, ...]
    module: str


@record
class Translated(_Concern):
    """An x86_64 Python that Rosetta translates on Apple silicon. What fits it better is another Python, not a wheel."""

    level: ClassVar[str] = "warning"
    interpreter: str | None
    project: str | None = None


@record
class AssumedPython(_Concern):
    """Another micro version of the target's Python, which was assumed, would decide otherwise.

    Attributes:
        project, version: what says so.
        python: the version that was assumed.
        states: the specifier or the requirement on which it hangs.
    """

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    python: str
    states: str


@record
class AssumedFloor(_Concern):
    """The release of the system, which was assumed, decided: with an older or a newer one the answer may differ.

    Attributes:
        project, version: the chosen or refused release that asks for the newest system.
        system: ``macOS``, ``glibc`` or ``musl``.
        needs: the release of it that the file asks for.
        refused: whether it was refused on that account.
    """

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    system: str
    needs: str
    refused: bool


@record
class MetadataDisagrees(_Concern):
    """The metadata of the chosen file is not what else is said of its version; the file itself was believed.

    Attributes:
        project, version, filename: what was chosen.
        other: another file of the version, or None for the index's page.
        says, other_says: what only the chosen file says, and what only the other does, as lines of core metadata.
    """

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    filename: str
    other: str | None
    says: tuple[str, ...]
    other_says: tuple[str, ...]


@record
class Yanked(_Concern):
    """The chosen file was withdrawn by its publisher and taken because it was pinned."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    why: str


@record
class HeldBack(_Concern):
    """Curated rules kept a project below `instead_of`, which metadata alone would admit beside the rest."""

    level: ClassVar[str] = "note"
    project: NormalizedName
    version: Version
    instead_of: Version
    rules: tuple[Rule, ...]

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report; the rules stand in full under `rules` there."""
        return {
            "kind": self.kind,
            "level": self.level,
            "project": self.project,
            "version": str(self.version),
            "instead_of": str(self.instead_of),
            "rules": plain([rule.id for rule in self.rules]),
        }


@record
class PredictedBreak(_Concern):
    """A rule that nobody has proved yet says that this will not work; such a rule refuses nothing.

    Attributes:
        project, version: the chosen version that the rule is about.
        rule: it says why, and what that is known from.
    """

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    rule: Rule

    def to_dict(self) -> dict[str, Plain]:
        """The form under `concerns` in a report; the rule stands in full under `rules` there."""
        about = {"project": self.project, "version": str(self.version), "rule": self.rule.id, "why": self.rule.why}
        return {"kind": self.kind, "level": self.level, **about}


@record
class SourceOnly(_Concern):
    """A source distribution was chosen: no wheel of that version fits, and whether it builds was not tried."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version


@record
class ProjectStatus(_Concern):
    """What an index says of the state of a project (PEP 792). `why` is in its words, empty where it gives no reason."""

    project: NormalizedName
    status: str
    why: str

    @property
    def level(self) -> str:
        """A warning for ``deprecated``, which speaks against using the project; a note for all others."""
        return "warning" if self.status == "deprecated" else "note"


@record
class Elsewhere:
    """What a further index that has a project lists in place of the chosen file.

    `has` is ``nothing`` where it lists no file of that name, ``other`` where the file has another hash, and
    ``unproven`` where no hash that both indexes state proves that the file is the same.
    """

    index: str
    has: str


@record
class SeveralIndexes(_Concern):
    """The chosen file is not the same, by name and hash, on every index that has the project (dependency confusion).

    Attributes:
        project, version, filename: what was chosen.
        chosen: the index that it comes from.
        others: the further indexes that have the project, but not this file.
    """

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    filename: str
    chosen: str
    others: tuple[Elsewhere, ...]


@record
class MarkerUnknown(_Concern):
    """A requirement of a chosen file hangs on what nobody knows of the target; it was decided as if that were empty."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    requirement: Requirement


@record
class InstalledDiffers(_Concern):
    """What was imported is not what the answer pins. `installed` is None where the project is not there."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    version: Version
    installed: str | None


@record
class NotTried(_Concern):
    """An import was asked for and not tried. `project` is None where none was, on account of the target."""

    level: ClassVar[str] = "warning"
    project: str | None
    why: confirmation.NotTried


Concern: TypeAlias = (
    "PreRelease | NightlyDependency | Stale | Yanked | Antique | SourceOnly | ProjectStatus | SeveralIndexes"
    " | SameModule | HeldBack | Translated | AssumedPython | AssumedFloor | MetadataDisagrees | MarkerUnknown"
    " | InstalledDiffers | NotTried | PredictedBreak"
)
