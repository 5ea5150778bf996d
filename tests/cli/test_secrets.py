"""A password is in nothing that is printed or kept, whatever it holds and wherever it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certificates import certificate_of
from loopback import JSON, redirect, simple_index
from wheelcheck.cli.main import main
from wheelcheck.inputs.options import FORMATS
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Server

LINUX = "manylinux_2_28_x86_64-3.12.4"
SECRET = "S3cretW0rd"
PASSWORDS = [
    *("", "a#x", "a?x", "a/x", "a x", "a@x", "a:x", "aéx", "12/3", "12 3", "a#@/x y", "a%20x", "a//b"),
    *("a\\b", "a'b", 'a"b', "[a]", "a&b=c", "a;b", "<a>", "a|b", "{a}", "字", "a+b", "!$*", "%", "~", "`"),
    *("^", "a,b", "(a)", "=", "_", "$x", "${x}", "*", "a\tb", "-", ".", "..", "http://x", "x@http://y"),
]
WHEEL = make_wheel("demo", "1.0")


@pytest.fixture
def server() -> Iterator[Server]:
    with simple_index({"demo": [WHEEL]}) as server:
        yield server


def asked(place: str, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a check that is given a URL in some place."""
    file = folder / "asked.txt"
    match place:
        case "index":
            return ["demo", "-i", url]
        case "extra":
            return ["demo", "--extra-index-url", url]
        case "links":
            return ["demo", "-f", url]
        case "variable":
            monkeypatch.setenv("PIP_INDEX_URL", url)
        case "configuration":
            (folder / "pip.conf").write_text(f"[global]\nindex-url = {url.replace('%', '%%')}\n", "utf-8")
            monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "pip.conf"))
        case "file":
            file.write_text(f"--index-url {url}\ndemo\n", "utf-8")
            return ["-r", str(file)]
        case "requirement":
            return [f"demo @ {url}demo-1.0-py3-none-any.whl"]
        case "requirement in a file":
            file.write_text(f"demo @ {url}demo-1.0-py3-none-any.whl\n", "utf-8")
            return ["-r", str(file)]
        case "proxy":
            monkeypatch.setenv("PIP_PROXY", url)
    return ["demo"]


PLACES = (
    *("index", "extra", "links", "variable", "configuration", "file", "requirement", "requirement in a file", "proxy"),
)


@pytest.mark.parametrize("place", PLACES)
def test_a_password_is_in_nothing_that_is_said_or_kept(
    server: Server, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_TIMEOUT", "2")
    cache = tmp_path / "cache"
    monkeypatch.setenv("WHEELCHECK_CACHE_DIR", str(cache))
    address = server.index.removeprefix("http://")
    for password in PASSWORDS:
        url = f"http://user:{SECRET}{password}@{address}"
        arguments = asked(place, url, tmp_path, monkeypatch)
        lock, snapshot = tmp_path / "pylock.toml", tmp_path / "snapshot"
        check = ["check", *arguments, "-t", LINUX]
        for command in (
            [*check, "-v", "--lock", str(lock)],
            *([*check, "--format", form] for form in FORMATS),
            ["explain", *arguments, "-t", LINUX],
            ["snapshot", str(snapshot), *arguments, "-t", LINUX],
        ):
            code = run(command)
            told = "".join(capfd.readouterr())
            assert SECRET not in told, told
            assert "Traceback" not in told
            assert code in (0, 1, 2)
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("asked.txt", "pip.conf")]
        for path in kept:
            assert SECRET.encode() not in path.read_bytes(), path
            assert SECRET not in path.name


def run(command: list[str]) -> Any:
    try:
        return main(command)
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize("password", PASSWORDS)
def test_an_address_that_an_index_gives_is_masked_too(
    server: Server, password: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    url = f"http://user:{SECRET}{password}@127.0.0.1:1/x/"
    server.fault("/simple/demo/", redirect(url.encode("utf-8").decode("latin-1").replace("\t", "")))
    run(["check", "demo", "-t", LINUX, "-i", server.index, "-v"])
    page = {
        "meta": {"api-version": "1.0"},
        "name": "demo",
        "files": [{"filename": WHEEL.filename, "url": url, "hashes": {}}],
    }
    server.mend()
    server.add("/simple/demo/", json.dumps(page), JSON)
    for form in ("text", "json"):
        run(["check", "demo", "-t", LINUX, "-i", server.index, "-v", "--format", form])
    told = "".join(capfd.readouterr())
    assert SECRET not in told, told
    assert "Traceback" not in told


# -- what was received with credentials


OTHERS = ["none", "wrong password", "other user"]


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("then", OTHERS)
@pytest.mark.parametrize("source", ["inline", "netrc", "keyring"])
@pytest.mark.parametrize("what", ["demo", "demo @ {files}demo-1.0-py3-none-any.whl"])
def test_who_has_no_credentials_gets_nothing_that_was_received_with_some(
    what: str, source: str, then: str, offline: bool, tmp_path: Path
) -> None:
    """Whatever the cache holds, and also where the whole answer is remembered."""
    with simple_index({"demo": [WHEEL]}, auth=("me", "word")) as server:

        def answer(user: str, password: str, *more: str) -> int:
            return checked(server, what, source if user else "inline", user, password, tmp_path, *more)

        assert answer("me", "word") == 0
        assert answer("me", "word") == 0
        if what == "demo":  # the file of a direct reference is asked for each time
            assert answer("me", "word", "--offline") == 0
        user, password = {"none": ("", ""), "wrong password": ("me", "x"), "other user": ("you", "word")}[then]
        server.forget()
        assert answer(user, password, *["--offline"] * offline) == 2
        assert bool(server.paths) is not offline
        assert answer("me", "word") == 0


def test_who_has_no_client_certificate_gets_nothing_that_was_received_with_one(tmp_path: Path) -> None:
    made = {"": ""}
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        made[name] = certificate_of(tmp_path / name, "DNS:client", 2).read_text("utf-8")
    with simple_index({"demo": [WHEEL]}) as server:
        environ = {**os.environ, "WHEELCHECK_CACHE_DIR": str(tmp_path / "cache"), "PIP_CONFIG_FILE": os.devnull}
        asked = [sys.executable, "-m", "wheelcheck", "check", "demo", "-i", server.index, "-t", LINUX]
        for name, offline, requested in (
            *(("one", False, True), ("one", False, False), ("one", True, False)),
            *(("another", True, False), ("another", False, True), ("", True, False), ("", False, True)),
        ):
            (tmp_path / "mine.pem").write_text(made[name])
            environ |= {"PIP_CLIENT_CERT": str(tmp_path / "mine.pem") if name else ""}
            server.forget()
            ended = subprocess.run([*asked, *["--offline"] * offline], env=environ, capture_output=True, check=False)
            is_kept = name == "one" and not requested
            assert ended.returncode == (2 if offline and not is_kept else 0), ended.stderr
            assert bool(server.paths) is requested


def checked(server: Server, what: str, source: str, user: str, password: str, folder: Path, *more: str) -> int:
    """The exit code of a check in a process of its own, which has credentials from some source, or none."""
    environ = {**os.environ, "WHEELCHECK_CACHE_DIR": str(folder / "cache"), "NETRC": os.devnull}
    environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    url = server.index
    if source == "inline":
        url = url.replace("//", f"//{user}:{password}@") if user else url
    elif source == "netrc":
        environ["NETRC"] = str(folder / "netrc")
        (folder / "netrc").write_text(f"machine 127.0.0.1 login {user} password {password}\n", "utf-8")
    else:
        command = folder / "bin" / "keyring"
        command.parent.mkdir(exist_ok=True)
        answer = json.dumps({"username": user, "password": password})
        command.write_text(f"#!/bin/sh\necho '{answer}'\n", "utf-8")
        command.chmod(0o755)
        environ |= {"PATH": f"{command.parent}{os.pathsep}{environ['PATH']}", "PIP_KEYRING_PROVIDER": "subprocess"}
    where = url.replace("/simple/", "/files/")
    asked = ["check", what.format(files=where), "-i", url, "-t", LINUX, *more]
    return subprocess.run([sys.executable, "-m", "wheelcheck", *asked], env=environ, capture_output=True).returncode  # noqa: PLW1510
