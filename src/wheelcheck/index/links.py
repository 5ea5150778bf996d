"""Files of any project from one place, as pages of each project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from wheelcheck.common.errors import IndexNonsense
from wheelcheck.standards.distributions import Listed, ProjectPage, UnreadableFile
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.simple_api import parse_links

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
