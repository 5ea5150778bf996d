"""Threads fetch ahead in any order; the answer is always the one of a run in which nothing is fetched ahead."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loopback import Fault, status
from wheelcheck.common.errors import UndeterminedError
from wheelcheck.common.records import plain
from wheelcheck.common.threads import Task
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http.client import TransportOptions
from wheelcheck.index.index import Index, SimpleIndex
from wheelcheck.resolver.model import Asked, Demand, Question
from wheelcheck.resolver.resolve import resolve
from wheelcheck.targets.target import read_target
from worlds import LINUX, MAC, NAMES, OLD, ROOTS, WORLDS, Release, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from loopback import Handler, Server
    from wheelcheck.standards.project_page import Listed, ProjectPage
    from wheelcheck.targets.target import Target

TARGETS = [read_target(text) for text in (LINUX, MAC, OLD)]
ORDERS = st.integers(0, 2**32)
MAX_DELAY = 0.012


@pytest.fixture(autouse=True, scope="module")
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Unhurried:
    """An index of which only what is needed is asked, with a note of the pages."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.asked: set[str] = set()

    def start_page(self, name: Any, then: object = None) -> None:
        """Nothing is fetched ahead."""

    def start_metadata(self, file: Listed, then: object = None) -> None:
        """Neither is this."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def page(self, name: Any) -> ProjectPage | None:
        self.asked.add(name)
        return self._index.page(name)


def slowly(seconds: float, then: Fault | None = None) -> Fault:
    def fault(handler: Handler) -> None:
        time.sleep(seconds)
        then(handler) if then else handler.serve()

    return fault


def shuffle(server: Server, order: int, broken: Iterable[str] = ()) -> None:
    """A delay for each path, by chance and the same each time; some paths fail."""
    server.mend()
    for path in [*server.resources, *broken]:
        seconds = crc32(f"{order}{path}".encode()) / 2**32 * MAX_DELAY if order else 0
        server.fault(path, slowly(seconds, status(503) if path in broken else None))


def opened(server: Server, workers: int, agent: str = "") -> Index:
    options = TransportOptions(retries=0, user_agent=agent)
    return Index([SimpleIndex(server.index)], cache=Cache(None), transport_options=options, workers=workers)


def asked_by(server: Server, agent: str) -> list[str]:
    """What one index has asked; requests of the one before may still be on their way when it is closed."""
    return [request.path for request in server.requests if request.headers.get("user-agent") == agent]


def answers(supply: Any, roots: list[str], targets: Sequence[Target] = TARGETS) -> list[Any]:
    """What comes of the question for each target, in plain form."""
    return [plain(answer(supply, target, roots)) for target in targets]


def answer(supply: Any, target: Target, roots: list[str]) -> Any:
    demands = tuple(Demand(requirement=Requirement(root), origin=Asked(place="the test")) for root in roots)
    try:
        return resolve(Question(target=target, demands=demands), supply)
    except UndeterminedError as error:
        return error.to_dict()


def pages(paths: Iterable[str]) -> set[str]:
    return {path.split("/")[2] for path in paths if path.startswith("/simple/")}


def files(paths: Iterable[str]) -> set[str]:
    """The files of which something was read; a file without metadata beside it takes several requests."""
    return {path.removesuffix(".metadata") for path in paths if path.startswith("/files/")}


CHAIN = World(
    projects={
        "a": {"1": Release(("b", "c<2"), "any"), "2": Release(("b<2", "nowhere"), "any")},
        "b": {"1": Release(("d",), "both"), "2": Release(("c>=2",), "linux")},
        "c": {"1": Release(("d[x]",), "any"), "2": Release((), "refused")},
        "d": {"1": Release(("e; extra == 'x'",), "any"), "3": Release(("e<1",), "candidate")},
        "e": {"1": Release((), "late python"), "2": Release(("a",), "withdrawn")},
    },
    form="both",
    metadata=True,
    hashes=True,
)

EITHER = World(
    projects={
        "a": {"1": Release(("b", "c"), "any")},
        "b": {"1": Release((), "any"), "2": Release(("c<2",), "any")},
        "c": {"1": Release((), "any"), "2": Release(("b<2",), "any")},
    },
    form="both",
    metadata=True,
    hashes=True,
)
"""Two answers, of which the order of preference has to choose one."""


@settings(max_examples=max(25, settings().max_examples // 4))
@example(world=CHAIN, roots=["a", "d"], order=1, broken=[], targets=TARGETS)
@example(world=CHAIN, roots=["a"], order=2, broken=["c"], targets=TARGETS)
@example(world=EITHER, roots=["a"], order=3, broken=[], targets=TARGETS[:1])
@given(
    world=WORLDS,
    roots=ROOTS,
    order=ORDERS,
    broken=st.lists(st.sampled_from(NAMES), max_size=1),
    targets=st.sampled_from([TARGETS, TARGETS[:1]]),
)
def test_one_worker_and_sixteen_give_the_answer_of_a_run_that_fetches_nothing_ahead(
    world: World, roots: list[str], order: int, broken: list[str], targets: list[Target]
) -> None:
    failing = [f"/simple/{name}/" for name in broken]
    with world.served() as server:
        shuffle(server, 0, failing)
        with opened(server, 1, "needed") as index:
            unhurried = Unhurried(index)
            expected = answers(unhurried, roots, targets)
        for workers in (1, 2, 16):
            shuffle(server, order + workers, failing)
            with opened(server, workers, f"{workers} workers") as index:
                assert answers(index, roots, targets) == expected
            asked, needed = asked_by(server, f"{workers} workers"), asked_by(server, "needed")
            assert unhurried.asked <= pages(asked) <= {Requirement(root).name for root in roots} | named(world, asked)
            check_requests(asked, needed, len(targets))


def named(world: World, asked: Iterable[str]) -> set[str]:
    """The projects that the files of which something was read need, on whatever target."""
    read = {path.rpartition("/")[2] for path in files(asked)}
    return {
        Requirement(need).name
        for name, releases in world.projects.items()
        for version, release in releases.items()
        for need in release.needs
        if read & {dist.filename for dist in release.dists(name, version)}
    }


def check_requests(asked: list[str], needed: list[str], targets: int) -> None:
    """Every page once; ahead of what is needed, one file of each page for each target."""
    assert files(needed) <= files(asked)
    assert len(files(asked) - files(needed)) <= targets * len(pages(asked))
    listed = [path for path in asked if path.startswith("/simple/") or path.endswith(".metadata")]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("world", [CHAIN, EITHER], ids=["chain", "either"])
@pytest.mark.parametrize("workers", [1, 16])
def test_a_page_or_its_metadata_that_comes_last_changes_nothing(world: World, workers: int) -> None:
    """Each project in turn is the slowest by far."""
    with world.served() as server:
        with opened(server, 1) as index:
            expected = answers(Unhurried(index), ["a", "c"])
        for name, of in itertools.product(world.projects, ("/simple/{}/", "/files/{}-*")):
            server.mend()
            server.fault(of.format(name), slowly(0.05))
            with opened(server, workers) as index:
                assert answers(index, ["a", "c"]) == expected


def read_everything(index: Index, world: World) -> None:
    """All that anybody could want to fetch ahead."""
    for name in world.projects:
        page = index.page(canonicalize_name(name))
        for file in page.files if page else ():
            index.metadata(file)


def test_what_is_cached_is_found_only_once_it_is_settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A thread that comes while another settles a task does not begin it."""
    settle, begun = Task.settle, threading.Event()

    def settle_slowly(task: Task[Any], value: Any) -> None:
        begun.set()
        time.sleep(0.1)
        settle(task, value)

    with CHAIN.served() as server:
        with Index([SimpleIndex(server.index)], cache=Cache(tmp_path)) as index:
            index.page(canonicalize_name("a"))
        server.forget()
        monkeypatch.setattr(Task, "settle", settle_slowly)
        with Index([SimpleIndex(server.index)], cache=Cache(tmp_path)) as index:
            other = threading.Thread(target=index.page, args=(canonicalize_name("a"),))
            other.start()
            assert begun.wait(5)
            assert index.page(canonicalize_name("a")) is not None
            other.join()
        assert server.paths == []


@pytest.mark.parametrize("world", [CHAIN, EITHER], ids=["chain", "either"])
@pytest.mark.parametrize("lasting", [True, False], ids=["fresh pages", "stale pages"])
def test_what_is_cached_is_not_asked_for_however_the_threads_run(world: World, lasting: bool, tmp_path: Path) -> None:
    """Of two threads that want a page or metadata, neither overtakes the other's look into the cache."""
    with world.served() as server:
        if not lasting:
            for path, resource in server.resources.items():
                resource.headers = {"etag": f'"{path}"', "cache-control": "max-age=0"}
        source = [SimpleIndex(server.index)]
        with Index(source, cache=Cache(tmp_path)) as index:
            expected = answers(index, ["a", "c"])
            read_everything(index, world)
        server.forget()
        for workers, offline in itertools.product([1, 2, 16] * 10, [True, False]):
            with Index(source, cache=Cache(tmp_path), workers=workers, offline=offline) as index:
                assert answers(index, ["a", "c"]) == expected
        assert not files(server.paths)
        assert not (lasting and server.paths)
