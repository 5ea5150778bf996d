"""Damaged pages, URLs, metadata and archives: no traceback, and no other answer than pip's to the same bytes."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from doors import stand_alone
from mutations import KINDS, faults

READS_AS_WE_DO = Version("26.0")
"""Older pips believe some of what the newer ones refuse, such as two ``.dist-info`` directories of a wheel."""


def test_nothing_that_an_index_sends_is_believed_where_pip_refuses_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_alone(monkeypatch, tmp_path)
    monkeypatch.setenv("PIP_TIMEOUT", "5")
    counts: Counter[str] = Counter()
    with_pip = Version(version("pip")) >= READS_AS_WE_DO
    assert list(faults(range(500), 26, counts, with_pip=with_pip)) == []
    for kind in KINDS:
        assert counts[f"{kind}: 0"], kind
        assert counts[f"{kind}: 1"] + counts[f"{kind}: 2"], kind
    assert counts["compared with pip"] > 50 or not with_pip
