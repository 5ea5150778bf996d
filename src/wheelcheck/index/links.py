"""Files of any project from one place, as pages of each project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from wheelcheck.distributions import Listed, ProjectPage, UnreadableFile
from wheelcheck.failures import IndexNonsense
from wheelcheck.listings import parse_links
from wheelcheck.names import NormalizedName, canonicalize_name

Links: TypeAlias = "Mapping[NormalizedName, ProjectPage]"


def read_links_page(body: bytes, content_type: str, *, url: str, index: str) -> Links:
    """What an HTML page links to. The arguments are those of `parse_page`, and so are the errors."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml", ""):
        raise IndexNonsense(url, f"its content type is {kind}")
    return by_project(parse_links(body, url=url, index=index))


def by_project(files: Iterable[Listed | UnreadableFile]) -> Links:
    """A page for each project; a wheel whose name cannot be read is kept with the project that it begins with."""
    found: dict[NormalizedName, tuple[list[Listed], list[UnreadableFile]]] = {}
    for file in files:
        if not isinstance(file, UnreadableFile):
            found.setdefault(file.name, ([], []))[0].append(file)
        elif file.filename.endswith(".whl"):
            found.setdefault(canonicalize_name(file.filename.partition("-")[0]), ([], []))[1].append(file)
    return {
        name: ProjectPage(name=name, files=tuple(good), unreadable=tuple(bad)) for name, (good, bad) in found.items()
    }
