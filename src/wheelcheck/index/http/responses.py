"""Answers of HTTP servers and the taking of their bodies: limits, gzip, and downloads that go on where they broke.

Standards: RFC 9110 (content codings, ranges and If-Range), RFC 1952 (gzip).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import TypeAlias

from wheelcheck.common.errors import IndexNonsense, IndexUnavailable, NotAuthorized, UndeterminedError
from wheelcheck.common.records import record
from wheelcheck.common.urls import shown

Sink: TypeAlias = Callable[[bytes], None]
Wanted: TypeAlias = Callable[[int, Mapping[str, str]], bool]

_STEP = 2**20
"""The most that gzip is undone at once."""


@record
class Answer:
    """One HTTP answer after redirects. `url` has no credentials; header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def failure(self) -> UndeterminedError:
        """Why nothing can be told from this answer, for a status that its reader has no use for."""
        if self.status in (401, 403):
            return NotAuthorized(shown(self.url), self.status)
        return IndexUnavailable(shown(self.url), f"HTTP {self.status}")


class RetryableError(Exception):
    """A try that failed in a way that may pass; `outcome` is what to say if no other try is made.

    `pause` is how many seconds the server wants to be left alone, where it says so.
    """

    def __init__(self, outcome: UndeterminedError | Answer, pause: float | None = None) -> None:
        self.outcome = outcome
        self.pause = pause

    def final(self) -> Answer:
        """The answer after all, or the failure raised."""
        if isinstance(self.outcome, UndeterminedError):
            raise self.outcome from None
        return self.outcome


class Body:
    """Takes a body up to a limit, undoing gzip as it comes.

    Args:
        limit: the most bytes, decoded.
        wanted: whether a status with these headers has a body that is worth reading.
    """

    def __init__(self, limit: int, wanted: Wanted) -> None:
        self._limit = limit
        self._wanted = wanted
        self._taken = BytesIO()

    @property
    def headers(self) -> Mapping[str, str]:
        """What the request for it says besides."""
        return {}

    def wants(self, status: int, headers: Mapping[str, str], url: str) -> bool:  # noqa: ARG002 - for those who differ
        """Whether the body of an answer is taken."""
        return self._wanted(status, headers)

    def fill(self, chunks: Iterable[bytes], headers: Mapping[str, str], url: str) -> None:
        """Takes the body of an answer; raises as `Transport.get` does, or `RetryableError`."""
        for chunk in self._decoded(chunks, headers, url):
            if self._workspace <= len(chunk):
                raise IndexNonsense(shown(url), f"it goes on beyond {self._limit} bytes")
            self._taken.write(chunk)

    def whole(self) -> bytes:
        """All that was taken."""
        return self._taken.getvalue()

    @property
    def _workspace(self) -> int:
        return self._limit - self._taken.tell() + 1

    def _decoded(self, chunks: Iterable[bytes], headers: Mapping[str, str], url: str) -> Iterable[bytes]:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("", "identity"):
            return chunks
        if encoding in ("gzip", "x-gzip"):
            return self._gunzipped(chunks, url)
        raise IndexUnavailable(shown(url), f"it is encoded in a way that was not asked for ({encoding[:40]})")

    def _gunzipped(self, chunks: Iterable[bytes], url: str) -> Iterator[bytes]:
        """Undoes gzip, one member after the other, never holding more than the body has room for."""
        import zlib

        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            for chunk in chunks:
                while chunk:
                    if member.eof:
                        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                    yield member.decompress(chunk, min(self._workspace, _STEP))
                    chunk = member.unused_data if member.eof else member.unconsumed_tail
        except zlib.error:
            raise RetryableError(IndexUnavailable(shown(url), "its gzip encoding is damaged")) from None
        if not member.eof:
            raise RetryableError(IndexUnavailable(shown(url), "its body is cut short"))


class Stream(Body):
    """Hands a body of status 200 on as it comes; a further try goes on where the last one broke, where that is safe.

    It is safe where the server gave a strong validator, which then names the very bytes of which the rest is asked for.
    `went_on` tells that the last body was such a rest.

    Args:
        sink: gives a taker of chunks, anew for each beginning.
    """

    def __init__(self, sink: Callable[[], Sink]) -> None:
        super().__init__(0, lambda _status, _headers: False)
        self._fresh = sink
        self._sink: Sink | None = None
        self._length = 0
        self._tag = ""
        self.went_on = False

    @property
    def headers(self) -> Mapping[str, str]:
        """Asks for the rest, if there is a beginning that it fits (RFC 9110, section 13.1.5)."""
        return {"range": f"bytes={self._length}-", "if-range": self._tag} if self._goes_on else {}

    def wants(self, status: int, headers: Mapping[str, str], url: str) -> bool:
        """Whether the body is the whole, or the rest that was asked for."""
        self.went_on = self._goes_on and status == 206 and content_range(headers)[0] == self._length
        if self.went_on:
            return True
        if self._goes_on and status in (206, 416):
            self._length = 0
            raise RetryableError(IndexUnavailable(shown(url), "its server sends other bytes than it was asked for"))
        if status == 200:
            self._sink, self._length, self._tag = self._fresh(), 0, _strong(headers.get("etag", ""))
        return status == 200

    def fill(self, chunks: Iterable[bytes], headers: Mapping[str, str], url: str) -> None:  # noqa: ARG002 - as its base
        """Hands the chunks on."""
        assert self._sink is not None
        for chunk in chunks:
            self._sink(chunk)
            self._length += len(chunk)

    @property
    def _goes_on(self) -> bool:
        return bool(self._length and self._tag)


def _strong(tag: str) -> str:
    """An entity tag that promises the same bytes; empty where it does not (RFC 9110, section 8.8.3)."""
    return tag if re.fullmatch(r'"[!#-~]*"', tag) else ""


def content_length(headers: Mapping[str, str]) -> int | None:
    """The length of a body as its headers tell it, None where they do not."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None, int | None]:
    """Start, end (the first byte after it) and total of a Content-Range, None for what it does not say."""
    told = re.fullmatch(
        r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)", headers.get("content-range", "").strip()
    )
    if not told:
        return None, None, None
    start, last, total = (int(text) if text else None for text in told.groups())
    return start, None if last is None else last + 1, total
