"""A file read in parts from servers that know ranges, know some, know none, and lie about them."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loopback
from loopback import Resource, Server, serve
from wheelcheck.common.errors import (
    IndexNonsense,
    IndexUnavailable,
    NotAuthorized,
    TimedOut,
    UndeterminedError,
    Unreadable,
)
from wheelcheck.index.http import client as transport
from wheelcheck.index.http import ranges
from wheelcheck.index.http.client import Origin, Transport, TransportOptions
from wheelcheck.index.http.ranges import MAX_TAIL, RemoteFile, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = random.Random(1).randbytes(3 * 2**20)
PATH = "/files/big.whl"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.01)


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    shared.mend()
    shared.forget()
    shared.add(PATH, CONTENT)
    return shared


@pytest.fixture
def asking() -> Iterator[Transport]:
    made = Transport(TransportOptions(timeout=2, retries=1))
    yield made
    made.close()


def opened(asking: Transport, server: Server, *, size: int | None = None, **how: object) -> RemoteFile:
    unsupported: set[tuple[Origin, str]] = how.get("unsupported", set())  # type: ignore[assignment]
    return RemoteFile(asking, f"{server.url}{PATH}", "big.whl", size=size, unsupported=unsupported)


SERVERS = {
    "all ranges": {},
    "no suffix, and the whole instead": {"ranges": "no-suffix"},
    "no suffix, and a refusal instead": {"ranges": "suffix-416"},
    "a server error for a suffix": {"ranges": "suffix-501"},
    "no ranges": {"ranges": "none"},
    "no ranges and no length": {"ranges": "none", "length": False},
}
READS = st.lists(st.tuples(st.integers(0, len(CONTENT) + 9), st.integers(0, 200_000)), min_size=1, max_size=4)


@pytest.mark.parametrize("size", [None, len(CONTENT), len(CONTENT) - 7, len(CONTENT) + 7, 1])
@pytest.mark.parametrize("case", SERVERS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(READS)
def test_whatever_a_server_can_the_bytes_are_the_files(
    shared: Server, case: str, size: int | None, reads: list[tuple[int, int]]
) -> None:
    shared.resources[PATH] = Resource(body=CONTENT, **SERVERS[case])  # type: ignore[arg-type]
    asking = Transport(TransportOptions())
    with opened(asking, shared, size=size) as remote:
        assert remote.size == len(CONTENT)
        for offset, length in reads:
            assert remote.read(offset, length) == CONTENT[offset : offset + length]
    asking.close()


@pytest.mark.parametrize("ranges_", ["all", "none"])
def test_a_short_file_comes_along_at_once(server: Server, asking: Transport, ranges_: str) -> None:
    server.add(PATH, b"short", ranges=ranges_)
    with opened(asking, server) as remote:
        assert (remote.size, remote.read(0, 99), remote.read(2, 2), remote.read(9, 2)) == (5, b"short", b"or", b"")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("ranges_", "first", "then"), [("all", 1, 1), ("no-suffix", 2, 1), ("none", 3, 1)])
def test_what_a_server_cannot_is_tried_once(
    server: Server, asking: Transport, ranges_: str, first: int, then: int
) -> None:
    server.add(PATH, CONTENT, ranges=ranges_)
    unsupported: set[tuple[Origin, str]] = set()
    for size, requests in [(None, first), (len(CONTENT), then)]:
        server.forget()
        with opened(asking, server, size=size, unsupported=unsupported):
            assert len(server.requests) == requests


def part(body: bytes, told: str, **headers: str) -> loopback.Fault:
    named = {"content-range": told} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(206, body, named)


TOTAL = len(CONTENT)
LIES = {
    "other bytes than it says": (part(b"x" * 10, f"bytes 0-{TOTAL - 1}/{TOTAL}"), Unreadable, "other bytes"),
    "gone": (loopback.status(404), Unreadable, "HTTP 404"),
    "gone for good": (loopback.status(410), Unreadable, "HTTP 410"),
    "forbidden": (loopback.status(403), NotAuthorized, "HTTP 403"),
    "too many": (loopback.status(429, retry_after="0"), IndexUnavailable, "HTTP 429"),
    "broken": (loopback.status(500), IndexUnavailable, "HTTP 500"),
    "teapot": (loopback.status(418), IndexUnavailable, "HTTP 418"),
    "a part without an end": (
        loopback.raw(b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-9/10\r\n\r\n" + b"x" * 2 * MAX_TAIL),
        IndexNonsense,
        "goes on beyond",
    ),
    "compressed": (part(b"xyz", f"bytes 0-2/{TOTAL}", content_encoding="br"), IndexUnavailable, "not requested"),
    "silent": (loopback.stall(), TimedOut, "longer than"),
    "reset": (loopback.reset(), IndexUnavailable, "broke"),
}


@pytest.mark.parametrize("case", LIES)
def test_a_server_that_lies_at_once_is_refused(server: Server, case: str) -> None:
    fault, kind, why = LIES[case]
    server.fault(PATH, fault)
    asking = Transport(TransportOptions(timeout=0.5, retries=1))
    with pytest.raises(UndeterminedError, match=why) as caught, opened(asking, server, size=TOTAL):
        pass
    assert isinstance(caught.value, kind)
    asking.close()


NO_PARTS = {
    "no range": loopback.raw(b"HTTP/1.1 206 Part\r\nContent-Length: 3\r\n\r\nxyz"),
    "a range in words": part(b"xyz", "bytes from the end"),
    "another unit": part(b"xyz", "lines 0-2/3"),
    "an unknown total": part(b"xyz", "bytes 0-2/*"),
    "not the end": part(b"xyz", f"bytes 0-2/{TOTAL}"),
}


@pytest.mark.parametrize("case", NO_PARTS)
def test_a_part_that_is_none_is_not_believed(server: Server, asking: Transport, case: str) -> None:
    server.fault(PATH, NO_PARTS[case], times=1)
    with opened(asking, server) as remote:
        assert (remote.size, remote.read(5, 9)) == (TOTAL, CONTENT[5:14])


LATER = {
    "another size": (part(b"x" * 9, "bytes 0-8/99"), "changed while it was read"),
    "another range": (part(b"x" * 9, f"bytes 1-9/{TOTAL}"), "other bytes than it says"),
    "fewer bytes": (part(b"x" * 9, f"bytes 0-9/{TOTAL}"), "other bytes than it says"),
    "the whole of another": (loopback.body(b"x" * 99), "changed while it was read"),
    "gone": (loopback.status(404), "HTTP 404"),
}


@pytest.mark.parametrize("case", LATER)
def test_a_server_that_changes_its_mind_is_refused(server: Server, asking: Transport, case: str) -> None:
    fault, why = LATER[case]
    with opened(asking, server) as remote:
        server.fault(PATH, fault)
        with pytest.raises(Unreadable, match=why):
            remote.read(0, 10)


def test_a_download_is_bounded_and_begins_anew(
    server: Server, asking: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "MAX_BYTES", 2**20)
    server.add(PATH, CONTENT, ranges="none")
    with pytest.raises(Unreadable, match="goes on beyond 1048576 bytes"), opened(asking, server):
        pass
    handle, told = io.BytesIO(), list[int]()
    sinks = [bounded(handle, 4, ValueError, told.append) for _ in range(2)]
    sinks[0](b"abc")
    sinks[1] = bounded(handle, 4, ValueError, told.append)
    sinks[1](b"d")
    sinks[1](b"ef")
    assert (handle.getvalue(), told) == (b"def", [3, 1, 3])
    with pytest.raises(ValueError, match="beyond 4 bytes"):
        sinks[1](b"gh")


def test_what_was_kept_is_let_go_of(server: Server, asking: Transport) -> None:
    server.add(PATH, CONTENT, ranges="none")
    with opened(asking, server) as remote:
        assert remote.whole is not None
        whole = remote.whole
    assert whole.closed
