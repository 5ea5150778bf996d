"""The status line: on a terminal, one line on stderr that says what takes its time, and is gone at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from wheelcheck.common.progress import ACTIVITY
from wheelcheck.render.console import harmless

DELAY = 0.5
"""Seconds after which the line appears: an answer that is there by then needs none."""
PERIOD = 0.1
"""Seconds between two looks at the activity."""


@contextmanager
def status_line() -> Iterator[None]:
    """Show what is being done while the block runs, if stderr is a terminal; rich is loaded only then."""
    ACTIVITY.reset()
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    over = Event()
    shower = Thread(target=_show, args=(over,), daemon=True)
    shower.start()
    try:
        yield
    finally:
        over.set()
        shower.join()


def _show(over: Event) -> None:
    if over.wait(DELAY):
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def line() -> Text:
        return Text(harmless(ACTIVITY.text), no_wrap=True, overflow="ellipsis")

    with Live(
        line(),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:
        while not over.wait(PERIOD):
            live.update(line(), refresh=True)
