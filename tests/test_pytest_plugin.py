"""The pytest plugin in sessions of its own: when it adds items, what they are called, and what a failure shows."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import pytest

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, simple_index, status

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

for module in iter_modules(wheelcheck.__path__, "wheelcheck."):
    # A session inside this one forgets the modules that it was the first to import, and would meet their classes twice.
    if not module.name.endswith(("__main__", "_probe")):
        import_module(module.name)
import_module("wheelcheck.render.text")


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
            f"{LINUX}  not compatible",
            "  onlymac has no file compatible with CPython 3.12.4 on Linux x86_64, glibc 2.28.",
            "    onlymac  requested in *wanted.txt, line 1",
            "      built for macosx_12_0_arm64; *",
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
        result.stdout.fnmatch_lines(["  warning: candidate 1.0rc1 is a pre-release *"])


def test_rules_of_your_own(session: Any, pytester: pytest.Pytester) -> None:
    (pytester.path / "mine.toml").write_text(
        'project = "alone"\n[[rule]]\nid = "alone-1"\nversions = "==1.0"\neffect = "forbids"\nwhy = "It is empty."\n'
        'evidence = "contents"\nconfidence = "certain"\nsources = [{ fact = "Seen.", date = "2025-01-01" }]\n'
    )
    result = session("--wheelcheck", settings="wheelcheck_rules = mine.toml", wanted="alone\n")
    assert counted(result) == {"passed": 1, "failed": 2}
    result.stdout.fnmatch_lines(["  rule alone-1: It is empty."])


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
    result.stdout.fnmatch_lines([f"{LINUX}  unknown", "*HTTP 503*"])


def test_to_ask_for_items_where_none_are_configured_is_a_mistake(session: Any) -> None:
    result = session("--wheelcheck")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--wheelcheck has nothing to check: name requirements files in wheelcheck_requirements."]
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
    result.stdout.fnmatch_lines([f"{LINUX}  not compatible"])
