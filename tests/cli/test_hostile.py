"""Nothing that an index or a URL holds causes a traceback, a wrong "yes", or an endless wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from loopback import JSON, Server, redirect, simple_index
from wheelcheck.cli.main import main
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

LINUX = "manylinux_2_28_x86_64-3.12.4"
WHEEL = make_wheel("demo", "1.0")


@pytest.fixture
def server() -> Iterator[Server]:
    with simple_index({"demo": [WHEEL]}) as server:
        yield server


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Checks, and gives the exit code with everything that was printed; no traceback may be in it."""
    monkeypatch.setenv("PIP_RETRIES", "0")

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["check", *arguments, "-t", LINUX])
        told = "".join(capfd.readouterr())
        assert "Traceback" not in told
        assert "cannot be handled" not in told  # that would be the net below everything
        return code, told

    return run


def page(*files: dict[str, Any], name: str = "demo") -> str:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": list(files)})


# -- addresses

HOSTS = [
    *("a..b.invalid", ".invalid", "xn--.invalid", "a" * 70, "a" * 70 + ".invalid", "", ":80", "127.0.0.1:1:2"),
    *(
        "127.0.0.1:99999",
        "127.0.0.1:x",
        "127.0.0.1:-1",
        "[::1",
        "[zz]:80",
        "a b.invalid",
        "a\\b.invalid",
        "\uff41..invalid",
    ),
    *("x" * 300, "%00.invalid", "a<b>.invalid", "\u0663.invalid:\u0663"),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("place", ["index", "redirect", "page", "requirement"])
def test_an_address_that_is_none(server: Server, run: Any, host: str, place: str) -> None:
    url = f"http://{host}/demo-1.0-py3-none-any.whl"
    if place == "index":
        code, told = run("demo", "-i", url)
        assert code == 2
        assert told.count("\n") == 1 or "unknown" in told
    elif place == "requirement":
        assert run(f"demo @ {url}")[0] == 2
    elif place == "redirect":
        server.fault("/simple/demo/", redirect(url.encode("utf-8").decode("latin-1")))
        assert run("demo", "-i", server.index)[0] == (2 if host else 1)  # without a host it is a path of the server
    else:
        older = make_wheel("demo", "0.9")
        server.add(f"/files/{older.filename}", older.content)
        good = {"filename": older.filename, "url": f"{server.url}/files/{older.filename}", "hashes": {}}
        server.add("/simple/demo/", page({"filename": WHEEL.filename, "url": url, "hashes": {}}, good), JSON)
        code, told = run("demo", "-i", server.index)
        assert (code, "  demo  0.9  requested" in told) == (0, True) or code == 2
