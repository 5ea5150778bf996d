"""What a careless publisher or a broken server can do, end to end: an exit code, one clear sentence, no traceback."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

import loopback
import wheels
from doors import LINUX, stand_alone
from loopback import HTML, JSON, Fault, Server, body, free_port, serve, simple_index, stall, status, truncated
from wheelcheck.cli.main import main
from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = make_wheel("spam", requires=["eggs"])
EGGS = make_wheel("eggs")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def server() -> Iterator[Server]:
    with simple_index({"spam": [GOOD], "eggs": [EGGS]}) as server:
        yield server


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Any:
    """Checks a project on an index; gives the exit code, the text without the lines on the target, standard error."""

    def run(index: str, *arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments, "-t", LINUX, "--index-url", index])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        head, _, rest = out.partition("\n  CPython 3.12.4 (cp312) on Linux x86_64, glibc 2.28\n")
        assert head == f"{LINUX}: {['compatible', 'not compatible', 'unknown'][code]}"
        return code, rest, err

    return run


PINS = "\nPins\n"


def installed(*pins: str) -> str:
    return f"\nInstall it\n  python3.12 -m pip install {' '.join(pins)}\n"


def test_the_ground_that_all_this_stands_on(server: Server, run: Any) -> None:
    out = f"{PINS}  spam  1.0  requested\n  eggs  1.0  required by spam\n{installed('spam==1.0')}"
    assert run(server.index, "spam") == (0, out, "")


# -- a definite no: the file itself is at fault

BROKEN = [
    (wheels.without_metadata("spam"), "it has no METADATA"),
    (wheels.with_two_metadata("spam"), "it has 2 METADATA files"),
    (wheels.not_utf8("spam"), "it is not UTF-8 (byte 31)"),
    (wheels.enormous("spam"), "its METADATA has 52428800 bytes, more than 8388608"),
    (wheels.lying_about_size("spam"), "its METADATA does not have the size that it declares"),
    (wheels.damaged(GOOD), "its METADATA "),
    (GOOD.holding(GOOD.content[:-40]), "it is not a ZIP archive"),
    (GOOD.holding(b""), "it is too short for a ZIP archive"),
    (GOOD.holding(b"<html>not found</html>" * 10), "it is not a ZIP archive"),
    (make_wheel("spam", metadata="Metadata-Version: 2.1\nName: spam\n"), "it has no version fields"),
    (make_wheel("spam", metadata="Name: eggs\nVersion: 1.0\n"), "it says that it is eggs 1.0"),
    (make_wheel("spam", metadata="Name: spam\nVersion: 2.0\n"), "it says that it is spam 2.0"),
    (make_wheel("spam", metadata="Name: spam\nVersion: one\n"), "Invalid version: 'one'"),
    (make_wheel("spam", requires=["eggs=1"]), "it has a requirement that cannot be parsed: 'eggs=1': Expected"),
    (make_wheel("spam", requires=[f"eggs; {'(' * 3000}os_name"]), "it has a requirement that cannot be parsed"),
    (make_wheel("spam", requires=["eggs>=" + "9" * 6000]), "a number in it is too long"),
    (make_wheel("spam", metadata=""), "it has no name fields"),
]
IDS = [
    *("no-metadata", "two-metadata", "not-utf8", "50-mb", "lying-size", "damaged", "cut-short", "empty", "html"),
    *(
        "no-version",
        "other-name",
        "other-version",
        "bad-version",
        "bad-requirement",
        "deep",
        "huge-number",
        "no-fields",
    ),
]


@pytest.mark.parametrize(("dist", "why"), BROKEN, ids=IDS)
@pytest.mark.parametrize("ranges", ["all", "none"])
def test_a_broken_wheel_is_refused_with_why(run: Any, dist: Dist, why: str, ranges: str) -> None:
    with simple_index({"spam": [dist], "eggs": [EGGS]}, metadata=False, ranges=ranges) as server:
        code, out, err = run(server.index, "spam")
    assert (code, err) == (1, "")
    assert "its metadata cannot be used: " in out
    assert why in out
    assert out.splitlines()[-1] == "No change that was tried fixes it."


SKIPPED = ("other-name", "other-version", "bad-requirement", "deep", "huge-number")
"""What pip passes over for an older version; everything else ends its search."""


@pytest.mark.parametrize(
    ("dist", "why", "name"), [(*row, name) for row, name in zip(BROKEN, IDS, strict=True)], ids=IDS
)
def test_an_older_version_is_taken_only_where_pip_takes_it(run: Any, dist: Dist, why: str, name: str) -> None:
    old = make_wheel("spam", "0.5")
    with simple_index({"spam": [dist, old]}, metadata=False) as server:
        code, out, err = run(server.index, "spam")
    if name in SKIPPED:
        assert (code, out, err) == (0, f"{PINS}  spam  0.5  requested\n{installed('spam==0.5')}", "")
    else:
        assert (code, err) == (1, "")
        assert f"{dist.filename} is refused, and no other version is tried, as in pip." in out
        assert why in out
        assert "1. also require spam<1.0: spam 0.5" in out


@pytest.mark.parametrize(
    "dist", [BROKEN[2][0], BROKEN[3][0], *(dist for dist, _ in BROKEN[9:])], ids=[*IDS[2:4], *IDS[9:]]
)
def test_broken_metadata_beside_a_wheel_is_a_no_too(run: Any, dist: Dist) -> None:
    with simple_index({"spam": [dist], "eggs": [EGGS]}) as server:
        code, out, err = run(server.index, "spam")
    assert (code, err) == (1, "")
    assert "its metadata cannot be used: " in out


def test_metadata_beside_a_wheel_that_is_not_what_was_hashed(run: Any, server: Server) -> None:
    server.add(f"/files/{GOOD.filename}.metadata", "Name: spam\nVersion: 1.0\n")
    code, out, _ = run(server.index, "spam")
    assert code == 1
    assert "the hash of its metadata is sha256:" in out


def test_broken_metadata_beside_a_good_wheel_sends_the_reader_into_the_wheel(run: Any) -> None:
    with simple_index({"spam": [GOOD], "eggs": [EGGS]}, metadata="true") as server:
        server.add(f"/files/{GOOD.filename}.metadata", b"\xff\xfe")
        code, out, _ = run(server.index, "spam")
    assert code == 0
    assert "eggs" in out


def test_metadata_that_is_listed_and_not_there_is_read_from_the_wheel(run: Any) -> None:
    with simple_index({"spam": [GOOD], "eggs": [EGGS]}, metadata="listed") as server:
        assert run(server.index, "spam")[0] == 0


# -- pages

NAMES = [
    *("spam-1.0-py3-none.whl", "../../etc/passwd-1.0-py3-none-any.whl", "spam-1.0-cp312-cp312-linux_x86_64-v3.whl"),
    *("spam-x.tar.gz", "spam-1.0-py3-none-any\x1b[31m.whl", "spam-" + "1" * 5000 + ".tar.gz", ""),
]


@pytest.mark.parametrize("form", ["json", "html"])
def test_an_empty_page(run: Any, form: str) -> None:
    with simple_index({"spam": []}, form=form) as server:
        code, out, err = run(server.index, "spam")
    assert (code, err) == (1, "")
    assert "  spam has no usable file: its page lists none.\n" in out


def test_names_that_say_nothing(run: Any) -> None:
    page = {"meta": {"api-version": "1.0"}, "name": "spam", "files": [{"filename": n, "url": "x"} for n in NAMES]}
    with serve() as server:
        server.add("/simple/spam/", json.dumps(page), JSON)
        code, out, err = run(server.index, "spam")
    assert (code, err) == (1, "")
    assert "\x1b" not in out


def test_a_page_of_nothing_but_surprises_around_one_good_file(run: Any, server: Server) -> None:
    odd: list[Any] = [{"filename": n, "url": "x"} for n in NAMES]
    odd += [{"filename": "spam-0.1.zip", "url": "//["}]
    odd += [{"filename": "spam-0.3-py3-none-any.whl", "url": "x", "requires-python": ">=" + "9" * 9999, "yanked": 1}]
    good = loopback.entry(GOOD) | {"requires-python": "whatever", "size": "big", "upload-time": 5}
    server.add("/simple/spam/", json.dumps({"name": "spam", "files": [*odd, good]}), JSON)
    code, out, err = run(server.index, "spam")
    assert (code, err) == (0, "")
    assert "spam-1.0-py3-none-any.whl" in out


@pytest.mark.parametrize(
    "odd",
    [
        *(None, 7, [], {}, {"filename": 3}, {"url": "spam-1.0-py3-none-any.whl"}),
        *({"filename": "spam-1.0.zip", "url": 3}, {"filename": "spam-1.0.zip", "url": "x", "hashes": 3}),
        {"filename": "spam-1.0.zip", "url": "spam-1.0.zip", "requires-python": 3},
        {"filename": "spam-1.0.zip", "url": "spam-2.0.zip"},
    ],
)
def test_an_entry_that_pip_could_not_read_spoils_its_page(run: Any, server: Server, odd: Any) -> None:
    server.add("/simple/spam/", json.dumps({"name": "spam", "files": [odd, loopback.entry(GOOD)]}), JSON)
    code, out, err = run(server.index, "spam")
    assert (code, err) == (2, "")
    assert "answered something that is not a project page: " in out


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"url": "http://[/spam-1.0-py3-none-any.whl"}, "its URL cannot be parsed"),
        ({"hashes": {"sha256": "x" * 64}}, "its published sha256 is no such hash"),
        ({"hashes": {"sha256": "0" * 63}}, "its published sha256 is no such hash"),
        ({"hashes": {"sha257": "0" * 64}}, "its published hash is of an unknown kind, sha257"),
        ({"requires-python": ",".join([">=3"] * 600)}, "its Requires-Python has more than"),
    ],
)
def test_a_file_of_which_its_index_says_nothing_that_can_be_used(
    run: Any, server: Server, about: dict[str, Any], why: str
) -> None:
    """No older one is taken in its place, since pip would not take it either."""
    old = loopback.entry(make_wheel("spam", "0.5"))
    server.add("/simple/spam/", json.dumps({"name": "spam", "files": [loopback.entry(GOOD) | about, old]}), JSON)
    code, out, err = run(server.index, "spam")
    assert (code, err) == (1, "")
    assert "spam-1.0-py3-none-any.whl is refused, and no other version is tried, as in pip." in out
    assert why in out


def test_html_to_a_request_for_json(run: Any) -> None:
    with simple_index({"spam": [GOOD], "eggs": [EGGS]}, form="html", metadata=False, hashes=False) as server:
        assert run(server.index, "spam")[0] == 0


LOGIN = "<html><form action=/login><input name=user></form><a href=/help>Help</a></html>"

FAULTS: list[tuple[Fault, str]] = [
    (body(LOGIN, HTML), "it is a web page that lists no distribution files"),
    (body("<![spam[ ]]><form></form>", HTML), "something that is not a project page"),
    (body("{'files'}", JSON), "its JSON cannot be parsed"),
    (body('{"files": 7}', JSON), "its JSON has no list of files"),
    (body('{"meta": {"api-version": "2.0"}, "name": "spam", "files": []}', JSON), "version 2.0 of the repository API"),
    (body('{"name": "ham", "files": []}', JSON), "it describes the project ham, not spam"),
    (body('{"name": "\\u001b[31m", "files": []}', JSON), "it describes the project \\x1b[31m, not spam"),
    (body(b"\x89PNG", "image/png"), "its content type is image/png"),
    (body("[" * 200_000, JSON), "its JSON cannot be parsed"),
    (status(401), "refused access (HTTP 401). Give credentials"),
    (status(403), "refused access (HTTP 403). Give credentials"),
    (status(418), "HTTP 418"),
    (status(500), "HTTP 500"),
    (status(503), "HTTP 503"),
    (truncated(), "could not be read: "),
    (truncated(b"<a href='spam-1.0-py3-none-any.whl'>", content_type=HTML), "could not be read: "),
    (loopback.truncated_gzip(), "its body is cut short"),
    (loopback.bad_gzip(), "its gzip encoding is damaged"),
    (loopback.reset(), "could not be read: "),
    (loopback.raw(b"SSH-2.0-OpenSSH\r\n"), "could not be read: "),
    (loopback.redirect("?again"), "redirects more than"),
    (loopback.redirect("ftp://host/"), "could not be read: "),
]
FAULT_IDS = [
    *(
        "login",
        "bad-html",
        "bad-json",
        "no-files",
        "api-2",
        "other-project",
        "escape",
        "png",
        "deep-json",
        "401",
        "403",
    ),
    *("418", "500", "503", "truncated-json", "truncated-html", "truncated-gzip", "bad-gzip", "reset", "not-http"),
    *("redirect-loop", "redirect-to-ftp"),
]


@pytest.mark.parametrize(("fault", "why"), FAULTS, ids=FAULT_IDS)
@pytest.mark.parametrize("whose", ["spam", "eggs"])
def test_an_index_that_does_not_answer_leaves_it_open(
    run: Any, server: Server, fault: Fault, why: str, whose: str
) -> None:
    server.fault(f"/simple/{whose}/*", fault)
    code, out, err = run(server.index, "spam")
    assert (code, err) == (2, "")
    line = " ".join(out.removeprefix("\nWhat is wrong\n").split())
    assert why.replace("not spam", f"not {whose}") in line
    assert line.startswith(f"{server.url}/") or "ftp" in line
    assert line.endswith(".")


@pytest.mark.parametrize("fault", [fault for fault, _ in FAULTS[9:]], ids=FAULT_IDS[9:])
def test_a_file_server_that_does_not_answer_leaves_it_open(run: Any, fault: Fault) -> None:
    with simple_index({"spam": [GOOD], "eggs": [EGGS]}, metadata=False) as server:
        server.fault(f"/files/{GOOD.filename}*", fault)
        code, out, err = run(server.index, "spam")
    assert (code, err) == (2, "")
    assert out.startswith("\nWhat is wrong\n  ")
    assert len(out.splitlines()) <= 4


def test_a_refused_connection(run: Any) -> None:
    url = f"http://127.0.0.1:{free_port()}/simple/"
    code, out, err = run(url, "spam")
    assert (code, err) == (2, "")
    assert out == (
        f"\nWhat is wrong\n  {url}spam/ could not be read: the connection was refused. "
        "Try again later, or name another index with --index-url.\n"
    )


@pytest.mark.parametrize("path", ["/simple/spam/", "/files/*"])
def test_a_server_that_falls_silent(run: Any, server: Server, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("PIP_TIMEOUT", "0.3")
    server.fault(path, stall())
    code, out, err = run(server.index, "spam")
    assert (code, err) == (2, "")
    assert "took longer than 0.3 seconds. Try again, or raise the time-out in pip's configuration." in out


def test_a_passing_fault_is_tried_again(run: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_RETRIES", "2")
    server.fault("/simple/spam/", status(503, retry_after="0"), times=1)
    assert run(server.index, "spam")[0] == 0
    assert server.paths.count("/simple/spam/") == 2


def test_an_error_is_never_a_missing_project(run: Any, server: Server) -> None:
    assert run(server.index, "nowhere")[0] == 1
    server.fault("/simple/elsewhere/", status(500))
    assert run(server.index, "elsewhere")[0] == 2


# -- the cache


def test_a_cache_that_cannot_be_written_is_said_once_and_done_without(run: Any, server: Server, tmp_path: Path) -> None:
    place = tmp_path / "a-file"
    place.write_text("not a directory")
    code, out, err = run(server.index, "spam", "--cache-dir", str(place))
    assert (code, out[:6]) == (0, PINS)
    (line,) = err.splitlines()
    assert line.startswith(f"wheelcheck: The cache in {place} cannot be written")
    server.forget()
    assert run(server.index, "spam", "--cache-dir", str(place))[0] == 0
    assert "/simple/spam/" in server.paths


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_cache_without_permission(run: Any, server: Server, tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o500)
    code, _, err = run(server.index, "spam", "--cache-dir", str(place))
    assert (code, len(err.splitlines())) == (0, 1)


def test_a_cache_that_was_damaged_is_asked_for_again(run: Any, server: Server, tmp_path: Path) -> None:
    first = run(server.index, "spam")
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    server.forget()
    assert run(server.index, "spam") == first
    assert "/simple/spam/" in server.paths


def test_nonsense_is_not_kept(run: Any, server: Server) -> None:
    server.fault("/simple/spam/", body(LOGIN, HTML), times=1)
    assert run(server.index, "spam")[0] == 2
    assert run(server.index, "spam")[0] == 0
