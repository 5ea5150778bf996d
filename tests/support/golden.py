"""What commands print at a width, asked of the recorded slice of the index."""

from __future__ import annotations

import os
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from wheelcheck.cli.main import main

ROOT = Path(__file__).parents[2]
FIXTURES = Path("fixtures")
"""Below `ROOT`, so that no line is broken elsewhere because a checkout lies elsewhere."""
SLICE = ["--index-url", str(FIXTURES / "index"), "--isolated", "--offline"]
ASKING = ("check", "explain", "rules show")
"""Commands that ask an index."""


def printed(command: str, columns: int = 80) -> str:
    """What a command of wheelcheck prints, on stdout and then on stderr."""
    words = shlex.split(command)
    if words[0] in ASKING or " ".join(words[:2]) in ASKING:
        words += SLICE if "--index-url" not in words else SLICE[2:]
    out, err = StringIO(), StringIO()
    with TemporaryDirectory() as cache, redirect_stdout(out), redirect_stderr(err):
        surroundings = {"COLUMNS": str(columns), "FORCE_COLOR": "", "NO_COLOR": "", "WHEELCHECK_CACHE_DIR": cache}
        before = Path.cwd()
        os.chdir(ROOT)
        try:
            with patch.dict(os.environ, surroundings):
                main(words)
        finally:
            os.chdir(before)
    return out.getvalue() + err.getvalue()
