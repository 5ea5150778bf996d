"""Pages and files in the local file system, and the hashes of those files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from wheelcheck.common.errors import IndexNonsense, IndexUnavailable, Unreadable
from wheelcheck.common.records import replace
from wheelcheck.common.urls import path_of_url
from wheelcheck.index.http.options import PAGE_LIMIT
from wheelcheck.index.regular_files import open_regular, read_regular
from wheelcheck.index.sources import Local
from wheelcheck.standards.file_problems import HashMismatch
from wheelcheck.standards.filenames import SDIST_ENDINGS
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.standards.project_page import Listed, ProjectPage, UnreadableFile, read_file
from wheelcheck.standards.simple_api import JSON_TYPE, parse_links, parse_page


def local_page(source: Local, name: NormalizedName) -> ProjectPage | None:
    """Return the page in a project's folder, or None where there is no folder with a page.

    A snapshot knows what it was recorded for: a project that is neither in it nor recorded as missing is an error.

    Raises:
        UndeterminedError: the directory of the index is missing, or something in it cannot be read.
    """
    page = _listed_page(source, name)
    return page if source.recorded is None else source.recorded.page(name, page)


def _listed_page(source: Local, name: NormalizedName) -> ProjectPage | None:
    for filename, content_type in (("index.json", JSON_TYPE), ("index.html", "text/html")):
        path = source.path / quote(name, safe="") / filename
        body = body_of(path)
        if body is not None:
            return parse_page(body, content_type, name=name, url=path.as_uri(), index=source.label)
    if not _is_directory(source.path):
        raise IndexUnavailable(source.label, "there is no such directory", "Check the path")
    return None


def local_links(source: Local) -> Links:
    """Return the pages of all files in a directory, or of all that a local HTML page links to.

    Raises:
        UndeterminedError: it is missing, or cannot be read.
    """
    if _is_directory(source.path):
        files = [read_file(path.name, url=path.as_uri(), index=source.label) for path in _distributions(source.path)]
        return by_project(files)
    body = body_of(source.path)
    if body is None:
        raise IndexUnavailable(source.label, "there is no such file or directory", "Check the path")
    return read_links_page(body, "text/html", url=source.path.as_uri(), index=source.label)


def _distributions(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith((".whl", *SDIST_ENDINGS)))
    except OSError as error:
        raise _unavailable(folder, error) from None


def body_of(path: Path) -> bytes | None:
    """Return the content of a file, or None where there is none."""
    try:
        return read_regular(path, PAGE_LIMIT)
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
    return IndexUnavailable(str(path), error.strerror or "it cannot be read", "Check the path")


class LocalHashes(Mapping[str, str]):
    """The published hashes of a local file, and others computed on access.

    Raises:
        Unreadable: the file cannot be read.
    """

    def __init__(self, stated: Mapping[str, str], path: Path, more: Collection[str]) -> None:
        self.stated = stated
        self._path = path
        self._more = frozenset(more) - stated.keys()

    def __getitem__(self, algorithm: str) -> str:
        if algorithm not in self._more:
            return self.stated[algorithm]
        try:
            return digests_of_file(self._path, self._more)[algorithm]
        except OSError as error:
            raise Unreadable(self._path.name, f"{self._path}: {error.strerror}") from None

    def __iter__(self) -> Iterator[str]:
        yield from self.stated
        yield from sorted(self._more)

    def __len__(self) -> int:
        return len(self.stated) + len(self._more)


def hashed(file: Listed, path: Path, algorithms: Collection[str]) -> Listed:
    """Return a local file whose hashes for these algorithms can be looked up."""
    missing = algorithms - file.hashes.keys()
    return replace(file, hashes=LocalHashes(file.hashes, path, missing)) if missing else file


def stated_of(file: Listed) -> Mapping[str, str]:
    """Return the published hashes of a file, without those computed from the file itself."""
    return file.hashes.stated if isinstance(file.hashes, LocalHashes) else file.hashes


def mismatch_of_file(stated: Mapping[str, str], path: Path) -> HashMismatch | None:
    """Return the first published hash that a file does not match. Without published hashes it is not read. Raises
    OSError.
    """
    from wheelcheck.standards.hashes import mismatch

    return mismatch(stated, digests_of_file(path, stated)) if stated else None


def digests_of_file(path: Path, algorithms: Collection[str]) -> Mapping[str, str]:
    """Return the hashes of a file, cached by its size and time. Raises OSError."""
    status = path.stat()
    return _digests(path, frozenset(algorithms), status.st_size, status.st_mtime_ns)


def digests_here(file: Listed) -> Mapping[str, str]:
    """Return the SHA-256 of a local file; nothing for other files, or where it cannot be read."""
    path = path_of_url(file.url)
    try:
        return digests_of_file(Path(path), ["sha256"]) if path is not None else {}
    except OSError:
        return {}


@lru_cache(maxsize=4096)
def _digests(path: Path, algorithms: frozenset[str], size: int, changed: int) -> Mapping[str, str]:  # noqa: ARG001
    from wheelcheck.standards.hashes import chunks_of, digests_of

    with open_regular(path) as handle:
        return digests_of(chunks_of(handle), algorithms)


Links: TypeAlias = "Mapping[NormalizedName, ProjectPage]"


def read_links_page(body: bytes, content_type: str, *, url: str, index: str) -> Links:
    """Return what an HTML page links to. Arguments and errors are those of `parse_page`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("text/html", "application/xhtml+xml", ""):
        raise IndexNonsense(url, f"its content type is {kind}")
    return by_project(parse_links(body, content_type, url=url, index=index))


def by_project(files: Iterable[Listed | UnreadableFile]) -> Links:
    """Return a page for each project; an invalid wheel name is kept with the project that it begins with."""
    found: dict[NormalizedName, tuple[list[Listed], list[UnreadableFile]]] = {}
    for file in files:
        if not isinstance(file, UnreadableFile):
            found.setdefault(file.name, ([], []))[0].append(file)
        elif file.filename.endswith(".whl"):
            found.setdefault(canonicalize_name(file.filename.partition("-")[0]), ([], []))[1].append(file)
    return {
        name: ProjectPage(name=name, files=tuple(good), unreadable=tuple(bad)) for name, (good, bad) in found.items()
    }
