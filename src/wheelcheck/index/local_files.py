"""Pages and files in the file system of this machine, and the digests of those files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from wheelcheck.common.errors import IndexUnavailable
from wheelcheck.index.links import Links, by_project, read_links_page
from wheelcheck.index.sources import Local
from wheelcheck.standards.distributions import SDIST_ENDINGS, ProjectPage, read_file
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.simple_api import parse_page


def local_page(source: Local, name: NormalizedName) -> ProjectPage | None:
    """The page in a project's folder; no folder, or none that holds a page, means that the project is not there.

    A snapshot knows what it was asked, so there it means that nobody can tell, unless the project was missing then.

    Raises:
        CannotTell: the directory of the whole index is not there, or something in it cannot be read.
    """
    page = _listed_page(source, name)
    return page if source.recorded is None else source.recorded.page(name, page)


def _listed_page(source: Local, name: NormalizedName) -> ProjectPage | None:
    for filename, content_type in (("index.json", "application/json"), ("index.html", "text/html")):
        path = source.path / quote(name, safe="") / filename
        body = body_of(path)
        if body is not None:
            return parse_page(body, content_type, name=name, url=path.as_uri(), index=source.label)
    if not _is_directory(source.path):
        raise IndexUnavailable(source.label, "there is no such directory")
    return None


def local_links(source: Local) -> Links:
    """The pages of all files in a directory, or of all that a local HTML page links to.

    Raises:
        CannotTell: it is not there, or cannot be read.
    """
    if _is_directory(source.path):
        files = [read_file(path.name, url=path.as_uri(), index=source.label) for path in _distributions(source.path)]
        return by_project(files)
    body = body_of(source.path)
    if body is None:
        raise IndexUnavailable(source.label, "there is no such file or directory")
    return read_links_page(body, "text/html", url=source.path.as_uri(), index=source.label)


def _distributions(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith((".whl", *SDIST_ENDINGS)))
    except OSError as error:
        raise _unavailable(folder, error) from None


def body_of(path: Path) -> bytes | None:
    """The bytes of a file, or None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unavailable(path, error) from None


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise _unavailable(path, error) from None


def _unavailable(path: Path, error: OSError) -> IndexUnavailable:
    return IndexUnavailable(str(path), error.strerror or type(error).__name__)
