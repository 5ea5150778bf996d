"""Nothing that an index or a URL holds causes a traceback, a wrong "yes", or an endless wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from loopback import HTML, JSON, Server, redirect, simple_index, status
from wheelcheck.cli.main import main
from wheelcheck.standards import simple_api
from wheels import Dist, make_wheel, metadata_text, zipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
        code = main(["check", *arguments, *([] if "-t" in arguments else ["-t", LINUX])])
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
        assert code == (2 if host != "" and not host.startswith("[") else code)
        assert code != 0


# -- two sources for one fact


def served(server: Server, wheel: Dist, metadata: str | None, **about: Any) -> None:
    """Serve a wheel, perhaps with metadata beside it, on a page that has an older version, too."""
    older = make_wheel("demo", "0.9")
    files = []
    for dist in (wheel, older):
        server.add(f"/files/{dist.filename}", dist.content)
        files.append(
            {"filename": dist.filename, "url": f"{server.url}/files/{dist.filename}", "hashes": {"sha256": dist.sha256}}
        )
    if metadata is not None:
        server.add(f"/files/{wheel.filename}.metadata", metadata)
        files[0]["core-metadata"] = {"sha256": sha256(metadata.encode()).hexdigest()}
    server.add("/simple/demo/", page(files[0] | about, files[1]), JSON)


@pytest.mark.parametrize("beside", [{}, {"requires": ["dep"]}, {"requires_python": ">=3.8"}, {"extras": ["x"]}])
def test_metadata_beside_a_wheel_that_says_something_else(
    server: Server, run: Any, beside: dict[str, Any], tmp_path: Path
) -> None:
    """Once the wheel is in hand, it is refused, and no other version is taken, as by pip."""
    wheel = make_wheel("demo", "1.0", requires=[] if beside else ["dep>=1"])
    served(server, wheel, metadata_text("demo", "1.0", **beside))
    server.add_project("dep", [make_wheel("dep", "1.0")])
    code, told = run("demo", "-i", server.index, "-t", "running", "--confirm", "--fresh", "--cache-dir", str(tmp_path))
    assert code == 1
    assert "its own METADATA and the one served beside it differ in" in " ".join(told.split())
    folder = tmp_path / "local"
    (folder / "demo").mkdir(parents=True)
    (folder / "demo" / wheel.filename).write_bytes(wheel.content)
    (folder / "demo" / f"{wheel.filename}.metadata").write_text(metadata_text("demo", "1.0", **beside))
    (folder / "demo" / "index.html").write_text(
        f'<a href="{wheel.filename}" data-core-metadata="true">{wheel.filename}</a>'
    )
    code, told = run("demo", "-i", str(folder), "-t", LINUX)
    assert code == 1
    assert "differ in" in told


@pytest.mark.parametrize("ranges", ["none", "all"])
@pytest.mark.parametrize("confirm", [False, True])
def test_bytes_that_are_not_those_that_are_published(run: Any, ranges: str, confirm: bool, tmp_path: Path) -> None:
    wheel = make_wheel("demo", "1.0")
    with simple_index({"demo": [wheel, make_wheel("demo", "0.9")]}, metadata=confirm, ranges=ranges) as server:
        server.resources[f"/files/{wheel.filename}"].body = wheel.content.replace(b"demo", b"evil")
        fresh = ["-t", "running", "--confirm", "--fresh", "--cache-dir", str(tmp_path)] if confirm else ["-t", LINUX]
        code, told = run("demo", "-i", server.index, *fresh)
    assert code == 1
    assert "its hash is sha256:" in told
    assert "0.9" not in told


@pytest.mark.parametrize(("name", "version"), [("evil", "1.0"), ("demo", "2.0"), ("evil", "nonsense")])
def test_metadata_of_something_else_beside_a_wheel_is_passed_over_and_said(
    server: Server, run: Any, name: str, version: str, tmp_path: Path
) -> None:
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: nowhere\n"
    served(server, WHEEL, text)
    for _ in ("asked", "from the cache"):
        code, told = run("demo", "-i", server.index, "--format", "json", "--cache-dir", str(tmp_path))
        assert code == 0
        concerns = json.loads(told)["results"][0]["concerns"]
        found = [one for one in concerns if one["kind"] == "MetadataDisagrees"]
        lines = [f"Name: {name}"] * (name != "demo") + [f"Version: {version}"] * (version != "1.0")
        assert [one["other_says"] for one in found] == [lines]


def test_a_wheel_with_the_metadata_of_another_project(server: Server, run: Any) -> None:
    text = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    content = zipped({"demo.py": "", "evil-1.0.dist-info/METADATA": text, "evil-1.0.dist-info/RECORD": ""})
    served(server, make_wheel("demo", "1.0").holding(content), None)
    code, told = run("demo==1.0", "-i", server.index, "-t", LINUX)
    assert code == 1
    assert "its directory evil-1.0.dist-info is not that of demo" in told


# -- pages without end


@pytest.mark.parametrize(
    "body",
    ["<!--" * 500_000, "<a " * 700_000, "<div>" * 400_000, '<a href="' * 200_000, "<" * 2_000_000, "<a x" * 500_000],
    ids=["comments", "anchors", "nested", "quotes", "brackets", "attributes"],
)
def test_a_page_of_html_that_closes_nothing(server: Server, run: Any, body: str) -> None:
    server.add("/simple/demo/", body, HTML)
    assert run("demo", "-i", server.index, "-t", LINUX)[0] in (1, 2)


def test_a_page_with_more_than_a_page_can_hold(server: Server, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple_api, "MAX_FILES", 3)
    files = [{"filename": f"demo-{n}-py3-none-any.whl", "url": "x", "hashes": {}} for n in range(4)]
    server.add("/simple/demo/", page(*files), JSON)
    code, told = run("demo", "-i", server.index, "-t", LINUX)
    assert (code, "it lists more than 3 files" in told) == (2, True)


@pytest.mark.parametrize("where", ["page", "metadata", "requirement"])
def test_specifiers_with_more_clauses_than_anyone_writes(server: Server, run: Any, where: str) -> None:
    clauses = ",".join(f"!=9.{number}" for number in range(20_000))
    if where == "page":
        served(server, WHEEL, None, **{"requires-python": clauses})
    else:
        said = {"requires": [f"dep{clauses}"]} if where == "requirement" else {"requires_python": clauses}
        served(server, make_wheel("demo", "1.0", **said), None)
    code, told = run("demo", "-i", server.index, "-t", LINUX)
    assert (code, "  demo  0.9  requested" in told) == ((0, True) if where == "requirement" else (1, False))
    code, told = run("demo==1.0", "-i", server.index, "-t", LINUX)
    assert (code, "more than" in told) == (1, True)


# -- a cache that others can write


@pytest.mark.skipif(not hasattr(os, "mkfifo") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["directory", "entries"])
def test_a_cache_of_another_user_is_not_believed(server: Server, run: Any, what: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    asked = ("demo", "-i", server.index, "-t", LINUX, "--cache-dir", str(cache))
    assert run(*asked)[0] == 0
    for path in [cache] if what == "directory" else [path for path in cache.rglob("*") if path.is_file()]:
        os.chown(path, 65534, 65534)
    server.forget()
    code, told = run(*asked)
    assert code == 0
    assert "/simple/demo/" in server.paths
    assert ("belongs to another user" in told) is (what == "directory")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_fifo_in_place_of_an_entry_is_passed_over(server: Server, run: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    asked = ("demo", "-i", server.index, "-t", LINUX, "--cache-dir", str(cache))
    assert run(*asked)[0] == 0
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        path.unlink()
        os.mkfifo(path)
    assert run(*asked)[0] == 0


def test_clearing_the_cache_leaves_what_a_link_leads_to_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cache, other = tmp_path / "cache", tmp_path / "other"
    (cache / "3" / "pages").mkdir(parents=True)
    other.mkdir()
    (other / "kept").write_text("")
    (cache / "wheels").symlink_to(other, target_is_directory=True)
    assert main(["cache", "clear", "--cache-dir", str(cache)]) == 0
    capfd.readouterr()
    assert (other / "kept").exists()
    assert not (cache / "3").exists()
    assert not (cache / "wheels").is_symlink()


# -- what is said


ADVICE = {
    "it redirects more than": (lambda h: h.answer(302, b"", {"location": "/simple/demo/"}), "Check its URL"),
    "HTTP 400": (status(400), "Check its URL"),
    "HTTP 503": (status(503), "Try again later"),
    "HTTP 429": (status(429), "Try again later"),
    "its encoding was not requested": (lambda h: h.answer(200, b"x", {"content-encoding": "br"}), "Check its URL"),
    "its answer was cut short": (lambda h: h.hang_up(), "Try again later"),
}


@pytest.mark.parametrize("why", ADVICE)
def test_trying_again_is_advised_only_where_it_can_help(server: Server, run: Any, why: str) -> None:
    fault, advice = ADVICE[why]
    server.fault("/simple/demo/", fault)
    code, told = run("demo", "-i", server.index)
    told = " ".join(told.split())
    assert code == 2
    assert why in told
    assert f". {advice}, or name another index" in told


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://example.invalid/simple/", "Use https, or add the host to trusted-host"),
        ("https://example.invalid/simple/", "Check its spelling and the network"),
        ("http://127.0.0.1:1/simple/", "Try again later"),
        ("/nowhere/at/all", "Check the path"),
    ],
)
def test_so_it_is_for_indexes_that_are_not_reached(run: Any, url: str, advice: str) -> None:
    code, told = run("demo", "-i", url)
    assert (code, f". {advice}" in " ".join(told.split())) == (2, True)


@pytest.mark.parametrize(
    ("asked", "filenames", "said"),
    [
        ("demo", ["../../demo-1.0-py3-none-any.whl"], "it is a path, not a file name"),
        ("demo", ["other-1.0-py3-none-any.whl"], "it belongs to the project other"),
        (
            "demo",
            ["../x-1.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"],
            "none of the files on its page can be read",
        ),
        ("demo", [], "its page lists none"),
        ("demo==2.0", [WHEEL.filename, "../../demo-2.0-py3-none-any.whl"], "it is a path, not a file name"),
    ],
)
def test_no_file_that_can_be_read_is_a_reason(
    server: Server, run: Any, asked: str, filenames: list[str], said: str
) -> None:
    files = [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in filenames]
    server.add("/simple/demo/", page(*files), JSON)
    code, told = run(asked, "-i", server.index)
    assert (code, said in told, "conflict" in told) == (1, True, False)


@pytest.mark.parametrize("of", ["the metadata", "the file"])
def test_a_published_hash_is_not_called_a_given_one(server: Server, run: Any, of: str) -> None:
    text = metadata_text("demo", "1.0") if of == "the metadata" else None
    served(server, WHEEL, text, **{"core-metadata": {"sha256": "0" * 64}} if text else {"hashes": {"sha256": "0" * 64}})
    code, told = run("demo", "-i", server.index)
    assert (code, "given" in told) == (1, False)
    assert f"{WHEEL.filename} is refused, and no other version is tried, as in pip." in told
    assert ("the hash of its metadata is" if text else "its hash is") in told


def test_first_index_is_no_fix_where_it_takes_the_same_file(server: Server, run: Any) -> None:
    with simple_index({"demo": [make_wheel("demo", "99.0")]}) as other:
        indexes = ("-i", server.index, "--extra-index-url", other.index)
        code, told = run("demo", *indexes)
        assert (code, "demo-99.0-py3-none-any.whl is from" in told, "first-index" in told) == (0, True, False)
        code, told = run("demo", "-i", other.index, "--extra-index-url", server.index)
        assert "--index-strategy first-index: demo 1.0" in told


def test_a_part_where_the_whole_was_requested(server: Server, run: Any) -> None:
    server.add(f"/files/{WHEEL.filename}", WHEEL.content)
    listed = {"filename": WHEEL.filename, "url": f"{server.url}/files/{WHEEL.filename}", "hashes": {}}
    server.add("/simple/demo/", page(listed), JSON)
    server.fault("/files/*", lambda h: h.answer(206, WHEEL.content, {"content-range": f"bytes 0-9/{10**15}"}))
    code, told = run("demo", "-i", server.index)
    assert (code, "HTTP 206" in told) == (2, False)


def test_what_was_refused_is_refused_from_the_cache_too(run: Any, tmp_path: Path) -> None:
    """Also where the fault is in the description, which the cache does not hold."""
    wheel = make_wheel("demo", "1.0", metadata=b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n\xff\n")
    with simple_index({"demo": [wheel]}) as server:
        for more in ((), ("--no-remedies",), ("--offline",)):
            code, told = run("demo", "-i", server.index, "-t", LINUX, "--cache-dir", str(tmp_path), *more)
            assert (code, "it is not UTF-8" in told) == (1, True)


LINK = f'<a href="../../files/{WHEEL.filename}#sha256={WHEEL.sha256}">x</a>'
READ_AS_PIP_DOES = {
    "the last of two attributes": (
        f'<a href="../../files/demo-2.0-py3-none-any.whl" href="../../files/{WHEEL.filename}">x</a>',
        0,
    ),
    "a hash after a second fragment": (f'<a href="../../files/{WHEEL.filename}#x#sha256={"0" * 64}">x</a>', 1),
    "a hash in the query": (f'<a href="../../files/{WHEEL.filename}?x&sha256={"0" * 64}">x</a>', 1),
    "the last of two hashes": (LINK + LINK.replace(WHEEL.sha256, "0" * 64), 1),
    "the first of two equal links": (LINK + LINK.replace(WHEEL.sha256, "0" * 64) + LINK, 1),
}


@pytest.mark.parametrize("case", READ_AS_PIP_DOES)
def test_a_page_is_read_as_by_pip(server: Server, run: Any, case: str) -> None:
    body, expected = READ_AS_PIP_DOES[case]
    server.add("/simple/demo/", body, HTML)
    server.add(f"/files/{WHEEL.filename}?x&sha256={'0' * 64}", WHEEL.content)
    assert run("demo", "-i", server.index)[0] == expected


def test_the_slashes_at_the_end_of_an_index_are_part_of_it(server: Server, run: Any) -> None:
    for slashes, expected in (("", 0), ("/", 0), ("//", 1)):
        assert run("demo", "-i", server.index.rstrip("/") + slashes)[0] == expected


@pytest.mark.parametrize("url", ["\ud800", "htthttp://127.0.0.1:41://127.0.0.1/x.whl", "ftp://127.0.0.1/x.whl"])
def test_a_file_at_an_address_that_nobody_can_ask(server: Server, run: Any, url: str) -> None:
    server.add(
        "/simple/demo/", page({"filename": WHEEL.filename, "url": f"{url}/{WHEEL.filename}", "hashes": {}}), JSON
    )
    code, told = run("demo", "-i", server.index)
    assert (code, "its address is" in told) == (2, True)


def test_a_name_that_is_the_end_of_another_one(server: Server, run: Any) -> None:
    server.add("/simple/demo/", page({"filename": "-py3-none-any.whl", "url": f"/files/{WHEEL.filename}"}), JSON)
    assert run("demo", "-i", server.index)[0] == 2


def test_a_wheel_whose_wheel_file_is_not_text(server: Server, run: Any) -> None:
    folder = "demo-1.0.dist-info"
    about = b"Wheel-Version: 1.0\nGenerator: te\xffts\n"
    content = zipped({f"{folder}/METADATA": metadata_text("demo", "1.0"), f"{folder}/WHEEL": about})
    served(server, WHEEL.holding(content), None)
    code, told = run("demo==1.0", "-i", server.index)
    assert (code, "its WHEEL is not UTF-8" in told) == (1, True)


HASH_LINES = {
    "its own": ("demo==1.0 --hash=sha256:{right}", 0),
    "in capital letters": ("demo==1.0 --hash=sha256:{RIGHT}", 0),
    "one of two": ("demo==1.0 --hash=sha256:{wrong} --hash=sha256:{right}", 0),
    "one of two kinds": ("demo==1.0 --hash=sha512:{wrong}{wrong} --hash=sha256:{right}", 0),
    "over several lines": ("demo==1.0 \\\n  --hash=sha256:{wrong} \\\n  --hash=sha256:{right}", 0),
    "in a comment": ("demo==1.0 --hash=sha256:{wrong} # --hash=sha256:{right}", 1),
    "another": ("demo==1.0 --hash=sha256:{wrong}", 1),
    "an older file": ("demo --hash=sha256:{older}", 0),
    "missing on another line": ("demo==1.0 --hash=sha256:{right}\nother==1.0", 1),
    "wanted and not given": ("--require-hashes\ndemo==1.0", 1),
    "of a kind that the index does not publish": ("demo==1.0 --hash=sha512:{wrong}{wrong}", 2),
    "of a kind that is broken": ("demo==1.0 --hash=md5:" + "0" * 32, 2),
    "of a kind in capital letters": ("demo==1.0 --hash=SHA256:{right}", 2),
    "cut off": ("demo==1.0 --hash=sha256:abcd", 2),
    "empty": ("demo==1.0 --hash=sha256:", 2),
    "no digits": ("demo==1.0 --hash=sha256:" + "z" * 64, 2),
    "in the URL, another": ("demo @ {url}#sha256={wrong}", 1),
}


@pytest.mark.parametrize("case", HASH_LINES)
def test_a_hash_is_compared_or_refused(run: Any, case: str, tmp_path: Path) -> None:
    """As pip does, except that nothing is downloaded to compare hashes of a kind that the index does not publish."""
    older, text = make_wheel("demo", "0.9"), tmp_path / "requirements.txt"
    with simple_index({"demo": [WHEEL, older], "other": [make_wheel("other")]}) as server:
        hashes = {"right": WHEEL.sha256, "RIGHT": WHEEL.sha256.upper(), "wrong": "0" * 64, "older": older.sha256}
        line, expected = HASH_LINES[case]
        text.write_text(line.format(**hashes, url=f"{server.url}/files/{WHEEL.filename}"), "utf-8")
        assert run("-r", str(text), "-i", server.index)[0] == expected


# -- directories that somebody else has filled


def snapshot_in(folder: Path) -> tuple[Path, Path]:
    """A snapshot, and in it the metadata of its only file."""
    with simple_index({"demo": [WHEEL]}) as server:
        assert main(["snapshot", str(folder), "demo", "-t", LINUX, "-i", server.index]) == 0
    (metadata,) = folder.rglob("*.metadata")
    return folder, metadata


def a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def another_text(path: Path) -> None:
    path.write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: other\n", "utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("what", ["page", "metadata", "manifest", "wheel"])
@pytest.mark.parametrize("damage", [a_fifo, a_device], ids=lambda damage: damage.__name__)
def test_what_is_no_regular_file_in_a_directory_is_not_waited_for(
    run: Any, what: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    if what == "wheel":
        (tmp_path / WHEEL.filename).write_bytes(WHEEL.content)
        damage(tmp_path / WHEEL.filename)
        code, told = run("demo", "--no-index", "-f", str(tmp_path))
    else:
        folder, metadata = snapshot_in(tmp_path / "snapshot")
        place = {"page": folder / "demo" / "index.json", "metadata": metadata, "manifest": folder / "manifest.json"}
        damage(place[what])
        code, told = run("demo", "-i", str(folder))
    assert what == "manifest" or (code, "it is no regular file" in " ".join(told.split())) == (2, True)


def test_a_snapshot_whose_metadata_was_changed_is_refused(run: Any, tmp_path: Path) -> None:
    folder, metadata = snapshot_in(tmp_path / "snapshot")
    another_text(metadata)
    code, told = run("demo", "-i", str(folder))
    assert (code, "the hash of its metadata is" in told) == (1, True)


@pytest.mark.parametrize("url", ["../../../../etc/passwd", "file:///etc/passwd", "/etc/passwd"])
def test_a_page_in_a_directory_shows_nothing_of_what_it_points_at(run: Any, url: str, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "index.json").write_text(
        page({"filename": WHEEL.filename, "url": f"{url}/{WHEEL.filename}", "hashes": {}})
    )
    code, told = run("demo", "-i", str(tmp_path))
    assert code in (1, 2)
    assert "root:" not in told


def test_a_dependency_at_an_address_of_its_own_is_refused(server: Server, run: Any) -> None:
    served(server, make_wheel("demo", "1.0", requires=[f"dep @ {server.url}/files/dep-1.0-py3-none-any.whl"]), None)
    code, told = run("demo==1.0", "-i", server.index)
    assert (code, "which only the user may name" in " ".join(told.split())) == (1, True)
    assert "/files/dep-1.0-py3-none-any.whl" not in server.paths


@pytest.mark.parametrize("what", ["requirements", "extras"])
def test_a_file_that_requires_without_end(server: Server, run: Any, what: str) -> None:
    if what == "requirements":
        needs, extras = [f"six!=5.{number}" for number in range(5000)], ()
    else:
        needs = ["demo[a0]", *(f"demo[a{n + 1}]; extra == 'a{n}'" for n in range(1000))]
        extras = tuple(f"a{n}" for n in range(1001))
    served(server, make_wheel("demo", "1.0", requires=needs, extras=extras), None)
    server.add_project("six", [make_wheel("six")])
    code, told = run("demo==1.0", "-i", server.index)
    told = " ".join(told.split())
    assert (code, "more than 200 requirements on six" in told) == ((1, True) if what == "requirements" else (2, False))


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ("<!---->" * 100_000 + LINK, HTML, 0),
        (LINK, "text/html; charset=undefined", 2),
        ('<base href="/files/">' + LINK, HTML, 2),
        (LINK.replace("<a ", "<a " + " ".join(f"a{n}=1" for n in range(40)) + " "), HTML, 2),
        (
            page({"filename": WHEEL.filename, "url": f"/files/{WHEEL.filename}#sha256={'0' * 64}", "hashes": {}}),
            JSON,
            1,
        ),
        (page({"filename": WHEEL.filename, "url": "/files/blob", "hashes": {}}), JSON, 1),
        (page({"filename": WHEEL.filename, "url": f"/files/{WHEEL.filename}", "hashes": {}}), "application/json", 2),
        ('{"name": "demo", "x": [' + "[[[]]]," * 2_000_000 + "0]}", JSON, 2),
    ],
    ids=["comments", "charset", "base", "attributes", "hash in a URL", "name in a URL", "type", "brackets"],
)
def test_a_page_that_pip_refuses_or_is_slow_to_read(server: Server, run: Any, body: str, kind: str, code: int) -> None:
    server.add("/simple/demo/", body, kind)
    server.add(f"/{WHEEL.filename}", WHEEL.content)
    assert run("demo", "-i", server.index)[0] == code


def test_what_is_remembered_of_pips_arguments_holds_no_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEELCHECK_CACHE_DIR", str(tmp_path))
    url = server.index.replace("//", "//me:S3cretW0rd@")
    asked = [sys.executable, "-m", "wheelcheck", "hook", "install", "--dry-run", "demo", "-i", url]
    for _ in range(2):
        assert subprocess.run(asked, capture_output=True, check=False).returncode == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"S3cretW0rd" in path.read_bytes()] == []


@pytest.mark.parametrize(
    "line", ["https://u:{}@h/demo-1.0-cp39-cp39-win32.whl is not a supported wheel on this platform."]
)
def test_a_diagnosis_quotes_no_password(line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(f"ERROR: {line.format('S3cretW0rd')}\n")
    for form in ("text", "json"):
        main(["diagnose", str(tmp_path / "log"), "--format", form, "--no-remedies"])
    assert "S3cretW0rd" not in "".join(capfd.readouterr())
