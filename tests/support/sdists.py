"""Small source distributions in memory for tests, and directories of projects; none of them can be built."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from wheels import Dist, zipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def make_source(
    name: str,
    version: str = "1.0",
    *,
    ending: str = ".tar.gz",
    folder: str | None = None,
    files: Mapping[str, bytes | str] | None = None,
    pkg_info: bytes | str | None = None,
    **about: object,
) -> Dist:
    """A source distribution; its PKG-INFO is made of `about` unless it is given. `files` stand before it."""
    stem = f"{name.replace('-', '_')}-{version}"
    folder = stem if folder is None else folder
    if pkg_info is None:
        pkg_info = pkg_info_text(name, version, **about)  # type: ignore[arg-type]
    hostile = "raise SystemExit('this must never run')\n"
    members = {"setup.py": hostile, **(files or {}), "PKG-INFO": pkg_info, "last.py": ""}
    placed = {f"{folder}/{path}": content for path, content in members.items()}
    content = zipped(placed) if ending == ".zip" else tarred(placed, compressed=ending != ".tar")
    return Dist(filename=f"{stem}{ending}", content=content)


def pkg_info_text(
    name: str,
    version: str,
    *,
    metadata_version: str = "2.2",
    dynamic: Iterable[str] = (),
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Iterable[str] = (),
) -> str:
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {text}" for text in requires]
    lines += [f"Dynamic: {field}" for field in dynamic]
    return "\n".join([*lines, "", "A test source.", "Dynamic: Requires-Dist", ""])


def tarred(
    members: Mapping[str, bytes | str],
    *,
    compressed: bool = True,
    form: int = tarfile.PAX_FORMAT,
    change: Callable[[tarfile.TarInfo], object] = lambda _: None,
) -> bytes:
    """A tar archive of some members, the same bytes for the same members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for path, content in members.items():
            raw = content.encode() if isinstance(content, str) else content
            about = tarfile.TarInfo(path)
            about.size = len(raw)
            change(about)
            archive.addfile(about, io.BytesIO(raw))
    return gzip.compress(buffer.getvalue(), mtime=0) if compressed else buffer.getvalue()


def write_project(folder: Path, text: str) -> Path:
    """A directory with a pyproject.toml, and a set-up file that must never run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, "utf-8")
    (folder / "setup.py").write_text("raise SystemExit('this must never run')\n", "utf-8")
    return folder
