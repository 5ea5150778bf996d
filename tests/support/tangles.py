"""Indexes in which versions conflict by the thousand: the shapes that make a search among versions long.

Each shape gives the requirements of every version of every project, and what is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

Needs = dict[str, dict[str, list[str]]]
Shape = Callable[[int], tuple[list[str], Needs]]


def _project(versions: int, needs: Callable[[int], list[str]]) -> dict[str, list[str]]:
    return {str(version): needs(version) for version in range(1, versions + 1)}


def only_the_oldest_fits(n: int) -> tuple[list[str], Needs]:
    """Every version but the first needs a version of the next project that was never released."""
    names = "abcde"
    nexts = dict(pairwise(names))
    return ["a"], {
        name: _project(n, lambda v, name=name: [f"{nexts[name]}<{1 if v > 1 else 2}"] if name in nexts else [])
        for name in names
    }


def older_than_itself(n: int) -> tuple[list[str], Needs]:
    """Each version needs an older one of the next project, and the last project needs the newest of the first."""
    return ["a", "b", "c", "d", "e"], {
        "a": _project(n, lambda v: [f"b<{max(v, 2)}"]),
        "b": _project(n, lambda v: [f"c<{max(v, 2)}"]),
        "c": _project(n, lambda v: [f"d<{max(v, 2)}"]),
        "d": _project(n, lambda v: [f"e<{max(v, 2)}"]),
        "e": _project(n, lambda v: [f"a<{max(v, 2)}"]),
    }


def deep_diamond(n: int) -> tuple[list[str], Needs]:
    """Two ways, three levels deep, lead to one project, and agree only where both are at their first version."""
    return ["a", "b"], {
        "a": _project(n, lambda v: [f"c=={v}"]),
        "b": _project(n, lambda v: [f"d=={v}"]),
        "c": _project(n, lambda v: [f"e=={v}"]),
        "d": _project(n, lambda v: [f"e=={v + 1 if v > 1 else 1}"]),
        "e": _project(n, lambda _: []),
    }


def last_project_fits_nothing(n: int) -> tuple[list[str], Needs]:
    """Four projects are free, and no version of the fifth can stand beside any of them."""
    free = {name: _project(n, lambda _: []) for name in "abcd"}
    return [*"abcde"], free | {"e": _project(n, lambda v: [f"{'abcd'[v % 4]}<1"])}


def last_project_wants_the_first(n: int) -> tuple[list[str], Needs]:
    """The fifth project needs the first version of all others, which the others know nothing of."""
    free = {name: _project(n, lambda _: []) for name in "abcd"}
    return [*"abcde"], free | {"e": _project(n, lambda _: [f"{name}==1" for name in "abcd"])}


def lockstep(n: int) -> tuple[list[str], Needs]:
    """A family whose members pin each other to their own version, one of which was released only once."""
    names = "abcde"
    return [*names], {
        name: _project(n if name != "e" else 1, lambda v: [f"{other}=={v}" for other in names]) for name in names
    }


def pre_releases_between(n: int) -> tuple[list[str], Needs]:
    """Two projects of which every tenth version had a pre-release that nobody tries, and that can in no version be."""
    early = [f"{version}rc1" for version in range(10, n + 1, 10)]
    return ["a", "c<2"], {
        "a": _project(n, lambda v: [f"b>={v}"]) | {version: ["b>=2"] for version in early},
        "b": _project(n, lambda _: ["c>=2"]) | {version: ["c>=2"] for version in early},
        "c": _project(2, lambda _: []),
    }


def lockstep_with_a_bound(n: int) -> tuple[list[str], Needs]:
    """A chain in lockstep whose last member something else bounds from above."""
    return ["a", "e"], {
        "a": _project(n, lambda v: [f"b=={v}"]),
        "b": _project(n, lambda v: [f"c=={v}"]),
        "c": _project(n, lambda v: [f"d=={v}"]),
        "d": _project(n, lambda _: []),
        "e": _project(n, lambda _: ["d<2"]),
    }


def never_agree(n: int) -> tuple[list[str], Needs]:
    """Two projects pin a third, and never to the same version; two others stand by."""
    return [*"abde"], {
        "a": _project(n, lambda v: [f"c=={v}"]),
        "b": _project(n, lambda v: [f"c=={v + n}"]),
        "c": _project(2 * n, lambda _: []),
        "d": _project(n, lambda _: []),
        "e": _project(n, lambda _: []),
    }


def agree_at_last(n: int) -> tuple[list[str], Needs]:
    """Two projects pin a third, one going up where the other goes down; they agree in one pair of versions only."""
    return [*"abde"], {
        "a": _project(n, lambda v: [f"c=={v if v > 1 else 2 * n}"]),
        "b": _project(n, lambda v: [f"c=={v + n}"]),
        "c": _project(2 * n, lambda _: []),
        "d": _project(n, lambda _: []),
        "e": _project(n, lambda _: []),
    }


def ring(n: int) -> tuple[list[str], Needs]:
    """Five projects in a ring, each of which pins the next one a version lower: only where the ring closes."""
    names = "abcde"
    return ["a"], {
        name: _project(n, lambda v, other=names[(place + 1) % 5]: [f"{other}=={v - 1 if v > 1 else 1}"])
        for place, name in enumerate(names)
    }


def three_ways(n: int) -> tuple[list[str], Needs]:
    """Three projects each want another remainder of a fourth: every two could agree, all three never."""
    return [*"abc"], {
        "a": _project(n, lambda v: [f"d!={v % 3}.*", f"e>={v % 7}"]),
        "b": _project(n, lambda v: [f"d=={v}", f"e<{n - v + 2}"]),
        "c": _project(n, lambda v: [f"d=={n - v + 1}", f"e>={n - v + 2}"]),
        "d": _project(n, lambda _: []),
        "e": _project(n, lambda _: []),
    }


SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        only_the_oldest_fits,
        older_than_itself,
        deep_diamond,
        last_project_fits_nothing,
        last_project_wants_the_first,
        lockstep,
        pre_releases_between,
        lockstep_with_a_bound,
        never_agree,
        agree_at_last,
        ring,
        three_ways,
    )
}


def index_of(needs: Needs) -> dict[str, Any]:
    """The index in the form of `scenario.VersionFiles`."""
    return {n: {v: {"requires": requires} for v, requires in versions.items()} for n, versions in needs.items()}
