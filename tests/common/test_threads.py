"""Work that threads do: whose turn it is."""

from __future__ import annotations

import threading
import time

import pytest

from wheelcheck.common.threads import Turns


def test_of_those_that_wait_the_one_with_the_least_to_do_is_next() -> None:
    turns, order, waiting = Turns(), [], []

    def work(size: float) -> None:
        with turns.of(size):
            order.append(size)

    with turns.of(0):
        for size in (5, 1, float("inf"), 3, 1):
            waiting.append(threading.Thread(target=work, args=(size,)))
            waiting[-1].start()
        while len(turns._waiting) < len(waiting):
            time.sleep(0.001)
        assert order == []
    for thread in waiting:
        thread.join(10)
    assert order == [1, 1, 3, 5, float("inf")]


def test_a_turn_is_over_when_its_work_fails() -> None:
    turns = Turns()
    with pytest.raises(ValueError), turns.of(1):  # noqa: PT011
        raise ValueError
    with turns.of(1):
        pass
