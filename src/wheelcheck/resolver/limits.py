"""The work of a resolution: counters for reports, and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wheelcheck.common.errors import Interrupted, TimedOut
from wheelcheck.common.records import record
from wheelcheck.standards.names import NormalizedName

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelcheck.standards.project_page import Listed

MAX_SECONDS = 60.0
"""Seconds of work, not counting waiting for an index, after which a resolution gives up."""
MAX_TOLD = 5
"""Maximum number of projects that an error about an abandoned resolution names."""


@record
class Counted:
    """The work of a resolution, the same whenever the same question is asked of the same index.

    Attributes:
        rounds: how often a project was pinned or the search backtracked.
        candidates: how often a file was tried beside the ones already pinned.
        metadata: how many files were read for their dependencies.
    """

    rounds: int
    candidates: int
    metadata: int


class Budget:
    """The work of a resolution while it runs.

    Args:
        clock: returns the seconds worked so far; without it, only rounds are limited.
        seconds: the limit by that clock.
    """

    def __init__(self, clock: Callable[[], float] | None = None, seconds: float = MAX_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._until = clock() + seconds if clock is not None else 0.0
        self._read: dict[NormalizedName, dict[str, Version]] = {}
        self.rounds = 0
        self.candidates = 0
        self.awaited: str | None = None

    @property
    def counted(self) -> Counted:
        """The work so far."""
        return Counted(rounds=self.rounds, candidates=self.candidates, metadata=sum(map(len, self._read.values())))

    @property
    def tried(self) -> dict[str, int]:
        """The projects of which most versions were tried, at most `MAX_TOLD`, with the number of versions."""
        numbers = {str(name): len(set(files.values())) for name, files in self._read.items()}
        return dict(sorted(numbers.items(), key=lambda each: (-each[1], each[0]))[:MAX_TOLD])

    def read(self, file: Listed) -> None:
        """Count a file whose metadata is read."""
        self._read.setdefault(file.name, {})[file.filename] = file.version

    def begin_round(self) -> None:
        """Count a round.

        Raises:
            TimedOut: the time is over.
        """
        if self._clock is not None and self._clock() > self._until:
            raise self.timed_out()
        self.rounds += 1

    def interrupted(self) -> Interrupted:
        """Return the exception for an interrupt by the user."""
        return Interrupted.resolving(self.tried, self.rounds, self.awaited)

    def timed_out(self) -> TimedOut:
        """Return the error for a search that does not come to an end."""
        tried = self.tried
        what = "the search among versions"
        return TimedOut(what, self._seconds, max(self.rounds, 1), tuple(tried), tuple(tried.values()))
