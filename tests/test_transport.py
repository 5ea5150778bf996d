"""One request against a real server that does everything a server can do wrong."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

import loopback
import wheels
from loopback import Server, serve
from wheelcheck import transport
from wheelcheck.failures import CannotTell, IndexNonsense, IndexUnavailable, NotAuthorized, TimedOut, UsageError
from wheelcheck.transport import Answer, Credentials, Login, Transport, TransportOptions, split_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b"all of it " * 5000
IMPATIENT = TransportOptions(timeout=0.4, retries=0)
PATIENT = TransportOptions(timeout=5, retries=3)


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


def failure(url: str, options: TransportOptions = IMPATIENT, **how: object) -> CannotTell:
    with pytest.raises(CannotTell) as caught:
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
    "another encoding": (loopback.body(b"x", content_encoding="br"), "not asked for"),
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
        answer = get(f"{server.url}/thing?token=secret", IMPATIENT)
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


ENDLESS = {
    "silent": loopback.stall(),
    "silent after the head": loopback.stall(after=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"),
    "a byte at a time": loopback.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_what_never_ends_is_ended(server: Server, case: str) -> None:
    server.fault("/thing", ENDLESS[case])
    found = failure(f"{server.url}/thing", TransportOptions(timeout=0.3, retries=3))
    assert isinstance(found, TimedOut)
    assert 1 <= len(server.requests) <= 3


def test_a_head_that_never_ends_is_overdue(server: Server) -> None:
    server.fault("/thing", loopback.drip(b"HTTP/1.1 200 OK\r\nX: "))
    asking = Transport(TransportOptions(timeout=0.1, retries=0))

    def ask() -> None:
        with pytest.raises(CannotTell):
            asking.get(f"{server.url}/thing")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert thread.ident is not None
    assert asking.overdue(thread.ident) is None
    found = None
    while found is None:
        time.sleep(0.02)
        found = asking.overdue(thread.ident)
    assert isinstance(found, TimedOut)


def test_a_slow_but_steady_body_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SLOWEST", 1)
    server.fault("/thing", loopback.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", every=0.1))
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.4, retries=0)).body == b"x" * 12


def test_memory_is_bounded_whatever_is_sent(server: Server) -> None:
    server.fault("/thing", loopback.endless())
    server.add("/other", b"")
    server.fault("/other", loopback.bomb(300 * 2**20))
    assert get(f"{server.url}/").status == 404

    def work() -> None:
        for path in ("thing", "other"):
            assert isinstance(failure(f"{server.url}/{path}", PATIENT, limit=2**20), IndexNonsense)

    assert wheels.peak_of(work) < 12 * 2**20


PASSING = {
    "500": loopback.status(500),
    "502": loopback.status(502),
    "429": loopback.status(429, retry_after="0"),
    "reset": loopback.reset(),
    "truncated": loopback.truncated(),
    "truncated gzip": loopback.truncated_gzip(),
    "bad gzip": loopback.bad_gzip(),
    "stall": loopback.stall(),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again(server: Server, case: str) -> None:
    server.fault("/thing", PASSING[case], times=1)
    assert get(f"{server.url}/thing", TransportOptions(timeout=0.5, retries=3)).body == BODY
    assert len(server.requests) == 2


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
        asking = Transport(PATIENT, logins=[login(server, "/simple/", "secret")])
        assert asking.get(f"{server.url}/files/a").body == BODY
        asking.close()


def test_of_several_logins_on_a_host_the_one_that_is_given_counts_else_the_nearest(server: Server) -> None:
    one, other = login(server, "/one/simple/", "1"), login(server, "/other/simple/", "2")
    elsewhere = Login("http://localhost:1/other/simple/", Credentials("me", "3"))
    asking = Transport(PATIENT, logins=[one, other, elsewhere])
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
    found = failure(f"http://{host}{port}/", TransportOptions(timeout=1, retries=0, trusted_hosts=(entry,)))
    assert isinstance(found, IndexUnavailable)
    assert ("trusted hosts" in found.why) is not allowed


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tests -addext subjectAltName=IP:127.0.0.1"
    try:
        made = subprocess.run(
            [*command.split(), "-keyout", str(folder / "key"), "-out", str(folder / "cert")],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    if made.returncode:
        pytest.skip("openssl made no certificate")
    both = folder / "both.pem"
    both.write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    return both


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    with serve() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.wrap(context)
        server.add("/thing", BODY)
        yield server


def test_a_certificate_that_nobody_vouches_for(tls_server: Server) -> None:
    found = failure(f"{tls_server.url}/thing", TransportOptions(timeout=2, retries=3))
    assert isinstance(found, IndexUnavailable)
    assert found.why == "its TLS certificate cannot be verified"


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
    asking = Transport(TransportOptions(retries=0, timeout=2))
    with pytest.raises(IndexUnavailable, match="refused"):
        asking.get(f"https://127.0.0.1:{loopback.free_port()}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # what OpenSSL takes for the certificates of the system
    for _ in range(2):
        assert asking.get(f"{tls_server.url}/thing").body == BODY
    asking.close()


def test_tls_to_who_does_not_speak_it(server: Server) -> None:
    found = failure(f"https://127.0.0.1:{server.port}/thing", TransportOptions(timeout=2, retries=0))
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
    for scheme in ("http", "https", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for url in ASKED:
        theirs = requests.select_proxy(url, requests.get_environ_proxies(url))
        assert transport._proxy_of_environment(transport.origin_of(url)) == theirs, url


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
        refusing = TransportOptions(proxy=proxy.url, retries=0, timeout=2)
        found = failure("https://index.invalid/", refusing)
        assert isinstance(found, IndexUnavailable)
        assert "proxy" in found.why


def test_a_download_is_streamed_and_starts_anew_when_it_broke(server: Server, tmp_path: Path) -> None:
    server.fault("/thing", loopback.truncated(b"half", promised=50_000), times=1)
    taken: list[list[bytes]] = []

    def sink() -> object:
        taken.append([])
        return taken[-1].append

    asking = Transport(PATIENT)
    answer = asking.download(f"{server.url}/thing", sink)  # type: ignore[arg-type]
    assert (answer.status, answer.body) == (200, b"")
    assert [b"".join(chunks) for chunks in taken] == [b"half", BODY]
    assert server.requests[0].headers["accept-encoding"] == "identity"
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
    assert found == ["asking was ended"]
    with pytest.raises(IndexUnavailable, match="asking was ended"):
        asking.get(f"{server.url}/thing")


def test_a_header_that_is_not_ascii_is_kept_as_it_is(server: Server) -> None:
    server.fault(
        "/here", loopback.raw("HTTP/1.1 302 Found\r\nLocation: /caf\u00e9\r\nContent-Length: 0\r\n\r\n".encode())
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
