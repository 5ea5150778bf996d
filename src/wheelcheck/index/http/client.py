"""The HTTP client: each request is answered whole, or fails with one plain reason. Only this room knows httpx.

Retries, redirects, credentials, certificates, proxies and limits follow pip. What an answer means is up to the caller.
Standards: RFC 9110 (semantics, ranges), RFC 9112, RFC 6585 (429).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from wheelcheck.common.errors import IndexUnavailable, TimedOut, UsageError
from wheelcheck.common.records import record, replace
from wheelcheck.common.urls import mask, shown, url_fault
from wheelcheck.index.http.auth import Credentials, Login, Logins, Origin, origin_of, split_credentials
from wheelcheck.index.http.connections import Connection, Connections
from wheelcheck.index.http.options import MAX_RETRIES, PAGE_LIMIT, TransportOptions
from wheelcheck.index.http.responses import (
    CHECK_URL,
    Answer,
    Body,
    RetryableError,
    Sink,
    Stream,
    Wanted,
    content_length,
    distrust_of,
    failure_of,
)
from wheelcheck.index.http.tls_and_proxy import (
    bad_proxy_message,
    is_loopback,
    is_trusted,
    named_certificates,
    proxy_from_environment,
    ssl_context,
)

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = [
    "Answer",
    "Credentials",
    "Login",
    "Origin",
    "Sink",
    "Transport",
    "TransportOptions",
    "origin_of",
    "split_credentials",
]

MAX_REDIRECTS = 20
FIRST_PAUSE = 0.25
"""Seconds before the first retry; each further pause doubles, with jitter."""

MAX_TIMEOUTS = 20
"""A page is abandoned after this many time-outs, however steadily it arrives."""

MAX_TIMEOUTS_OF_FILE = 120
"""A file is abandoned after this many time-outs, which is half an hour by default."""

MEAN_BYTES_PER_SECOND = 256 * 2**10
"""By how much a file may take longer than a page: the time in which its bytes would arrive at this rate."""

MIN_BYTES_PER_SECOND = 16 * 2**10
"""A body that arrives more slowly is abandoned once the deadline is over."""

_DRAINED = 64 * 2**10
_PASSING = frozenset({429, 500, 502, 503, 504, 520, 524, 527})
_WATCHED_EVERY = 0.5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@record(kw_only=False)
class _Question:
    """A request; `body` creates a new receiver of the body for each attempt."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Callable[[], Body]
    login: Login | None


class _Deadline:
    """The deadline of a request with all its attempts, redirects and pauses.

    It is at twice the time-out. Bytes that arrive faster than a trickle extend it, but never beyond `most` seconds.
    Time-outs end silence; a connection that sends something other than a body is shut down.

    Args:
        url: how errors name the request.
        timeout: seconds of silence.
        most: seconds from the start.
    """

    def __init__(self, url: str, timeout: float, most: float = math.inf) -> None:
        self.url, self.timeout = url, timeout
        now = time.monotonic()
        self._end, self._last = now + 2 * timeout, now + most
        self.most = most
        self.connection: Connection | None = None

    def left(self) -> float:
        """Return the seconds left, negative once it is over."""
        return min(self._end, self._last) - time.monotonic()

    def step(self) -> float:
        """Return the seconds that the next step may take."""
        return max(0.001, min(self.timeout, self.left()))

    def expect(self, length: int) -> None:
        """Put the end off for a body of a file of this length."""
        longest = self._last - self.most + MAX_TIMEOUTS_OF_FILE * self.timeout
        self._last = min(self._last + length / MEAN_BYTES_PER_SECOND, longest)

    def arrived(self, length: int) -> None:
        """Extend the deadline by the bytes of a body that arrived; raise once it is over."""
        self._end += length / MIN_BYTES_PER_SECOND
        if self.left() <= 0:
            raise self.failure()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock for something with a time limit of its own."""
        ends, began = (self._end, self._last), time.monotonic()
        self._end = self._last = math.inf
        try:
            yield
        finally:
            self._end, self._last = (end + time.monotonic() - began for end in ends)

    def hang_up(self) -> None:
        """Shut down the connection under the thread that reads from it."""
        connection = self.connection
        if connection is not None:
            connection.hang_up()

    def failure(self) -> TimedOut:
        """Return the error for a deadline that is over."""
        return TimedOut(shown(self.url), self.most if self._last <= time.monotonic() else self.timeout)


class Transport:
    """Make requests from any thread; nothing is imported or opened before the first one.

    Args:
        options: how the index is reached.
        connections: the maximum number of connections.
        logins: finds credentials; by default those in URLs, in netrc and in the keyring.
    """

    def __init__(self, options: TransportOptions, *, connections: int = 20, logins: Logins | None = None) -> None:
        self.options = options
        self.requests = 0
        self.bytes = 0
        self._logins = logins or Logins((), keyring=options.keyring_provider)
        self._connections = Connections(connections)
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._narrow = False
        self._allowed: set[Origin] = set()
        self._deadlines: dict[int, _Deadline] = {}
        self._watcher: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._headers = {
            "accept": "*/*",
            "accept-encoding": "gzip",
            "connection": "keep-alive",
            "user-agent": options.user_agent,
        }

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = PAGE_LIMIT,
        wanted: Wanted | None = None,
        login: Login | None = None,
    ) -> Answer:
        """Return an answer with its whole body, decoded.

        Args:
            url: http or https; credentials in it are sent to its origin only.
            headers: names in lower case.
            limit: the maximum size of the decoded body.
            wanted: returns whether to read the body, given status and headers; by default for status 200.
            login: a login that precedes all others of its origin, also after a redirect.

        Raises:
            IndexUnavailable: no connection, a broken one, or an answer that violates the protocol.
            IndexNonsense: the body exceeds the limit.
            TimedOut: no answer in time.
        """
        return self._answered(
            "GET",
            url,
            headers or {},
            lambda: Body(limit, wanted or (lambda status, _: status == 200)),
            login,
            self._most,
        )

    def head(self, url: str, *, headers: Mapping[str, str] | None = None, login: Login | None = None) -> Answer:
        """Return status and headers as `get` would; raises as `get` does."""
        return self._answered("HEAD", url, headers or {}, lambda: Body(0, lambda *_: False), login, self._most)

    def download(
        self, url: str, sink: Callable[[], Sink], *, login: Login | None = None, size: int | None = None
    ) -> Answer:
        """Stream a body of status 200 as it is on the wire; raises as `get` does, and what a sink raises.

        After a broken attempt, the download is resumed where the server allows it safely, otherwise restarted.

        Args:
            url, login: as for `get`.
            sink: creates a receiver of chunks, for each start.
            size: the length of the file, as far as it is known. It may take longer the longer it is, up to
                `MAX_TIMEOUTS_OF_FILE`.
        """
        body = Stream(sink)
        most = min(self._most + (size or 0) / MEAN_BYTES_PER_SECOND, MAX_TIMEOUTS_OF_FILE * self.options.timeout)
        answer = self._answered("GET", url, {"accept-encoding": "identity"}, lambda: body, login, most)
        return Answer(url=answer.url, status=200, headers=answer.headers) if body.went_on else answer

    def overdue(self, thread: int) -> TimedOut | None:
        """Return the error for a thread's request that outlives its deadline where no time-out applies, such as DNS."""
        deadline = self._deadlines.get(thread)
        return deadline.failure() if deadline and deadline.left() < -self.options.timeout - 1 else None

    def close(self) -> None:
        """Close every connection; running requests end at their next activity."""
        self._closed.set()
        self._connections.close()

    # -- tries

    @property
    def _most(self) -> float:
        return MAX_TIMEOUTS * self.options.timeout

    def _answered(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Callable[[], Body],
        login: Login | None,
        most: float,
    ) -> Answer:
        question = _Question(method, url, headers, body, login)
        deadline = self._deadlines[threading.get_ident()] = _Deadline(url, self.options.timeout, most)
        if self._watcher is None:
            with self._lock:
                if self._watcher is None:
                    self._watcher = threading.Thread(target=self._watch, name="wheelcheck-deadlines", daemon=True)
                    self._watcher.start()
        try:
            return self._retried(question, deadline)
        finally:
            del self._deadlines[threading.get_ident()]

    def _watch(self) -> None:
        """Shut down connections that are kept alive beyond the end of their request."""
        while not self._closed.wait(_WATCHED_EVERY):
            for deadline in list(self._deadlines.values()):
                if deadline.left() <= 0:
                    deadline.hang_up()

    def _retried(self, question: _Question, deadline: _Deadline) -> Answer:
        retries = min(max(self.options.retries, 0), MAX_RETRIES)
        for attempt in count():
            outcome = self._tried(question, deadline)
            if isinstance(outcome, Answer):
                return outcome
            pause = self._pause(attempt, outcome.pause)
            if attempt == retries or deadline.left() <= pause or self._closed.wait(pause):
                return outcome.final()
        raise AssertionError

    def _pause(self, attempt: int, wanted: float | None) -> float:
        if wanted is not None:
            return min(wanted, self.options.timeout)
        from random import random

        return float(FIRST_PAUSE * 2**attempt * (1 + random()))  # noqa: S311 - jitter, not a secret

    def _tried(self, question: _Question, deadline: _Deadline) -> Answer | RetryableError:
        try:
            return self._redirected(question, deadline)
        except RetryableError as failed:
            return failed

    def _redirected(self, question: _Question, deadline: _Deadline) -> Answer:
        url, body = question.url, question.body()
        sent: dict[str, Credentials] = {}
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._authorized(url, question, body, deadline, sent)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return replace(answer, sent=sent) if sent else answer
            try:
                url = urljoin(answer.url, location.encode("latin-1").decode("utf-8", "replace"))
            except ValueError:
                raise IndexUnavailable(shown(answer.url), "it redirects to a malformed address", CHECK_URL) from None
            deadline.arrived(0)
        raise IndexUnavailable(shown(question.url), f"it redirects more than {MAX_REDIRECTS} times", CHECK_URL)

    def _authorized(
        self, url: str, question: _Question, body: Body, deadline: _Deadline, sent: dict[str, Credentials]
    ) -> Answer:
        """Return the answer to a request; after a 401, the answer to one with the keyring's credentials.

        What was sent with the last of them is noted in `sent`.
        """
        try:
            bare, inline = split_credentials(url)
            fault = url_fault(bare)
            origin = origin_of(bare) if fault is None else None
        except ValueError:
            fault, origin = "its address is malformed", None
        if fault is not None or origin is None:
            raise IndexUnavailable(shown(url), fault or "its address is malformed", CHECK_URL)
        self._check_allowed(origin, bare)
        for _ in range(2):
            credentials = self._logins.find(bare, inline, question.login)
            answer = self._once(bare, origin, credentials, question, body, deadline)
            if credentials is not None:
                sent[bare] = credentials
            if answer.status != 401:
                break
            with deadline.paused():
                if not self._logins.has_others(bare, inline, question.login, credentials):
                    break
        return answer

    def _once(
        self,
        url: str,
        origin: Origin,
        credentials: Credentials | None,
        question: _Question,
        body: Body,
        deadline: _Deadline,
    ) -> Answer:
        import httpx

        request = self._request(url, credentials, question, body, deadline)
        connection = self._connections.take(origin) or self._connection(origin)
        request.extensions["trace"] = connection.watch
        deadline.connection = connection
        with self._lock:
            self.requests += 1
        try:
            response = self._sent(connection.client, request)
            try:
                return _answer(response, url, question, body, deadline, partial(self._count_bytes, url))
            finally:
                response.close()
        except httpx.HTTPError as error:
            if deadline.left() <= 0:
                raise deadline.failure() from None
            if isinstance(error, httpx.TimeoutException):
                raise RetryableError(deadline.failure()) from None
            raise failure_of(error, url, proxied=connection.proxied) from None
        except ValueError:
            raise IndexUnavailable(shown(url), "its address is malformed", CHECK_URL) from None
        finally:
            deadline.connection = None
            self._connections.give(origin, connection)

    def _sent(self, client: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        """Send a request; retry where only the system's certificates can verify the server."""
        import httpx

        narrow = self._narrow
        try:
            return client.handle_request(request)
        except httpx.ConnectError as error:
            if not narrow or distrust_of(error) is None:
                raise
        # load the system's certificates, which takes longer than anything else before a first answer, so only on
        # demand
        with self._lock:
            if self._narrow:
                self._contexts[True].load_default_certs()
            self._narrow = False
        return client.handle_request(request)

    def _request(
        self, url: str, credentials: Credentials | None, question: _Question, body: Body, deadline: _Deadline
    ) -> httpx.Request:
        import httpx

        headers = {**self._headers, **question.headers, **body.headers}
        if credentials is not None:
            headers["authorization"] = credentials.header
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), deadline.step())
        try:
            return httpx.Request(question.method, url, headers=pairs, extensions={"timeout": timeouts})
        except httpx.InvalidURL:
            raise IndexUnavailable(shown(url), "its address is malformed", CHECK_URL) from None

    # -- connections

    def _check_allowed(self, origin: Origin, url: str) -> None:
        """Raise unless the origin may be contacted and the transport is open."""
        if self._closed.is_set():
            raise IndexUnavailable(shown(url), "the connection was closed")
        if origin in self._allowed:
            return
        scheme, host, port = origin
        if scheme not in ("http", "https") or not host:
            raise IndexUnavailable(shown(url), "its address is neither http nor https", CHECK_URL)
        trusted = is_trusted(host, port, self.options.trusted_hosts)
        if scheme == "http" and not trusted and not is_loopback(host):
            why = "it is plain http, and its host is not among pip's trusted hosts"
            raise IndexUnavailable(shown(url), why, "Use https, or add the host to trusted-host in pip's configuration")
        self._allowed.add(origin)

    def _connection(self, origin: Origin) -> Connection:
        import httpx

        scheme, host, port = origin
        verified = scheme == "https" and not is_trusted(host, port, self.options.trusted_hosts)
        proxy = self.options.proxy or proxy_from_environment(origin)
        try:
            client = httpx.HTTPTransport(
                verify=self._context(verified=verified),
                proxy=self._proxy(proxy) if proxy else None,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            )
            return Connection(client, proxied=bool(proxy))
        except ImportError as error:
            raise UsageError(
                f"The configured proxy needs a package that is not installed: {mask(str(error))}"
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise UsageError(bad_proxy_message(self.options.proxy)) from None

    def _proxy(self, url: str) -> httpx.Proxy:
        import httpx

        named = url if "://" in url or url == self.options.proxy else f"http://{url}"
        parts = urlsplit(named)
        if parts.query or parts.fragment or "@" in parts.path:  # a password with a "#", "?" or "/" that is not escaped
            raise ValueError(named)
        context = self._context(verified=True) if named.lower().startswith("https:") else None
        return httpx.Proxy(named, ssl_context=context)

    def _context(self, *, verified: bool) -> ssl.SSLContext:
        """Return the TLS context for verified or unverified hosts; certificates are read on demand."""
        with self._lock:
            context = self._contexts.get(verified)
            if context is None:
                context = self._contexts[verified] = ssl_context(self.options, verified)
                self._narrow = self._narrow or (verified and not named_certificates(self.options))
        return context

    def _count_bytes(self, url: str, length: int) -> None:
        with self._lock:
            self.bytes += length
        if self._closed.is_set():
            raise IndexUnavailable(shown(url), "the connection was closed")


def load() -> None:
    """Load the whole HTTP client, of which httpx leaves a part to the first transport."""
    import httpx

    httpx.HTTPTransport(verify=False).close()


# -- one answer


def _answer(
    response: httpx.Response,
    url: str,
    question: _Question,
    body: Body,
    deadline: _Deadline,
    note: Callable[[int], None],
) -> Answer:
    status, headers = response.status_code, _headers_of(response)
    if body.wants(status, headers, url):
        if isinstance(body, Stream):
            deadline.expect(content_length(headers) or 0)
        body.fill(_arriving(response, deadline, note), headers, url)
        return Answer(url=url, status=status, headers=headers, body=body.whole())
    if question.method != "HEAD":
        # read a short unwanted body, so that its connection can be reused
        length = content_length(headers)
        if length is not None and length <= _DRAINED:
            for _ in _arriving(response, deadline, note):
                pass
    bare = Answer(url=url, status=status, headers=headers)
    if status in _PASSING:
        raise RetryableError(bare, _retry_after(headers, time.time()))
    return bare


def _headers_of(response: httpx.Response) -> dict[str, str]:
    """Return the headers with names in lower case and duplicates joined by commas (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _arriving(response: httpx.Response, deadline: _Deadline, note: Callable[[int], None]) -> Iterator[bytes]:
    import httpx

    assert isinstance(response.stream, httpx.SyncByteStream)
    for chunk in response.stream:
        note(len(chunk))
        deadline.arrived(len(chunk))
        yield chunk


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Parse Retry-After into seconds (RFC 9110, section 10.2.3)."""
    from wheelcheck.index.http.cache_control import http_date

    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    date = http_date(text, now)
    return None if date is None else max(0.0, date - now)
