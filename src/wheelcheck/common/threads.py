"""Run each piece of work once, in daemon threads that never keep the process from ending."""

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
    """A piece of work that runs once, in whichever thread takes it first.

    Attributes:
        thread: the identifier of that thread, or None before.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._followers: list[Callable[[], None]] = []
        self.thread: int | None = None

    def run(self) -> None:
        """Run the work, unless it was started before."""
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
        """Finish the task without running it, because its value is known."""
        with self._lock:
            if self.thread is not None:
                return
            self.thread = threading.get_ident()
        self._value = value
        self._end()

    @property
    def is_done(self) -> bool:
        """Whether the task has finished."""
        return self._done.is_set()

    def _end(self) -> None:
        with self._lock:
            self._done.set()
            followers, self._followers = self._followers, []
        for follow in followers:
            follow()

    def follow(self, follower: Callable[[], None]) -> None:
        """Call a follower once the task has finished, immediately if it has."""
        with self._lock:
            if not self._done.is_set():
                self._followers.append(follower)
                return
        follower()

    def wait(self, seconds: float) -> bool:
        """Wait for the task to finish, at most `seconds`; return whether it did."""
        return self._done.wait(seconds)

    def answer(self) -> T:
        """Return the result of a finished task, or raise what the work raised."""
        if self._error is not None:
            raise self._error.with_traceback(None)
        return cast("T", self._value)


class Workers:
    """A pool of daemon threads, started on demand."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._queue: deque[Callable[[], None]] = deque()
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], None], *, first: bool = False) -> None:
        """Queue work; `first` puts it before everything that waits."""
        with self._ready:
            (self._queue.appendleft if first else self._queue.append)(work)
            if self._idle >= len(self._queue) or self._threads >= self._most:
                self._ready.notify()
                return
            self._threads += 1
        threading.Thread(target=self._run, name="wheelcheck-index", daemon=True).start()

    def close(self) -> None:
        """Drop the queue and let the threads end."""
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
    """Call a function when the countdown reaches zero; the last call may say how to run it."""

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
    """Admit one thread at a time, the one with the smallest piece of work first.

    Several threads do not speed up pure computation, but short pieces finish earlier if long ones wait for them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._serial = count()

    @contextmanager
    def of(self, size: float) -> Iterator[None]:
        """Wait for a turn to do work of this size, and hold it meanwhile."""
        self._wait(size)
        try:
            yield
        finally:
            with self._lock:
                self._taken = bool(self._waiting)
                if self._waiting:
                    heappop(self._waiting)[-1].release()

    def _wait(self, size: float) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            called = threading.Lock()
            called.acquire()
            heappush(self._waiting, (size, next(self._serial), called))
        called.acquire()
