"""The pytest plugin in sessions of its own: when it adds items, what they are called, and what a failure shows."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, simple_index, status
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

for module in walk_packages(wheelcheck.__path__, "wheelcheck."):
    # A session inside this one forgets the modules that it was the first to import, and would meet their classes twice.
    if not module.name.endswith(("__main__", "_probe")):
        import_module(module.name)


@pytest.fixture
def index(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    stand_alone(monkeypatch, pytester.path)
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


@pytest.fixture
def session(pytester: pytest.Pytester, index: Server) -> Any:
    """Runs pytest over one ordinary test and the requirements files that are given."""

    def run(*arguments: str, settings: str = "", targets: str = f"{LINUX} {MAC}", **files: str) -> pytest.RunResult:
        for name, text in files.items():
            (pytester.path / f"{name}.txt").write_text(text)
        wanted = " ".join(f"{name}.txt" for name in files)
        pytester.makeini(f"[pytest]\nwheelcheck_requirements = {wanted}\nwheelcheck_targets = {targets}\n{settings}\n")
        pytester.makepyfile(test_ordinary="def test_ordinary():\n    assert True\n")
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", *arguments)

    return run


def counted(result: pytest.RunResult) -> dict[str, int]:
    return {kind: number for kind, number in result.parseoutcomes().items() if kind != "warnings"}


def test_nothing_is_added_until_it_is_asked_for(session: Any, index: Server) -> None:
    result = session(wanted="onlymac\n")
    assert counted(result) == {"passed": 1}
    assert index.paths == []


def test_one_item_for_each_file_and_target(session: Any) -> None:
    result = session("--wheelcheck", "-v", wanted="alone\n", more="spam\neggs<2\n")
    assert counted(result) == {"passed": 5}
    passed = [line.split(" PASSED")[0] for line in result.outlines if " PASSED" in line]
    items = [f"wheelcheck::{file}.txt[{target}]" for file in ("wanted", "more") for target in (LINUX, MAC)]
    assert passed == [*items, "test_ordinary.py::test_ordinary"] or passed == [
        "test_ordinary.py::test_ordinary",
        *items,
    ]


def test_a_failing_item_shows_the_report_and_no_traceback(session: Any) -> None:
    result = session("--wheelcheck", wanted="onlymac\n")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert counted(result) == {"passed": 2, "failed": 1}
    result.stdout.fnmatch_lines(
        [
            f"*wanted.txt for {LINUX}*",
            f"{LINUX}: not compatible",
            "  onlymac has no file compatible with CPython 3.12.4 on Linux x86_64, glibc",
            "    2.28.",
            "    onlymac requested in",
            "  nearest: onlymac-1.0-cp312-cp312-macosx_12_0_arm64.whl",
            "    fits CPython 3.12, but: built for macOS arm64; this is Linux x86_64",
        ]
    )
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text
    assert "    raise " not in text


def test_items_are_selected_by_name_and_by_marker(session: Any, index: Server) -> None:
    files = {"wanted": "onlymac\n", "more": "alone\n"}
    assert counted(session("--wheelcheck", "-k", "macos", **files)) == {"passed": 2, "deselected": 3}
    assert counted(session("--wheelcheck", "-k", "more and manylinux", **files)) == {"passed": 1, "deselected": 4}
    assert counted(session("--wheelcheck", "-m", "wheelcheck", **files)) == {"passed": 3, "failed": 1, "deselected": 1}
    assert counted(session("--wheelcheck", "-m", "not wheelcheck", **files)) == {"passed": 1, "deselected": 4}


def test_collecting_asks_no_index(session: Any, index: Server) -> None:
    result = session("--wheelcheck", "--collect-only", "-q", wanted="spam\n")
    assert any(f"wanted.txt[{LINUX}]" in line for line in result.outlines)
    assert any(f"wanted.txt[{MAC}]" in line for line in result.outlines)
    assert index.paths == []


def test_the_marker_is_registered(session: Any) -> None:
    assert counted(session("--wheelcheck", "--strict-markers", "-W", "error", wanted="alone\n")) == {"passed": 3}
    assert any("wheelcheck" in line for line in session("--markers").outlines)


@pytest.mark.parametrize(
    ("settings", "failed"), [("", 0), ("wheelcheck_strict = true", 2), ("wheelcheck_strict = no", 0)]
)
def test_strict(session: Any, settings: str, failed: int) -> None:
    result = session("--wheelcheck", settings=settings, wanted="candidate\n")
    assert counted(result).get("failed", 0) == failed
    if failed:
        result.stdout.fnmatch_lines(["  warning: candidate 1.0rc1 is an unrequested pre-release."])


def test_rules_of_your_own(session: Any, pytester: pytest.Pytester) -> None:
    (pytester.path / "mine.toml").write_text(
        'project = "alone"\n[[rule]]\nid = "alone-1"\nversions = "==1.0"\neffect = "forbids"\nwhy = "It is empty."\n'
        'evidence = "contents"\nconfidence = "certain"\nsources = [{ fact = "Seen.", date = "2025-01-01" }]\n'
    )
    result = session("--wheelcheck", settings="wheelcheck_rules = mine.toml", wanted="alone\n")
    assert counted(result) == {"passed": 1, "failed": 2}
    result.stdout.fnmatch_lines(
        ["  nearest: alone-1.0-py3-none-any.whl", "    fits *, but: It is empty (rule alone-1)"]
    )


def test_the_running_interpreter_is_the_default(session: Any, pytester: pytest.Pytester) -> None:
    session("--collect-only", wanted="alone\n")
    pytester.makeini("[pytest]\nwheelcheck_requirements = wanted.txt\n")
    result = pytester.runpytest_inprocess("--wheelcheck", "-v", "-p", "no:cacheprovider")
    assert counted(result) == {"passed": 2}
    assert any("wanted.txt[running] PASSED" in line for line in result.outlines)


@pytest.mark.parametrize(
    ("text", "targets", "said"),
    [
        (
            "spam\neggs==\n",
            LINUX,
            "'eggs==' in *wanted.txt, line 2 is not a requirement: the version after == is missing.",
        ),
        ("--no-such-option\n", LINUX, "The option '--no-such-option' in *wanted.txt, line 1 *"),
        ("# nothing\n", LINUX, "Nothing to check: *"),
        ("spam\n", "nowhere", "'nowhere' is not a target. *"),
    ],
)
def test_bad_input_is_one_sentence(session: Any, text: str, targets: str, said: str) -> None:
    result = session("--wheelcheck", wanted=text, targets=targets)
    assert counted(result) == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines([said])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_file_that_is_not_there(session: Any, pytester: pytest.Pytester) -> None:
    session("--collect-only")
    pytester.makeini(f"[pytest]\nwheelcheck_requirements = nowhere.txt\nwheelcheck_targets = {LINUX}\n")
    result = pytester.runpytest_inprocess("--wheelcheck", "-p", "no:cacheprovider")
    assert counted(result) == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["There is no file *nowhere.txt: check the path."])


def test_an_index_that_does_not_answer_fails_and_says_so(session: Any, index: Server) -> None:
    index.fault("/simple/alone/", status(503))
    result = session("--wheelcheck", wanted="alone\n")
    assert counted(result) == {"passed": 1, "failed": 2}
    result.stdout.fnmatch_lines([f"{LINUX}: unknown", "*HTTP 503*"])


def test_to_ask_for_items_where_none_are_configured_is_a_mistake(session: Any) -> None:
    result = session("--wheelcheck")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--wheelcheck has nothing to check: name files in wheelcheck_requirements or wheelcheck_wheels."]
    )


def test_files_are_found_from_the_root_wherever_pytest_is_started(
    session: Any, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    session("--collect-only", wanted="alone\n")
    folder = pytester.mkdir("below")
    monkeypatch.chdir(folder)
    result = pytester.runpytest_inprocess(
        "--wheelcheck", "--rootdir", str(pytester.path), "-c", str(pytester.path / "tox.ini"), "-p", "no:cacheprovider"
    )
    assert counted(result) == {"passed": 2}


def test_with_workers(session: Any) -> None:
    pytest.importorskip("xdist")
    result = session("--wheelcheck", "-n", "2", "-v", wanted="onlymac\n", more="alone\n")
    assert counted(result) == {"passed": 4, "failed": 1}
    result.stdout.fnmatch_lines([f"{LINUX}: not compatible"])


# -- inputs


def test_parts_of_a_pyproject(session: Any, pytester: pytest.Pytester) -> None:
    session("--collect-only")
    (pytester.path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\ndependencies = ["alone"]\n'
        '[project.optional-dependencies]\nmac = ["onlymac"]\n[dependency-groups]\ntest = ["ham"]\n'
    )
    pytester.makeini(
        f"[pytest]\nwheelcheck_targets = {LINUX} {MAC}\n"
        "wheelcheck_requirements = pyproject.toml pyproject.toml[mac] pyproject.toml:test\n"
    )
    result = pytester.runpytest_inprocess("--wheelcheck", "-p", "no:cacheprovider", "-rA")
    assert counted(result) == {"passed": 5, "failed": 2}
    failed = [line for line in result.outlines if line.startswith("FAILED")]
    assert [line.split(" - ")[0] for line in failed] == [
        f"FAILED wheelcheck::pyproject.toml[mac][{LINUX}]",
        f"FAILED wheelcheck::pyproject.toml:test[{MAC}]",
    ]


@pytest.fixture
def built(session: Any, pytester: pytest.Pytester) -> Any:
    """Runs pytest over wheels in dist/, of which each is given with its requirements."""

    def run(
        wheels: dict[str, list[str]], *arguments: str, settings: str = "", wanted: str = "dist/*.whl"
    ) -> pytest.RunResult:
        session("--collect-only")
        dist = pytester.path / "dist"
        dist.mkdir(exist_ok=True)
        for tags, requires in wheels.items():
            made = make_wheel("mine", "1.0", tags, requires=requires)
            (dist / made.filename).write_bytes(made.content)
        pytester.makeini(f"[pytest]\nwheelcheck_wheels = {wanted}\nwheelcheck_targets = {LINUX} {MAC}\n{settings}\n")
        return pytester.runpytest_inprocess("--wheelcheck", *arguments)

    return run


LINUX_TAGS, MAC_TAGS = "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-macosx_11_0_arm64"


def line_of(result: pytest.RunResult) -> str:
    """The short summary of the one failed item."""
    (line,) = [line for line in result.outlines if line.startswith("FAILED")]
    return line


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "workers"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """With and without pytest-xdist; the summary is not cut to the width of a terminal."""
    monkeypatch.setenv("COLUMNS", "400")
    if request.param:
        pytest.importorskip("xdist")
    return tuple(request.param)


def test_wheels_that_cover_every_target(built: Any, ways: tuple[str, ...]) -> None:
    result = built({LINUX_TAGS: ["alone"], MAC_TAGS: ["alone", "onlymac"]}, *ways)
    assert counted(result) == {"passed": 3}


def test_a_wheel_that_is_tagged_for_another_platform(built: Any, ways: tuple[str, ...]) -> None:
    result = built({LINUX_TAGS: [], "cp312-cp312-macosx_15_0_arm64": []}, *ways)
    assert counted(result) == {"passed": 2, "failed": 1}
    assert line_of(result) == (
        f"FAILED wheelcheck::dist/*.whl[{MAC}] - mine: no wheel in dist/*.whl fits {MAC}; the nearest, "
        "mine-1.0-cp312-cp312-macosx_15_0_arm64.whl: needs macOS 15.0 or newer; this is 14.0"
    )


def test_a_target_without_a_wheel(built: Any, ways: tuple[str, ...]) -> None:
    result = built({LINUX_TAGS: []}, *ways)
    assert counted(result) == {"passed": 2, "failed": 1}
    assert f"[{MAC}] - mine: no wheel in dist/*.whl fits {MAC}; the nearest, mine-1.0-{LINUX_TAGS}.whl: " in line_of(
        result
    )
    result.stdout.fnmatch_lines([f"{MAC}: not covered", "  No wheel of mine in dist/*.whl fits. The nearest:"])


def test_a_dependency_without_a_wheel(built: Any, ways: tuple[str, ...]) -> None:
    result = built({LINUX_TAGS: ["onlymac"], MAC_TAGS: ["onlymac"]}, *ways)
    assert counted(result) == {"passed": 2, "failed": 1}
    assert line_of(result).startswith(
        f"FAILED wheelcheck::dist/*.whl[{LINUX}] - onlymac: no file fits {LINUX}; the nearest, onlymac-1.0-cp312-"
    )
    assert "Traceback" not in result.stdout.str()


def test_the_newest_of_several_versions_counts_and_a_directory_stands_for_its_wheels(
    built: Any, pytester: pytest.Pytester
) -> None:
    (pytester.path / "dist").mkdir()
    older = make_wheel("mine", "0.9", "py3-none-any", requires=["onlymac"])
    (pytester.path / "dist" / older.filename).write_bytes(older.content)
    (pytester.path / "dist" / "mine-1.0.tar.gz").write_bytes(b"")
    assert counted(built({"py3-none-any": []}, wanted="dist")) == {"passed": 3}


@pytest.mark.parametrize(
    ("wheels", "wanted", "said"),
    [
        ({}, "dist/*.whl", "No wheel matches dist/[*].whl in *: build the wheels first*"),
        ({}, "dist", "No wheel matches dist in *"),
        ({}, "dist/mine.whl", "There is no wheel *mine.whl*"),
        ({"py3-none-any": []}, "dist/*", "*notes.txt is not named as a wheel is*"),
    ],
)
def test_wheels_that_are_not_there(
    built: Any, pytester: pytest.Pytester, wheels: dict[str, list[str]], wanted: str, said: str
) -> None:
    if wanted == "dist/*":
        (pytester.path / "dist").mkdir()
        (pytester.path / "dist" / "notes.txt").write_text("")
    result = built(wheels, wanted=wanted)
    assert counted(result) == {"passed": 1, "failed": 2}
    result.stdout.fnmatch_lines([said])


def test_a_wheel_that_cannot_be_read(built: Any, pytester: pytest.Pytester) -> None:
    (pytester.path / "dist").mkdir()
    (pytester.path / "dist" / "mine-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04 cut off")
    result = built({})
    assert counted(result) == {"passed": 1, "failed": 2}
    assert "mine-1.0-py3-none-any.whl" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_files_in_other_encodings(session: Any, pytester: pytest.Pytester, encoding: str) -> None:
    """As pip reads them, or a sentence."""
    session("--collect-only")
    (pytester.path / "wanted.txt").write_text("# \u00e9t\u00e9\nalone\n", encoding=encoding)
    pytester.makeini(f"[pytest]\nwheelcheck_requirements = wanted.txt\nwheelcheck_targets = {LINUX}\n")
    result = pytester.runpytest_inprocess("--wheelcheck")
    assert "Traceback" not in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()
    assert counted(result) in ({"passed": 2}, {"passed": 1, "failed": 1})


# -- how pytest counts, selects and records


def test_items_are_counted_when_they_are_collected(session: Any) -> None:
    result = session("--wheelcheck", "-m", "wheelcheck", "-k", "more", wanted="alone\n", more="alone\n")
    result.stdout.fnmatch_lines(["collected 5 items / 3 deselected / 2 selected*"])


def test_the_last_failed_item_is_run_again(session: Any, pytester: pytest.Pytester) -> None:
    session("--collect-only", wanted="onlymac\n")
    assert counted(pytester.runpytest_inprocess("--wheelcheck")) == {"passed": 2, "failed": 1}
    result = pytester.runpytest_inprocess("--wheelcheck", "--lf")
    assert counted(result)["failed"] == 1
    assert counted(result).get("passed", 0) == 0


def test_paths_of_tests_do_not_matter(session: Any, pytester: pytest.Pytester) -> None:
    assert counted(session("--wheelcheck", "test_ordinary.py", wanted="alone\n")) == {"passed": 3}
    result = pytester.runpytest_inprocess("--wheelcheck", "test_ordinary.py::test_ordinary", "-p", "no:cacheprovider")
    assert counted(result) == {"passed": 3}


def test_junit_has_the_verdict(session: Any, pytester: pytest.Pytester) -> None:
    session("--wheelcheck", "--junitxml", "report.xml", wanted="onlymac\n")
    text = (pytester.path / "report.xml").read_text()
    assert '<property name="wheelcheck.verdict" value="not compatible"' in text
    assert f'<property name="wheelcheck.target" value="{MAC}"' in text
    assert 'message="onlymac: no file fits' in text


@pytest.mark.parametrize(("setting", "outcome"), [("", "failed"), ("skip", "skipped"), ("fail", "failed")])
def test_what_becomes_of_the_unknown(session: Any, index: Server, setting: str, outcome: str) -> None:
    index.fault("/simple/alone/", status(503))
    result = session("--wheelcheck", settings=f"wheelcheck_missing = {setting}", wanted="alone\n")
    assert counted(result) == {"passed": 1, outcome: 2}


def test_a_setting_that_cannot_be_used(session: Any) -> None:
    result = session(settings="wheelcheck_missing = perhaps")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*wheelcheck_missing is 'perhaps': write fail or skip."])


# -- for the tests of others

MARKED = """
import pytest

@pytest.mark.requires_wheels("onlymac", target="%(mac)s")
def test_mac():
    pass

@pytest.mark.requires_wheels("alone", "onlymac", target="%(linux)s")
def test_linux():
    pass

@pytest.mark.requires_wheels("alone")
class TestAll:
    def test_here(self, wheelcheck):
        assert wheelcheck.check(["alone"]).ok
        assert wheelcheck.judge("alone-1.0-py3-none-any.whl").ok
        assert wheelcheck.explain("alone").ok
"""


@pytest.mark.parametrize(("setting", "outcome"), [("", "skipped"), ("skip", "skipped"), ("fail", "failed")])
def test_a_test_may_need_wheels(session: Any, pytester: pytest.Pytester, setting: str, outcome: str) -> None:
    pytester.makepyfile(test_marked=MARKED % {"mac": MAC, "linux": LINUX})
    result = session("-rs", settings=f"wheelcheck_missing = {setting}")
    assert counted(result) == {"passed": 3, outcome: 1}
    assert "requires_wheels: onlymac: no file fits" in result.stdout.str()


def test_a_test_that_needs_wheels_and_no_index(session: Any, pytester: pytest.Pytester, index: Server) -> None:
    index.fault("/simple/alone/", status(503))
    pytester.makepyfile(test_marked="import pytest\n@pytest.mark.requires_wheels('alone')\ndef test_it(): pass\n")
    assert counted(session()) == {"passed": 1, "skipped": 1}


@pytest.mark.parametrize(
    "arguments",
    ["", "['alone']", "'alone', platform='linux'", "'alone', target=3", "'alone=='", "'a', target='nowhere'"],
)
def test_wrong_arguments_of_the_marker_are_an_error(session: Any, pytester: pytest.Pytester, arguments: str) -> None:
    pytester.makepyfile(test_marked=f"import pytest\n@pytest.mark.requires_wheels({arguments})\ndef test_it(): pass\n")
    result = session()
    assert counted(result) == {"passed": 1, "errors": 1}
    assert "requires_wheels" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


# -- the examples of the documentation

PAGE = (Path(__file__).parents[1] / "docs" / "pytest.md").read_text("utf-8")


def block(language: str) -> str:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


def test_the_settings_of_the_documentation(session: Any, pytester: pytest.Pytester) -> None:
    session("--collect-only", requirements="alone\n")
    (pytester.path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\ndependencies = ["alone"]\n'
        '[project.optional-dependencies]\ngpu = ["spam"]\n[dependency-groups]\ntest = ["alone"]\n'
    )
    (pytester.path / "dist").mkdir()
    wheel = make_wheel("mine", "1.0", requires=["alone"])
    (pytester.path / "dist" / wheel.filename).write_bytes(wheel.content)
    pytester.makeini(block("ini"))
    assert counted(pytester.runpytest_inprocess("--wheelcheck")) == {"passed": 9}


def test_the_tests_of_the_documentation(session: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_documented=block("python"))
    assert counted(session("-rs")) == {"passed": 2, "skipped": 1}


def test_every_setting_is_documented(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_inprocess("--help").stdout.str()
    settings = set(re.findall(r"^  (wheelcheck_\w+) ", shown, re.MULTILINE))
    assert settings == set(re.findall(r"^\| `(wheelcheck_\w+)` \|", PAGE, re.MULTILINE))
