"""Problems with an answer that works, each a value with a level: ``warning`` or ``note``."""

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
"""Months that an answer may be behind before that is a warning."""
YEARS_OF_SUPPORT = 5
"""Years for which a minor version of CPython is maintained (PEP 602); there is one a year."""


class _Concern(Variant):
    """A concern leaves an answer compatible; with ``--strict``, a warning does not."""

    __slots__ = ()

    @property
    def level(self) -> str:
        """``warning`` or ``note``."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `concerns` in a report."""
        return {"kind": self.kind, "level": self.level} | fields_of(self)


@record
class _AboutVersion(_Concern):
    """A concern about the chosen version of a project."""

    project: NormalizedName
    version: Version


@record
class PreRelease(_AboutVersion):
    """The answer contains a pre-release that the user did not request.

    Attributes:
        newest_final: the newest final release, where the reason is that it does not fit the target; None where a
            dependency names pre-releases.
        needs: the closest files of that release, with the reasons against them.
    """

    level: ClassVar[str] = "warning"
    newest_final: Version | None = None
    needs: tuple[RefusedFile, ...] = ()


@record
class NightlyDependency(_AboutVersion):
    """A dependency requires a development release, which will soon be replaced and removed.

    Attributes:
        needed_by: the projects whose `requirements` led to it.
    """

    level: ClassVar[str] = "warning"
    needed_by: tuple[NormalizedName, ...]
    requirements: tuple[Requirement, ...]


@record
class Stale(_AboutVersion):
    """Newer final releases that all demands admit have no file for the target, or a dependency of theirs has none.

    Attributes:
        fitting: the newest release with a file for the target; differs from the chosen version where something else in
            the answer excludes it.
        newest: the newest final release.
        versions: the number of final releases newer than `fitting` without a file for the target.
        months: whole months between the uploads of these two; None where the index does not say.
        of: the project without a file: this one, or a dependency of the newest release.
        needs: its closest files, with the reasons against them.
    """

    fitting: Version
    newest: Version
    versions: int
    months: int | None
    of: NormalizedName
    needs: tuple[RefusedFile, ...]

    @property
    def level(self) -> str:
        """A note below twelve months or where the number is unknown, otherwise a warning."""
        return "warning" if (self.months or 0) >= MONTHS_OF_GRACE else "note"


@record
class Antique(_AboutVersion):
    """The chosen wheel names only Pythons older than the target's, such as ``py33``; `newest` is the newest of them.

    Every later Python accepts such a tag (PEP 425), although the file cannot have been tested there.
    """

    filename: str
    newest: str
    python: str

    @property
    def level(self) -> str:
        """A warning where support for the named Python, of five years, ended before the target's own was released."""
        named, own = int(self.newest.partition(".")[2]), int(self.python.split(".")[1])
        return "warning" if own - named >= YEARS_OF_SUPPORT else "note"


@record
class SameModule(_Concern):
    """Two or more projects in the answer install the same module, so the last one installed wins."""

    level: ClassVar[str] = "warning"
    project: NormalizedName
    others: tuple[NormalizedName, ...]
    module: str


@record
class Translated(_Concern):
    """The Python is an x86_64 one, translated by Rosetta on Apple silicon. The fix is another Python, not another
    wheel.

    Attributes:
        interpreter: its path, or None.
        project: where it is not known whether Rosetta translates it, the project that would not work then.
        rule: the rule that says so, or None.
    """

    interpreter: str | None
    project: str | None = None
    rule: Rule | None = None

    @property
    def level(self) -> str:
        """A warning; a note where the target may be an Intel Mac as well."""
        return "warning" if self.rule is None else "note"

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `concerns` in a report, with the id of the rule."""
        return _Concern.to_dict(self) | {"rule": None if self.rule is None else self.rule.id}


@record
class UnknownTarget(_Concern):
    """The target names a release of macOS or of CPython that does not exist as far as is known.

    Attributes:
        thing: ``macOS`` or ``CPython``.
        release: the one that was named.
        newest: the newest that is known.
        as_of: when that was so, ISO 8601.
    """

    level: ClassVar[str] = "warning"
    project: None = None
    thing: str
    release: str
    newest: str
    as_of: str


@record
class AssumedPython(_AboutVersion):
    """Another micro version of the target's Python, which was assumed, would decide otherwise.

    Attributes:
        project, version: the version in question.
        python: the assumed version.
        states: the specifier or requirement that depends on it.
    """

    level: ClassVar[str] = "note"
    python: str
    states: str


@record
class AssumedFloor(_AboutVersion):
    """The release of the system, which was assumed, decided; with another one the answer may differ.

    Attributes:
        project, version: the chosen or rejected version that requires the newest system.
        system: ``macOS``, ``glibc`` or ``musl``.
        needs: the release that the file requires.
        refused: whether it was rejected for that.
    """

    level: ClassVar[str] = "note"
    system: str
    needs: str
    refused: bool


@record
class MetadataDisagrees(_AboutVersion):
    """The metadata of the chosen file differs from what is published about its version elsewhere; the file counts.

    Attributes:
        filename: the chosen file.
        other: another file of the version, or the metadata that the index serves beside the chosen one, or None for the
            index's page.
        says, other_says: what only the chosen file says, and what only the other does, as lines of core metadata.
    """

    level: ClassVar[str] = "note"
    filename: str
    other: str | None
    says: tuple[str, ...]
    other_says: tuple[str, ...]


@record
class Yanked(_AboutVersion):
    """The chosen file is yanked; it was chosen because it is pinned."""

    level: ClassVar[str] = "warning"
    why: str


@record
class HeldBack(_AboutVersion):
    """Curated rules kept a project below `instead_of`, which metadata alone would admit."""

    level: ClassVar[str] = "note"
    instead_of: Version
    rules: tuple[Rule, ...]

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `concerns` in a report; the rules themselves are under `rules` there."""
        return _Concern.to_dict(self) | {"rules": plain([rule.id for rule in self.rules])}


@record
class PredictedBreak(_AboutVersion):
    """A predicted rule says that this will not work. Such a rule rejects nothing.

    Attributes:
        project, version: the chosen version that the rule is about.
        rule: the rule, with its reason and sources.
    """

    level: ClassVar[str] = "warning"
    rule: Rule

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `concerns` in a report; the rule itself is under `rules` there."""
        return _Concern.to_dict(self) | {"rule": self.rule.id, "why": self.rule.why}


@record
class SourceOnly(_AboutVersion):
    """A source distribution was chosen: no wheel of that version fits, and whether it builds was not tried."""

    level: ClassVar[str] = "warning"


@record
class ProjectStatus(_Concern):
    """The status that an index gives a project (PEP 792). `why` is the index's own reason, or empty."""

    project: NormalizedName
    status: str
    why: str

    @property
    def level(self) -> str:
        """A warning for ``deprecated``, which advises against using the project; a note for all others."""
        return "warning" if self.status == "deprecated" else "note"


@record
class Elsewhere:
    """What another index has in place of a chosen file.

    Attributes:
        has: ``nothing`` where it lists no file of that name, ``other`` where the hash differs, and ``unproven`` where
            no hash that both indexes publish proves that the file is the same.
    """

    index: str
    has: str


@record
class SeveralIndexes(_AboutVersion):
    """The chosen file is not the same, by name and hash, on every index that has the project (dependency confusion).

    Attributes:
        filename: the chosen file.
        chosen: the index that it comes from.
        others: the other indexes that have the project, but not this file.
    """

    level: ClassVar[str] = "warning"
    filename: str
    chosen: str
    others: tuple[Elsewhere, ...]


@record
class MarkerUnknown(_AboutVersion):
    """A requirement depends on something unknown of the target; it was evaluated as if that were empty.

    Attributes:
        by_host, by_target: for a pip command with ``--platform`` and the like, the version (None for none) that the
            markers of this machine lead to, which pip evaluates, and the one that those of the target lead to.
    """

    level: ClassVar[str] = "warning"
    requirement: Requirement
    by_host: Version | None = None
    by_target: Version | None = None


@record
class BreaksInstalled(_AboutVersion):
    """What is installed and stays requires another version of what would be installed; pip installs it regardless."""

    level: ClassVar[str] = "warning"
    installed: NormalizedName
    installed_version: Version
    requirement: Requirement


@record
class InstalledDiffers(_AboutVersion):
    """The installed version is not the pinned one.

    Attributes:
        installed: the version, or None where the project is absent.
        imported: whether it had a part in the import; otherwise this is a note.
        origin: the file of the caller that was imported in place of the installed version, or None.
    """

    installed: str | None
    imported: bool = True
    origin: str | None = None

    @property
    def level(self) -> str:
        return "warning" if self.imported else "note"


@record
class NotTried(_Concern):
    """An import was requested and not tried. `project` is None where none was, because of the target."""

    level: ClassVar[str] = "warning"
    project: str | None
    why: confirmation.NotTried


Concern: TypeAlias = (
    "PreRelease | NightlyDependency | Stale | Yanked | Antique | SourceOnly | ProjectStatus | SeveralIndexes"
    " | SameModule | HeldBack | Translated | AssumedPython | AssumedFloor | MetadataDisagrees | MarkerUnknown"
    " | InstalledDiffers | NotTried | PredictedBreak | BreaksInstalled | UnknownTarget"
)
