"""Why an answer could not be given: a few exceptions, each with fields, and its sentence made from them here.

Absence is a value, and so is "not compatible". An exception means that the question was malformed, or that the answer
is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from wheelcheck.common.records import Plain, fields_of, record

if TYPE_CHECKING:
    from typing_extensions import Self


class UsageError(Exception):
    """The question is malformed: an unknown target, a broken requirement, options that exclude each other.

    Its text is one sentence that names the thing, its place and what to do. It leads to exit code 2.
    """


@record(frozen=False, kw_only=False, eq=False, slots=False)
class UndeterminedError(Exception):
    """Something that the answer depends on could not be determined; this is neither "compatible" nor "not compatible".

    Each subclass is a kind of error in the documents. `sentence` is a template over its fields.
    """

    sentence: ClassVar[str]

    @property
    def kind(self) -> str:
        """The stable code, such as ``IndexUnavailable``: the name of the class."""
        return type(self).__name__

    def __str__(self) -> str:
        return self.sentence.format(**vars(self))

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `error` in a report: kind, message, then the fields."""
        return {"kind": self.kind, "message": str(self)} | fields_of(self)


@record(frozen=False, kw_only=False, eq=False, slots=False)
class IndexUnavailable(UndeterminedError):
    """No usable answer from an index: connection refused or broken, a server error, a truncated body.

    Attributes:
        url: what was asked for, without secrets.
        why: what went wrong, as the end of a sentence.
        advice: what may help, as the beginning of one; by default that the failure may pass.
    """

    url: str
    why: str
    advice: str = "Try again later"
    sentence = "{url} could not be read: {why}. {advice}, or name another index with --index-url."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class IndexNonsense(UndeterminedError):
    """An index answered, but not with a project page as the standards define it."""

    url: str
    why: str
    sentence = (
        "{url} answered something that is not a project page: {why}. "
        "Check that the index URL ends where its projects begin."
    )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotAuthorized(UndeterminedError):
    """An index requires credentials that were not given, or rejects the ones that were."""

    url: str
    status: int
    sentence = (
        "{url} refused access (HTTP {status}). Give credentials in the index URL, in a netrc file or in the keyring."
    )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotCached(UndeterminedError):
    """Something that may not be requested is not at hand: it is not in the cache, or not in a snapshot.

    Attributes:
        what: a URL, a project or a file.
        snapshot: the directory of the snapshot, or None for the cache.
    """

    what: str
    snapshot: str | None = None

    def __str__(self) -> str:
        if self.snapshot is None:
            return f"{self.what} is not in the cache, and --offline forbids requests. Run once without --offline."
        return (
            f"The snapshot in {self.snapshot} does not hold {self.what}, because it was recorded for another question. "
            "Record one for this question with wheelcheck snapshot."
        )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class TimedOut(UndeterminedError):
    """Something took longer than its limit: an index, or the search among versions.

    Attributes:
        what: what took so long.
        seconds: its limit in seconds.
        rounds: for a search, the rounds of resolution that it took; 0 for anything else.
        projects, versions: for a search, the projects of which most versions were tried, and how many of each.
    """

    what: str
    seconds: float
    rounds: int = 0
    projects: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.rounds:
            tried = counted_versions(self.projects, self.versions)
            searched = f"No answer was found in {self.rounds} rounds, in which {tried} were tried"
            return f"{searched}. Add a bound on one of these projects."
        return (
            f"{self.what} took longer than {self.seconds:g} seconds. "
            "Try again, or raise the time-out in pip's configuration."
        )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class Unreadable(UndeterminedError):
    """A distribution whose metadata is out of reach, so that its dependencies are unknown.

    Attributes:
        filename: a file, a directory or a URL.
        why: the reason, as the end of a sentence.
        needs_build: whether only a build could tell its metadata; nothing is ever built.
    """

    filename: str
    why: str
    needs_build: bool = False

    def __str__(self) -> str:
        if not self.needs_build:
            return f"The metadata of {self.filename} could not be read: {self.why}."
        return (
            f"Only a build can tell what {self.filename} needs, because {self.why}, and nothing is built here. "
            "Name a wheel of it, such as one that pip wheel makes, or a version that has one."
        )

    @classmethod
    def dynamic(cls, filename: str, fields: tuple[str, ...]) -> Self:
        """Return the error for a source distribution whose metadata declares `fields` dynamic, or is older than 2.2."""
        if fields:
            return cls(filename, f"its metadata declares {_enumerated(fields)} dynamic", needs_build=True)
        why = "it has no metadata of version 2.2 or later, which tells what a build may change"
        return cls(filename, why, needs_build=True)


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotDownloaded(UndeterminedError):
    """A distribution file that could not be fetched or stored, or that is not the one its index lists."""

    filename: str
    why: str
    sentence = "{filename} was not downloaded: {why}."


class Interrupted(KeyboardInterrupt):
    """The user did not wait for an answer; the text says what was under way."""

    @classmethod
    def resolving(cls, tried: Mapping[str, int], rounds: int, awaited: str | None) -> Self:
        """Return the interrupt of a resolution.

        Args:
            tried: how many versions of some projects were tried.
            rounds: how many rounds it took so far.
            awaited: what was being read, or None.
        """
        at = f" while reading {awaited}" if awaited else ""
        were = "was" if sum(tried.values()) == 1 else "were"
        so_far = f", in which {counted_versions(tuple(tried), tuple(tried.values()))} {were} tried" if tried else ""
        return cls(f"Interrupted{at} after {rounds} round{'s' * (rounds != 1)}{so_far}.")

    @classmethod
    def seeking_remedies(cls, target: str) -> Self:
        """Return the interrupt of the search for changes that would fix the answer for a target."""
        return cls(
            f"Interrupted while looking for what would fix the answer for {target}; --no-remedies leaves that out."
        )


def counted_versions(projects: Sequence[str], numbers: Sequence[int]) -> str:
    """Return numbers of versions in words: ``3 versions of numpy and 1 version of scipy``."""
    pairs = zip(projects, numbers, strict=True)
    return _enumerated([f"{number} version{'s' * (number != 1)} of {project}" for project, number in pairs])


def _enumerated(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
