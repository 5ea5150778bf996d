"""HTTP answers, the receiving of their bodies (limits, gzip, resumed downloads), and what broke a request.

Standards: RFC 9110 (content codings, ranges and If-Range), RFC 1952 (gzip).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import TypeAlias

from wheelcheck.common.errors import IndexNonsense, IndexUnavailable, NotAuthorized, UndeterminedError
from wheelcheck.common.lazy_regex import pattern
from wheelcheck.common.records import field, record
from wheelcheck.common.urls import mask, shown
from wheelcheck.index.http.auth import Credentials

Sink: TypeAlias = Callable[[bytes], None]
Wanted: TypeAlias = Callable[[int, Mapping[str, str]], bool]

CHECK_URL = "Check its URL"
"""What may help where no later attempt would be answered otherwise."""

_STEP = 2**20
"""Maximum bytes that are decompressed at once."""


@record
class Answer:
    """An HTTP answer after redirects.

    Attributes:
        url: where it comes from, without credentials.
        status: its status.
        headers: names in lower case.
        body: its body, decoded.
        sent: the credentials that were sent to get it, by the URL without credentials that they were sent to.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    sent: Mapping[str, Credentials] = field(default_factory=dict, repr=False)

    def failure(self) -> UndeterminedError:
        """Return the error for an answer with an unexpected status."""
        if self.status in (401, 403):
            return NotAuthorized(shown(self.url), self.status)
        if self.status == 407:
            return IndexUnavailable(shown(self.url), _PROXY_REFUSED.format("HTTP 407"), CHECK_PROXY)
        is_passing = self.status >= 500 or self.status in (408, 425, 429)
        return IndexUnavailable(shown(self.url), f"HTTP {self.status}", *[] if is_passing else [CHECK_URL])


class RetryableError(Exception):
    """A failed attempt that may be retried.

    Attributes:
        outcome: the result if there is no further attempt.
        pause: the seconds that the server asks to wait, or None.
    """

    def __init__(self, outcome: UndeterminedError | Answer, pause: float | None = None) -> None:
        self.outcome = outcome
        self.pause = pause

    def final(self) -> Answer:
        """Return the answer, or raise the error."""
        if isinstance(self.outcome, UndeterminedError):
            raise self.outcome from None
        return self.outcome


class Body:
    """Receive a body up to a limit, decompressing gzip.

    Args:
        limit: the maximum size, decoded.
        wanted: returns whether to read the body, given status and headers.
    """

    def __init__(self, limit: int, wanted: Wanted) -> None:
        self._limit = limit
        self._wanted = wanted
        self._taken = BytesIO()

    @property
    def headers(self) -> Mapping[str, str]:
        """Further headers of the request."""
        return {}

    def wants(self, status: int, headers: Mapping[str, str], url: str) -> bool:  # noqa: ARG002 - for those who differ
        """Return whether to receive the body of an answer."""
        return self._wanted(status, headers)

    def fill(self, chunks: Iterable[bytes], headers: Mapping[str, str], url: str) -> None:
        """Receive the body; raises as `Transport.get`, or `RetryableError`."""
        for chunk in self._decoded(chunks, headers, url):
            if self._workspace <= len(chunk):
                raise IndexNonsense(shown(url), f"it goes on beyond {self._limit} bytes")
            self._taken.write(chunk)

    def whole(self) -> bytes:
        """Return the received body."""
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
        raise IndexUnavailable(shown(url), f"its encoding was not requested ({encoding[:40]})", CHECK_URL)

    def _gunzipped(self, chunks: Iterable[bytes], url: str) -> Iterator[bytes]:
        """Decompress gzip, one member after the other, holding no more than the body may."""
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
    """Pass a body of status 200 on as it arrives; resume a broken download where that is safe.

    It is safe where the server sent a strong validator, which then identifies the bytes that the rest belongs to.

    Args:
        sink: creates a receiver of chunks, for each start.

    Attributes:
        went_on: whether the last body was such a rest.
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
        """Request the rest, if there is a start that it fits (RFC 9110, section 13.1.5)."""
        return {"range": f"bytes={self._length}-", "if-range": self._tag} if self._goes_on else {}

    def wants(self, status: int, headers: Mapping[str, str], url: str) -> bool:
        """Return whether the body is the whole file, or the requested rest."""
        self.went_on = self._goes_on and status == 206 and content_range(headers)[0] == self._length
        if self.went_on:
            return True
        if self._goes_on and status in (206, 416):
            self._length = 0
            raise RetryableError(IndexUnavailable(shown(url), "its server sends other bytes than requested"))
        if status == 200:
            strong = re.fullmatch(r'"[!#-~]*"', headers.get("etag", ""))  # RFC 9110, section 8.8.3
            self._sink, self._length, self._tag = self._fresh(), 0, strong[0] if strong else ""
        return status == 200

    def fill(self, chunks: Iterable[bytes], headers: Mapping[str, str], url: str) -> None:  # noqa: ARG002 - as its base
        """Pass the chunks on."""
        assert self._sink is not None
        for chunk in chunks:
            self._sink(chunk)
            self._length += len(chunk)

    @property
    def _goes_on(self) -> bool:
        return bool(self._length and self._tag)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length in the headers, or None."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None, int | None]:
    """Return start, end (exclusive) and total of a Content-Range, None for each unknown part."""
    match = re.fullmatch(
        r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)", headers.get("content-range", "").strip()
    )
    if not match:
        return None, None, None
    start, last, total = (int(text) if text else None for text in match.groups())
    return start, None if last is None else last + 1, total


# -- what broke a request

_Rows: TypeAlias = tuple[tuple[type[Exception], str], ...]


def failure_of(error: Exception, url: str, *, proxied: bool) -> Exception:
    """Return the error for a broken request: retryable, or final where a retry cannot help.

    Args:
        error: what was raised.
        url: the requested URL.
        proxied: whether a proxy was asked, to which all connections are made then.
    """
    lasting = _permanent(error)
    if lasting is not None:
        return IndexUnavailable(shown(url), *lasting)
    return RetryableError(IndexUnavailable(shown(url), *_retryable(error, proxied=proxied)))


CHECK_PROXY = "Check the proxy in pip's configuration and the environment"
_PROXY_REFUSED = "the proxy refused ({})"


def _permanent(error: Exception) -> tuple[str, str] | None:
    """Return why every retry would fail as well, and what may help; None where one may succeed."""
    import httpx

    distrust = distrust_of(error)
    if distrust is not None:
        advice = "Check the clock of this machine and the certificates that pip's cert names"
        return f"its TLS certificate cannot be verified ({distrust})", advice
    refusal = _refusal_of(error)
    if refusal is not None:
        return (
            f"its server refuses the TLS connection ({refusal})",
            "Name a certificate that it accepts with pip's client-cert",
        )
    if isinstance(error, (httpx.ProxyError, httpx.UnsupportedProtocol)):
        return _PROXY_REFUSED.format(mask(str(error))), CHECK_PROXY
    return None


def distrust_of(error: Exception) -> str | None:
    """Return why a certificate was rejected; None where none was."""
    import ssl

    refusals = (cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next((cause.verify_message for cause in refusals), None)


_REFUSAL = pattern("_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|PROTOCOL_VERSION)")
"""Alerts by which a server says that it wants another client (RFC 8446, section 6.2), as OpenSSL names them."""


def _refusal_of(error: Exception) -> str | None:
    """Return why a server wants no connection with this client, such as one without a certificate; or None."""
    import ssl

    reasons = (cause.reason or "" for cause in _causes(error) if isinstance(cause, ssl.SSLError))
    found = next(filter(None, map(_REFUSAL.search, reasons)), None)
    return found[1].lower().replace("_", " ") if found else None


def _retryable(error: Exception, *, proxied: bool) -> tuple[str, ...]:
    """Describe a retryable failure, and what may help; its root cause says more than the error itself."""
    import socket
    import ssl

    import httpx

    if proxied and isinstance(error, httpx.ConnectError):
        unresolved = any(isinstance(cause, socket.gaierror) for cause in _causes(error))
        return f"its proxy {'has an unknown host name' if unresolved else 'cannot be reached'}", CHECK_PROXY
    of_causes: _Rows = (
        (ssl.SSLError, "the TLS connection failed"),
        (ConnectionRefusedError, "the connection was refused"),
    )
    of_itself: _Rows = (
        (httpx.ConnectError, "no connection could be made"),
        (httpx.RemoteProtocolError, "its answer was cut short or is not HTTP"),
    )
    if any(isinstance(cause, socket.gaierror) for cause in _causes(error)):
        return "its host name cannot be resolved", "Check its spelling and the network"
    return (_row(of_causes, _causes(error)) or _row(of_itself, [error]) or "the connection broke",)


def _row(rows: _Rows, errors: Iterable[BaseException]) -> str | None:
    found = tuple(errors)
    return next((why for kind, why in rows if any(isinstance(error, kind) for error in found)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
