"""The pytest plugin: with ``--wheelcheck``, one test item for each requirements file and target.

It is off by default, and then imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wheelcheck.commands.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    group = parser.getgroup("wheelcheck", "wheel compatibility")
    group.addoption(
        "--wheelcheck", action="store_true", help="check the requirements files named in wheelcheck_requirements"
    )
    parser.addini(
        "wheelcheck_requirements", "requirements files to check, from the root directory", type="args", default=[]
    )
    parser.addini("wheelcheck_targets", "targets to check them for", type="args", default=["running"])
    parser.addini("wheelcheck_rules", "a file or directory of rules of your own", default="")
    parser.addini("wheelcheck_strict", "warnings fail", type="bool", default=False)
    parser.addini(
        "wheelcheck_confirm", "import the requested projects in a new environment", type="bool", default=False
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker of the plugin's items, and reject ``--wheelcheck`` without anything to check."""
    config.addinivalue_line("markers", "wheelcheck: a check of requirements against a target")
    if config.getoption("--wheelcheck") and not config.getini("wheelcheck_requirements"):
        raise pytest.UsageError(
            "--wheelcheck has nothing to check: name requirements files in wheelcheck_requirements."
        )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the items of this plugin, before pytest deselects any."""
    if config.getoption("--wheelcheck"):
        collector = _Collector.from_parent(session, name="wheelcheck", nodeid="wheelcheck")
        items.extend(collector.collect())


class _Collector(pytest.Collector):
    """Make an item of each requirements file with each target."""

    def collect(self) -> Iterable[_Item]:
        """Return the items, in the order of the settings."""
        for file in self.config.getini("wheelcheck_requirements"):
            for target in self.config.getini("wheelcheck_targets"):
                yield _Item.from_parent(self, name=f"{file}[{target}]", file=file, target=target)


class _Failed(Exception):
    """An answer that is not ok; its text is the report."""


class _Item(pytest.Item):
    """One requirements file, checked for one target."""

    def __init__(self, *, file: str, target: str, **others: Any) -> None:
        super().__init__(**others)
        self.file = file
        self.target = target
        self.add_marker("wheelcheck")

    def runtest(self) -> None:
        """Fail with the report as text where the answer is not ok."""
        from wheelcheck.render.text import render_report

        report = self._report()
        if not report.ok:
            raise _Failed(render_report(report, quiet=True))

    def _report(self) -> Report:
        from wheelcheck.commands.check import check

        settings = self.config.getini
        confirm: bool = settings("wheelcheck_confirm")
        return check(
            targets=[self.target],
            requirement=[str(Path(self.config.rootpath, self.file))],
            rules=settings("wheelcheck_rules") or None,
            strict=settings("wheelcheck_strict"),
            confirm=confirm,
            fresh=confirm,
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the report, or the sentence that says what is wrong with the settings."""
        from wheelcheck.common.errors import UndeterminedError, UsageError

        if isinstance(excinfo.value, _Failed | UsageError | UndeterminedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the heading of a failure."""
        return Path(self.config.rootpath, self.file), None, f"{self.file} for {self.target}"
