"""Write the table of docs/presets.md from the data of the package: python tests/support/make_presets_page.py."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from wheelcheck.targets.parse import GROUP
from wheelcheck.targets.presets import presets

PAGE = Path(__file__).parents[2] / "docs" / "presets.md"
HEAD = """\
# Presets

A preset is a target by the name of an environment that many people have. `-PYTHON` after it, or `--python`, names
another Python than its own. Each heading is a group: `--target` takes it for all its members, as in `-t all-mac-cp312`.

The facts are data (`src/wheelcheck/targets/data/presets.toml`), each with the page that says so and its date. They
age: what a service runs next month, only its own page knows. `wheelcheck targets list WORD` shows them as well.
"""


def page() -> str:
    """The text of the page."""
    lines = [HEAD]
    for group, members in groupby(presets().values(), lambda preset: preset.group):
        lines += [
            f"## {GROUP}{group}",
            "",
            "| preset | target | Python | what it is | source |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| `{one.name}` | `{one.platform}` | {one.python or ''} | {one.about} | [{one.date}]({one.source}) |"
            for one in members
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
