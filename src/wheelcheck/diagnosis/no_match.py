"""Why pip found no version: the Python, the platform or pip itself, as far as its list of versions tells."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelcheck.standards.requirements import requirement_of
from wheelcheck.standards.specifiers import version_of

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target

NEWEST_OF = {
    "tensorflow": 13,
    "tensorflow-cpu": 13,
    "tensorflow-macos": 11,
    "tensorflow-metal": 12,
    "tensorflow-gpu": 10,
}
"""The newest minor version of Python 3 that these have files for (their files on the index, 2026-11-23)."""
LATEST = 12
"""From this minor version on, a project without a single version is one whose files for it are yet to come."""
_OLD_PIP = re.compile(r"You are using pip version (?:[1-9]|1\d)\.|pip (?:[1-9]|1[0-8])\.\d", re.MULTILINE)
_PYTHON = re.compile(r"\bPython 3\.(\d+)|python3\.(\d+)|[Pp]ython3(\d{1,2})\b|\bcp3(\d{1,2})\b|py3(\d{1,2})\b")


def refined(facts: dict[str, str], text: str, target: Target | None) -> tuple[str, list[str]]:
    """Return the cause behind "no matching distribution", and what else it could be.

    Args:
        facts: what the line tells: the requirement, and the versions that pip found.
        text: everything that was printed.
        target: the machine, where that is known.
    """
    maybe = ["pip-no-matching", "python-unsupported", "pip-too-old"]
    listed = re.search(r"\(from versions: ?(?P<versions>[^)]*)\)", text)
    versions = _versions(facts.get("versions") or (listed["versions"] if listed else ""))
    if "Requires-Python" in text or "require a different python" in text.lower():
        return "python-unsupported", maybe
    minor = target.version.minor if target is not None else _python_in(text)
    wanted = facts.get("requirement", "")
    name = re.split(r"[\[=<>!~;]", wanted)[0].lower().replace("_", "-")
    if minor is not None and minor > NEWEST_OF.get(name, 99):
        return "python-unsupported", maybe
    if not versions:
        return ("python-unsupported" if minor is not None and minor >= LATEST else "pip-no-matching"), maybe
    facts["versions"] = ", ".join(map(str, versions[-5:]))
    with suppress(ValueError):
        specifier = requirement_of(wanted).specifier
        bounds = [version_of(one.version.removesuffix(".*")) for one in specifier]
        if bounds and all(version > max(bounds) for version in versions):
            return "python-unsupported", maybe
        if bounds and all(version < min(bounds) for version in versions):
            is_old = _OLD_PIP.search(text) is not None or "ERROR:" not in text
            return ("pip-too-old" if is_old else "pip-no-matching"), [*maybe, "wrong-architecture"]
    return "pip-no-matching", maybe


def _versions(text: str) -> list:  # type: ignore[type-arg]
    found = []
    for word in text.split(","):
        with suppress(ValueError):
            found.append(version_of(word.strip()))
    return found


def _python_in(text: str) -> int | None:
    found = _PYTHON.search(text)
    minors = [int(group) for group in found.groups() if group] if found else []
    return minors[0] if minors else None
