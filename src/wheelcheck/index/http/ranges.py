"""Read parts of a remote file by range requests, or the whole file where the server has none (RFC 9110, section 14).

Servers differ: some support no ranges, some no suffix ranges, some send no length. The ways are tried in order of cost;
what a server was found not to support is not tried again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from wheelcheck.common.errors import Unreadable
from wheelcheck.index.http.auth import Login, Origin, origin_of
from wheelcheck.index.http.client import Transport
from wheelcheck.index.http.responses import Answer, Sink, content_length, content_range
from wheelcheck.standards.hashes import chunks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

MIN_TAIL, MAX_TAIL = 16 * 2**10, 2**20
UNKNOWN_TAIL = 64 * 2**10
"""Bytes to request from the end of a file of unknown size: all that most wheels need."""

AHEAD = 64 * 2**10
"""Bytes to read before the requested ones: metadata mostly precedes the central directory."""

MAX_BYTES = 8 * 2**30
"""Maximum size of a file; no index accepts files of half the size."""


class RemoteFile:
    """Read parts of one file. A context manager, since without ranges it keeps the whole file.

    Args:
        transport: makes the requests.
        url: the URL of the file.
        filename: how errors name it.
        size: its length as an index lists it, which is only a hint.
        unsupported: what servers do not support, shared by all files: an origin with ``suffix`` or ``ranges``.
        login: the login of the index that lists the file.

    Raises:
        Unreadable: the server does not have the file, or contradicts itself.
        UndeterminedError: as `Transport.get`.
    """

    def __init__(
        self,
        transport: Transport,
        url: str,
        filename: str,
        *,
        size: int | None,
        unsupported: set[tuple[Origin, str]],
        login: Login | None = None,
    ) -> None:
        self.size = 0
        self.whole: BinaryIO | None = None
        self._transport, self._url, self._filename, self._login = transport, url, filename, login
        self._listed = size if size and size > 0 else None
        self._told: int | None = None
        self._unsupported = unsupported
        self._tail = b""
        self._tail_at = 0

    def __enter__(self) -> Self:
        ways = (self._open_by_listed_size, self._open_by_suffix, self._open_by_told_size, self._open_by_download)
        try:
            next(way for way in ways if way())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the kept file."""
        if self.whole is not None:
            self.whole.close()

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; fewer at the end of the file."""
        end = min(offset + length, self.size)
        if self.whole is not None:
            self.whole.seek(offset)
            return self.whole.read(max(0, end - offset))
        if offset >= end:
            return b""
        if end + MAX_TAIL < self._tail_at:
            return self._part(offset, end)
        if offset < self._tail_at:
            start = max(0, offset - AHEAD)
            self._tail, self._tail_at = self._part(start, self._tail_at) + self._tail, start
        return self._tail[offset - self._tail_at : end - self._tail_at]

    def whole_chunks(self) -> Iterable[bytes] | None:
        """Return all bytes of the file where all of them were received, otherwise None."""
        if self.whole is not None:
            self.whole.seek(0)
            return chunks_of(self.whole)
        return [self._tail] if self._tail_at == 0 and len(self._tail) == self.size else None

    # -- opening

    def _open_by_listed_size(self) -> bool:
        if self._listed is None or self._cannot("ranges"):
            return False
        return self._opened(self._ask(*_tail_of(self._listed)))

    def _open_by_suffix(self) -> bool:
        if self._told is not None or self._cannot("suffix") or self._cannot("ranges"):
            return False
        opened = self._opened(self._ask(None, UNKNOWN_TAIL))
        if not opened:
            self._give_up("suffix")
        return opened

    def _open_by_told_size(self) -> bool:
        if self._cannot("ranges"):
            return False
        size = self._told
        if not size:
            answer = self._transport.head(self._url, headers={"accept-encoding": "identity"}, login=self._login)
            size = content_length(answer.headers) if answer.status == 200 else None
        if size and self._opened(self._ask(*_tail_of(size))):
            return True
        self._give_up("ranges")
        return False

    def _open_by_download(self) -> bool:
        from tempfile import TemporaryFile

        self.whole = TemporaryFile()  # noqa: SIM115 - closed with this object
        sink = partial(bounded, self.whole, MAX_BYTES, partial(Unreadable, self._filename))
        answer = self._transport.download(self._url, sink, login=self._login, size=self._listed or self._told)
        if answer.status != 200:
            raise self._failure(answer)
        self.size = self.whole.seek(0, 2)
        return True

    def _opened(self, answer: Answer) -> bool:
        """Take the end of the file from an answer, or the whole of a short one; record its size."""
        is_plain = answer.headers.get("content-encoding", "identity").lower() == "identity"
        if answer.status == 200 and answer.body and is_plain:
            self._tail, self._tail_at, self.size = answer.body, 0, len(answer.body)
            return True
        start, end, total = content_range(answer.headers)
        if answer.status == 206 and is_plain and start is not None and end is not None:
            if end - start != len(answer.body):
                raise Unreadable(self._filename, "its server sends other bytes than it says")
            if end == total:
                self._tail, self._tail_at, self.size, self._url = answer.body, start, total, answer.url
                return True
        self._told = total or (content_length(answer.headers) if answer.status == 200 else None) or self._told
        return False

    # -- requests

    def _ask(self, start: int | None, end: int) -> Answer:
        """Request the bytes from start to end, or the last `end` bytes."""
        asked = f"bytes=-{end}" if start is None else f"bytes={start}-{end - 1}"
        length = end if start is None else end - start
        answer = self._transport.get(
            self._url,
            headers={"range": asked, "accept-encoding": "identity"},
            limit=max(length, MAX_TAIL),
            wanted=_is_part_or_short,
            login=self._login,
        )
        gone = answer.status in (401, 403, 404, 410, 429)
        if gone or (answer.status >= 500 and answer.status != 501):
            raise self._failure(answer)
        return answer

    def _part(self, start: int, end: int) -> bytes:
        answer = self._ask(start, end)
        received = content_range(answer.headers)
        if answer.status == 200 and len(answer.body) == self.size:
            return answer.body[start:end]
        if answer.status != 206 or received[2] != self.size:
            raise Unreadable(self._filename, "it changed while it was read")
        if received[:2] != (start, end) or len(answer.body) != end - start:
            raise Unreadable(self._filename, "its server sends other bytes than it says")
        return answer.body

    def _failure(self, answer: Answer) -> Exception:
        if answer.status in (404, 410):
            return Unreadable(self._filename, f"nothing is at its URL: the server answers HTTP {answer.status}")
        if answer.status == 206:
            return Unreadable(self._filename, "its server sends a part of it where the whole was requested")
        return answer.failure()

    def _cannot(self, what: str) -> bool:
        return (origin_of(self._url), what) in self._unsupported

    def _give_up(self, what: str) -> None:
        self._unsupported.add((origin_of(self._url), what))


def bounded(
    handle: BinaryIO,
    most: int,
    failure: Callable[[str], Exception],
    progress: Callable[[int], object] | None = None,
) -> Sink:
    """Return a receiver that writes a file from its start, reports progress, and raises beyond the limit."""
    handle.seek(0)
    handle.truncate()
    length = 0

    def take(chunk: bytes) -> None:
        nonlocal length
        length += len(chunk)
        if length > most:
            raise failure(f"it goes on beyond {most} bytes")
        handle.write(chunk)
        if progress:
            progress(length)

    return take


def _tail_of(size: int) -> tuple[int, int]:
    return max(0, size - min(max(size // 100, MIN_TAIL), MAX_TAIL)), size


def _is_part_or_short(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether a body is the requested part, or the whole of a short file."""
    return status == 206 or (status == 200 and 0 < (content_length(headers) or 0) <= MAX_TAIL)
