"""`wheelcheck.check` asked again in one process: the remembered answer, beside resolving again on a warm cache.

python benchmarks/answers.py [RUNS]. The question needs thirty projects of a small index that is served from this
process. Where uv is installed, a run of `uv pip compile` on its own warm cache stands beside it, and its pins must be
the same.
"""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sample_index
from side_by_side import Way, announce, compared, must_agree, runs_asked_for

import wheelcheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelcheck import Report

_SERIAL = count(1)


def asked(index: str, cache: Path, import_timeout: float = 600.0) -> Report:
    """The answer of `wheelcheck.check`."""
    return wheelcheck.check(
        [sample_index.ROOT],
        targets=[sample_index.TARGET],
        index_url=index,
        isolated=True,
        no_rules=True,
        cache_dir=str(cache),
        timeout=import_timeout,
    )


def resolved_again(index: str, cache: Path) -> Report:
    """The same answer to a question that was never asked: for how long an import may take, and none is asked for."""
    return asked(index, cache, 1000.0 + next(_SERIAL))


def pins_of(report: Report) -> dict[str, str]:
    """The versions in an answer, by project."""
    return {pin.name: str(pin.version) for pin in report.results[0].pins}


def by_uv(index: str, directory: Path) -> Callable[[], str] | None:
    """Runs uv's command for the same question; None where uv is not installed."""
    script = sample_index.command_of("uv")
    if script is None:
        return None
    question = directory / "question.in"
    question.write_text(sample_index.ROOT)
    command = sample_index.uv_command(script, index, question)
    environment = sample_index.surroundings_without_settings(directory)
    run = partial(subprocess.run, command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return lambda: run().stdout


def check(index: str, cache: Path, uv: Callable[[], str] | None) -> None:
    """The ways must be what their names say, and their answers equal."""
    first = asked(index, cache)
    again, anew = asked(index, cache), resolved_again(index, cache)
    if again.results is not first.results or anew.results is first.results:
        raise SystemExit(
            "A remembered answer was resolved again, or the other way round; these times would say nothing."
        )
    answers = {"first": pins_of(first), "again": pins_of(again), "anew": pins_of(anew)}
    must_agree("the pins", answers | ({"uv": sample_index.pins_in(uv())} if uv else {}))
    must_agree("the number of requests", {"none": 0, "again": again.counters.requests, "anew": anew.counters.requests})


def main() -> None:
    runs = runs_asked_for(21)
    with tempfile.TemporaryDirectory() as made, sample_index.serving(sample_index.served_paths()) as index:
        directory = Path(made)
        cache = directory / "cache"
        uv = by_uv(index, directory)
        check(index, cache, uv)
        announce(f"One question with {len(sample_index.PROJECTS)} projects in its answer, all caches warm", runs)
        ways = [
            Way(name="check, resolving again", run=partial(resolved_again, index, cache)),
            Way(name="check, the remembered answer", run=partial(asked, index, cache), loops=20),
        ]
        compared("In one process", [*ways, *([Way(name="uv pip compile, a process", run=uv)] if uv else [])], runs)


if __name__ == "__main__":
    main()
