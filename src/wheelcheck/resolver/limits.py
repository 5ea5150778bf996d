"""What a resolution has come to so far, for those who wait for it, and for how long it may go on."""

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
"""Work, without waiting for an index, after which a resolution gives up."""
MAX_TOLD = 5
"""Projects that are told of where a resolution was given up."""


@record
class Counted:
    """The work of a resolution, which is the same whenever the same is asked of the same index.

    Attributes:
        rounds: how often a project was settled or the search stepped back.
        candidates: how often a file was tried beside what was settled before it.
        metadata: how many files were read to learn what they need.
    """

    rounds: int
    candidates: int
    metadata: int


class Budget:
    """The work of a resolution as it grows.

    Args:
        clock: the seconds that were worked so far; without it, only rounds are limited.
        seconds: how long it may go on by that clock.
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
        """How many versions were tried of the projects of which most were, at most `MAX_TOLD` of them."""
        numbers = {str(name): len(set(files.values())) for name, files in self._read.items()}
        return dict(sorted(numbers.items(), key=lambda each: (-each[1], each[0]))[:MAX_TOLD])

    def read(self, file: Listed) -> None:
        """Counts a file whose metadata is asked for."""
        self._read.setdefault(file.name, {})[file.filename] = file.version

    def begin_round(self) -> None:
        """Counts a round.

        Raises:
            TimedOut: there is no time for it.
        """
        if self._clock is not None and self._clock() > self._until:
            raise self.timed_out()
        self.rounds += 1

    def interrupted(self) -> Interrupted:
        """The end that a user makes of it."""
        return Interrupted.resolving(self.tried, self.rounds, self.awaited)

    def timed_out(self) -> TimedOut:
        """Return the error for a search that does not come to an end."""
        tried = self.tried
        what = "the search among versions"
        return TimedOut(what, self._seconds, max(self.rounds, 1), tuple(tried), tuple(tried.values()))
