"""HTTP for the index, and the only module that knows httpx: one request made whole or failed with one plain reason.

Retries, redirects, credentials, certificates, proxies and limits follow what pip honours. What an answer means is not
known here. Standards: RFC 9110 (semantics, ranges), RFC 9112, RFC 6585 (429).
"""

from __future__ import annotations

import random
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from wheelcheck.failures import CannotTell, IndexNonsense, IndexUnavailable, NotAuthorized, TimedOut, UsageError
from wheelcheck.urls import mask, shown
from wheelcheck.values import field, record

if TYPE_CHECKING:
    import ssl

    import httpx

PAGE_LIMIT = 256 * 2**20
MOST_REDIRECTS = 20
MOST_RETRIES = 3
FIRST_PAUSE = 0.25
"""Seconds before the first retry; each further pause is twice as long, and jitter is added."""

SLOWEST = 16 * 2**10
"""Bytes a second below which a body that keeps arriving is given up, once the deadline is over."""

_DRAINED = 64 * 2**10
_PASSING = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Origin: TypeAlias = "tuple[str, str, int | None]"
Sink: TypeAlias = Callable[[bytes], None]
Wanted: TypeAlias = Callable[[int, Mapping[str, str]], bool]
_Rows: TypeAlias = tuple[tuple[type[Exception], str], ...]


@record
class TransportOptions:
    """How an index is reached, in pip's terms.

    Attributes:
        timeout: seconds without a sign of life; a request as a whole gets twice that, and more while bytes arrive.
        retries: further tries of a request that failed in a way that may pass; at most `MOST_RETRIES` are made.
        trusted_hosts: ``host`` or ``host:port``, reached over plain http or with a certificate that proves nothing.
        cert: a file or directory of certificates to trust instead of the system's.
        client_cert: a file with the client's certificate and key.
        proxy: the URL of a proxy for everything; the environment decides where it is None.
        user_agent: how servers are told who asks.
    """

    timeout: float = 15
    retries: int = 3
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)
    user_agent: str = "wheelcheck"


class Credentials(NamedTuple):
    """A user and a password, for one origin only."""

    user: str
    password: str


class Login(NamedTuple):
    """Credentials, and the URL that they were given with, whose origin is theirs."""

    url: str
    credentials: Credentials


@record
class Answer:
    """One HTTP answer after redirects. `url` has no credentials; header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def failure(self) -> CannotTell:
        """Why nothing can be told from this answer, for a status that its reader has no use for."""
        if self.status in (401, 403):
            return NotAuthorized(shown(self.url), self.status)
        return IndexUnavailable(shown(self.url), f"HTTP {self.status}")


class _PassingError(Exception):
    """A try that failed in a way that may pass; `outcome` is what to say if no other try is made."""

    def __init__(self, outcome: CannotTell | Answer, pause: float | None = None) -> None:
        self.outcome = outcome
        self.pause = pause

    def final(self) -> Answer:
        """The answer after all, or the failure raised."""
        if isinstance(self.outcome, CannotTell):
            raise self.outcome from None
        return self.outcome


class _Question(NamedTuple):
    """What is asked; `body` gives a fresh taker of the body for each try."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Callable[[], _Body]
    wanted: Wanted
    login: Login | None


class _Deadline:
    """The end of a request, moved on by every byte that arrives at more than a trickle."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url, self.timeout = url, timeout
        self.end = time.monotonic() + 2 * timeout

    def left(self) -> float:
        return self.end - time.monotonic()

    def step(self) -> float:
        """The seconds that the next thing may take."""
        return max(0.001, min(self.timeout, self.left()))

    def arrived(self, length: int) -> None:
        self.end += length / SLOWEST
        if self.left() <= 0:
            raise self.failure()

    def failure(self) -> TimedOut:
        return TimedOut(shown(self.url), self.timeout)


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """A URL without its user and password, and those."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Credentials(unquote(user), unquote(password))


def origin_of(url: str) -> Origin:
    """Scheme, host and port: who gets what is meant for this URL. Raises ValueError for a port that is no number."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _credentials_for(url: str, first: Login | None, others: Sequence[Login]) -> Credentials | None:
    """Those of the first login if it is for the origin of the URL, else of the one whose URL begins most like it."""
    logins = [login for login in others if origin_of(login.url) == origin_of(url)]
    if first is not None and origin_of(first.url) == origin_of(url):
        return first.credentials
    nearest = max(logins, key=lambda login: _shared(urlsplit(login.url).path, urlsplit(url).path), default=None)
    return nearest.credentials if nearest else None


def _shared(path: str, other: str) -> int:
    """How many characters two paths begin with alike."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(path, other, strict=False))
    return sum(1 for _ in alike)


class Transport:
    """Makes requests from any thread; nothing is imported or opened before the first one.

    Args:
        options: how the index is reached.
        connections: the most connections at once.
        logins: what is known of servers; those in a URL and those of netrc are found by themselves.
    """

    def __init__(
        self,
        options: TransportOptions,
        *,
        connections: int = 20,
        logins: Sequence[Login] = (),
    ) -> None:
        self.options = options
        self.requests = 0
        self.bytes = 0
        self._connections = connections
        self._logins = tuple(logins)
        self._clients: dict[bool, httpx.Client] = {}
        self._deadlines: dict[int, _Deadline] = {}
        self._netrc: Any = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._users = 0

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = PAGE_LIMIT,
        wanted: Wanted | None = None,
        login: Login | None = None,
    ) -> Answer:
        """An answer with its whole body, content encoding undone.

        Args:
            url: http or https; credentials in it are sent to its origin only.
            headers: names in lower case.
            limit: the most bytes of the body, decoded.
            wanted: whether a status with these headers has a body that is worth reading; by default that of 200 is.
            login: what goes before every other login of its origin, also after a redirect.

        Raises:
            IndexUnavailable: no connection, or one that broke, or an answer that breaks its own promises.
            IndexNonsense: a body beyond the limit.
            TimedOut: no answer in time.
        """
        return self._answered(_Question("GET", url, headers or {}, lambda: _Body(limit), wanted or _is_ok, login))

    def head(self, url: str, *, headers: Mapping[str, str] | None = None, login: Login | None = None) -> Answer:
        """The status and headers that a `get` would have; raises as `get` does."""
        return self._answered(_Question("HEAD", url, headers or {}, lambda: _Body(0), _is_nothing, login))

    def download(self, url: str, sink: Callable[[], Sink], *, login: Login | None = None) -> Answer:
        """Streams a body of status 200 as it is on the wire; `sink` gives a fresh taker of chunks for each try."""
        headers = {"accept-encoding": "identity"}
        return self._answered(_Question("GET", url, headers, lambda: _Stream(sink()), _is_ok, login))

    def overdue(self, thread: int) -> TimedOut | None:
        """The failure of a thread's request that outlives its deadline where no time-out reaches, such as DNS."""
        deadline = self._deadlines.get(thread)
        return deadline.failure() if deadline and deadline.left() < -self.options.timeout - 1 else None

    def close(self) -> None:
        """Ends what is under way at its next sign of life, without waiting; the last one closes the connections."""
        with self._using():
            self._closed.set()

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Keeps the connections open: closing one that another thread is about to use would lose it."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                over = self._closed.is_set() and not self._users
                clients = list(self._clients.values()) if over else []
            for client in clients:
                client.close()

    # -- tries

    def _answered(self, question: _Question) -> Answer:
        deadline = self._deadlines[threading.get_ident()] = _Deadline(question.url, self.options.timeout)
        try:
            with self._using():
                return self._retried(question, deadline)
        finally:
            del self._deadlines[threading.get_ident()]

    def _retried(self, question: _Question, deadline: _Deadline) -> Answer:
        retries = min(max(self.options.retries, 0), MOST_RETRIES)
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
        return float(FIRST_PAUSE * 2**attempt * (1 + random.random()))  # noqa: S311 - jitter, not a secret

    def _tried(self, question: _Question, deadline: _Deadline) -> Answer | _PassingError:
        try:
            return self._redirected(question, deadline)
        except _PassingError as failed:
            return failed

    def _redirected(self, question: _Question, deadline: _Deadline) -> Answer:
        url, body = question.url, question.body()
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._once(url, question, body, deadline)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            try:
                url = urljoin(answer.url, location)
            except ValueError:
                raise IndexUnavailable(shown(answer.url), "it redirects to a malformed address") from None
            deadline.arrived(0)
        raise IndexUnavailable(shown(question.url), f"it redirects more than {MOST_REDIRECTS} times")

    def _once(self, url: str, question: _Question, body: _Body, deadline: _Deadline) -> Answer:
        import httpx

        request, client = self._request(url, question, deadline)
        bare = split_credentials(url)[0]
        self._count()
        try:
            response = client.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return _answer(response, bare, question.wanted, body, deadline, partial(self._count_bytes, bare))
            finally:
                response.close()
                if self._closed.is_set():  # the pool is closed already and would leave the connection open
                    response.extensions["network_stream"].close()
        except httpx.TimeoutException:
            raise _PassingError(deadline.failure()) from None
        except httpx.HTTPError as error:
            raise _failure(error, bare) from None

    def _request(self, url: str, question: _Question, deadline: _Deadline) -> tuple[httpx.Request, httpx.Client]:
        import httpx

        try:
            bare, credentials = split_credentials(url)
            client = self._client_for(bare)
            headers = dict(question.headers) | self._authorization(bare, credentials, question.login)
            return client.build_request(question.method, bare, headers=headers, timeout=deadline.step()), client
        except (httpx.InvalidURL, ValueError):
            raise IndexUnavailable(shown(url), "its address is malformed") from None

    # -- clients

    def _client_for(self, url: str) -> httpx.Client:
        """One client for verified TLS, another for hosts that need not prove who they are."""
        scheme, host, port = origin_of(url)
        if scheme not in ("http", "https") or not host:
            raise IndexUnavailable(shown(url), "its address is neither http nor https")
        trusted = _is_trusted(host, port, self.options.trusted_hosts)
        if scheme == "http" and not trusted and not _is_loopback(host):
            raise IndexUnavailable(shown(url), "it is plain http, and its host is not among pip's trusted hosts")
        verified = scheme == "https" and not trusted
        self._check_open(url)
        with self._lock:
            client = self._clients.get(verified)
            if client is None:
                client = self._clients[verified] = self._client(verified)
        return client

    def _client(self, verified: bool) -> httpx.Client:
        import httpx

        try:
            return httpx.Client(
                verify=_context(self.options, verified),
                proxy=self.options.proxy or None,
                limits=httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections),
                headers={"user-agent": self.options.user_agent, "accept-encoding": "gzip"},
            )
        except ImportError as error:
            raise UsageError(
                f"The configured proxy needs a package that is not installed: {mask(str(error))}"
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise UsageError(_bad_proxy(self.options.proxy)) from None

    def _authorization(self, url: str, credentials: Credentials | None, login: Login | None) -> dict[str, str]:
        from base64 import b64encode

        credentials = credentials or _credentials_for(url, login, self._logins) or self._from_netrc(url)
        if credentials is None:
            return {}
        return {"authorization": "Basic " + b64encode(":".join(credentials).encode()).decode()}

    def _from_netrc(self, url: str) -> Credentials | None:
        with self._lock:
            if self._netrc is None:
                self._netrc = _read_netrc()
        found = self._netrc.authenticators(urlsplit(url).hostname or "") if self._netrc else None
        return Credentials(found[0] or "", found[2] or "") if found else None

    def _count(self) -> None:
        with self._lock:
            self.requests += 1

    def _count_bytes(self, url: str, length: int) -> None:
        with self._lock:
            self.bytes += length
        self._check_open(url)

    def _check_open(self, url: str) -> None:
        if self._closed.is_set():
            raise IndexUnavailable(shown(url), "asking was ended")


def _bad_proxy(proxy: str | None) -> str:
    if not proxy:
        return "A proxy that the environment names has a malformed URL; give one such as http://host:3128."
    named = mask(proxy) if "://" in proxy else mask(f"//://{proxy}").removeprefix("//://")
    return f"The configured proxy {named} is not the URL of a proxy; give one such as http://host:3128."


def _read_netrc() -> Any:
    """The user's netrc file, or False where there is none that can be read."""
    import netrc
    import os
    from pathlib import Path

    named = os.environ.get("NETRC")
    places = [Path(named)] if named else [Path.home() / name for name in (".netrc", "_netrc")]
    found = next((place for place in places if place.is_file()), None)
    try:
        return netrc.netrc(found) if found else False
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False


def _context(options: TransportOptions, verified: bool) -> ssl.SSLContext:
    import ssl

    try:
        context = _verifying(options.cert) if verified else _unverifying()
    except (OSError, ssl.SSLError):
        raise UsageError(f"The certificates in {options.cert} cannot be read; name another file with --cert.") from None
    if options.client_cert:
        try:
            context.load_cert_chain(options.client_cert)
        except (OSError, ssl.SSLError):
            raise UsageError(
                f"The client certificate {options.client_cert} cannot be read; it must hold a certificate and its key."
            ) from None
    return context


def _verifying(cert: str | None) -> ssl.SSLContext:
    """Trusts what is named, by option or in the variables that pip honours; else the system and certifi."""
    import os
    import ssl

    named = cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if named:
        is_folder = os.path.isdir(named)  # noqa: PTH112 - a string from outside, only asked about
        return ssl.create_default_context(cafile=None if is_folder else named, capath=named if is_folder else None)
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _unverifying() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_trusted(host: str, port: int | None, trusted: tuple[str, ...]) -> bool:
    for entry in trusted:
        parts = _authority(entry)
        try:
            if (parts.hostname or "").lower() == host and parts.port in (None, port):
                return True
        except ValueError:
            continue
    return False


def _authority(entry: str) -> SplitResult:
    bare = f"[{entry}]" if entry.count(":") > 1 and "[" not in entry else entry
    return urlsplit(f"//{bare}")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127\.\d+\.\d+\.\d+", host))


# -- one answer


class _Body:
    """Takes a body up to a limit, undoing gzip as it comes."""

    decodes = True

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._chunks: list[bytes] = []
        self._length = 0

    def take(self, chunk: bytes, url: str) -> None:
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._length > self._limit:
            raise IndexNonsense(shown(url), f"it goes on beyond {self._limit} bytes")

    @property
    def room(self) -> int:
        return self._limit - self._length + 1

    def whole(self) -> bytes:
        return b"".join(self._chunks)


class _Stream(_Body):
    """Hands a body on as it is."""

    decodes = False

    def __init__(self, sink: Sink) -> None:
        super().__init__(0)
        self._sink = sink

    def take(self, chunk: bytes, url: str) -> None:  # noqa: ARG002 - of the shape of its base
        self._sink(chunk)


def _answer(
    response: httpx.Response,
    url: str,
    wanted: Wanted,
    body: _Body,
    deadline: _Deadline,
    note: Callable[[int], None],
) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    bare = Answer(url=url, status=response.status_code, headers=headers)
    if wanted(bare.status, headers):
        for chunk in _decoded(_arriving(response, deadline, note), headers, body, url):
            body.take(chunk, url)
        return Answer(url=url, status=bare.status, headers=headers, body=body.whole())
    if response.request.method != "HEAD":
        _drain(response, headers, deadline, note)
    if bare.status in _PASSING:
        raise _PassingError(bare, _retry_after(headers))
    return bare


def _arriving(response: httpx.Response, deadline: _Deadline, note: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in response.iter_raw():
        note(len(chunk))
        deadline.arrived(len(chunk))
        yield chunk


def _drain(
    response: httpx.Response, headers: Mapping[str, str], deadline: _Deadline, note: Callable[[int], None]
) -> None:
    """Reads a short body that nobody wants, so that its connection can be used again."""
    if headers.get("content-length", "").isdigit() and int(headers["content-length"]) <= _DRAINED:
        for _ in _arriving(response, deadline, note):
            pass


def _decoded(chunks: Iterator[bytes], headers: Mapping[str, str], body: _Body, url: str) -> Iterator[bytes]:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity") or not body.decodes:
        return chunks
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(chunks, body, url)
    raise IndexUnavailable(shown(url), f"it is encoded in a way that was not asked for ({encoding[:40]})")


def _gunzipped(chunks: Iterator[bytes], body: _Body, url: str) -> Iterator[bytes]:
    """Undoes gzip, one member after the other, never holding more than the body has room for."""
    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            while chunk:
                if member.eof:
                    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                yield member.decompress(chunk, body.room)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error:
        raise _PassingError(IndexUnavailable(shown(url), "its gzip encoding is damaged")) from None
    if not member.eof:
        raise _PassingError(IndexUnavailable(shown(url), "its body is cut short"))


def _is_ok(status: int, headers: Mapping[str, str]) -> bool:  # noqa: ARG001 - one of several of this shape
    return status == 200


def _is_nothing(status: int, headers: Mapping[str, str]) -> bool:  # noqa: ARG001 - one of several of this shape
    return False


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _failure(error: Exception, url: str) -> Exception:
    """What broke, in plain words; failures that another try cannot mend are final."""
    lasting = _lasting(error)
    if lasting is not None:
        return IndexUnavailable(shown(url), lasting)
    return _PassingError(IndexUnavailable(shown(url), _passing(error)))


def _lasting(error: Exception) -> str | None:
    """Why every other try would fail as well; None where one may succeed."""
    import ssl

    import httpx

    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return "its TLS certificate cannot be verified"
    if isinstance(error, (httpx.ProxyError, httpx.UnsupportedProtocol)):
        return f"the proxy refused ({mask(str(error))})"
    if isinstance(error, httpx.RemoteProtocolError) and "location" in str(error):
        return "it redirects to a malformed address"
    return None


def _passing(error: Exception) -> str:
    """The first row that fits: what is at the bottom of an error says more than the error itself."""
    import socket
    import ssl

    import httpx

    of_causes: _Rows = (
        (ssl.SSLError, "the TLS connection failed"),
        (socket.gaierror, "its host name cannot be resolved"),
        (ConnectionRefusedError, "the connection was refused"),
    )
    of_itself: _Rows = (
        (httpx.ConnectError, "no connection could be made"),
        (httpx.RemoteProtocolError, "its answer was cut short or is not HTTP"),
    )
    return _row(of_causes, _causes(error)) or _row(of_itself, [error]) or "the connection broke"


def _row(rows: _Rows, errors: Iterable[BaseException]) -> str | None:
    found = tuple(errors)
    return next((why for kind, why in rows if any(isinstance(error, kind) for error in found)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
