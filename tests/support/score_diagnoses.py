"""Score the diagnoses on fixtures/failures, by cause.

    python tests/support/score_diagnoses.py [--held-out] [-v]

A diagnosis is right if it is the label, or one of those that the text alone fits just as well.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from wheelcheck.diagnosis.diagnose import Diagnosis, diagnose

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "failures"


def failures(*, held_out: bool) -> list[dict[str, Any]]:
    """The texts that the patterns were written with, or those that were held out."""
    names = set((FOLDER / "held_out.txt").read_text("utf-8").split())
    return [
        one for one in json.loads((FOLDER / "failures.json").read_text("utf-8")) if (one["id"] in names) == held_out
    ]


def diagnosed(one: dict[str, Any]) -> Diagnosis:
    code = -one["signal"] if one.get("signal") is not None else one.get("returncode")
    return diagnose(one["text"], returncode=code)


def is_right(one: dict[str, Any], found: str) -> bool:
    return found in {one["cause"], *(one.get("text_also_fits") or ())}


def main() -> None:
    rows = failures(held_out="--held-out" in sys.argv)
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for one in rows:
        found = diagnosed(one)
        every[one["cause"]] += 1
        right[one["cause"]] += is_right(one, found.cause)
        if not is_right(one, found.cause) or "-v" in sys.argv:
            print(one["id"], "| label", one["cause"], "| found", found.cause, dict(found.facts), found.also)
    for cause in sorted(every):
        print(f"{cause:45}{right[cause]} of {every[cause]}")
    print(f"{sum(right.values())} of {len(rows)} right: {100 * sum(right.values()) / len(rows):.1f} %")


if __name__ == "__main__":
    main()
