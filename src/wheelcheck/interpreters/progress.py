"""Progress bars on stderr, for what takes its time; rich is loaded only where one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from wheelcheck.common.records import record

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


def tracked(work: Iterable[T], total: int, what: str) -> Iterable[T]:
    """Return results as they come, with a bar that counts them."""
    from rich.console import Console
    from rich.progress import track

    return track(work, what, total, console=Console(stderr=True), transient=True)


@contextmanager
def progress_bars(shown: bool) -> Iterator[Bars]:
    """Yield progress bars on stderr, or silent ones; rich is loaded only where they are shown."""
    if not shown:
        yield Bars()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress=progress)


@record(frozen=False, kw_only=False)
class Bars:
    """The progress bar of the current step, if any."""

    progress: Any = None
    task: Any = None
    done: int = 0

    def begin(self, step: str, total: int | None) -> None:
        if self.progress is not None:
            self.task, self.done = self.progress.add_task(step, total=total), 0

    def add(self, size: int) -> None:
        self.done += size
        self.show()

    def show(self, more: int = 0) -> None:
        if self.progress is not None:
            self.progress.update(self.task, completed=self.done + more)

    @contextmanager
    def growing(self, path: Path) -> Iterator[None]:
        """Have the bar follow the size of a file that something else writes."""
        if self.progress is None:
            yield
            return
        from threading import Event, Thread

        over = Event()

        def follow() -> None:
            while not over.wait(0.1):
                self.show(path.stat().st_size if path.exists() else 0)

        follower = Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()
