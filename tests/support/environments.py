"""A virtual environment with pip, and what is installed in it, written as pip would leave it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from wheels import metadata_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def make_environment(place: Path, *, pip: bool = True) -> Path:
    """A virtual environment of the Python that runs the tests; return the path of its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", *([] if pip else ["--without-pip"]), str(place)], check=True)
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def copied(environment: Path, place: Path) -> Path:
    """A copy of a virtual environment, which is faster than to make one; return the path of its interpreter."""
    shutil.copytree(environment, place, symlinks=True)
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(folder: Path, name: str, version: str, requires: Iterable[str] = (), *, direct_url: str = "") -> Path:
    """Write what an installed distribution leaves in a directory of the path; return its dist-info."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(metadata_text(name, version, requires=list(requires)))
    (info / "RECORD").write_text("")
    (info / "INSTALLER").write_text("pip\n")
    if direct_url:
        (info / "direct_url.json").write_text(direct_url)
    return info


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a directory with its bytes, but for what the interpreter compiles by itself."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix != ".pyc"}
