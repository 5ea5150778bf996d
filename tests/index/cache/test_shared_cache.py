"""One cache directory for many processes, some of them killed; damaged entries; and places that cannot be written."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from changing import NAMES, NOT_CACHED, PROJECTS, STATES, TARGETS, ask, changing_index, come_and_go, fault_in, turn
from doors import stand_alone
from wheelcheck import check
from wheelcheck.index.cache.usage import clear, contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from loopback import Server

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SECONDS = 60.0 if LONG else 4.0
ONCE = 40 if LONG else 10
PROCESSES = 16


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


# -- many processes


NURSERY = """
    import os, random, signal, sys, traceback
    from pathlib import Path
    import httpx
    import wheelcheck.index.index
    from changing import NAMES, NOT_CACHED, ask

    index, cache, answers = sys.argv[1:]
    ways = [{}, {}, {"refresh": True}, {"refresh": True}, {"offline": True}]

    def work(seed):
        chance, count = random.Random(seed), open(answers, "ab", buffering=0)
        while True:
            name, how = chance.choice(NAMES), chance.choice(ways)
            fault = ask(name, index, Path(cache), **how)
            assert not fault or (fault == NOT_CACHED and how == {"offline": True}), (name, how, fault)
            count.write(b"x")

    for line in sys.stdin:
        order, number = line.split()
        if order == "start":
            child = os.fork()
            if child == 0:
                try:
                    work(number)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
            print(child, flush=True)
        else:
            os.kill(int(number), signal.SIGKILL)
            print(os.waitstatus_to_exitcode(os.waitpid(int(number), 0)[1]), flush=True)
"""
"""Starts processes that ask without end, and kills them; each right answer is a byte in a file."""


class Crowd:
    """Processes that share a cache."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.cache, self._answers, self._errors = folder / "shared", folder / "answers", folder / "errors"
        self._answers.touch()
        places = [str(Path(__file__).parents[2] / "support"), *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._errors.open("wb") as errors:
            self._nursery = subprocess.Popen(
                [
                    *(sys.executable, "-W", "error", "-c", textwrap.dedent(NURSERY)),
                    *(server.index, str(self.cache), str(self._answers)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            )
        self._seeds = itertools.count()
        self._workers: list[int] = []

    def _order(self, order: str, number: int) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"{order} {number}\n")
        return int(self._nursery.stdout.readline())

    @property
    def answers(self) -> int:
        return self._answers.stat().st_size

    def start(self) -> None:
        self._workers.append(self._order("start", next(self._seeds)))

    def kill(self, place: int) -> None:
        """Ends a process in the middle of whatever it does; one that has ended by itself has seen something wrong."""
        assert self._order("kill", self._workers.pop(place)) == -signal.SIGKILL, self._errors.read_text("utf-8")[-2000:]

    def kill_all(self) -> None:
        while self._workers:
            self.kill(0)

    def close(self) -> None:
        with suppress(ValueError):
            while self._workers:
                self._order("kill", self._workers.pop())
        self._nursery.communicate()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_sixteen_processes_share_a_cache_while_some_are_killed_and_the_index_changes(tmp_path: Path) -> None:
    chance, killed = random.Random(16), 0
    with changing_index() as server, closing(Crowd(server, tmp_path)) as crowd:
        for _ in range(PROCESSES):
            crowd.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end or crowd.answers < 10 * PROCESSES:
            time.sleep(chance.uniform(0, 0.05))
            turn(server, chance.randrange(PROJECTS), chance.randrange(STATES))
            come_and_go(server, there=chance.random() < 0.5)
            if chance.random() < 0.3:
                crowd.kill(chance.randrange(PROCESSES))
                crowd.start()
                killed += 1
            if chance.random() < 0.02:
                clear(crowd.cache)
        crowd.kill_all()
        assert killed > SECONDS
        check_every_entry(server, crowd.cache)


def check_every_entry(server: Server, cache: Path) -> None:
    """Nothing that the processes left is damaged: no entry has to be dropped, and both states come out of it."""
    held = contents(cache).answers.number
    for name in NAMES:
        assert ask(name, server.index, cache, offline=True) in ("", NOT_CACHED)
    assert contents(cache).answers.number == held
    for state, name in itertools.product(range(STATES), NAMES[:PROJECTS]):
        turn(server, NAMES.index(name), state)
        for options in ({"refresh": True}, {"offline": True}):
            report = check([name], targets=TARGETS, index_url=server.index, cache_dir=str(cache), **options)
            assert not fault_in(report.to_dict())
            assert all(f"/files/{state}/" in result.pins[1].file.url for result in report.results)


# -- entries that are not what was written


def flipped(chance: random.Random, path: Path, _: list[Path]) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def zeroed(chance: random.Random, path: Path, _: list[Path]) -> None:
    """A hole of zeros, as a file system leaves it after a power failure."""
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    content[start:] = bytes(len(content) - start)
    path.write_bytes(content)


def truncated(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def emptied(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.write_bytes(b"")


def lengthened(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randrange(1, 100)))


def swapped(chance: random.Random, path: Path, others: list[Path]) -> None:
    """The content of another entry, which is whole and not the one that was asked for."""
    other = chance.choice([other for other in others if other.is_file()])
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def removed(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.unlink()


def made_a_directory(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.unlink()
    path.mkdir()


def made_a_full_directory(chance: random.Random, path: Path, _: list[Path]) -> None:
    made_a_directory(chance, path, [])
    (path / "file").write_bytes(b"x")


def made_a_loop(chance: random.Random, path: Path, _: list[Path]) -> None:
    path.unlink()
    path.symlink_to(path)


DAMAGES = [
    *(flipped, zeroed, truncated, emptied, lengthened, swapped, removed),
    *(made_a_directory, made_a_full_directory, made_a_loop),
]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def unchanging() -> Iterator[Server]:
    with changing_index() as server:
        yield server


@pytest.fixture(scope="module")
def clean(unchanging: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the answers to all questions."""
    cache = tmp_path_factory.mktemp("clean")
    for name in [*NAMES, "nowhere"]:
        check([name], targets=TARGETS, index_url=unchanging.index, cache_dir=str(cache), isolated=True)
    return cache


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_entries_are_fetched_again(
    damage: Callable[[random.Random, Path, list[Path]], None], unchanging: Server, clean: Path, tmp_path: Path
) -> None:
    """One, a few, then all of them at once; offline, a damaged entry is one that is not there."""
    chance = random.Random(3)
    for at, number in enumerate([*[1] * ONCE, *[5] * 5, 10**9]):
        cache = tmp_path / str(at)
        shutil.copytree(clean, cache)
        entries = files_in(cache)
        for path in chance.sample(entries, min(number, len(entries))):
            if path.is_file():
                damage(chance, path, entries)
        for name in NAMES:
            assert ask(name, unchanging.index, cache, offline=True) in ("", NOT_CACHED), name
            assert not ask(name, unchanging.index, cache), name
            assert not ask(name, unchanging.index, cache, offline=True), name


# -- places that cannot be written


def document(index: str, *options: str, through: Sequence[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """The answer of the command line without its costs, and the lines on standard error."""
    command = [*through, sys.executable, "-W", "error", "-m", "wheelcheck", "check", NAMES[0], "--format", "json"]
    for target in TARGETS:
        command += ["--target", target]
    ended = subprocess.run(
        [*command, "--index-url", index, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    return {key: answer[key] for key in ("ok", "results")}, ended.stderr.splitlines()


def check_said_once(index: str, cache: str, *, through: Sequence[str] = ()) -> None:
    expected, nothing = document(index, "--no-cache")
    assert nothing == []
    found, said = document(index, "--cache-dir", cache, through=through)
    assert found == expected
    (line,) = said
    assert line.startswith("wheelcheck: ")
    assert "cache" in line
    assert cache[:50] in line


def in_a_mount_of_its_own(options: str, place: Path) -> list[str]:
    """The beginning of a command that sees a file system in memory at a place, which nobody else sees."""
    place.mkdir()
    mount = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'mount -t tmpfs -o {options} none "$0" && exec "$@"']
    command = [*mount, str(place)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets nobody mount a file system of his own")
    return command


@pytest.mark.parametrize("size", ["size=4k", "size=8k", "size=1m,nr_inodes=2", "size=1m,nr_inodes=6"])
def test_a_full_disk_is_told_once(size: str, unchanging: Server, tmp_path: Path) -> None:
    place = tmp_path / "full"
    check_said_once(unchanging.index, str(place), through=in_a_mount_of_its_own(size, place))


def test_a_read_only_file_system_is_told_once(unchanging: Server, tmp_path: Path) -> None:
    place = tmp_path / "still"
    check_said_once(unchanging.index, str(place), through=in_a_mount_of_its_own("ro", place))


@pytest.mark.skipif(os.name == "nt", reason="ulimit is a command of Unix shells")
def test_a_file_that_may_not_grow_is_told_once(unchanging: Server, tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 1 && exec "$@"', "sh"]
    check_said_once(unchanging.index, str(tmp_path / "small"), through=limited)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may write everywhere")
def test_a_directory_without_permission_is_told_once(unchanging: Server, tmp_path: Path) -> None:
    place = tmp_path / "still"
    place.mkdir(mode=0o500)
    check_said_once(unchanging.index, str(place))


def a_file(folder: Path) -> str:
    (folder / "file").write_bytes(b"mine")
    return str(folder / "file")


def beneath_a_file(folder: Path) -> str:
    return f"{a_file(folder)}/cache/of/mine"


def a_link_to_itself(folder: Path) -> str:
    (folder / "loop").symlink_to(folder / "loop")
    return str(folder / "loop")


def a_link_to_nothing(folder: Path) -> str:
    (folder / "link").symlink_to(folder / "nothing" / "here")
    return str(folder / "link")


def a_name_that_is_too_long(folder: Path) -> str:
    return str(folder / ("n" * 300))


def a_path_that_is_too_long(folder: Path) -> str:
    return str(folder / "/".join(["deep"] * 1500))


PLACES = [a_file, beneath_a_file, a_link_to_itself, a_link_to_nothing, a_name_that_is_too_long, a_path_that_is_too_long]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other limits")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_place_where_no_cache_can_be_is_told_once(
    place: Callable[[Path], str], unchanging: Server, tmp_path: Path
) -> None:
    check_said_once(unchanging.index, place(tmp_path))
    assert [path.read_bytes() for path in tmp_path.glob("file")] in ([], [b"mine"])
