"""What is being done now, as the code that does it says; whoever shows it to the user reads it here.

Saying costs an assignment, so that it may be said often; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Callable


class Activity:
    """The step that is under way.

    Attributes:
        step: what is being done, such as ``resolving for macos-14-arm64-cp312``; empty where nothing is.
        tell: returns how far it has come, such as ``12 versions tried``.
        beside: returns what else is worth telling, whatever the step: requests and bytes.
        done, total: for a step of a known size in bytes or pieces; `total` is None where it has none.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.step = ""
        self.tell: Callable[[], str] = str
        self.beside: Callable[[], str] = str
        self.done = 0
        self.total: int | None = None
        self.unit = ""

    def begin(self, step: str, tell: Callable[[], str] = str, *, total: int | None = None, unit: str = "") -> None:
        """Say what is begun.

        Args:
            step: what it is, continuing "wheelcheck is".
            tell: returns how far it has come.
            total: how much there is to do, if that is known; `add` counts what is done.
            unit: of `total`: ``MB`` for bytes, else pieces.
        """
        self.step, self.tell, self.done, self.total, self.unit = step, tell, 0, total, unit

    def add(self, amount: int) -> None:
        """Count what is done of the step."""
        self.done += amount

    @property
    def text(self) -> str:
        """What to show: the step, how far it has come, and what is worth telling beside it."""
        size = ""
        if self.total is not None:
            scale = 1e6 if self.unit == "MB" else 1
            size = f"{self.done / scale:,.0f} of {self.total / scale:,.0f} {self.unit}".rstrip()
        return "; ".join(filter(None, (self.step, size or self.tell(), self.beside())))


ACTIVITY = Activity()
"""The activity of this process."""
