"""One request against a real server that does everything a server can do wrong."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from base64 import b64encode
from contextlib import contextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

import loopback
from certificates import certificate_of
from loopback import Server, serve
from wheelcheck.common.errors import IndexUnavailable, NotAuthorized, TimedOut, UndeterminedError, UsageError
from wheelcheck.common.records import replace
from wheelcheck.index.http import client as transport
from wheelcheck.index.http.auth import Logins
from wheelcheck.index.http.client import Answer, Credentials, Login, Transport, TransportOptions, split_credentials
from wheelcheck.index.http.tls_and_proxy import proxy_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = b"all of it " * 5000
IMPATIENT = TransportOptions(timeout=0.4, retries=0)
PATIENT = TransportOptions(timeout=60, retries=3)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.01)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as it:
        it.add("/thing", BODY, "text/plain")
        yield it


def get(url: str, options: TransportOptions = PATIENT, **how: object) -> Answer:
    asking = Transport(options)
    try:
        return asking.get(url, **how)  # type: ignore[arg-type]
    finally:
        asking.close()


def failure(url: str, options: TransportOptions = IMPATIENT, **how: object) -> UndeterminedError:
    with pytest.raises(UndeterminedError) as caught:
        get(url, options, **how)
    assert str(caught.value)
    return caught.value


@pytest.mark.parametrize("compressed", [True, False])
def test_a_body_arrives_whole(server: Server, compressed: bool) -> None:
    server.gzip = compressed
    answer = get(f"{server.url}/thing", headers={"x-said": "so"})
    assert (answer.status, answer.body, answer.url) == (200, BODY, f"{server.url}/thing")
    assert answer.headers["content-type"] == "text/plain"
    (request,) = server.requests
    assert request.headers["x-said"] == "so"
    assert request.headers["user-agent"] == "wheelcheck"
    assert request.headers["accept-encoding"] == "gzip"


def test_counters_count_what_went_over_the_wire(server: Server) -> None:
    asking = Transport(PATIENT)
    for _ in range(2):
        asking.get(f"{server.url}/thing")
    assert (asking.requests, asking.bytes) == (2, 2 * len(gzip.compress(BODY)))
    asking.close()


def test_gzip_of_several_members_is_one_body(server: Server) -> None:
    both = gzip.compress(b"one ") + gzip.compress(b"two")
    server.fault("/thing", loopback.body(both, content_encoding="gzip"))
    assert get(f"{server.url}/thing").body == b"one two"


UNAVAILABLE = {
    "500": (loopback.status(500), "HTTP 500"),
    "418": (loopback.status(418), "HTTP 418"),
    "reset at once": (loopback.reset(), "connection broke"),
    "reset in the middle": (
        loopback.reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
        "connection broke|cut short",
    ),
    "hung up": (loopback.raw(b""), "cut short or is not HTTP"),
    "truncated": (loopback.truncated(), "cut short"),
    "truncated gzip": (loopback.truncated_gzip(), "cut short"),
    "no gzip": (loopback.bad_gzip(), "gzip encoding is damaged"),
    "another encoding": (loopback.body(b"x", content_encoding="br"), "not requested"),
    "not http": (loopback.raw(b"SSH-2.0-OpenSSH_9\r\n"), "not HTTP"),
    "a length that is none": (
        loopback.raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx"),
        "cut short or is not HTTP",
    ),
    "a header without end": (loopback.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "not HTTP|broke"),
    "redirected in a circle": (loopback.redirect("/thing"), "more than 20 times"),
    "redirected to a file": (loopback.redirect("file:///etc/passwd"), "neither http nor https"),
    "redirected to nowhere": (loopback.redirect("http://[bad/"), "malformed"),
    "redirected to a strange port": (loopback.redirect("http://127.0.0.1:port/"), "malformed"),
    "redirected to plain http elsewhere": (loopback.redirect("http://index.test/"), "trusted hosts"),
}


@pytest.mark.parametrize("case", UNAVAILABLE)
def test_what_a_server_does_wrong_is_told_in_one_sentence(server: Server, case: str) -> None:
    fault, why = UNAVAILABLE[case]
    server.fault("/thing", fault)
    try:
        answer = get(f"{server.url}/thing?token=secret", TransportOptions(timeout=20.0, retries=0))
    except IndexUnavailable as error:
        found = error
    else:
        failed = answer.failure()
        assert isinstance(failed, IndexUnavailable)
        found = failed
    assert "secret" not in str(found)
    assert re.search(why, found.why), found.why


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_an_outage(server: Server, status: int) -> None:
    server.fault("/thing", loopback.status(status))
    found = get(f"{server.url}/thing").failure()
    assert isinstance(found, NotAuthorized)
    assert len(server.requests) == 1


def test_nobody_listening() -> None:
    found = failure(f"http://127.0.0.1:{loopback.free_port()}/thing")
    assert isinstance(found, IndexUnavailable)
    assert found.why == "the connection was refused"


def test_a_host_that_has_no_address() -> None:
    found = failure("https://no-such-host.invalid/thing")
    assert isinstance(found, IndexUnavailable)
    assert found.why in ("its host name cannot be resolved", "no connection could be made")


def repeated(content: bytes) -> loopback.Fault:
    """The same again and again, as fast as it is taken."""

    def fault(handler: loopback.Handler) -> None:
        while not handler.server.owner.released.is_set():
            handler.wfile.write(content * 100)

    return fault


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "silent": loopback.stall(),
    "silent after the head": loopback.stall(after=OK + b"Content-Length: 99\r\n\r\nx"),
    "a head a byte at a time": loopback.drip(OK + b"X: "),
    "a body a byte at a time": loopback.drip(OK + b"Content-Length: 99999\r\n\r\n"),
    "the size of a chunk a byte at a time": loopback.drip(OK + b"Transfer-Encoding: chunked\r\n\r\n1;x="),
    "trailers a byte at a time": loopback.drip(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "),
    "a body that nobody wants": loopback.drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 999\r\n\r\n"),
    "always about to answer": repeated(b"HTTP/1.1 102 Processing\r\n\r\n"),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_what_never_ends_is_ended(server: Server, case: str) -> None:
    server.fault("/thing", ENDLESS[case])
    asking = Transport(TransportOptions(timeout=0.3, retries=3))
    with pytest.raises(TimedOut):
        asking.get(f"{server.url}/thing")
    assert 1 <= len(server.requests) <= 3
    server.mend()
    assert asking.get(f"{server.url}/thing").body == BODY
    asking.close()


def test_pauses_are_of_the_same_time(server: Server) -> None:
    server.fault("/thing", loopback.status(503, retry_after="1"))
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.3, retries=3)).status == 503
    assert len(server.requests) == 2


@pytest.mark.parametrize("steps", [{"timeout": 0.3}, {"timeout": 30}])
def test_redirects_are_counted_and_take_no_time_of_their_own(server: Server, steps: dict[str, float]) -> None:
    def onwards(handler: loopback.Handler) -> None:
        time.sleep(0.04)
        number = int(handler.path.rpartition("/")[2])
        loopback.redirect(f"/on/{number + 1}")(handler)

    server.fault("/on/*", onwards)
    found = failure(f"{server.url}/on/1", TransportOptions(retries=3, **steps))
    assert len(server.requests) <= 21
    assert isinstance(found, TimedOut if steps["timeout"] < 1 else IndexUnavailable)


def test_tls_that_is_never_agreed_on_is_ended() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"https://127.0.0.1:{mute.getsockname()[1]}/"
        assert isinstance(failure(url, TransportOptions(timeout=0.3, retries=1)), TimedOut)


def test_a_page_that_comes_too_slowly_is_given_up_however_steadily(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MIN_BYTES_PER_SECOND", 1)
    monkeypatch.setattr(transport, "MAX_TIMEOUTS", 4)
    server.fault("/thing", loopback.drip(OK + b"Content-Length: 99999\r\n\r\n", every=0.01))
    found = failure(f"{server.url}/thing", TransportOptions(timeout=0.3, retries=3))
    assert isinstance(found, TimedOut)
    assert found.seconds == pytest.approx(1.2)
    assert len(server.requests) == 1


def test_what_cannot_be_ended_is_overdue(server: Server) -> None:
    """Such as a lookup of a name; here, the taker of a download."""
    asking = Transport(TransportOptions(timeout=0.1, retries=0))
    released = threading.Event()
    server.add("/small", b"x")

    def ask() -> None:
        asking.download(f"{server.url}/small", lambda: lambda _: released.wait(60) and None)  # type: ignore[func-returns-value]

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert thread.ident is not None
    assert asking.overdue(thread.ident) is None
    found = None
    while found is None:
        time.sleep(0.02)
        found = asking.overdue(thread.ident)
    assert isinstance(found, TimedOut)
    released.set()
    thread.join()
    asking.close()


def test_a_slow_but_steady_body_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MIN_BYTES_PER_SECOND", 1)
    server.fault("/thing", loopback.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", every=0.1))
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.4, retries=0)).body == b"x" * 12


HUNGRY = """
import resource, sys
from wheelcheck.common.errors import UndeterminedError
from wheelcheck.index.http.client import Transport, TransportOptions
asking = Transport(TransportOptions(timeout=30, retries=1))
asking.get(sys.argv[1] + "/small")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        print(asking.get(sys.argv[1] + path, limit=2**24).status)
    except UndeterminedError as error:
        print(error.kind, error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
asking.close()
"""
ONE_MIB = 2**20 if sys.platform == "darwin" else 2**10
"""In the unit of ru_maxrss."""


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured by resource.getrusage")
def test_memory_is_bounded_whatever_is_sent(server: Server) -> None:
    """Measured in a process of its own, because what zlib and the sockets hold counts as well.

    A shell starts it: on Linux a process takes over the peak of the one that has started it.
    """
    faults = {
        "/endless": loopback.endless(),
        "/bomb": loopback.bomb(300 * 2**20),
        "/bombs": loopback.body(gzip.compress(b"\0" * 2**20) * 300, content_encoding="gzip"),
        "/empty": loopback.body(gzip.compress(b"") * 100_000 + b"\x1f", content_encoding="gzip"),
        "/head": loopback.raw(OK + b"X: " + b"x" * 50 * 2**20),
        "/heads": loopback.raw(OK + b"X: x\r\n" * 10 * 2**20),
        "/error": loopback.raw(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n" + b"x" * 50 * 2**20),
    }
    server.add("/small", b"x")
    for path, fault in faults.items():
        server.fault(path, fault)
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", HUNGRY, server.url, *faults]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    *told, grown = run.stdout.splitlines()
    assert [line.split()[0] for line in told] == [*["IndexNonsense"] * 3, *["IndexUnavailable"] * 3, "500"], run.stderr
    assert int(grown) < 26 * ONE_MIB


PASSING = {
    "500": loopback.status(500),
    "502": loopback.status(502),
    "503": loopback.status(503),
    "504": loopback.status(504),
    "429": loopback.status(429, retry_after="0"),
    "524": loopback.status(524),
    "reset": loopback.reset(),
    "reset in the middle": loopback.reset(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
    "hung up": loopback.raw(b""),
    "stall in the middle": loopback.stall(after=b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
    "truncated": loopback.truncated(),
    "truncated gzip": loopback.truncated_gzip(),
    "bad gzip": loopback.bad_gzip(),
    "stall": loopback.stall(),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again(server: Server, case: str) -> None:
    server.fault("/thing", PASSING[case], times=1)
    timeout = 2 if case.startswith("stall") else 60
    assert get(f"{server.url}/thing", TransportOptions(timeout=timeout, retries=3)).body == BODY
    assert len(server.requests) == 2


AT_ONCE = ["0", " 0 ", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]


@pytest.mark.parametrize("wanted", AT_ONCE)
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_says_when_to_try_again(
    server: Server, status: int, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 3600)
    server.fault("/thing", loopback.status(status, retry_after=wanted), times=3)
    assert get(f"{server.url}/thing").body == BODY


@pytest.mark.parametrize("form", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)], ids=["1", "date"])
def test_a_server_is_left_alone_for_as_long_as_it_wants(server: Server, form: Callable[[], str]) -> None:
    asked: list[float] = []

    def refuse(handler: loopback.Handler) -> None:
        asked.append(time.monotonic())
        loopback.status(429, retry_after=form())(handler)

    server.fault("/thing", refuse, times=2)
    get(f"{server.url}/thing", PATIENT)
    assert asked[1] - asked[0] > 0.9


@pytest.mark.parametrize("wanted", ["soon", "-1", "1e3", "99999999999", "", "Sun, 06 Nov 1994"])
def test_a_pause_that_is_none_is_ours(server: Server, wanted: str) -> None:
    server.fault("/thing", loopback.status(429, retry_after=wanted), times=3)
    assert get(f"{server.url}/thing").body == BODY


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (3, 4), (50, 4)])
def test_retries_are_as_configured_but_few(server: Server, retries: int, tries: int) -> None:
    server.fault("/thing", loopback.status(503))
    assert get(f"{server.url}/thing", TransportOptions(retries=retries)).status == 503
    assert len(server.requests) == tries


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_what_is_final_is_not_tried_again(server: Server, status: int) -> None:
    server.fault("/thing", loopback.status(status))
    assert get(f"{server.url}/thing").status == status
    assert len(server.requests) == 1


def test_a_server_cannot_ask_for_a_pause_without_end(server: Server) -> None:
    server.fault("/thing", loopback.status(429, retry_after="86400"))
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.2, retries=3)).status == 429
    server.mend()
    server.fault("/thing", loopback.status(429, retry_after="86400"), times=1)
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.3, retries=3)).status == 200


# -- redirects and credentials


def test_a_redirect_is_followed_and_its_end_is_told(server: Server) -> None:
    server.fault("/here", loopback.redirect("/there?sig=1"))
    server.fault("/there?sig=1", loopback.redirect("thing", 308))
    answer = get(f"{server.url}/here")
    assert (answer.body, answer.url) == (BODY, f"{server.url}/thing")


def test_credentials_go_to_their_origin_only(server: Server) -> None:
    with serve() as other:
        other.add("/thing", BODY)
        server.fault("/here", loopback.redirect("/on"))
        server.fault("/on", loopback.redirect(f"{other.url}/thing"))
        assert get(server.with_credentials("me", "p@ss:word", "/here")).body == BODY
        assert [request.headers.get("authorization") for request in server.requests] == [
            loopback.basic("me", "p@ss:word"),
            None,
        ]
        assert "authorization" not in other.requests[0].headers


def test_who_asks_is_told_as_the_caller_wants_it(server: Server) -> None:
    get(f"{server.url}/thing", TransportOptions(user_agent="wheelcheck/1.0"))
    assert server.requests[0].headers["user-agent"] == "wheelcheck/1.0"


def login(server: Server, path: str, password: str) -> Login:
    return Login(f"{server.url}{path}", Credentials("me", password))


def test_credentials_of_an_index_serve_its_whole_origin() -> None:
    with serve(auth=("me", "secret")) as server:
        server.add("/files/a", BODY)
        assert get(f"{server.url}/files/a").status == 401
        asking = Transport(PATIENT, logins=Logins([login(server, "/simple/", "secret")]))
        assert asking.get(f"{server.url}/files/a").body == BODY
        asking.close()


def test_of_several_logins_on_a_host_the_one_that_is_given_counts_else_the_nearest(server: Server) -> None:
    one, other = login(server, "/one/simple/", "1"), login(server, "/other/simple/", "2")
    elsewhere = Login("http://localhost:1/other/simple/", Credentials("me", "3"))
    asking = Transport(PATIENT, logins=Logins([one, other, elsewhere]))
    server.fault("/moved", loopback.redirect("/other/simple/six/"))
    asked = [
        ("/one/files/a", None, "1"),
        ("/other/files/a", None, "2"),
        ("/other/files/a", one, "1"),
        ("/other/files/a", elsewhere, "2"),
        ("/thing", None, "1"),
    ]
    for path, given, _ in asked:
        asking.get(f"{server.url}{path}", login=given)
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == [loopback.basic("me", password) for *_, password in asked]
    server.forget()
    asking.get(f"{server.url}/moved", login=one)
    assert [request.headers["authorization"] for request in server.requests] == [loopback.basic("me", "1")] * 2
    asking.close()


def test_netrc_is_honoured(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    get(f"{server.url}/thing")
    assert server.requests[0].headers["authorization"] == loopback.basic("me", "secret")
    get(server.with_credentials("you", "other", "/thing"))
    assert server.requests[1].headers["authorization"] == loopback.basic("you", "other")


@pytest.mark.parametrize("content", ["machine\n{{{", "\xff\xfe", None])
def test_a_netrc_that_cannot_be_read_is_none(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "netrc").write_bytes(content.encode("latin-1"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert get(f"{server.url}/thing").status == 200


def test_no_failure_shows_credentials(server: Server) -> None:
    server.fault("/thing", loopback.raw(b""))
    found = failure(server.with_credentials("me", "secret-word", "/thing"))
    assert "secret-word" not in str(found) + repr(found) + str(found.to_dict())


@pytest.mark.parametrize(
    "proxy", ["me:secret-word@proxy.test:1", "secret-word@proxy.test:1", "ftp://me:secret-word@p/"]
)
def test_a_proxy_that_is_none_is_told_without_its_password(server: Server, proxy: str) -> None:
    options = TransportOptions(proxy=proxy)
    assert "secret-word" not in repr(options)
    with pytest.raises(UsageError, match=r"proxy .*\*\*\*\*@p.* http://host:3128") as caught:
        get(f"{server.url}/thing", options)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "bare", "credentials"),
    [
        ("https://a.test/x?y#z", "https://a.test/x?y#z", None),
        ("https://u:p@a.test:1/x", "https://a.test:1/x", Credentials("u", "p")),
        ("https://token@a.test/x", "https://a.test/x", Credentials("token", None)),
        ("https://token:@a.test/x", "https://a.test/x", Credentials("token", "")),
        ("https://u%40b:p%2F%3A@a.test/x", "https://a.test/x", Credentials("u@b", "p/:")),
    ],
)
def test_credentials_in_a_url(url: str, bare: str, credentials: Credentials | None) -> None:
    assert split_credentials(url) == (bare, credentials)


# -- who is trusted


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("127.0.0.1", True),
        ("index.invalid", True),
        ("INDEX.invalid:80", True),
        ("index.invalid:81", False),
        ("other.invalid", False),
        ("index.invalid:x", False),
    ],
)
def test_plain_http_is_for_trusted_hosts_and_this_machine(entry: str, allowed: bool) -> None:
    host = "127.0.0.1" if entry == "127.0.0.1" else "index.invalid"
    port = f":{loopback.free_port()}" if host == "127.0.0.1" else ""
    found = failure(f"http://{host}{port}/", TransportOptions(timeout=60, retries=0, trusted_hosts=(entry,)))
    assert isinstance(found, IndexUnavailable)
    assert ("trusted hosts" in found.why) is not allowed


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1", 2)


@contextmanager
def speaking_tls(certificate: Path) -> Iterator[Server]:
    with serve() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.wrap(context)
        server.add("/thing", BODY)
        yield server


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    with speaking_tls(certificate) as server:
        yield server


DISTRUSTED = {"expired": ("IP:127.0.0.1", -1, "certificate has expired"), "of another": ("DNS:a.test", 2, "mismatch")}


@pytest.mark.parametrize("case", DISTRUSTED)
def test_a_certificate_that_is_wrong(tmp_path: Path, case: str) -> None:
    names, days, why = DISTRUSTED[case]
    wrong = certificate_of(tmp_path, names, days)
    with speaking_tls(wrong) as server:
        found = failure(f"{server.url}/thing", TransportOptions(timeout=60, retries=3, cert=str(wrong)))
        assert isinstance(found, IndexUnavailable)
        assert found.why.startswith("its TLS certificate cannot be verified (")
        assert why in found.why
        assert server.requests == []


@contextmanager
def wanting_clients(certificate: Path, client: Path, newest: ssl.TLSVersion) -> Iterator[Server]:
    """A server for those who show a certificate."""
    with serve() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.load_verify_locations(client)
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = newest
        server.wrap(context)
        server.add("/thing", BODY)
        yield server


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate(
    certificate: Path, newest: ssl.TLSVersion, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mine, another = (certificate_of(tmp_path_factory.mktemp("client"), "DNS:client", 2) for _ in range(2))
    with wanting_clients(certificate, mine, newest) as server:
        url, trusting = f"{server.url}/thing", TransportOptions(timeout=60, retries=3, cert=str(certificate))
        assert get(url, replace(trusting, client_cert=str(mine))).body == BODY
        for options in (trusting, replace(trusting, client_cert=str(another))):
            found = failure(url, options)
            assert isinstance(found, IndexUnavailable)
            assert found.why.startswith("its server refuses the TLS connection (")
            assert "client-cert" in str(found)


def test_the_passphrase_of_a_key_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    """On the terminal, OpenSSL would wait for it."""
    certificate_of(tmp_path, "DNS:client", 2)
    asked = f"openssl rsa -aes256 -passout pass:word -in {tmp_path / 'key'} -out {tmp_path / 'locked'}"
    subprocess.run(asked.split(), capture_output=True, check=True)
    both = tmp_path / "locked.pem"
    both.write_bytes((tmp_path / "certificate").read_bytes() + (tmp_path / "locked").read_bytes())
    with pytest.raises(UsageError, match="without a passphrase"):
        get("https://127.0.0.1:1/", TransportOptions(client_cert=str(both)))


def test_a_certificate_that_nobody_vouches_for(tls_server: Server) -> None:
    found = failure(f"{tls_server.url}/thing", PATIENT)
    assert isinstance(found, IndexUnavailable)
    assert found.why.startswith("its TLS certificate cannot be verified (self")


def test_a_certificate_that_is_named_or_a_host_that_is_trusted(tls_server: Server, certificate: Path) -> None:
    url = f"{tls_server.url}/thing"
    assert get(url, TransportOptions(cert=str(certificate))).body == BODY
    assert get(url, TransportOptions(trusted_hosts=("127.0.0.1",))).body == BODY
    assert get(url, TransportOptions(trusted_hosts=(f"127.0.0.1:{tls_server.port}",))).body == BODY
    assert failure(url, TransportOptions(trusted_hosts=("127.0.0.1:1",), retries=0))


def test_what_the_system_trusts_counts_as_well(
    tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    asking = Transport(TransportOptions(retries=0, timeout=60))
    with pytest.raises(IndexUnavailable, match="refused"):
        asking.get(f"https://127.0.0.1:{loopback.free_port()}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # what OpenSSL takes for the certificates of the system
    for _ in range(2):
        assert asking.get(f"{tls_server.url}/thing").body == BODY
    asking.close()


def test_tls_to_who_does_not_speak_it(server: Server) -> None:
    found = failure(f"https://127.0.0.1:{server.port}/thing", TransportOptions(timeout=60, retries=0))
    assert isinstance(found, IndexUnavailable)
    assert "TLS" in found.why


def test_broken_certificates_and_proxies_are_usage_errors(server: Server, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for options, url in [
        (TransportOptions(cert=str(tmp_path / "none.pem")), "https://127.0.0.1:1/"),
        (TransportOptions(cert=str(tmp_path / "empty.pem")), "https://127.0.0.1:1/"),
        (TransportOptions(client_cert=str(tmp_path / "empty.pem")), "https://127.0.0.1:1/"),
        (TransportOptions(proxy="gopher://127.0.0.1:1"), server.url),
    ]:
        with pytest.raises(UsageError):
            get(url, options)


def test_a_proxy_is_asked_instead(server: Server) -> None:
    with serve() as proxy:
        proxy.add("/thing", b"by proxy")
        asked = TransportOptions(proxy=proxy.url, trusted_hosts=("index.invalid",))
        proxy.fault("http://index.invalid/thing", loopback.body(b"by proxy"))
        assert get("http://index.invalid/thing", asked).body == b"by proxy"


PROXIES = [
    {},
    {"http_proxy": "http://p:1"},
    {"https_proxy": "http://p:1", "http_proxy": "http://q:1"},
    {"all_proxy": "http://p:1"},
    {"all_proxy": "http://p:1", "http_proxy": "http://q:1"},
    *(
        {"all_proxy": "http://p:1", "no_proxy": exempt}
        for exempt in (
            "*",
            "index.test",
            ".index.test",
            "test",
            "ndex.test",
            "other.test, index.test:8080",
            "index.test:81",
            "10.0.0.0/8",
            "10.1.2.3",
            "10.1.2.4",
            "10.0.0.0/99",
            "INDEX.TEST",
            "",
        )
    ),
]
ASKED = [
    "http://index.test/",
    "https://index.test/",
    "http://index.test:8080/",
    "https://a.index.test/",
    "http://10.1.2.3/",
]


@pytest.mark.parametrize("variables", PROXIES, ids=str)
def test_the_proxy_of_the_environment_is_that_of_pip(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = pytest.importorskip("pip._vendor.requests.utils")
    if "ndex.test" in variables.values() and requests.should_bypass_proxies("http://index.test/", "ndex.test"):
        pytest.skip("this pip still takes any ending of a host's name")
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for url in ASKED:
        theirs = requests.select_proxy(url, requests.get_environ_proxies(url))
        assert proxy_from_environment(transport.origin_of(url)) == theirs, url


@pytest.mark.parametrize("form", ["http://{}", "{}"])
def test_a_proxy_of_the_environment_is_asked(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as proxy:
        monkeypatch.setenv("http_proxy", form.format(f"127.0.0.1:{proxy.port}"))
        proxy.fault("http://index.invalid/thing", loopback.body(b"by proxy"))
        asked = TransportOptions(trusted_hosts=("index.invalid",), retries=0)
        assert get("http://index.invalid/thing", asked).body == b"by proxy"


def test_a_proxy_of_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:1")
    with pytest.raises(UsageError, match="environment"):
        get("http://index.invalid/thing", TransportOptions(trusted_hosts=("index.invalid",)))


def test_a_proxy_that_is_not_there_or_refuses() -> None:
    dead = TransportOptions(proxy=f"http://127.0.0.1:{loopback.free_port()}", retries=0)
    assert isinstance(failure("https://index.invalid/", dead), IndexUnavailable)
    with serve() as proxy:
        refusing = TransportOptions(proxy=proxy.url, retries=0, timeout=60)
        found = failure("https://index.invalid/", refusing)
        assert isinstance(found, IndexUnavailable)
        assert "proxy" in found.why


def test_a_password_for_a_proxy_goes_to_the_proxy_alone(server: Server) -> None:
    with serve() as proxy:
        proxy.fault("http://index.invalid/thing", loopback.redirect(f"{server.url}/thing"))
        url = f"http://me:a%40%23%2Fb@127.0.0.1:{proxy.port}"
        options = TransportOptions(proxy=url, trusted_hosts=("index.invalid",), retries=0)
        proxy.fault(f"{server.url}/thing", loopback.body(b"by proxy"))
        assert get("http://index.invalid/thing", options).body == b"by proxy"
        expected = "Basic " + b64encode(b"me:a@#/b").decode()
        assert [request.headers.get("proxy-authorization") for request in proxy.requests] == [expected] * 2
        assert all("authorization" not in request.headers for request in proxy.requests)
        assert server.requests == []


@pytest.mark.parametrize("url", ["http://index.invalid/", "https://index.invalid/"])
def test_a_proxy_that_wants_another_password(url: str) -> None:
    with serve() as proxy:
        proxy.fault("http://index.invalid/", loopback.status(407))
        proxy.fault("index.invalid:443", loopback.status(407))
        named = f"http://me:word@127.0.0.1:{proxy.port}"
        options = TransportOptions(proxy=named, trusted_hosts=("index.invalid",), timeout=60, retries=3)
        found = get(url, options).failure() if url.startswith("http:") else failure(url, options)
        assert isinstance(found, IndexUnavailable)
        assert found.why.startswith("the proxy refused (")
        assert "407" in found.why
        assert "Check the proxy" in str(found)
        assert "word" not in str(found)
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "proxy.invalid"])
def test_a_proxy_that_is_out_of_reach_is_named_instead_of_the_index(host: str, server: Server) -> None:
    options = TransportOptions(proxy=f"http://{host}:{loopback.free_port()}", retries=0, timeout=60)
    found = failure(f"{server.url}/thing", options)
    assert isinstance(found, IndexUnavailable)
    assert found.why.startswith("its proxy ")


@pytest.mark.parametrize("password", ["a#b", "a?b", "a/b"])
def test_the_url_of_a_proxy_with_a_password_that_is_not_escaped(password: str, server: Server) -> None:
    with pytest.raises(UsageError, match="is not the URL of a proxy") as found:
        get(f"{server.url}/thing", TransportOptions(proxy=f"http://me:{password}@127.0.0.1:1"))
    assert password not in str(found.value)


def downloaded(url: str, options: TransportOptions = PATIENT) -> tuple[Answer, list[bytes]]:
    """The answer, and what each beginning has taken."""
    taken: list[list[bytes]] = []

    def sink() -> Callable[[bytes], None]:
        taken.append([])
        return taken[-1].append

    asking = Transport(options)
    try:
        answer = asking.download(url, sink)
    finally:
        asking.close()
    return answer, [b"".join(chunks) for chunks in taken]


def cut_short(tag: str = '"1"', at: int = 20_000) -> loopback.Fault:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nETag: {tag}\r\n\r\n"
    return loopback.raw(head.encode() + BODY[:at])


def test_a_download_is_streamed_and_starts_anew_when_it_broke(server: Server) -> None:
    server.fault("/thing", loopback.truncated(b"half", promised=50_000), times=1)
    answer, taken = downloaded(f"{server.url}/thing")
    assert (answer.status, answer.body, taken) == (200, b"", [b"half", BODY])
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_a_download_goes_on_where_it_broke(server: Server) -> None:
    server.fault("/thing", cut_short(), times=1)
    server.fault("/thing", loopback.status(503), times=1)
    answer, taken = downloaded(f"{server.url}/thing")
    assert (answer.status, taken) == (200, [BODY])
    asked = [(request.headers.get("range"), request.headers.get("if-range")) for request in server.requests]
    assert asked == [(None, None), ("bytes=20000-", '"1"'), ("bytes=20000-", '"1"')]


def test_a_download_may_break_more_than_once(server: Server) -> None:
    def rest(handler: loopback.Handler) -> None:
        part = "HTTP/1.1 206 Part\r\nContent-Range: bytes 20000-49999/50000\r\nContent-Length: 30000\r\n\r\n"
        handler.wfile.write(part.encode() + BODY[20_000:30_000])
        handler.hang_up()

    server.fault("/thing", cut_short(), times=1)
    server.fault("/thing", rest, times=1)
    _, taken = downloaded(f"{server.url}/thing")
    assert taken == [BODY]
    assert server.requests[2].headers["range"] == "bytes=30000-"


def test_a_download_that_went_on_and_was_gone_then_is_none(server: Server) -> None:
    rest = b"HTTP/1.1 206 Part\r\nContent-Range: bytes 20000-49999/50000\r\nContent-Length: 30000\r\n\r\nabc"
    server.fault("/thing", cut_short(), times=1)
    server.fault("/thing", loopback.raw(rest), times=1)
    server.fault("/thing", loopback.status(404))
    answer, _ = downloaded(f"{server.url}/thing")
    assert answer.status == 404


@pytest.mark.parametrize("tag", ['W/"1"', "1", "", '"a"b"'])
def test_a_download_without_a_strong_validator_starts_anew(server: Server, tag: str) -> None:
    server.fault("/thing", cut_short(tag), times=1)
    _, taken = downloaded(f"{server.url}/thing")
    assert taken == [BODY[:20_000], BODY]
    assert "range" not in server.requests[1].headers


NEW = b"another one"
OTHER_RESTS = {
    "it has changed": loopback.body(NEW),
    "not that range": loopback.raw(
        b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-10/11\r\nContent-Length: 11\r\n\r\n" + NEW
    ),
    "no range at all": loopback.raw(b"HTTP/1.1 206 Part\r\nContent-Length: 11\r\n\r\n" + NEW),
    "beyond its end": loopback.status(416),
}


@pytest.mark.parametrize("case", OTHER_RESTS)
def test_what_is_not_the_rest_is_not_taken_for_it(server: Server, case: str) -> None:
    server.fault("/thing", cut_short(), times=1)
    server.fault("/thing", OTHER_RESTS[case], times=1)
    answer, taken = downloaded(f"{server.url}/thing")
    assert (answer.status, taken) == (200, [BODY[:20_000], NEW if case == "it has changed" else BODY])


def test_a_download_of_what_is_not_there_is_none(server: Server) -> None:
    answer, taken = downloaded(f"{server.url}/nothing")
    assert (answer.status, taken) == (404, [])


def test_a_download_that_never_ends_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast it comes, and whatever length it claims."""
    monkeypatch.setattr(transport, "MAX_TIMEOUTS", 1)
    monkeypatch.setattr(transport, "MAX_TIMEOUTS_OF_FILE", 2)
    for head in (b"Content-Length: 999999999999\r\n\r\n", b"Connection: close\r\n\r\n"):
        server.fault("/thing", loopback.drip(OK + head, every=0.01))
        with pytest.raises(TimedOut):
            downloaded(f"{server.url}/thing", TransportOptions(timeout=0.4, retries=0))


def test_a_download_that_comes_steadily_may_take_its_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MIN_BYTES_PER_SECOND", 1)
    monkeypatch.setattr(transport, "MEAN_BYTES_PER_SECOND", 1)
    monkeypatch.setattr(transport, "MAX_TIMEOUTS", 1)
    server.fault("/thing", loopback.drip(OK + b"Content-Length: 12\r\n\r\n", every=0.1))
    _, taken = downloaded(f"{server.url}/thing", TransportOptions(timeout=0.4, retries=0))
    assert taken == [b"x" * 12]


def test_a_part_that_nobody_asked_for_is_no_download(server: Server) -> None:
    server.fault("/thing", OTHER_RESTS["not that range"])
    answer, taken = downloaded(f"{server.url}/thing")
    assert (answer.status, taken) == (206, [])


def test_more_than_was_promised_is_no_answer_to_the_next_request(server: Server) -> None:
    server.fault("/thing", lambda handler: handler.wfile.write(OK + b"Content-Length: 2\r\n\r\nabcd") and None, times=1)
    asking = Transport(PATIENT)
    assert [asking.get(f"{server.url}/thing").body for _ in range(2)] == [b"ab", BODY]
    asking.close()


def test_connections_are_used_again(server: Server) -> None:
    asking = Transport(PATIENT)
    for path in ("thing", "nothing", "thing"):
        asking.get(f"{server.url}/{path}")
    assert len({request.client for request in server.requests}) == 1
    asking.close()


def test_a_connection_that_waited_longest_is_closed_beyond_the_limit(server: Server) -> None:
    with serve() as other:
        other.add("/thing", BODY)
        asking = Transport(PATIENT, connections=1)
        for url in (server.url, other.url, other.url, server.url):
            asking.get(f"{url}/thing")
        asking.close()
        assert len({request.client for request in server.requests}) == 2
        assert len({request.client for request in other.requests}) == 1


def test_threads_share_connections_one_request_at_a_time(server: Server) -> None:
    server.latency = 0.02
    asking = Transport(PATIENT, connections=4)
    threads = [threading.Thread(target=lambda: [asking.get(f"{server.url}/thing") for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asking.close()
    assert asking.requests == len(server.requests) == 20
    assert len({request.client for request in server.requests}) <= 4


def test_a_request_under_way_ends_when_asking_ends(server: Server) -> None:
    server.fault("/thing", loopback.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"))
    asking = Transport(PATIENT)
    found: list[str] = []

    def ask() -> None:
        try:
            asking.get(f"{server.url}/thing")
        except IndexUnavailable as error:
            found.append(error.why)

    thread = threading.Thread(target=ask)
    thread.start()
    while not asking.bytes:
        time.sleep(0.01)
    asking.close()
    thread.join(10)
    assert found == ["the connection was closed"]
    with pytest.raises(IndexUnavailable, match="the connection was closed"):
        asking.get(f"{server.url}/thing")


def test_a_header_that_is_not_ascii_is_kept_as_it_is(server: Server) -> None:
    server.fault(
        "/here",
        loopback.raw(
            "HTTP/1.1 302 Found\r\nLocation: /caf\u00e9\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
        ),
    )
    server.add("/caf\u00e9", BODY, headers={"etag": '"\u00e9"'})
    answer = get(f"{server.url}/here")
    assert (answer.body, answer.headers["etag"]) == (BODY, '"\u00e9"')
    assert get(f"{server.url}/caf\u00e9", headers={"if-none-match": answer.headers["etag"]}).status == 304


def test_headers_that_come_several_times_are_one(server: Server) -> None:
    server.fault("/thing", loopback.raw(b"HTTP/1.1 200 OK\r\nVARY: a\r\nvary: b\r\nContent-Length: 0\r\n\r\n"))
    assert get(f"{server.url}/thing").headers["vary"] == "a, b"


def test_nothing_that_is_printed_shows_a_password(server: Server) -> None:
    assert "secret" not in repr(login(server, "/", "secret"))


def test_a_port_that_answers_nothing_is_timed_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        found = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert isinstance(found, TimedOut)
