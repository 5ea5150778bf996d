"""Real requirement sets, asked of pip and of wheelcheck: the same index, the same Python, the same minute, wheels only.

The index is a recorded slice (see fixtures/README.md), or the configured one in the tests that are marked `network`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from peers import OLDEST_PIP, SLICE, Peers, files_by_pip, files_by_wheelcheck, pip_version, served, sets
from record import configured_index
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.index import Index, SimpleIndex
from wheelcheck.interpreters.find import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Server

pytestmark = pytest.mark.skipif(pip_version() < OLDEST_PIP, reason=f"needs pip {OLDEST_PIP} or newer")
every_set = pytest.mark.parametrize("one", sets(), ids=lambda one: one.name)
SMALL = ("web-flask", "web-starlette", "learning-onnx", "data-plot")
"""The sets that each run compares; the others carry the marker `peers`."""
sets_by_cost = pytest.mark.parametrize(
    "one", [pytest.param(one, id=one.name, marks=() if one.name in SMALL else pytest.mark.peers) for one in sets()]
)


@pytest.fixture(scope="module")
def slice_() -> Iterator[Server]:
    with served(SLICE.read_text("utf-8").splitlines()) as server:
        yield server


def check(one: Peers, ours: set[str] | None, theirs: set[str] | None) -> None:
    assert (ours != theirs) == bool(one.differs), (one.differs, sorted((ours or set()) ^ (theirs or set())))


@sets_by_cost
def test_on_the_slice_the_files_are_those_of_pip(one: Peers, slice_: Server) -> None:
    with Index([SimpleIndex(slice_.index)], cache=Cache(None)) as index:
        ours = files_by_wheelcheck(one.requirements, describe(), index)
    check(one, ours, files_by_pip(slice_.index, one.requirements))


@pytest.mark.network
@pytest.mark.peers
@every_set
def test_on_the_configured_index_the_files_are_those_of_pip(one: Peers) -> None:
    ours, theirs = of_both(one)
    if (ours != theirs) != bool(one.differs):  # something may have been released in between
        ours, theirs = of_both(one)
    check(one, ours, theirs)


def of_both(one: Peers) -> tuple[set[str] | None, set[str] | None]:
    with configured_index() as index:
        ours = files_by_wheelcheck(one.requirements, describe(), index)
        return ours, files_by_pip(index.sources[0], one.requirements)


@pytest.mark.peers
def test_the_slice_has_an_answer_for_most_sets(slice_: Server) -> None:
    """So that what is compared are pins."""
    with Index([SimpleIndex(slice_.index)], cache=Cache(None)) as index:
        answered = [one.name for one in sets() if files_by_wheelcheck(one.requirements, describe(), index)]
    assert len(answered) >= len(sets()) - 7
