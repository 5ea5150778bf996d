"""The pytest plugin: with ``--wheelcheck``, one test item for each input and target.

It is off by default, and then imports nothing but pytest. The marker ``requires_wheels`` and the fixture ``wheelcheck``
are there in any case.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wheelcheck.commands.report import Result

MISSING = ("fail", "skip")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    group = parser.getgroup("wheelcheck", "wheel compatibility")
    group.addoption("--wheelcheck", action="store_true", help="check what wheelcheck_requirements and _wheels name")
    inputs = "FILE, pyproject.toml[EXTRA] or pyproject.toml:GROUP to check, from the root directory"
    parser.addini("wheelcheck_requirements", inputs, type="args", default=[])
    parser.addini("wheelcheck_wheels", "built wheels to check, such as dist/*.whl", type="args", default=[])
    parser.addini("wheelcheck_targets", "targets to check them for", type="args", default=["running"])
    parser.addini("wheelcheck_rules", "a file or directory of rules of your own", default="")
    parser.addini("wheelcheck_strict", "warnings fail", type="bool", default=False)
    parser.addini("wheelcheck_confirm", "import the projects in a new environment", type="bool", default=False)
    parser.addini(
        "wheelcheck_missing",
        "fail or skip: what becomes of an answer that is unknown, and of requires_wheels without wheels "
        "(default: an item fails, the marker skips)",
        default="",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the markers, and reject settings that cannot be used."""
    config.addinivalue_line("markers", "wheelcheck: a check of requirements or wheels for a target")
    config.addinivalue_line(
        "markers", "requires_wheels(*requirements, target=None): skip where they have no wheels for the target"
    )
    missing = config.getini("wheelcheck_missing")
    if missing and missing not in MISSING:
        raise pytest.UsageError(f"wheelcheck_missing is {missing!r}: write fail or skip.")
    settings = ("wheelcheck_requirements", "wheelcheck_wheels")
    if config.getoption("--wheelcheck") and not any(map(config.getini, settings)):
        raise pytest.UsageError(
            "--wheelcheck has nothing to check: name files in wheelcheck_requirements or wheelcheck_wheels."
        )


# -- the items


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """Add the items to those of the session, whatever paths are given, so that pytest counts and selects them."""
    outcome = yield
    if isinstance(collector, pytest.Session) and collector.config.getoption("--wheelcheck"):
        report = outcome.get_result()
        if report.passed:
            report.result = [*report.result, _Collector.from_parent(collector, name="wheelcheck", nodeid="wheelcheck")]


class _Collector(pytest.Collector):
    """Make an item of each input with each target."""

    def collect(self) -> Iterable[_Item]:
        """Return the items, in the order of the settings."""
        for kind, name in ((_Requirements, "wheelcheck_requirements"), (_Wheels, "wheelcheck_wheels")):
            for entry in self.config.getini(name):
                for target in self.config.getini("wheelcheck_targets"):
                    name = f"{entry}[{target}]"
                    # given as text, since pytest 9.2 otherwise takes no brackets in a name for what --lf reads back
                    identifier = f"{self.nodeid}::{name}"
                    yield kind.from_parent(self, name=name, nodeid=identifier, entry=entry, target=target)


class _Failed(Exception):
    """An answer that is not ok: a line for the summary, and the report as text."""

    def __init__(self, summary: str, text: str) -> None:
        super().__init__(summary)
        self.text = text


class _Item(pytest.Item):
    """One input, checked for one target."""

    def __init__(self, *, entry: str, target: str, **others: Any) -> None:
        super().__init__(**others)
        self.entry = entry
        self.target = target
        self.add_marker("wheelcheck")
        self.user_properties += [("wheelcheck.input", entry), ("wheelcheck.target", target)]

    @property
    def options(self) -> dict[str, Any]:
        """The options of a check that the settings give."""
        settings = self.config.getini
        confirm: bool = settings("wheelcheck_confirm")
        rules = settings("wheelcheck_rules")
        return {
            "rules": str(Path(self.config.rootpath, rules)) if rules else None,
            "strict": settings("wheelcheck_strict"),
            "confirm": confirm,
            "fresh": confirm,
        }

    def settle(self, results: Iterable[Result | None], summary: str, text: str) -> None:
        """Record the verdict, and fail or skip where it is not ok."""
        errors = [result.error for result in results if result is not None and result.error is not None]
        verdict = "compatible" if not summary else "unknown" if errors else "not compatible"
        self.user_properties.append(("wheelcheck.verdict", verdict))
        if errors and self.config.getini("wheelcheck_missing") == "skip":
            pytest.skip(str(errors[0]))
        if summary:
            raise _Failed(summary, text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the report with its summary, or the sentence that says what is wrong with the settings."""
        from wheelcheck.common.errors import UndeterminedError, UsageError

        error = excinfo.value
        if not isinstance(error, _Failed | UsageError | UndeterminedError):
            return super().repr_failure(excinfo, style)
        return _shown(str(error), error.text if isinstance(error, _Failed) else str(error), self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the heading of a failure."""
        return Path(self.config.rootpath, self.entry), None, f"{self.entry} for {self.target}"


class _Requirements(_Item):
    """A file of requirements for one target."""

    def runtest(self) -> None:
        """Fail where the requirements have no answer that is ok."""
        from wheelcheck.commands.check import check
        from wheelcheck.render.problems import summary_of
        from wheelcheck.render.text import render_report

        report = check(targets=[self.target], **_inputs(self.entry, self.config.rootpath), **self.options)
        summary = "; ".join(filter(None, map(summary_of, report.results)))
        self.settle(
            report.results, summary or ("" if report.ok else "not compatible"), render_report(report, quiet=True)
        )


class _Wheels(_Item):
    """Built wheels for one target."""

    def runtest(self) -> None:
        """Fail where no wheel fits, or one of its dependencies has none."""
        from wheelcheck.commands.check_wheels import check_wheels, find_wheels
        from wheelcheck.render.problems import summary_of_wheels
        from wheelcheck.render.text import render_wheels

        found = check_wheels(find_wheels(self.entry, self.config.rootpath), self.target, **self.options)
        summaries = [summary_of_wheels(one, self.entry) for one in found if not one.ok]
        self.settle([one.result for one in found], "; ".join(summaries), render_wheels(found, self.entry))


def _inputs(entry: str, root: Path) -> dict[str, Any]:
    """Return the options of a check that an entry of ``wheelcheck_requirements`` stands for."""
    match = re.fullmatch(r"(?P<file>.*\.toml)(?:\[(?P<extras>[^\]]+)\]|:(?P<group>[^/\\:]+))", entry)
    if match is None:
        return {"requirement": [str(root / entry)]}
    file = str(root / match["file"])
    if match["group"]:
        return {"group": [f"{file}:{match['group']}"]}
    return {"requirement": [file], "extra": [extra.strip() for extra in match["extras"].split(",")]}


def _shown(summary: str, text: str, path: Path) -> Any:
    """Return a failure whose summary is a line, in the form in which pytest-xdist hands it on."""
    from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

    crash = ReprFileLocation(str(path), 0, summary)
    return ReprExceptionInfo(
        reprtraceback=ReprTraceback([ReprEntryNative([f"{text}\n"])], None, style="native"), reprcrash=crash
    )


# -- for the tests of others

_LACKS = pytest.StashKey[str]()
"""Why a test whose wheels do not exist has to fail."""


@pytest.fixture(name="wheelcheck", scope="session")
def _wheelcheck() -> SimpleNamespace:
    """The functions ``check``, ``judge``, ``explain`` and ``confirm`` of the library."""
    from wheelcheck.commands.check import check, judge
    from wheelcheck.commands.confirm import confirm
    from wheelcheck.commands.explain import explain

    return SimpleNamespace(check=check, judge=judge, explain=explain, confirm=confirm)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose ``requires_wheels`` do not exist, or fail it where the settings say so."""
    for mark in item.iter_markers("requires_wheels"):
        _require(mark, item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test whose wheels do not exist; in its setup that would be an error."""
    if _LACKS in item.stash:
        pytest.fail(item.stash[_LACKS], pytrace=False)


def _require(mark: pytest.Mark, item: pytest.Item) -> None:
    is_usable = mark.args and all(isinstance(text, str) for text in mark.args) and set(mark.kwargs) <= {"target"}
    target = mark.kwargs.get("target")
    if not is_usable or not (target is None or isinstance(target, str)):
        shown = ", ".join([*map(repr, mark.args), *(f"{name}={value!r}" for name, value in mark.kwargs.items())])
        pytest.fail(f"requires_wheels({shown}): give requirements as texts, and at most target=TEXT.", pytrace=False)
    from wheelcheck.commands.check import check
    from wheelcheck.common.errors import UsageError
    from wheelcheck.render.problems import summary_of

    try:
        report = check(mark.args, targets=None if target is None else [target], no_remedies=True)
    except UsageError as error:
        pytest.fail(f"requires_wheels: {error}", pytrace=False)
    if not report.ok:
        (result,) = report.results
        why = f"requires_wheels: {summary_of(result)}"
        if item.config.getini("wheelcheck_missing") != "fail":
            pytest.skip(why)
        item.stash[_LACKS] = why
