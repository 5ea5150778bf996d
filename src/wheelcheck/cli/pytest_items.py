"""The items of the pytest plugin: one for each input and target. Imported when ``--wheelcheck`` is given."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wheelcheck.commands.report import Result


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """Add the items to those of the session, whatever paths are given, so that pytest counts and selects them."""
    outcome = yield
    if isinstance(collector, pytest.Session):
        report = outcome.get_result()
        if report.passed:
            report.result = [*report.result, Collector.from_parent(collector, name="wheelcheck", nodeid="wheelcheck")]


class Collector(pytest.Collector):
    """Make an item of each input with each target."""

    def collect(self) -> Iterable[Item]:
        """Return the items, in the order of the settings."""
        for kind, name in ((Requirements, "wheelcheck_requirements"), (Wheels, "wheelcheck_wheels")):
            for entry in self.config.getini(name):
                for target in self._targets():
                    name = f"{entry}[{target}]"
                    # given as text, since pytest 9.2 otherwise takes no brackets in a name for what --lf reads back
                    identifier = f"{self.nodeid}::{name}"
                    yield kind.from_parent(self, name=name, nodeid=identifier, entry=entry, target=target)

    def _targets(self) -> list[str]:
        from wheelcheck.targets.target import expanded

        return [target for text in self.config.getini("wheelcheck_targets") for target in expanded(text)]


class Failed(Exception):
    """An answer that is not ok: a line for the summary, and the report as text."""

    def __init__(self, summary: str, text: str) -> None:
        super().__init__(summary)
        self.text = text


class Item(pytest.Item):
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
            raise Failed(summary, text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the report with its summary, or the sentence that says what is wrong with the settings."""
        from wheelcheck.common.errors import UndeterminedError, UsageError

        error = excinfo.value
        if not isinstance(error, Failed | UsageError | UndeterminedError):
            return super().repr_failure(excinfo, style)
        return _shown(str(error), error.text if isinstance(error, Failed) else str(error), self.path)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the heading of a failure."""
        return Path(self.config.rootpath, self.entry), None, f"{self.entry} for {self.target}"


class Requirements(Item):
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


class Wheels(Item):
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
