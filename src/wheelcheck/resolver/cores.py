"""The fewest of some things that clash together, found in far fewer trials than there are things.

The way there is QuickXplain (Junker, 2004). It supposes that what clashes still does when more is added, which does not
always hold of requirements: naming a pre-release admits it. So its result is tried, and so is leaving out each of its
parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Clash: TypeAlias = "Callable[[Sequence[int]], bool]"


def smallest(things: Sequence[int], guesses: Sequence[Sequence[int]], clash: Clash) -> list[int]:
    """So few of the things, which clash, that without any one of them the others do not.

    Args:
        things: those that clash all together, the most telling first.
        guesses: parts of them that are enough, probably; each costs a trial.
        clash: whether some clash. Where it cannot tell, False keeps what might have been left out.
    """
    clashing = next(filter(clash, guesses), things)
    found = _quickly([], clashing, clash, is_new=False)
    return _without_spare(found if clash(found) else list(clashing), clash)


def _quickly(base: Sequence[int], things: Sequence[int], clash: Clash, *, is_new: bool) -> list[int]:
    """Those of the things that it takes, together with the base, for a clash; `is_new` tells of an untried base."""
    if is_new and clash(base):
        return []
    if len(things) < 2:
        return list(things)
    middle = len(things) // 2
    first, second = things[:middle], things[middle:]
    of_second = _quickly([*base, *first], second, clash, is_new=True)
    of_first = _quickly([*base, *of_second], first, clash, is_new=bool(of_second))
    return [*of_first, *of_second]


def _without_spare(things: list[int], clash: Clash) -> list[int]:
    """Leaves out one after the other until each that is left is needed."""
    spare: int | None = -1
    while spare is not None:
        things = [thing for thing in things if thing != spare]
        spare = next((one for one in things if clash([thing for thing in things if thing != one])), None)
    return things
