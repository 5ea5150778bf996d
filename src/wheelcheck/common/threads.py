"""Work that is done once by threads and told to all who ask, with nothing that keeps a process from ending."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Task(Generic[T]):
    """One piece of work, done by whichever thread comes first. `thread` is that thread, None before."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._followers: list[Callable[[], None]] = []
        self.thread: int | None = None

    def run(self) -> None:
        """Does the work, unless it was begun before."""
        with self._lock:
            if self.thread is not None:
                return
            self.thread = threading.get_ident()
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
            self._error = error
        self._end()

    def settle(self, value: T) -> None:
        """Ends the work before it was begun, because its value is known."""
        with self._lock:
            if self.thread is not None:
                return
            self.thread = threading.get_ident()
        self._value = value
        self._end()

    @property
    def is_done(self) -> bool:
        """Whether the work is done."""
        return self._done.is_set()

    def _end(self) -> None:
        with self._lock:
            self._done.set()
            followers, self._followers = self._followers, []
        for follow in followers:
            follow()

    def follow(self, follower: Callable[[], None]) -> None:
        """Calls the follower once the work is done, at once if it is."""
        with self._lock:
            if not self._done.is_set():
                self._followers.append(follower)
                return
        follower()

    def wait(self, seconds: float) -> bool:
        """Waits for the end of the work at most so long; whether it came."""
        return self._done.wait(seconds)

    def answer(self) -> T:
        """What the work came to, once it is done; raises what the work raised."""
        if self._error is not None:
            raise self._error.with_traceback(None)
        return cast("T", self._value)


class Workers:
    """Threads, made as they are needed, that never keep the process from ending."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._queue: deque[Callable[[], None]] = deque()
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], None], *, first: bool = False) -> None:
        """Has something done, before all that waits if it is to be the first."""
        with self._ready:
            (self._queue.appendleft if first else self._queue.append)(work)
            if self._idle >= len(self._queue) or self._threads >= self._most:
                self._ready.notify()
                return
            self._threads += 1
        threading.Thread(target=self._run, name="wheelcheck-index", daemon=True).start()

    def close(self) -> None:
        """Forgets what waits and lets the threads end."""
        with self._ready:
            self._closed = True
            self._queue.clear()
            self._ready.notify_all()

    def _run(self) -> None:
        while True:
            with self._ready:
                self._idle += 1
                self._ready.wait_for(lambda: self._queue or self._closed)
                self._idle -= 1
                if self._closed:
                    return
                work = self._queue.popleft()
            work()


class Countdown:
    """Calls something when it was told to as often as it counts; the last call may name another way to do it."""

    def __init__(self, number: int, then: Callable[[], None]) -> None:
        self._left = number
        self._then = then
        self._lock = threading.Lock()

    def __call__(self, through: Callable[[Callable[[], None]], None] | None = None) -> None:
        with self._lock:
            self._left -= 1
            over = self._left == 0
        if over:
            through(self._then) if through else self._then()


class Turns:
    """Lets one thread through at a time; of those that wait, the one that has the least to do.

    Work that computes without waiting is done no sooner by several threads at once, but the short pieces of it are, if
    the long ones wait for them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._serial = count()

    @contextmanager
    def of(self, size: float) -> Iterator[None]:
        """Waits for a turn to do work of a size and holds it meanwhile."""
        self._wait(size)
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self, size: float) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            called = threading.Lock()
            called.acquire()
            heappush(self._waiting, (size, next(self._serial), called))
        called.acquire()

    def _pass_on(self) -> None:
        with self._lock:
            self._taken = bool(self._waiting)
            if self._waiting:
                heappop(self._waiting)[-1].release()
