"""What keeps wheelcheck from telling: few exceptions, each with its fields first and its sentence made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from wheelcheck.common.records import Plain, fields_of, record

if TYPE_CHECKING:
    from typing_extensions import Self


class UsageError(Exception):
    """The question itself is malformed: an unknown target, a broken requirement, two options that exclude each other.

    The text is one sentence that names the thing, its place and what to do. Every door answers it with exit code 2.
    """


@record(frozen=False, kw_only=False, eq=False, slots=False)
class CannotTell(Exception):
    """Something that an answer stands on could not be found out; this is neither "compatible" nor "not compatible"."""

    sentence: ClassVar[str]

    @property
    def kind(self) -> str:
        """The stable code, such as ``IndexUnavailable``."""
        return type(self).__name__

    def __str__(self) -> str:
        return self.sentence.format(**vars(self))

    def to_dict(self) -> dict[str, Plain]:
        """The form under `error` in a report: kind, message, then the fields."""
        return {"kind": self.kind, "message": str(self)} | fields_of(self)


@record(frozen=False, kw_only=False, eq=False, slots=False)
class IndexUnavailable(CannotTell):
    """No usable answer from an index: connection refused or broken, a server error, a body cut short."""

    url: str
    why: str
    sentence = "{url} could not be read: {why}. Try again later, or name another index with --index-url."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class IndexNonsense(CannotTell):
    """An index answered, but not with a project page that the standards know."""

    url: str
    why: str
    sentence = (
        "{url} answered something that is not a project page: {why}. "
        "Check that the index URL ends where its projects begin."
    )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotAuthorized(CannotTell):
    """An index wants credentials that were not given, or refuses the ones that were."""

    url: str
    status: int
    sentence = (
        "{url} refused access (HTTP {status}). Give credentials in the index URL, in a netrc file or in the keyring."
    )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotCached(CannotTell):
    """Offline, and the cache does not hold what the answer needs."""

    url: str
    sentence = "{url} is not in the cache, and --offline forbids asking for it. Run once without --offline."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotRecorded(CannotTell):
    """A snapshot that was recorded for another question does not hold what the answer needs."""

    what: str
    directory: str
    sentence = (
        "The snapshot in {directory} does not hold {what}, because it was recorded for another question. "
        "Record one for this question with wheelcheck snapshot."
    )

    @property
    def kind(self) -> str:
        """``NotCached``, as for all that is not at hand and must not be asked for."""
        return NotCached.__name__


@record(frozen=False, kw_only=False, eq=False, slots=False)
class TimedOut(CannotTell):
    """An index took longer than its limit."""

    what: str
    seconds: float
    sentence = "{what} took longer than {seconds:g} seconds. Try again, or raise the time-out in pip's configuration."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class Endless(CannotTell):
    """A search among versions took more rounds than its limit."""

    projects: tuple[str, ...]
    versions: tuple[int, ...]
    rounds: int
    sentence = "No answer was found in {rounds} rounds, in which {tried} were tried. Bound one of these projects."

    def __str__(self) -> str:
        return self.sentence.format(rounds=self.rounds, tried=versions_of(self.projects, self.versions))

    @property
    def kind(self) -> str:
        """``TimedOut``, as for every limit."""
        return TimedOut.__name__


class Interrupted(KeyboardInterrupt):
    """The user did not wait for an answer; the text says what was under way."""

    @classmethod
    def resolving(cls, tried: Mapping[str, int], rounds: int, awaited: str | None) -> Self:
        """A resolution was under way.

        Args:
            tried: how many versions of some projects were tried.
            rounds: how many rounds it took so far.
            awaited: what was being read, or None.
        """
        at = f" while reading {awaited}" if awaited else ""
        were = "was" if sum(tried.values()) == 1 else "were"
        so_far = f", in which {versions_of(tuple(tried), tuple(tried.values()))} {were} tried" if tried else ""
        return cls(f"Interrupted{at} after {rounds} round{'s' * (rounds != 1)}{so_far}.")

    @classmethod
    def seeking_remedies(cls, target: str) -> Self:
        """There was an answer for a target, and changes were tried that might give a better one."""
        return cls(
            f"Interrupted while looking for what would fix the answer for {target}; --no-remedies leaves that out."
        )


def versions_of(projects: Sequence[str], numbers: Sequence[int]) -> str:
    """Numbers of versions of some projects, in words."""
    return _listed(
        tuple(
            f"{number} version{'s' * (number != 1)} of {project}"
            for project, number in zip(projects, numbers, strict=True)
        )
    )


@record(frozen=False, kw_only=False, eq=False, slots=False)
class Unreadable(CannotTell):
    """A distribution file whose metadata is out of reach, so that its dependencies are unknown."""

    filename: str
    why: str
    sentence = "The metadata of {filename} could not be read: {why}."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NeedsBuild(CannotTell):
    """A source distribution or a project whose dependencies only a build can tell, and nothing is ever built."""

    filename: str
    why: str
    sentence = (
        "Only a build can tell what {filename} needs, because {why}, and nothing is built here. "
        "Name a wheel of it, such as one that pip wheel makes, or a version that has one."
    )

    @classmethod
    def of(cls, filename: str, fields: tuple[str, ...]) -> NeedsBuild:
        """The failure of a source distribution whose metadata declares these fields dynamic, or is too old for that."""
        if fields:
            return cls(filename, f"its metadata declares {_listed(fields)} dynamic")
        return cls(filename, "it has no metadata of version 2.2 or later, which tells what a build may change")

    @classmethod
    def of_directory(cls, path: str, fields: tuple[str, ...]) -> NeedsBuild:
        """The failure of a project whose pyproject.toml does not state these fields."""
        return cls(path, f"its pyproject.toml leaves {_listed(fields)} open (dynamic)")

    @property
    def kind(self) -> str:
        """``Unreadable``, as for every file whose dependencies are unknown."""
        return Unreadable.__name__


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NotDownloaded(CannotTell):
    """A distribution file that could not be fetched or kept, or that is not the one that its index states."""

    filename: str
    why: str
    sentence = "{filename} was not downloaded: {why}."
