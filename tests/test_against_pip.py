"""What pip itself would install in each scenario that it can be asked, on the Python that runs the tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from packaging.version import Version

from loopback import simple_index
from scenario import FOLDER, Scenario
from wheelcheck.interpreters import running
from wheelcheck.outcomes import Solution
from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

OLDEST_PIP = Version("26")
"""Older ones have older rules, such as that ``<1.0.post1`` leaves out 1.0rc1."""

OF_A_SCENARIO = {"asks", "constraints", "target", "targets", "index", "expect", "pre", "no_deps"} | {
    "ignore_requires_python"
}
OF_A_VERSION = {"requires", "requires_python", "metadata_requires_python", "files", "yanked", "uploaded"}
DIFFERENT = {
    "direct-reference-in-metadata-refuses-the-file": "pip follows a URL in metadata; no index sends us elsewhere",
    "marker-that-compares-nonsense": "pip ends with a traceback",
    "marker-with-a-variable-that-only-locks-have": "pip ends with a traceback",
}


def pip_version() -> Version:
    try:
        return Version(version("pip"))
    except PackageNotFoundError:
        return Version("0")


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
    constraints, report = folder / "constraints.txt", folder / "report.json"
    constraints.write_text("\n".join(scenario.told.get("constraints", ())), "utf-8")
    policy = scenario.policy
    given = {"--pre": policy.pre, "--no-deps": policy.no_deps}
    given["--ignore-requires-python"] = policy.ignore_requires_python
    options = [option for option, is_given in given.items() if is_given]
    quietly = ["--dry-run", "--ignore-installed", "--no-cache-dir", "--isolated", "--retries=0", "--only-binary=:all:"]
    with simple_index(projects) as server:
        places = ["-i", server.index, "-c", str(constraints), "--report", str(report)]
        command = [sys.executable, "-m", "pip", "install", *quietly, *options, *places, *scenario.told["asks"]]
        done = subprocess.run(
            command, capture_output=True, check=False, text=True, env=os.environ | {"PIP_CONFIG_FILE": os.devnull}
        )
    assert "Traceback" not in done.stderr
    if done.returncode:
        return None
    installed = json.loads(report.read_text("utf-8"))["install"]
    return {PurePosixPath(unquote(urlsplit(one["download_info"]["url"]).path)).name for one in installed}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_files_are_those_of_pip(scenario: Scenario, tmp_path: Path) -> None:
    outcome = scenario.outcome(running())
    ours = {pin.file.filename for pin in outcome.pins} if isinstance(outcome, Solution) else None
    assert ours == pins_by_pip(scenario, tmp_path)
