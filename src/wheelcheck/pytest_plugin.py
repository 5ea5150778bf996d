"""The pytest plugin: with ``--wheelcheck``, one test item for each input and target.

It is off by default, and then imports nothing but pytest. The marker ``requires_wheels`` and the fixture ``wheelcheck``
are there in any case.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import SimpleNamespace

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
    if config.getoption("--wheelcheck"):
        if not any(map(config.getini, settings)):
            raise pytest.UsageError(
                "--wheelcheck has nothing to check: name files in wheelcheck_requirements or wheelcheck_wheels."
            )
        from wheelcheck.cli import pytest_items

        config.pluginmanager.register(pytest_items, "wheelcheck-items")


# -- for the tests of others

_LACKS = pytest.StashKey[str]()
"""Why a test whose wheels do not exist has to fail."""


@pytest.fixture(name="wheelcheck", scope="session")
def _wheelcheck() -> SimpleNamespace:
    """The functions ``check``, ``judge``, ``explain`` and ``confirm`` of the library."""
    from types import SimpleNamespace

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
