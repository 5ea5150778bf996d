"""What a user names by path or URL: wheels, source archives and directories, with their digests; nothing is built."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

import loopback
import wheelcheck
from doors import LINUX, stand_alone
from loopback import serve
from sdists import make_source, pkg_info_text, tarred, write_project
from wheelcheck.cli.main import main
from wheelcheck.common.errors import IndexUnavailable, NotCached, Unreadable, UsageError
from wheelcheck.index import direct_urls
from wheelcheck.index.cache.store import Cache
from wheelcheck.index.http.client import TransportOptions
from wheelcheck.index.index import Index
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata
from wheelcheck.standards.project_page import Sdist, UnreadableFile, Wheel
from wheels import make_wheel, wheel_text, zipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loopback import Server
    from wheelcheck.commands.report import Result
    from wheels import Dist

SPAM = canonicalize_name("spam")
WHEEL = make_wheel("spam", requires=["eggs<2"])
OTHER = make_wheel("spam", requires=["evil"])
SOURCE = make_source("spam", requires=["eggs<2", "ham; extra == 'dev'"], extras=["dev"])
EGGS = make_wheel("eggs")
PROJECT = """
[project]
name = "Spam"
version = "1.0"
requires-python = ">=3.8"
dependencies = ["eggs<2"]
optional-dependencies.dev = ["ham"]
"""
_PKG_INFO = pkg_info_text("spam", "1.0", requires=["eggs<2", "ham; extra == 'dev'"], extras=["dev"])


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    stand_alone(monkeypatch, tmp_path)
    return tmp_path


@contextmanager
def index(folder: Path | None = None, **how: Any) -> Iterator[Index]:
    options = TransportOptions(timeout=60, retries=0)
    with Index([], cache=Cache(folder), transport_options=options, **how) as it:
        yield it


def sha256(dist: Dist) -> str:
    return f"sha256:{dist.sha256}"


def written(folder: Path, dist: Dist, name: str = "") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (name or dist.filename)).write_bytes(dist.content)
    return (folder / (name or dist.filename)).as_uri()


def served(server: Server, dist: Dist, name: str = "", **how: Any) -> str:
    path = f"/any/{name or dist.filename}"
    server.add(path, dist.content, **how)
    return server.url + path


def needs(told: object) -> list[str]:
    assert isinstance(told, Metadata)
    return [str(requirement) for requirement in told.requires_dist]


# -- files by the name that they have


@pytest.mark.parametrize("dist", [WHEEL, SOURCE], ids=["wheel", "source"])
def test_a_file_on_this_machine_or_on_a_server_is_read(here: Path, dist: Dist) -> None:
    with serve() as server:
        for url in (written(here / "with space", dist), served(server, dist)):
            with index() as it:
                file = it.direct(url, SPAM)
                assert isinstance(file, Wheel if dist is WHEEL else Sdist)
                assert (file.version.public, file.hashes, file.index) == ("1.0", {}, "")
                assert needs(it.metadata(file))[0] == "eggs<2"


@pytest.mark.parametrize("dist", [WHEEL, SOURCE], ids=["wheel", "source"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "md5"])
def test_a_file_of_which_a_digest_is_wanted_has_its_own(here: Path, dist: Dist, algorithm: str) -> None:
    digest = hashlib.new(algorithm, dist.content).hexdigest()
    wrong = f"{algorithm}:{'0' * len(digest)}"
    with serve() as server:
        for url in (written(here, dist), served(server, dist)):
            for wanted in ([f"{algorithm}:{digest}"], [wrong, f"{algorithm}:{digest}"]):
                with index() as it:
                    file = it.direct(url, SPAM, wanted)
                    assert not isinstance(file, UnreadableFile)
                    assert file.hashes == {algorithm: digest}
                    assert needs(it.metadata(file))[0] == "eggs<2"
            with index() as it:
                file = it.direct(url, SPAM, [wrong])
                assert not isinstance(file, UnreadableFile)
                assert file.hashes[algorithm] == digest


def test_a_digest_of_any_algorithm_will_do_as_in_pip(here: Path) -> None:
    good = f"sha512:{hashlib.sha512(WHEEL.content).hexdigest()}"
    with serve() as server, index() as it:
        file = it.direct(served(server, WHEEL), SPAM, [f"sha256:{'0' * 64}", good])
        assert not isinstance(file, UnreadableFile)
        assert file.hashes == {"sha512": good.partition(":")[2]}


def test_metadata_is_that_of_the_bytes_that_were_checked() -> None:
    """Whoever sends other bytes to a request for a part gains nothing."""

    def fault(handler: loopback.Handler) -> None:
        other = handler.headers.get("range") or handler.command == "HEAD"
        body = OTHER.content if other else WHEEL.content
        handler.answer(200, body, {"content-type": "application/octet-stream"})

    with serve() as server, index() as it:
        url = served(server, WHEEL)
        server.fault(f"/any/{WHEEL.filename}", fault)
        file = it.direct(url, SPAM, [sha256(WHEEL)])
        assert not isinstance(file, UnreadableFile)
        assert needs(it.metadata(file)) == ["eggs<2"]


def test_a_file_that_was_checked_is_not_fetched_again(here: Path) -> None:
    with serve() as server:
        url = served(server, WHEEL)
        for how in ({}, {}, {"offline": True}):
            with index(here / "cache", **how) as it:
                file = it.direct(url, SPAM, [f"sha256:{'0' * 64}", sha256(WHEEL)])
                assert not isinstance(file, UnreadableFile)
                assert needs(it.metadata(file)) == ["eggs<2"]
        assert len(server.requests) == 2  # how large it is, and the file
        with index(here / "cache") as it:
            file = it.direct(url, SPAM, [f"sha256:{'0' * 64}"])
            assert not isinstance(file, UnreadableFile)
            assert file.hashes == {"sha256": WHEEL.sha256}


def test_what_was_checked_under_one_url_says_nothing_of_another(here: Path) -> None:
    with serve() as server:
        good, bad = served(server, WHEEL), served(server, OTHER, f"else/{WHEEL.filename}")
        for url, found in ((good, WHEEL), (bad, OTHER)):
            with index(here / "cache") as it:
                file = it.direct(url, SPAM, [sha256(WHEEL)])
                assert not isinstance(file, UnreadableFile)
                assert file.hashes == {"sha256": found.sha256}


@pytest.mark.parametrize("told", [True, False])
def test_what_is_large_is_taken_at_the_users_word(monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    large = make_wheel("spam", files={f"spam/{n}": hashlib.sha512(bytes([n])).digest() * 2000 for n in range(30)})
    large = large.holding(
        zipped(
            {
                "spam/x": os.urandom(3 * 2**20),
                "spam-1.0.dist-info/METADATA": large.metadata or b"",
                "spam-1.0.dist-info/WHEEL": wheel_text("py3-none-any"),
            }
        )
    )
    monkeypatch.setattr(direct_urls, "MODERATE", 2**20)
    wanted = f"sha256:{'0' * 64}"
    with serve() as server, index() as it:
        url = served(server, large, length=told)
        file = it.direct(url, SPAM, [wanted])
        assert not isinstance(file, UnreadableFile)
        assert file.hashes == {"sha256": "0" * 64}
        if told:
            assert isinstance(it.metadata(file), Metadata)
            assert it.counters.bytes < 2**20


def test_a_digest_that_nobody_asks_for_costs_no_request() -> None:
    with serve() as server, index() as it:
        it.direct(served(server, WHEEL), SPAM)
        assert server.requests == []


def test_an_answer_on_what_is_named_is_not_to_be_remembered(here: Path) -> None:
    for url in (written(here, WHEEL), write_project(here / "project", PROJECT).as_uri()):
        with index() as it:
            it.direct(url, SPAM)
            assert it.stamps[1] == 0


def test_a_server_that_fails_is_no_answer() -> None:
    with serve() as server, index() as it:
        url = served(server, WHEEL)
        server.fault("/any/*", loopback.status(503))
        with pytest.raises(IndexUnavailable, match="HTTP 503"):
            it.direct(url, SPAM, [sha256(WHEEL)])
        server.mend()
        with pytest.raises(Unreadable, match="HTTP 404"):
            it.direct(f"{server.url}/any/spam-2.0-py3-none-any.whl", SPAM, [sha256(WHEEL)])


def test_a_file_of_another_project_is_none_of_this_one(here: Path) -> None:
    with index() as it:
        file = it.direct(written(here, EGGS), SPAM)
        assert isinstance(file, UnreadableFile)
        assert file.why == "it belongs to the project eggs"


def test_a_broken_file_with_the_right_digest_is_refused() -> None:
    broken = WHEEL.holding(b"<html>" * 100)
    with serve() as server, index() as it:
        file = it.direct(served(server, broken), SPAM, [sha256(broken)])
        assert not isinstance(file, UnreadableFile)
        assert isinstance(it.metadata(file), BadMetadata)


# -- archives whose names say too little


def repository(pyproject: str, **more: str) -> Dist:
    """What a server of repositories makes of a branch."""
    members = {
        "spam-main/README": "",
        "spam-main/sub/pyproject.toml": "",
        "spam-main/pyproject.toml": pyproject,
        **more,
    }
    return make_source("spam").holding(tarred(members))


@pytest.mark.parametrize("name", ["main.tar.gz", "v1.0.zip", "other-2.0.tar.gz", "spam-1.0.tar.gz"])
@pytest.mark.parametrize("promise", ["PKG-INFO", "pyproject.toml"])
def test_an_archive_is_known_by_what_is_inside(here: Path, name: str, promise: str) -> None:
    members = {"spam-main/a.py": "", f"spam-main/{promise}": PROJECT if promise != "PKG-INFO" else _PKG_INFO}
    content = zipped(members) if name.endswith(".zip") else tarred(members)
    dist = SOURCE.holding(content)
    with serve() as server:
        for url in (written(here, dist, name), served(server, dist, name)):
            for wanted in ([], [sha256(dist)], [f"sha256:{'0' * 64}"]):
                with index() as it:
                    file = it.direct(url, SPAM, wanted)
                    assert isinstance(file, Sdist)
                    assert (file.filename, str(file.version)) == (name, "1.0")
                    assert file.hashes == ({"sha256": dist.sha256} if wanted else {})
                    assert needs(it.metadata(file)) == ["eggs<2", 'ham; extra == "dev"']


TOO_LITTLE = [
    (repository('[project]\nname = "spam"\ndynamic = ["version"]\n'), "declares version dynamic"),
    (repository("[build-system]\n"), "no metadata of version 2.2 or later"),
    (repository("[project\n"), "no metadata of version 2.2 or later"),
    (repository(PROJECT, **{"spam-main/PKG-INFO": "Metadata-Version: 2.1\n"}), "no metadata of version 2.2 or later"),
    (SOURCE.holding(tarred({"spam-main/setup.py": ""})), "no metadata of version 2.2 or later"),
    (SOURCE.holding(tarred({"../PKG-INFO": _PKG_INFO, "../pyproject.toml": PROJECT})), "no metadata of version 2.2"),
    (SOURCE.holding(tarred({"PKG-INFO": _PKG_INFO, "a/b/PKG-INFO": _PKG_INFO})), "no metadata of version 2.2"),
]


@pytest.mark.parametrize(("dist", "why"), TOO_LITTLE)
def test_an_archive_that_leaves_its_version_to_a_build_tells_nothing(here: Path, dist: Dist, why: str) -> None:
    with serve() as server:
        for url in (written(here, dist, "main.tar.gz"), served(server, dist, "main.tar.gz")):
            with index() as it, pytest.raises(Unreadable, match=why) as caught:
                it.direct(url, SPAM)
            assert caught.value.kind == "Unreadable"
            assert "main.tar.gz" in str(caught.value)


def test_an_archive_of_another_project_is_none_of_this_one(here: Path) -> None:
    with index() as it:
        file = it.direct(written(here, SOURCE, "main.tar.gz"), canonicalize_name("eggs"))
        assert isinstance(file, UnreadableFile)
        assert file.why == "it says that it is spam 1.0"


def test_a_broken_archive_tells_nothing(here: Path) -> None:
    with serve() as server:
        broken = SOURCE.holding(SOURCE.content[:50])
        for url in (written(here, broken, "main.tar.gz"), served(server, broken, "main.tar.gz")):
            with index() as it, pytest.raises(Unreadable, match="cut short"):
                it.direct(url, SPAM)


def test_what_an_archive_says_is_kept_for_a_time(here: Path) -> None:
    with serve() as server:
        url = served(server, SOURCE, "main.tar.gz")
        with index(here / "cache", offline=True) as it, pytest.raises(NotCached, match=r"main\.tar\.gz"):
            it.direct(url, SPAM)
        for how in ({}, {}, {"offline": True}):
            with index(here / "cache", **how) as it:
                assert needs(it.metadata(it.direct(url, SPAM)))[0] == "eggs<2"  # type: ignore[arg-type]
        assert len(server.requests) == 1
        with index(here / "cache", refresh=True) as it:
            it.direct(url, SPAM)
        assert len(server.requests) == 2


# -- directories


def test_a_directory_is_what_its_pyproject_states(here: Path) -> None:
    folder = write_project(here / "with space", PROJECT)
    with index() as it:
        file = it.direct(folder.as_uri(), SPAM)
        assert isinstance(file, Sdist)
        assert (file.filename, str(file.version), file.url) == ("with space", "1.0", folder.as_uri())
        assert needs(it.metadata(file)) == ["eggs<2", 'ham; extra == "dev"']


DIRECTORIES = [
    ('[project]\nname = "spam"\ndynamic = ["version"]', Unreadable, "its pyproject.toml leaves version open"),
    (
        '[project]\nname = "spam"\nversion = "1"\ndynamic = ["optional-dependencies", "dependencies"]',
        Unreadable,
        "leaves dependencies and optional-dependencies open",
    ),
    ("[build-system]", Unreadable, "no \\[project\\] table"),
    ("[project", Unreadable, "cannot be parsed"),
]


@pytest.mark.parametrize(("text", "kind", "why"), DIRECTORIES)
def test_a_directory_that_leaves_something_to_a_build_tells_nothing(
    here: Path, text: str, kind: type[Exception], why: str
) -> None:
    folder = write_project(here / "project", text)
    with index() as it, pytest.raises(kind, match=why) as caught:
        it.direct(folder.as_uri(), SPAM)
    assert str(folder) in str(caught.value)


# -- the whole way


@pytest.fixture
def ask(here: Path) -> Iterator[Any]:
    """Asks for one target, on an index that has eggs and ham; gives the result."""
    projects = {"eggs": [EGGS, make_wheel("eggs", "2.0")], "ham": [make_wheel("ham")]}
    with loopback.simple_index(projects) as server:
        loopback_url = server.url

        def ask(*requirements: str, **options: Any) -> Result:
            report = wheelcheck.check(requirements, targets=[LINUX], index_url=f"{loopback_url}/simple/", **options)
            return report.results[0]

        ask.server = server  # type: ignore[attr-defined]
        yield ask


def pins(result: Result) -> dict[str, str]:
    return {pin.name: pin.file.filename for pin in result.pins}


def test_the_requirements_of_a_directory_are_resolved(here: Path, ask: Any) -> None:
    folder = write_project(here / "project", PROJECT)
    result = ask("./project[dev]")
    assert result.ok
    assert pins(result) == {"eggs": EGGS.filename, "ham": "ham-1.0-py3-none-any.whl", "spam": "project"}
    assert result.to_dict()["pins"][2]["url"] == folder.as_uri()
    assert pins(ask(f"spam @ {folder.as_uri()}")) == {"eggs": EGGS.filename, "spam": "project"}
    assert {path.name for path in folder.iterdir()} == {"pyproject.toml", "setup.py"}


def test_no_page_is_asked_for_on_account_of_what_is_named(here: Path, ask: Any) -> None:
    url = written(here, make_wheel("ham", "3.0"))
    ask.server.add_project("needy", [make_wheel("needy", requires=["ham"])])
    assert pins(ask(f"ham @ {url}", "needy"))["ham"] == "ham-3.0-py3-none-any.whl"
    assert [path for path in ask.server.paths if path.startswith("/simple/")] == ["/simple/needy/"]


def test_what_a_directory_needs_from_a_place_of_its_own_is_taken_from_there(here: Path, ask: Any) -> None:
    """The user names the directory, and with it what stands in there; pip takes that as well."""
    url = served(ask.server, make_wheel("far", requires=["eggs<2"], extras=("x",)))
    needed = f"dependencies = [\"far[x] @ {url} ; os_name != 'nt'\"]"
    near = f'[project]\nname = "near"\nversion = "3"\n{needed}\n'
    write_project(here / "near", near)
    text = '[project]\nname = "spam"\nversion = "1"\noptional-dependencies.all = ["spam[near]"]\n'
    write_project(here / "project", f'{text}optional-dependencies.near = ["near @ file:./near"]\n')
    assert pins(ask("./project")) == {"spam": "project"}
    expected = {"eggs": EGGS.filename, "far": "far-1.0-py3-none-any.whl", "near": "near", "spam": "project"}
    assert pins(ask("./project[all]")) == pins(ask("near", "./project[near]")) == expected
    assert pins(ask("./project[all]", no_deps=True)) == {"spam": "project"}


def test_a_repository_that_a_directory_needs_could_not_be_told(here: Path, ask: Any) -> None:
    for url, why in (
        ("git+https://h/far", "because it is a source repository"),
        ("https://h/far", "is neither a wheel"),
    ):
        needed = f'dependencies = ["far @ {url}"]'
        write_project(here / "project", f'[project]\nname = "spam"\nversion = "1"\n{needed}\n')
        result = ask("./project")
        assert result.error.kind == "Unreadable"
        assert why in str(result.error)


def test_an_answer_follows_its_directory(here: Path, ask: Any, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["check", "./project", "-t", LINUX, "--index-url", f"{ask.server.url}/simple/"]
    for needed, chosen in (("eggs<2", "1.0"), ("eggs", "2.0"), ("eggs<2", "1.0")):
        write_project(here / "project", PROJECT.replace("eggs<2", needed))
        assert main(command) == 0
        assert f"  eggs  {chosen}  required by" in capfd.readouterr().out
        assert pins(ask("./project"))["eggs"] == f"eggs-{chosen}-py3-none-any.whl"


def test_a_source_archive_that_is_named_needs_no_option(here: Path, ask: Any) -> None:
    written(here, SOURCE)
    for text in (f"./{SOURCE.filename}", f"spam @ {served(ask.server, SOURCE)}", f"{served(ask.server, SOURCE)}"):
        assert pins(ask(text)) == {"eggs": EGGS.filename, "spam": SOURCE.filename}
        assert pins(ask(text, requirement=[requirements(here, "--only-binary :all:")]))["spam"] == SOURCE.filename
    written(here, WHEEL)
    assert (
        pins(ask(f"./{WHEEL.filename}", requirement=[requirements(here, "--no-binary spam")]))["spam"] == WHEEL.filename
    )


def requirements(here: Path, *lines: str) -> str:
    (here / "r.txt").write_text("\n".join([*lines, ""]))
    return "r.txt"


def test_what_is_dynamic_could_not_be_told(here: Path, ask: Any) -> None:
    write_project(here / "project", '[project]\nname = "spam"\ndynamic = ["version"]\n')
    written(here, make_source("spam", dynamic=["Requires-Dist"]))
    directory, archive = ask("./project"), ask(f"./{SOURCE.filename}")
    assert (directory.error.kind, archive.error.kind) == ("Unreadable", "Unreadable")
    assert str(directory.error) == (
        f"Only a build can tell what {here / 'project'} needs, because its pyproject.toml leaves version open "
        "(dynamic), and nothing is built here. Name a wheel of it, such as one that pip wheel makes, or a version that "
        "has one."
    )
    assert "spam-1.0.tar.gz needs, because its metadata declares requires-dist dynamic" in str(archive.error)


def test_a_python_that_a_directory_refuses_is_a_no(here: Path, ask: Any) -> None:
    write_project(here / "project", PROJECT.replace(">=3.8", ">=3.13"))
    result = ask("./project")
    assert [reason.kind for reason in result.conflict.files[0].reasons] == ["RequiresPython"]


HASHED = [
    ("{wheel} --hash={good}", True),
    ("{wheel} --hash={wrong} --hash={good}", True),
    ("{wheel} --hash={wrong}", False),
    ("spam @ {url}#{fragment}", True),
    ("spam @ {url}#{false}", False),
    ("spam @ {url} --hash={good}", True),
    ("spam @ {url} --hash={wrong}", False),
    ("{url} \\\n  --hash={good}  # a comment", True),
    ("spam @ {local}#{fragment}", True),
    ("spam @ {local}#{false}", False),
    ("spam @ {local}#md5={md5}", True),
    ("spam @ {local}#md5={md5_wrong}", False),
    ("spam @ {archive} --hash={archive_good}", True),
    ("spam @ {archive} --hash={wrong}", False),
    ("spam @ {archive}#{false}", False),
    ("spam @ {main} --hash={archive_good}", True),
    ("spam @ {main} --hash={wrong}", False),
    ("spam @ {main}#{false}", False),
]


@pytest.mark.parametrize(("line", "ok"), HASHED)
def test_hashes_of_what_is_named_are_honoured(here: Path, ask: Any, line: str, ok: bool) -> None:
    wrong = f"sha256:{'0' * 64}"
    values = {
        "wheel": f"./{WHEEL.filename}",
        "url": served(ask.server, WHEEL),
        "local": written(here, WHEEL),
        "archive": served(ask.server, SOURCE),
        "main": served(ask.server, SOURCE, "main.tar.gz"),
        "good": sha256(WHEEL),
        "archive_good": sha256(SOURCE),
        "wrong": wrong,
        "fragment": sha256(WHEEL).replace(":", "="),
        "false": wrong.replace(":", "="),
        "md5": hashlib.md5(WHEEL.content).hexdigest(),
        "md5_wrong": "0" * 32,
    }
    lines = [line.format(**values), *(f"eggs --hash={sha256(EGGS)}" for _ in "x" if "--hash" in line)]
    result = ask(requirement=[requirements(here, *lines)])
    assert result.ok == ok
    if not ok:
        assert [reason.kind for reason in result.conflict.files[0].reasons] == ["HashMismatch"]


def test_where_hashes_are_required_a_directory_has_none(here: Path, ask: Any) -> None:
    write_project(here / "project", PROJECT)
    result = ask(requirement=[requirements(here, "--require-hashes", "./project")])
    assert [reason.kind for reason in result.conflict.files[0].reasons] == ["HashMismatch"]
    with pytest.raises(UsageError, match="is a directory, which has no hash"):
        ask(requirement=[requirements(here, f"./project --hash={sha256(EGGS)}")])


def test_paths_in_a_file_are_taken_from_the_working_directory(here: Path, ask: Any) -> None:
    written(here, WHEEL)
    (here / "deep").mkdir()
    (here / "deep" / "r.txt").write_text(f"spam @ file:./{WHEEL.filename}\n")
    assert pins(ask(requirement=["deep/r.txt"])) == {"eggs": EGGS.filename, "spam": WHEEL.filename}
