"""Make the table of docs/doctor.md: what wheelcheck doctor, pip check and uv pip check find in broken environments.

python tests/support/make_doctor_table.py. Needs uv on PATH or beside this Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from broken import BROKEN, INDEX, Place, a_file_with_other_bytes
from environments import copied, make_environment
from loopback import simple_index
from wheelcheck.commands.doctor import audit

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
BEGIN, END = "<!-- made by tests/support/make_doctor_table.py -->\n", "<!-- end -->\n"


def uv() -> str:
    """The path of uv."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    return found or sys.exit("uv was not found: install it beside this Python.")


def finds(*command: str | Path) -> bool:
    """Whether a command says that something is wrong."""
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def rows() -> list[str]:
    """A row for each broken environment."""
    found = []
    with tempfile.TemporaryDirectory() as folder, simple_index(INDEX) as server:
        os.environ.update(
            PIP_INDEX_URL=server.index,
            PIP_CONFIG_FILE=os.devnull,
            WHEELCHECK_CACHE_DIR=f"{folder}/cache",
            PYTHONPATH="",
        )
        base = make_environment(Path(folder, "base"))
        for number, (broken, _) in enumerate(BROKEN):
            os.environ["PYTHONPATH"] = ""
            place = Place(copied(base.parent.parent, Path(folder, str(number))))
            broken(place)
            kinds = sorted(
                {one.kind for one in audit(python=place.python, hashes=broken is a_file_with_other_bytes).findings}
            )
            pip = finds(place.python, "-m", "pip", "check")
            others = finds(uv(), "pip", "check", "--python", place.python)
            name = broken.__name__.replace("_", " ")
            found.append(f"| {name} | {', '.join(kinds)} | {'yes' if pip else 'no'} | {'yes' if others else 'no'} |\n")
    return found


def main() -> None:
    """Write the table."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    table = ["| environment | wheelcheck doctor | pip check | uv pip check |\n", "|---|---|---|---|\n", *rows()]
    PAGE.write_text(f"{before}{BEGIN}{''.join(table)}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
