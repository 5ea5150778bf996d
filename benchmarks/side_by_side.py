"""Times several ways to one result beside each other: alternating runs, medians, and the ratio to a peer.

The machines that this runs on do other things too. So the ways take turns, and the ratio that is shown is the median of
the ratios within one turn: what slows down a whole turn slows down both sides of it.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Rounds: TypeAlias = "Sequence[Mapping[str, float]]"
"""The seconds that each way took, turn by turn."""


def _nothing() -> None:
    """What comes before a run that needs nothing before it."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to a result.

    Attributes:
        name: how tables call it.
        run: what is timed.
        before: what is done before each run and is not timed.
        loops: how often it is run at once, for what is too short to be timed alone.
        things: how many things one run does, where the table is to say how many it does a second.
    """

    name: str
    run: Callable[[], object]
    before: Callable[[], object] = _nothing
    loops: int = 1
    things: int = 0

    def seconds(self) -> float:
        """The time of one run."""
        run, turns = self.run, range(self.loops)
        self.before()
        gc.collect()
        start = time.perf_counter()
        for _ in turns:
            run()
        return (time.perf_counter() - start) / self.loops


def runs_asked_for(usual: int) -> int:
    """The number of runs that the command line names."""
    given = sys.argv[1:]
    if given and not (len(given) == 1 and given[0].isdigit() and int(given[0])):
        sys.exit(f"The only argument is the number of runs, such as {usual}; {' '.join(given)} is not one.")
    return int(given[0]) if given else usual


def must_agree(what: str, answers: Mapping[str, Any]) -> None:
    """Ends the program where two ways come to different answers: then their times say nothing."""
    (first, expected), *others = answers.items()
    for name, answer in others:
        if answer != expected:
            sys.exit(f"{first} and {name} differ on {what}; {_difference(expected, answer)}.")


def _difference(one: Any, other: Any) -> str:
    for place, (left, right) in enumerate(zip(_items(one), _items(other), strict=False)):
        if left != right:
            return f"at place {place} {left!r:.200} is not {right!r:.200}"
    return f"{len(_items(one))} things are not {len(_items(other))}"


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def compared(title: str, ways: Sequence[Way], runs: int, peer: str | None = None) -> Rounds:
    """Times the ways in turns and prints a table; `peer` names the one that all are held against, else the first."""
    beside = peer or ways[0].name
    for way in ways:
        way.seconds()
    rounds = [{way.name: way.seconds() for way in ways} for _ in range(runs)]
    print(f"\n{title}\n  {'median':>49}{'fastest':>12}   beside {beside}")
    for way in ways:
        print(f"  {way.name:<37}{_row(way, rounds, beside)}")
    return rounds


def _row(way: Way, rounds: Rounds, peer: str) -> str:
    took = [turn[way.name] for turn in rounds]
    rate = f"   {way.things / median(took):>12,.0f} a second" if way.things else ""
    return (
        f"{shown(median(took)):>12}{shown(min(took)):>12}   {_beside(ratio(rounds, way.name, peer)):<19}{rate}".rstrip()
    )


def ratio(rounds: Rounds, name: str, peer: str) -> float:
    """The median of the ratios of two ways within a turn."""
    return median(turn[name] / turn[peer] for turn in rounds)


def _beside(times: float) -> str:
    if times == 1:
        return "1"
    return f"{times:.2f} times as long" if times > 1 else f"{1 / times:.{0 if times < 0.01 else 1}f} times as fast"


def shown(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def announce(what: str, runs: int) -> None:
    """Says what was run where."""
    versions = f"Python {sys.version.split()[0]}, packaging {version('packaging')}"
    print(f"{what}\n{runs} alternating runs; {versions}; {os.cpu_count()} cores, load {_load()}")


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def forget_everything() -> None:
    """Empties the memories of wheelcheck's and packaging's functions; modules stay loaded and patterns compiled."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("wheelcheck", "packaging"):
            for value in list(vars(module).values()):
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()
