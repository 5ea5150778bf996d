"""Lock files (PEP 751): what they say for a target, locks that lie, and answers that are written as locks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.pylock import Pylock
from packaging.tags import parse_tag
from packaging.version import Version

from doors import LINUX, MAC, stand_alone
from loopback import Server, simple_index
from wheelcheck import Report, Target, UsageError, check
from wheelcheck.cli.main import main
from wheelcheck.index.cache.stamps import is_settled, stamp_of
from wheelcheck.inputs.pylock import Lock
from wheelcheck.render.lock_file import lock_of, render_lock
from wheelcheck.resolver.model import Asked
from wheels import Dist, make_sdist, make_wheel
from worlds import ROOTS, WORLDS, World

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD_MAC, MUSL = "macos-12-arm64-3.12.4", "musllinux_1_2_x86_64-3.12.4"
LINUX_TAG, MAC_TAG, OLD_MAC_TAG = (
    f"cp312-cp312-{name}" for name in ("manylinux_2_17_x86_64", "macosx_14_0_arm64", "macosx_11_0_arm64")
)
TIME = "2024-05-01T12:00:00.5Z"
PROJECTS: dict[str, list[Dist]] = {
    "app": [make_wheel("app", "2.0", requires=["lib<3", "posix; sys_platform == 'linux'"], upload_time=TIME)],
    "lib": [
        make_wheel("lib", "3.0"),
        *(make_wheel("lib", "2.0", tag) for tag in (LINUX_TAG, MAC_TAG, OLD_MAC_TAG)),
    ],
    "posix": [make_wheel("posix", "1.0", requires_python=">=3.8")],
    "forked": [make_wheel("forked", "2.0", MAC_TAG), make_wheel("forked", "1.0")],
    "source": [make_sdist("source", "1.0")],
    "alone": [make_wheel("alone"), make_wheel("alone", "0.9")],
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def files(report: Report, at: int = 0) -> dict[str, str]:
    return {pin.name: pin.file.filename for pin in report.results[at].pins}


def locked(name: str = "pylock.toml") -> dict[str, Any]:
    document = tomllib.loads(Path(name).read_text("utf-8"))
    Pylock.from_dict(document)
    return document


def lock_text(report: Report) -> str:
    return render_lock(lock_of(report, Path.cwd(), lambda _: {}))


# -- written and read again


def test_a_lock_gives_the_same_answer_again(index: Server, run: Any) -> None:
    assert run("app", "-t", LINUX, "-t", MAC, "--lock", "pylock.toml")[0] == 0
    report = check(requirement=["pylock.toml"], targets=[LINUX, MAC])
    asked = check(["app"], targets=[LINUX, MAC])
    for at in (0, 1):
        assert report.results[at].ok
        assert files(report, at) == files(asked, at)
    (origin,) = [demand.origin for demand in report.results[0].pins[0].demands]
    assert origin == Asked(place="pylock.toml [[packages]] app")


def test_what_a_lock_says_of_a_file(index: Server, run: Any) -> None:
    run("app", "-t", LINUX, "--lock", "pylock.toml")
    document = locked()
    assert (document["lock-version"], document["created-by"]) == ("1.0", "wheelcheck")
    assert [package["name"] for package in document["packages"]] == ["app", "lib", "posix"]
    (wheel,) = document["packages"][0]["wheels"]
    dist = PROJECTS["app"][0]
    assert wheel["url"] == f"{index.url}/files/{dist.filename}"
    assert wheel["hashes"] == {"sha256": dist.sha256}
    assert wheel["upload-time"].isoformat() == "2024-05-01T12:00:00.500000+00:00"
    assert document["packages"][0]["index"] == index.index


def test_pins_that_differ_between_targets_bear_markers_that_exclude_each_other(index: Server, run: Any) -> None:
    run("forked", "posix; sys_platform == 'linux'", "-t", LINUX, "-t", MAC, "--lock", "pylock.toml")
    document = locked()
    assert len(document["environments"]) == 2
    assert [(one["name"], one["version"]) for one in document["packages"]] == [
        *(("forked", "1.0"), ("forked", "2.0"), ("posix", "1.0"))
    ]
    assert all("marker" in one for one in document["packages"])
    lock = Pylock.from_dict(document)
    for target, wanted in ((LINUX, {"forked": "1.0", "posix": "1.0"}), (MAC, {"forked": "2.0"})):
        assert {package.name: str(package.version) for package, _ in selected(lock, target)} == wanted


def selected(lock: Pylock, name: str) -> list[Any]:
    """What packaging selects for a target, as an installer there would."""
    target = Target.parse(name)
    tags = [tag for triple in target.tags for tag in parse_tag(triple)]
    environment: Any = dict(target.environment)
    return list(lock.select(environment=environment, tags=tags))


def test_targets_that_share_a_marker_share_a_package_with_the_wheels_of_both(index: Server, run: Any) -> None:
    run("lib<3", "-t", MAC, "-t", OLD_MAC, "--lock", "pylock.toml")
    (package,) = locked()["packages"]
    assert "marker" not in package
    assert [wheel["name"] for wheel in package["wheels"]] == [f"lib-2.0-{MAC_TAG}.whl", f"lib-2.0-{OLD_MAC_TAG}.whl"]
    report = check(requirement=["pylock.toml"], targets=[MAC, OLD_MAC])
    assert [files(report, at)["lib"] for at in (0, 1)] == [wheel["name"] for wheel in package["wheels"]]


def test_targets_that_no_marker_tells_apart_need_a_lock_each(index: Server, run: Any) -> None:
    code, out, err = run("forked", "-t", MAC, "-t", OLD_MAC, "--lock", "pylock.toml")
    assert code == 2
    assert "compatible" in out
    assert "No marker tells macos-14-arm64-3.12.4 and macos-12-arm64-3.12.4 apart, and forked is 2.0 on one" in err
    assert not Path("pylock.toml").exists()


def test_targets_of_which_only_some_need_a_project_need_a_lock_each(index: Server, run: Any) -> None:
    index.add_project(
        "odd", [make_wheel("odd", "1.0", MAC_TAG, requires=["alone"]), make_wheel("odd", "1.0", OLD_MAC_TAG)]
    )
    code, _, err = run("odd", "-t", MAC, "-t", OLD_MAC, "--lock", "pylock.toml")
    assert code == 2
    assert "apart, and only one of them needs alone: write a lock for each of them" in err


def test_pythons_of_one_minor_version_are_told_apart_where_they_must_be(index: Server, run: Any) -> None:
    targets = ("linux-3.12.4", "linux-3.12.5")
    run("alone; python_full_version > '3.12.4'", "-t", targets[0], "-t", targets[1], "--lock", "pylock.toml")
    report = check(requirement=["pylock.toml"], targets=targets)
    assert [files(report, at) for at in (0, 1)] == [{}, {"alone": "alone-1.0-py3-none-any.whl"}]


@given(world=WORLDS, roots=ROOTS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_that_of_its_lock(world: World, roots: list[str], tmp_path_factory: Any) -> None:
    targets = [LINUX, MAC]
    with replace(world, hashes=True).served() as server:
        options: Any = {"targets": targets, "index_url": server.index, "no_cache": True}
        report = check(roots, **options)
        if not report.ok:
            return
        text = lock_text(report)
        folder = tmp_path_factory.mktemp("lock")
        (folder / "pylock.toml").write_text(text, "utf-8")
        again = check(requirement=[str(folder / "pylock.toml")], **options)
    for at, target in enumerate(targets):
        assert files(again, at) == files(report, at)
        chosen = selected(Pylock.from_dict(tomllib.loads(text)), target)
        assert {package.name: file.filename for package, file in chosen} == files(report, at)


@given(st.text())
def test_every_text_is_read_back_from_toml(text: str) -> None:
    from wheelcheck.render.lock_file import _text

    text = text.encode("utf-8", "replace").decode()
    assert tomllib.loads(f"a = {_text(text)}") == {"a": text}


def test_files_of_this_machine_are_named_from_the_directory_of_the_lock(run: Any) -> None:
    dist = make_wheel("here", "1.0")
    Path("wheels").mkdir()
    Path("wheels", dist.filename).write_bytes(dist.content)
    for asked in (["here", "--no-index", "-f", "wheels"], [f"./wheels/{dist.filename}", "--no-index", "-f", "wheels"]):
        assert run(*asked, "-t", LINUX, "--lock", "pylock.toml")[0] == 0
        (package,) = locked()["packages"]
        file = package.get("archive") or package["wheels"][0]
        assert (file["path"], file["hashes"]) == (f"wheels/{dist.filename}", {"sha256": dist.sha256})
        assert run("-r", "pylock.toml", "-t", LINUX)[0] == 0
    Path("wheels", dist.filename).write_bytes(make_wheel("here", "1.0", requires=["x"]).content)
    assert run("-r", "pylock.toml", "-t", LINUX)[0] == 1


def test_a_directory_is_named_as_one(run: Any, index: Server) -> None:
    Path("me").mkdir()
    Path("me/pyproject.toml").write_text('[project]\nname = "me"\nversion = "1"\ndependencies = ["alone"]\n')
    assert run("./me", "-t", LINUX, "--lock", "pylock.toml")[0] == 0
    assert locked()["packages"][1]["directory"] == {"path": "me"}
    code, out, _ = run("-r", "pylock.toml", "-t", LINUX)
    assert code == 0, out
    assert "alone" in out


# -- when it is written


def test_no_lock_is_written_without_an_answer_for_every_target(index: Server, run: Any) -> None:
    Path("pylock.toml").write_text("as it was")
    code, _, err = run("lib<3", "-t", LINUX, "-t", MUSL, "--lock", "pylock.toml")
    assert code == 1
    assert "pylock.toml was not written" in err
    assert Path("pylock.toml").read_text() == "as it was"
    assert sorted(path.name for path in Path.cwd().iterdir() if path.is_file()) == ["pylock.toml"]


@pytest.mark.parametrize("name", ["lock.toml", "pylock.txt", "pylock.a.b.toml", "requirements.txt", "pylock..toml"])
def test_a_lock_has_the_name_that_installers_know(index: Server, run: Any, name: str) -> None:
    code, out, err = run("alone", "-t", LINUX, "--lock", name)
    assert (code, out) == (2, "")
    assert f"pylock.NAME.toml (PEP 751), not {name}" in err
    assert not index.requests


def test_a_lock_that_cannot_be_written_is_told(index: Server, run: Any) -> None:
    code, out, err = run("alone", "-t", LINUX, "--lock", "nowhere/pylock.toml")
    assert code == 2
    assert "compatible" in out
    assert "nowhere/pylock.toml could not be written: No such file or directory." in err


def test_a_lock_is_written_each_time(index: Server, run: Any) -> None:
    start = "import sys; from wheelcheck.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "check", "alone", "-t", LINUX, "--lock", "pylock.dev.toml"]
    for _ in range(3):
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        assert locked("pylock.dev.toml")
        Path("pylock.dev.toml").unlink()


def test_a_file_without_a_hash_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with simple_index(PROJECTS, hashes=False) as server:
        code, _, err = run("alone", "-t", LINUX, "-i", server.index, "--lock", "pylock.toml")
    assert code == 2
    assert "alone-1.0-py3-none-any.whl has no hash that a lock file can hold (sha256, sha384, sha512)" in err
    assert not Path("pylock.toml").exists()


def test_no_secret_of_an_index_goes_into_a_lock(index: Server, run: Any) -> None:
    secret = index.index.replace("http://", "http://me:hunter2@")
    assert run("alone", "-t", LINUX, "-i", secret, "--lock", "pylock.toml")[0] == 0
    assert "hunter2" not in Path("pylock.toml").read_text()
    assert locked()["packages"][0]["index"] == index.index


@pytest.mark.skipif(Version(version("pip")) < Version("26.3"), reason="older ones do not read locks of this form")
def test_pip_takes_the_lock(index: Server, run: Any) -> None:
    assert run("posix", "alone<1", "-t", "running", "--lock", "pylock.toml")[0] == 0
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-cache-dir"]
    command += ["--isolated", "-i", index.index, "-r", "pylock.toml", "--report", "report.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = json.loads(Path("report.json").read_text())["install"]
    assert {one["metadata"]["name"] for one in installed} == {one["name"] for one in locked()["packages"]}


# -- locks that lie

LOCK = """
lock-version = "1.0"
created-by = "somebody"
requires-python = ">=3.12"
[[packages]]
name = "app"
version = "2.0"
wheels = [{{ name = "{app.filename}", url = "https://host/{app.filename}", hashes = {{ sha256 = "{app.sha256}" }} }}]
[[packages]]
name = "lib"
version = "2.0"
[[packages.wheels]]
url = "https://host/{linux.filename}"
hashes = {{ sha256 = "{linux.sha256}" }}
[[packages.wheels]]
url = "https://host/{mac.filename}"
hashes = {{ sha256 = "{mac.sha256}" }}
[[packages]]
name = "posix"
version = "1.0"
marker = "sys_platform == 'linux'"
wheels = [{{ url = "https://host/{posix.filename}", hashes = {{ SHA256 = "{posix.sha256}" }} }}]
""".format(app=PROJECTS["app"][0], linux=PROJECTS["lib"][1], mac=PROJECTS["lib"][2], posix=PROJECTS["posix"][0])
APP, LIB, POSIX = PROJECTS["app"][0], PROJECTS["lib"][1], PROJECTS["posix"][0]


def answer(text: str, run: Any, *options: str) -> tuple[int, str]:
    Path("pylock.toml").write_text(text, "utf-8")
    code, out, err = run("-r", "pylock.toml", "-v", *options)
    return code, " ".join((out + err).split())


@pytest.mark.parametrize("target", [LINUX, MAC])
def test_a_lock_that_is_true(index: Server, run: Any, target: str) -> None:
    code, said = answer(LOCK, run, "-t", target)
    assert code == 0, said
    assert ("posix" in said) is (target == LINUX)
    assert "macosx_14" in said if target == MAC else "manylinux_2_17" in said


NO: list[tuple[str, str, list[str]]] = [
    (APP.sha256, "0" * 64, [APP.filename, "its hash is " + APP.sha256, "expected is sha256:" + "0" * 64]),
    (
        LIB.filename,
        LIB.filename.replace("2_17", "2_5"),
        ["no index lists it, and the lock file has it from https://host/lib"],
    ),
    (
        LIB.filename,
        LIB.filename.replace("cp312-cp312", "cp311-cp311"),
        ["built for CPython 3.11", "built for macOS arm64; this is Linux x86_64"],
    ),
    (
        "sys_platform == 'linux'",
        "sys_platform == 'win32'",
        ["posix is required, and pylock.toml does not have it", "app 2.0"],
    ),
    (
        'name = "app"\nversion = "2.0"',
        'name = "app"\nversion = "2.0"\nrequires-python = "<3.12"',
        ["[[packages]] app requires-python"],
    ),
    ('">=3.12"', '">=3.13"', ["pylock.toml requires-python is for Python >=3.13 only; this is CPython 3.12.4"]),
    ("created-by", "environments = [\"sys_platform == 'win32'\"]\ncreated-by", ["pylock.toml environments is for"]),
]


@pytest.mark.parametrize(("old", "new", "said"), NO)
def test_a_lock_that_cannot_be_installed_is_a_no(index: Server, run: Any, old: str, new: str, said: list[str]) -> None:
    assert old in LOCK
    code, told = answer(LOCK.replace(old, new), run, "-t", LINUX)
    assert code == 1, told
    assert [text for text in said if text not in told] == []


def test_a_dependency_that_the_lock_has_in_another_version(index: Server, run: Any) -> None:
    three = PROJECTS["lib"][0]
    head, _, rest = LOCK.partition('name = "lib"')
    wheel = f'wheels = [{{ url = "https://h/{three.filename}", hashes = {{ sha256 = "{three.sha256}" }} }}]\n'
    text = f'{head}name = "lib"\nversion = "3.0"\n{wheel}[[packages]]{rest.partition("[[packages]]")[2]}'
    code, said = answer(text, run, "-t", LINUX)
    assert code == 1
    assert "lib<3 required by app 2.0" in said
    assert "lib==3.0 requested in pylock.toml [[packages]] lib" in said


def test_the_best_wheel_of_a_lock_has_to_hold(index: Server, run: Any) -> None:
    """An installer takes it, and would not fall back to another one."""
    worse = make_wheel("lib", "2.0", "cp312-cp312-manylinux_2_5_x86_64")
    index.add_project("lib", [*PROJECTS["lib"], worse])
    entry = f'[[packages.wheels]]\nurl = "https://h/{worse.filename}"\nhashes = {{ sha256 = "{worse.sha256}" }}\n'
    text = LOCK.replace("[[packages.wheels]]", f"{entry}[[packages.wheels]]", 1)
    assert answer(text, run, "-t", LINUX)[0] == 0
    text = text.replace(LIB.sha256, "0" * 64)
    code, said = answer(text, run, "-t", LINUX)
    assert code == 1, said


MALFORMED: list[tuple[str, str, str]] = [
    ('lock-version = "1.0"', 'lock-version = "2.0"', "pylock version 2.0 is not supported"),
    ('lock-version = "1.0"', "", "Missing required value (lock-version)"),
    ('name = "app"', 'name = "App"', "Name 'App' is not normalized (packages[0].name, App)"),
    ('version = "2.0"\nwheels', 'version = "1.0"\nwheels', "is not consistent with package version '1.0'"),
    ("wheels = [", "wheels = 3 #", "packages[0].wheels, app"),
    ("[[packages.wheels]]", "[[packages.wheels", "cannot be parsed ("),
    ('marker = "sys_platform', 'marker = "no_variable', "packages[2].marker, posix"),
    ('marker = "sys_platform ==', 'marker = "extra ==', "cannot be evaluated"),
    ("sha256 = ", "sha256 = 3 # ", ""),
    ('name = "posix"', 'name = "lib"', "is not consistent with package name 'lib'"),
    (APP.filename, "app-2.0-py3-none.whl", "Invalid wheel filename"),
]


@pytest.mark.parametrize(("old", "new", "said"), MALFORMED)
def test_a_lock_that_is_none_is_told_with_the_place(index: Server, run: Any, old: str, new: str, said: str) -> None:
    assert old in LOCK
    code, told = answer(LOCK.replace(old, new), run, "-t", LINUX)
    assert code == 2
    assert told.startswith("wheelcheck: ")
    assert "pylock.toml" in told
    assert said in told
    assert not index.requests


def test_two_entries_that_apply_to_one_target_are_ambiguous(index: Server, run: Any) -> None:
    twice = LOCK + LOCK[LOCK.index('[[packages]]\nname = "posix"') :]
    code, said = answer(twice, run, "-t", LINUX)
    assert code == 2
    assert "two entries of posix that both apply to manylinux_2_28_x86_64-3.12.4 ([[packages]] 3 and 4)" in said
    assert answer(twice, run, "-t", MAC)[0] == 0


def test_extras_and_groups_of_a_lock(index: Server, run: Any) -> None:
    text = LOCK.replace(
        "[[packages]]",
        'extras = ["more"]\ndependency-groups = ["dev", "docs"]\ndefault-groups = ["dev"]\n[[packages]]',
        1,
    )
    dist = PROJECTS["alone"][0]
    for marker, options, there in (
        ("'more' in extras", (), False),
        ("'more' in extras", ("--extra", "more"), True),
        ("'more' in extras", ("--all-extras",), True),
        ("'dev' in dependency_groups", (), True),
        ("'docs' in dependency_groups", (), False),
        ("'docs' in dependency_groups", ("--group", "pylock.toml:Docs"), True),
    ):
        entry = f'[[packages]]\nname = "alone"\nversion = "1.0"\nmarker = "{marker}"\n'
        entry += f'wheels = [{{ url = "https://h/{dist.filename}", hashes = {{ sha256 = "{dist.sha256}" }} }}]\n'
        code, said = answer(text + entry, run, "-t", LINUX, *options)
        assert code == 0, said
        assert ("alone" in said) is there
    assert "pylock.toml has no extra less: it has more" in answer(text, run, "--extra", "less")[1]
    said = answer(text, run, "--group", "pylock.toml:test")[1]
    assert "pylock.toml has no dependency group test: it has dev, docs" in said


SOURCES = [
    ('vcs = { type = "git", url = "https://h/x.git", commit-id = "abc" }', 2, "Only a build can tell what"),
    ('directory = { path = "nowhere" }', 2, "nowhere"),
    ('archive = { url = "https://h/x.zip", subdirectory = "a", hashes = { sha256 = "0" } }', 2, "directory within"),
    ('archive = { url = "https://[/x.zip", hashes = { sha256 = "0" } }', 2, "x"),
]


@pytest.mark.parametrize(("source", "code", "said"), SOURCES)
def test_what_is_no_file_of_an_index(index: Server, run: Any, source: str, code: int, said: str) -> None:
    found, told = answer(
        f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "x"\n{source}\n', run, "-t", LINUX
    )
    assert found == code, told
    assert said in told


def test_a_lock_is_asked_about_alone(index: Server, run: Any) -> None:
    Path("pylock.toml").write_text(LOCK)
    Path("r.txt").write_text("alone")
    for other in (["alone"], ["-r", "r.txt"], ["--group", "dev"]):
        code, _, err = run("-r", "pylock.toml", *other)
        assert code == 2
        assert "pylock.toml is a lock file, a whole answer of its own: check it without" in err


def test_an_answer_of_a_lock_is_not_given_again_once_the_lock_is_changed(index: Server, run: Any) -> None:
    assert answer(LOCK, run, "-t", LINUX)[0] == 0
    assert answer(LOCK.replace(APP.sha256, "0" * 64), run, "-t", LINUX)[0] == 1
    assert answer(LOCK, run, "-t", LINUX)[0] == 0


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_indexes_the_file_of_the_lock_is_taken(index: Server, run: Any, order: int) -> None:
    other_lib = [replace(dist, content=dist.content + b"x") for dist in PROJECTS["lib"]]
    with simple_index(PROJECTS | {"lib": other_lib}) as other:
        first, second = (index.index, other.index)[::order]
        code, said = answer(LOCK, run, "-t", LINUX, "-i", first, "--extra-index-url", second)
    assert code == 0, said
    Path("pylock.toml").write_text(LOCK.replace("https://host", f"{index.url}/files"))
    with simple_index(PROJECTS) as other:
        indexes: Any = {"index_url": other.index, "extra_index_url": [index.index]}
        report = check(requirement=["pylock.toml"], targets=[LINUX], **indexes)
    assert {pin.file.index for pin in report.results[0].pins} == {index.index}


ONE = """lock-version = "1.0"
created-by = "x"
[[packages]]
name = "alone"
version = "1.0"
wheels = [{{ {place}, hashes = {{ {algorithm} = "{digest}" }} }}]
"""


def test_a_file_of_this_machine_is_looked_at_each_time(index: Server) -> None:
    dist = PROJECTS["alone"][0]
    Path(dist.filename).write_bytes(dist.content)
    Path("pylock.toml").write_text(
        ONE.format(place=f'path = "{dist.filename}"', algorithm="sha256", digest=dist.sha256)
    )
    while not is_settled(stamp_of("pylock.toml"), time.time()):
        time.sleep(0.01)
    assert check(requirement=["pylock.toml"], targets=[LINUX]).ok
    Path(dist.filename).write_bytes(dist.content + b"x")
    assert not check(requirement=["pylock.toml"], targets=[LINUX]).ok


def test_local_files_are_hashed_as_the_lock_has_it() -> None:
    dist = PROJECTS["alone"][0]
    Path("wheels").mkdir()
    Path("wheels", dist.filename).write_bytes(dist.content)
    digest = hashlib.sha512(dist.content).hexdigest()
    for stated, is_ok in ((digest, True), ("0" * 128, False)):
        place = f'url = "https://host/{dist.filename}"'
        Path("pylock.toml").write_text(ONE.format(place=place, algorithm="sha512", digest=stated))
        report = check(requirement=["pylock.toml"], targets=[LINUX], no_index=True, find_links=["wheels"])
        assert report.ok is is_ok


@pytest.mark.parametrize(("folder", "code"), [("files", 0), ("elsewhere", 2)])
def test_a_file_that_is_not_where_the_lock_has_it_is_told(index: Server, run: Any, folder: str, code: int) -> None:
    """The index lists it elsewhere on the same host; an installer asks the place in the lock."""
    dist = PROJECTS["alone"][0]
    url = f"{index.url}/{folder}/{dist.filename}"
    text = ONE.format(place=f'url = "{url}"', algorithm="sha256", digest=dist.sha256)
    found, said = answer(text, run, "-t", LINUX)
    assert found == code, said
    assert (f"the lock has it at {url}, and its server answers HTTP 404" in said) is (code == 2)


def test_a_host_that_was_not_asked_is_told(index: Server) -> None:
    Path("pylock.toml").write_text(LOCK)
    report = check(requirement=["pylock.toml"], targets=[LINUX], index_url=index.index)
    (said,) = report.notices
    assert said.startswith(f"pylock.toml has {APP.filename} and ")
    assert " more on host, which no source lists: that host was not asked" in said


def test_a_file_whose_hash_is_given_can_be_of_no_other_index(index: Server) -> None:
    dist = PROJECTS["alone"][0]
    other_file = replace(dist, content=dist.content + b"x")
    with simple_index({"alone": [other_file]}) as other:
        indexes: Any = {"index_url": index.index, "extra_index_url": [other.index], "targets": [LINUX]}
        loose = check(["alone==1.0"], **indexes)
        Path("requirements.txt").write_text(f"alone==1.0 --hash=sha256:{dist.sha256}\n")
        given = check(requirement=["requirements.txt"], **indexes)
    assert [concern.kind for concern in loose.results[0].concerns] == ["SeveralIndexes"]
    assert given.ok
    assert [concern.kind for concern in given.results[0].concerns] == []


def test_a_lock_of_another_index_is_not_asked_for_elsewhere(index: Server, run: Any) -> None:
    with simple_index({"alone": PROJECTS["alone"]}) as other:
        text = LOCK.replace("https://host", f"{other.url}/files")
        index.add_project("app", [])
        code, said = answer(text, run, "-t", LINUX)
        assert code == 1
        assert "name the index of the lock with --extra-index-url" in said
        assert not other.requests


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_make_a_lock_fail_otherwise(body: bytes) -> None:
    with pytest.raises(UsageError):
        Lock.parse(body, "pylock.toml", "file:///")


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_JUNK = _SCALARS | st.lists(_SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2)


@given(key=st.sampled_from(["name", "version", "marker", "wheels", "sdist", "vcs", "archive", "directory"]), junk=_JUNK)
def test_no_value_makes_a_lock_fail_otherwise(key: str, junk: Any) -> None:
    from wheelcheck.inputs.pylock import _validated

    package = tomllib.loads(LOCK)["packages"][0] | {key: junk}
    document = {"lock-version": "1.0", "created-by": "x", "packages": [package]}
    with suppress(UsageError):
        _validated(document, "pylock.toml")
