"""Prints the versions of projects that the index lists, as tests/support/published.toml has them.

python tests/support/published.py PROJECT...
"""

from __future__ import annotations

import sys
from textwrap import fill

from packaging.version import Version

from wheelcheck import explain


def block(project: str) -> str:
    """One entry of the file."""
    files = explain(project, target="manylinux_2_28_x86_64-cp312").files
    versions = {
        str(version) for judged in files if isinstance(version := getattr(judged.file, "version", None), Version)
    }
    listed = fill(" ".join(sorted(versions, key=Version)), width=120, break_on_hyphens=False)
    return f'{project} = """\n{listed}\n"""'


if __name__ == "__main__":
    print(*map(block, sys.argv[1:]), sep="\n")
