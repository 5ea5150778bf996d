"""The keyring command: a real one of its kind on the path, which answers, refuses, hangs and floods."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

import loopback
import wheels
from loopback import Server, basic, serve
from wheelcheck.common.errors import NotAuthorized
from wheelcheck.index.http.auth import Logins
from wheelcheck.index.http.client import Answer, Credentials, Login, Transport, TransportOptions
from wheelcheck.index.http.keyring import Keyring

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the command of these tests is a script")

BODY = b"for friends only"
SCRIPT = """#!{python} -I
import json, os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "asked"), "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
kept = json.load(open(os.path.join(here, "kept")))
{act}
"""
MODERN = """
arguments = sys.argv[4:]
if sys.argv[1:4] != ["--mode=creds", "--output=json", "get"]:
    sys.exit("no such command")
for service, user, password in kept:
    if arguments in ([service], [service, user]):
        print(json.dumps({"username": user, "password": password}))
        sys.exit()
sys.exit(1)
"""
OLD = """
if sys.argv[1] != "get":
    sys.exit(2)
for service, user, password in kept:
    if sys.argv[2:] == [service, user]:
        print(password)
        sys.exit()
sys.exit(1)
"""


class Command:
    """A ``keyring`` in a folder on the path."""

    def __init__(self, folder: Path, act: str = MODERN) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        script = folder / "keyring"
        script.write_text(SCRIPT.replace("{python}", sys.executable).replace("{act}", act))
        script.chmod(0o755)
        self.keep()

    def keep(self, *kept: tuple[str, str, str]) -> None:
        (self.folder / "kept").write_text(json.dumps(kept))

    @property
    def asked(self) -> list[list[str]]:
        log = self.folder / "asked"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def services(self) -> list[list[str]]:
        return [arguments[3:] for arguments in self.asked]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Command(tmp_path / "bin")


def made(command: Command, act: str) -> Command:
    return Command(command.folder, act)


def test_a_password_is_found_by_service_and_user(command: Command) -> None:
    command.keep(("https://a.test/simple/", "me", "one"), ("a.test", "you", "two"))
    keyring = Keyring("subprocess")
    assert keyring.credentials(["https://a.test/simple/", "a.test"], None) == ("me", "one")
    assert keyring.credentials(["https://a.test/simple/", "a.test"], "you") == ("you", "two")
    assert keyring.credentials(["b.test"], None) is None
    assert command.services == [
        ["https://a.test/simple/"],
        ["https://a.test/simple/", "you"],
        ["a.test", "you"],
        ["b.test"],
    ]


def test_each_service_is_asked_for_once_by_however_many_threads(command: Command) -> None:
    command.keep(("a.test", "me", "one"))
    keyring = Keyring("auto")
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(keyring.credentials(["x", "a.test"], None))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("me", "one")] * 8
    assert command.services == [["x"], ["a.test"]]


def test_an_old_command_is_asked_for_the_password_alone(command: Command) -> None:
    made(command, OLD).keep(("a.test", "me", "one\u00e9"))
    assert Keyring("auto").credentials(["a.test"], "me") == ("me", "one\u00e9")
    assert Keyring("auto").credentials(["a.test"], "you") is None
    assert Keyring("auto").credentials(["a.test"], None) is None


NONSENSE = {
    "nothing": "",
    "no JSON": "print('Password:')",
    "another form": "print('[1, 2]')",
    "no password": 'print(\'{"username": "me"}\')',
    "a password that is no text": 'print(\'{"username": "me", "password": null}\')',
    "no UTF-8": "sys.stdout.buffer.write(b'\\xff')",
    "nested too deeply": "print('[' * 60000)",
    "a failure": "sys.exit(3)",
    "a crash": "os.abort()",
    "a flood": "\nwhile True:\n    sys.stdout.write('x' * 65536)",
    "silence": "time.sleep(60)",
    "silence after closing its output": "os.close(1); time.sleep(60)",
}


@pytest.mark.parametrize("case", NONSENSE)
def test_whatever_goes_wrong_there_are_no_credentials(command: Command, case: str) -> None:
    made(command, NONSENSE[case])
    keyring = Keyring("auto", limit=1)
    assert keyring.credentials(["a.test"], None) is None
    assert keyring.credentials(["a.test"], "me") is None


@pytest.mark.parametrize(
    "act", ["time.sleep(60)", "sys.stdout.write('x' * 100000)", "sys.stdout.buffer.write(b'\\xff')"]
)
def test_what_does_not_answer_is_not_asked_again(command: Command, act: str) -> None:
    made(command, act)
    limit = 1.0
    while not command.asked:  # a busy machine may need longer to start it
        keyring = Keyring("auto", limit=limit)
        assert keyring.credentials(["a.test", "b.test"], None) is None
        assert keyring.credentials(["c.test"], None) is None
        limit *= 2
    assert len(command.asked) == 1


def test_a_flood_is_not_kept(command: Command) -> None:
    made(command, NONSENSE["a flood"])
    assert wheels.peak_of(lambda: Keyring("auto", limit=1).credentials(["a.test"], None)) < 2**21


@pytest.mark.parametrize("provider", ["auto", "import", "subprocess", "disabled", "nonsense"])
def test_where_there_is_no_command_there_are_no_credentials(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/no/such")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: "/no/such")
    assert Keyring(provider).credentials(["a.test"], None) is None


def test_a_command_that_cannot_be_started_is_none(command: Command) -> None:
    (command.folder / "keyring").write_bytes(b"\x7fnonsense")
    assert Keyring("auto").credentials(["a.test"], None) is None


PLACES = {"auto": "own", "import": "own", "subprocess": "other", "disabled": None}


@pytest.mark.parametrize("provider", PLACES)
def test_which_command_a_provider_is(provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("own", "other"):
        Command(tmp_path / name).keep(("a.test", name, "x"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path / "own"))
    monkeypatch.setenv("PATH", os.pathsep.join(["", str(tmp_path / "own"), str(tmp_path / "other")]))
    found = Keyring(provider).credentials(["a.test"], None)
    assert (found and found[0]) == PLACES[provider]


def test_a_command_in_the_working_directory_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Command(tmp_path).keep(("a.test", "me", "x"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "/no/such"]))
    assert Keyring("auto").credentials(["a.test"], None) is None
    Command(tmp_path / "bin").keep(("a.test", "you", "y"))
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(tmp_path / "bin")]))
    assert Keyring("auto").credentials(["a.test"], None) == ("you", "y")


@pytest.mark.parametrize(("service", "user"), [("-x", None), ("a.test", "--keyring-path=/tmp"), ("a\0b", None)])
def test_nothing_that_a_page_says_is_an_option_of_the_command(command: Command, service: str, user: str | None) -> None:
    keyring = Keyring("auto")
    assert keyring.credentials([service], user) is None
    assert command.asked == []
    command.keep(("a.test", "me", "x"))
    assert keyring.credentials(["a.test"], None) == ("me", "x")


# -- and a server that wants them


@pytest.fixture
def server() -> Server:
    with serve(auth=("me", "secret")) as it:
        it.add("/simple/six/", BODY)
        it.add("/files/six.whl", BODY)
        yield it  # type: ignore[misc]


def asking(server: Server, *, provider: str = "auto", url: str = "", logins: list[Login] | None = None) -> Transport:
    indexes = [url or server.index]
    return Transport(TransportOptions(retries=0), logins=Logins(logins or [], indexes, provider))


def netloc(server: Server) -> str:
    return f"127.0.0.1:{server.port}"


def sent(server: Server) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


def test_a_server_that_refuses_is_asked_again_with_what_the_keyring_has(server: Server, command: Command) -> None:
    command.keep((netloc(server), "me", "secret"))
    transport = asking(server)
    assert transport.get(f"{server.index}six/").body == BODY
    assert transport.get(f"{server.url}/files/six.whl").body == BODY
    assert sent(server) == [None, basic("me", "secret"), basic("me", "secret")]
    assert command.services == [[server.index], [netloc(server)]]
    transport.close()


def test_what_the_url_of_the_index_is_kept_under_goes_first(server: Server, command: Command) -> None:
    command.keep((server.index, "me", "secret"), (netloc(server), "me", "other"))
    transport = asking(server, url=server.index.rstrip("/"))
    assert transport.get(f"{server.url}/files/six.whl").body == BODY
    assert command.services == [[server.index]]
    transport.close()


def test_the_keyring_is_not_asked_where_nobody_refuses(server: Server, command: Command) -> None:
    server.auth = None
    transport = asking(server)
    assert transport.get(f"{server.index}six/").status == 200
    assert transport.get(f"{server.index}none/").status == 404
    server.fault("/forbidden", loopback.status(403))
    assert transport.get(f"{server.url}/forbidden").status == 403
    assert command.asked == []
    transport.close()


def test_a_user_without_a_password_is_asked_for(server: Server, command: Command) -> None:
    command.keep((netloc(server), "you", "other"), (netloc(server), "me", "secret"))
    login = Login(server.index, Credentials("me", None))
    transport = asking(server, logins=[login])
    assert transport.get(f"{server.index}six/", login=login).body == BODY
    assert sent(server) == [basic("me", ""), basic("me", "secret")]
    assert command.services == [[server.index, "me"], [netloc(server), "me"]]
    assert transport.get(f"{server.index}six/", login=login).body == BODY
    assert len(server.requests) == 3
    transport.close()


@pytest.mark.parametrize("where", ["url", "login"])
def test_a_password_that_was_given_is_not_replaced(server: Server, command: Command, where: str) -> None:
    command.keep((netloc(server), "me", "secret"))
    login = Login(server.index, Credentials("me", "wrong"))
    transport = asking(server, logins=[login] if where == "login" else [])
    path = "/simple/six/"
    url = server.with_credentials("me", "wrong", path) if where == "url" else f"{server.url}{path}"
    assert transport.get(url).status == 401
    assert command.asked == []
    transport.close()


def test_a_password_of_netrc_that_is_refused_is_replaced(
    server: Server, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password wrong\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    command.keep((netloc(server), "me", "secret"))
    transport = asking(server)
    for _ in range(2):
        assert transport.get(f"{server.index}six/").body == BODY
    assert sent(server) == [basic("me", "wrong"), basic("me", "secret"), basic("me", "secret")]
    transport.close()


def test_a_second_refusal_is_the_answer_and_is_not_repeated(server: Server, command: Command) -> None:
    command.keep((netloc(server), "me", "wrong-word"))
    transport = asking(server)
    answers: list[Answer] = [transport.get(f"{server.index}six/") for _ in range(2)]
    assert [answer.status for answer in answers] == [401, 401]
    failure = answers[0].failure()
    assert isinstance(failure, NotAuthorized)
    assert "wrong-word" not in str(failure) + repr(answers) + repr(transport.options)
    assert sent(server) == [None, basic("me", "wrong-word"), None]
    transport.close()


def test_without_a_keyring_a_refusal_is_the_answer(server: Server, command: Command) -> None:
    command.keep((netloc(server), "me", "secret"))
    transport = asking(server, provider="disabled")
    assert transport.get(f"{server.index}six/").status == 401
    assert command.asked == []
    transport.close()


def test_what_the_keyring_has_is_for_its_host_alone(server: Server, command: Command) -> None:
    command.keep((netloc(server), "me", "secret"))
    with serve() as other:
        other.add("/thing", BODY)
        other.fault("/closed", loopback.status(401))
        server.resources["/moved"] = server.resources["/simple/six/"]
        transport = asking(server)
        assert transport.get(f"{server.index}six/").body == BODY
        server.fault("/moved", loopback.redirect(f"{other.url}/thing"))
        assert transport.get(f"{server.url}/moved").body == BODY
        assert transport.get(f"{other.url}/closed").status == 401
        assert sent(other) == [None, None]
        assert command.services[2:] == [[netloc(other)]]
        transport.close()


def test_of_two_indexes_on_a_host_each_has_its_own(server: Server, command: Command) -> None:
    command.keep((f"{server.url}/one/", "me", "1"), (f"{server.url}/two/", "you", "2"))
    server.auth = None
    logins = Logins([], [f"{server.url}/one/", f"{server.url}/two/"], "auto")
    transport = Transport(TransportOptions(retries=0), logins=logins)
    server.fault("/one/*", loopback.status(401), times=1)
    server.fault("/two/*", loopback.status(401), times=1)
    for path in ("one/a/", "two/a/", "one/b/", "two/b/"):
        transport.get(f"{server.url}/{path}")
    assert sent(server) == [
        *(None, basic("me", "1")),
        *(None, basic("you", "2")),
        *(basic("me", "1"), basic("you", "2")),
    ]
    transport.close()


def test_the_time_that_the_keyring_takes_is_not_the_servers(server: Server, command: Command) -> None:
    made(command, "time.sleep(4.5)" + MODERN).keep((netloc(server), "me", "secret"))
    transport = Transport(TransportOptions(retries=0, timeout=2, keyring_provider="auto"))
    found: list[Answer] = []
    thread = threading.Thread(target=lambda: found.append(transport.get(f"{server.index}six/")))
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        assert thread.ident is not None
        assert transport.overdue(thread.ident) is None
    assert found[0].body == BODY
    transport.close()
