"""What pip itself would install in each scenario that it can be asked, on the Python that runs the tests."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from loopback import simple_index
from peers import OLDEST_PIP, files_by_pip, pip_version
from scenario import FOLDER, Scenario
from wheelcheck.interpreters.find import describe
from wheelcheck.resolver.model import Solution
from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

OF_A_SCENARIO = {"asks", "constraints", "target", "targets", "index", "expect", "pre", "no_deps"} | {
    "ignore_requires_python"
}
OF_A_VERSION = {"requires", "requires_python", "metadata_requires_python", "files", "yanked", "uploaded"}
DIFFERENT = {
    "choices-that-are-taken-back-leave-no-answer": "pip installs a set that does not hang together",
    "direct-reference-in-metadata-refuses-the-file": "pip follows a URL in metadata; no index sends us elsewhere",
    "marker-that-compares-nonsense": "pip ends with a traceback",
    "marker-with-a-variable-that-only-locks-have": "pip ends with a traceback",
    "takes-turns-for-ever": "pip gives up after 200,000 rounds",
    "takes-turns-until-older-versions-agree": "pip gives up after 200,000 rounds",
}


pytestmark = pytest.mark.skipif(pip_version() < OLDEST_PIP, reason=f"needs pip {OLDEST_PIP} or newer")


def is_known_to_pip(told: dict[str, Any]) -> bool:
    """Whether pip has all that a scenario speaks of, without options of another form."""
    releases = [about for project in told.get("index", {}).values() for about in project.values()]
    if not told.keys() <= OF_A_SCENARIO or not all(is_plain(about) for about in releases):
        return False
    files = [name for about in releases for name in about.get("files", ())]
    texts = [*told["asks"], *told.get("constraints", ()), *files]
    return not any("@" in text or "--hash" in text or text.endswith((".tar.gz", ".zip")) for text in texts)


def is_plain(about: Any) -> bool:
    return isinstance(about, dict) and about.keys() <= OF_A_VERSION


SCENARIOS = [
    scenario
    for scenario in map(Scenario.read, sorted(FOLDER.glob("*.toml")))
    if scenario.name not in DIFFERENT and is_known_to_pip(scenario.told)
]


def wheels_of(name: str, version: str, about: dict[str, Any]) -> list[Dist]:
    extras = sorted(set(re.findall(r"extra == '([^']+)'", " ".join(about.get("requires", ())))))
    wheel = make_wheel(
        name,
        version,
        requires=about.get("requires", ()),
        requires_python=about.get("metadata_requires_python"),
        extras=tuple(extras),
        yanked=about.get("yanked"),
    )
    wheel = replace(wheel, requires_python=about.get("requires_python"))
    return [wheel.named(filename) for filename in about.get("files", [wheel.filename])]


def pins_by_pip(scenario: Scenario, folder: Path) -> set[str] | None:
    """The names of the files that pip would install; None where it would install nothing."""
    projects = {
        name: [wheel for version, about in releases.items() for wheel in wheels_of(name, version, about)]
        for name, releases in scenario.told.get("index", {}).items()
    }
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(scenario.told.get("constraints", ())), "utf-8")
    policy = scenario.policy
    given = {"--pre": policy.pre, "--no-deps": policy.no_deps}
    given["--ignore-requires-python"] = policy.ignore_requires_python
    options = [option for option, is_given in given.items() if is_given]
    with simple_index(projects) as server:
        return files_by_pip(server.index, scenario.told["asks"], *options, "-c", str(constraints))


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=scenario.name, marks=pytest.mark.peers if number % 30 else ())
        for number, scenario in enumerate(SCENARIOS)
    ],
)
def test_the_files_are_those_of_pip(scenario: Scenario, tmp_path: Path) -> None:
    outcome = scenario.outcome(describe())
    ours = {pin.file.filename for pin in outcome.pins} if isinstance(outcome, Solution) else None
    assert ours == pins_by_pip(scenario, tmp_path)
