"""Verdicts a second on file names, beside packaging's own functions for the same question.

python benchmarks/verdicts.py [RUNS]. Both read every name, compare its tags with those of one target, and must agree.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import chain, product
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

import wheelcheck
from wheelcheck.distributions import Wheel, read_file
from wheelcheck.verdicts import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "macos-14-arm64-cp312"
PYTHONS = ("cp39-cp39", "cp310-cp310", "cp311-cp311", "cp312-cp312", "cp313-cp313", "cp313-cp313t", "cp38-abi3")
PLATFORMS = (
    "macosx_10_15_x86_64",
    "macosx_12_0_arm64",
    "macosx_15_0_arm64",
    "macosx_10_13_universal2",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "musllinux_1_2_aarch64",
    "win_amd64",
)


def filenames() -> list[str]:
    """The wheels of an imaginary project: 100 releases for many Pythons and platforms, and pure ones."""
    versions = [f"{major}.{minor}.{micro}" for major, minor, micro in product(range(2), range(10), range(5))]
    built = [
        f"example-{version}-{python}-{platform}.whl"
        for version, python, platform in product(versions, PYTHONS, PLATFORMS)
    ]
    return built + [f"example-{version}-py3-none-any.whl" for version in versions]


def by_judge(names: list[str]) -> list[bool]:
    """The answers of `wheelcheck.judge`: one name at a time, with every reason against it."""
    target = wheelcheck.Target.parse(TARGET)
    return [wheelcheck.judge(name, target=target, no_rules=True).ok for name in names]


def by_page(names: list[str]) -> list[bool]:
    """The answers as the resolver gets them: one judge for all files, and no reason where none is asked for."""
    judge = Judge(wheelcheck.Target.parse(TARGET))
    files = (read_file(name, url="") for name in names)
    return [isinstance(file, Wheel) and judge.rank(file.tags) is not None for file in files]


def by_packaging(names: list[str]) -> list[bool]:
    """The same answers by packaging alone."""
    platforms = list(mac_platforms((14, 0), "arm64"))
    supported = frozenset(
        chain(
            cpython_tags((3, 12), abis=["cp312"], platforms=platforms),
            compatible_tags((3, 12), "cp312", platforms),
        )
    )
    return [not supported.isdisjoint(parse_wheel_filename(name)[3]) for name in names]


WAYS = {"wheelcheck.judge": by_judge, "wheelcheck, a page": by_page, "packaging": by_packaging}


def seconds(ask: Callable[[list[str]], list[bool]], names: list[str]) -> float:
    """The wall time of one pass over all names."""
    start = time.perf_counter()
    ask(names)
    return time.perf_counter() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    names = filenames()
    answers = zip(names, *(ask(names) for ask in WAYS.values()), strict=True)
    differ = [name for name, *verdicts in answers if len(set(verdicts)) > 1]
    if differ:
        sys.exit(f"wheelcheck and packaging differ on {len(differ)} names, such as {differ[0]}.")
    rounds = [{way: seconds(ask, names) for way, ask in WAYS.items()} for _ in range(runs)]
    print(f"{len(names)} names for {TARGET}, {runs} alternating runs; Python {sys.version.split()[0]}")
    for way in WAYS:
        rate = len(names) / statistics.median(one[way] for one in rounds)
        ratio = statistics.median(one["packaging"] / one[way] for one in rounds)
        print(f"{way:<19} {rate:10,.0f} verdicts a second (median)   {ratio:5.2f} times packaging")


if __name__ == "__main__":
    main()
