"""How long the resolver works on thousands of versions that conflict: python benchmarks/tangles.py [VERSIONS].

The shapes are those of tests/support/tangles.py, and the index is in memory. The times are CPU times, the fastest of
three runs each.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from scenario import VersionFiles
from tangles import SHAPES, Shape, index_of
from wheelcheck.resolver.limits import Budget, Counted
from wheelcheck.resolver.model import Asked, Demand, Outcome, Question, Solution
from wheelcheck.resolver.resolve import resolve
from wheelcheck.standards.requirements import requirement_of
from wheelcheck.targets.target import read_target


def timed(shape: Shape, versions: int) -> tuple[float, Counted, Outcome]:
    """The seconds for one shape, the work, and what came of it."""
    roots, needs = shape(versions)
    demands = tuple(Demand(requirement=requirement_of(root), origin=Asked(place="the benchmark")) for root in roots)
    shelf, budget = VersionFiles(index_of(needs)), Budget()
    began = process_time()
    outcome = resolve(Question(target=read_target("linux-cp312"), demands=demands), shelf, budget)
    return process_time() - began, budget.counted, outcome


def main() -> None:
    """Prints a row for each shape."""
    versions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{f'{versions} versions of 5 projects':30} {'seconds':>8} {'rounds':>8} {'candidates':>11} {'metadata':>9}")
    for name, shape in SHAPES.items():
        seconds, counted, outcome = min((timed(shape, versions) for _ in range(3)), key=lambda run: run[0])
        answer = "an answer" if isinstance(outcome, Solution) else outcome.kind
        work = f"{counted.rounds:8} {counted.candidates:11} {counted.metadata:9}"
        print(f"{name.replace('_', ' '):30} {seconds:8.2f} {work}  {answer}", flush=True)


if __name__ == "__main__":
    main()
