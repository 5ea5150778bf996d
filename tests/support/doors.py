"""What the tests of the doors share: a question that stands alone, with its own cache and no pip configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from wheels import Dist, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LINUX = "manylinux_2_28_x86_64-3.12.4"
MAC = "macos-14-arm64-3.12.4"

NOWHERE = "http://127.0.0.1:1/simple/"
"""An index that refuses every connection."""

PROJECTS: dict[str, list[Dist]] = {
    "spam": [
        make_wheel("spam", "1.0", requires=["eggs<2"]),
        make_wheel("spam", "2.0rc1", requires=["eggs"]),
    ],
    "eggs": [make_wheel("eggs", "1.5", extras=("dev",), requires=["ham; extra == 'dev'"]), make_wheel("eggs", "2.0")],
    "ham": [make_wheel("ham", "1.0", "cp312-cp312-manylinux_2_17_x86_64")],
    "onlymac": [make_wheel("onlymac", "1.0", "cp312-cp312-macosx_12_0_arm64")],
    "candidate": [make_wheel("candidate", "1.0rc1")],
    "withdrawn": [make_wheel("withdrawn", "0.9", yanked="it was broken"), make_wheel("withdrawn", "0.8", yanked="")],
    "alone": [make_wheel("alone")],
}
"""A small index: `spam` needs `eggs`, `ham` is for Linux, `onlymac` for macOS, `candidate` has no final release."""


def stand_alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keeps pip's configuration and the environment of whoever runs the tests out of the question."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "WHEELCHECK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    monkeypatch.setenv("WHEELCHECK_CACHE_DIR", str(folder / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(folder)
