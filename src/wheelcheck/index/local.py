"""Pages and files in the file system of this machine, and the digests of those files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from packaging.utils import NormalizedName

from wheelcheck.digests import chunks_of, digests_of, mismatch
from wheelcheck.distributions import SDIST_ENDINGS, Listed, ProjectPage, read_file
from wheelcheck.failures import IndexUnavailable, Unreadable
from wheelcheck.index.links import Links, by_project, read_links_page
from wheelcheck.index.sources import Local
from wheelcheck.listings import parse_page
from wheelcheck.values import replace
from wheelcheck.verdicts import HashMismatch


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


# -- digests


class LocalHashes(Mapping[str, str]):
    """What is stated of a local file, and further digests that are computed once somebody looks at one.

    Raises:
        Unreadable: the file that is looked at cannot be read.
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
    """A local file whose digests of these algorithms can be looked at."""
    missing = algorithms - file.hashes.keys()
    return replace(file, hashes=LocalHashes(file.hashes, path, missing)) if missing else file


def stated_of(file: Listed) -> Mapping[str, str]:
    """The hashes that somebody states of a file, without those that were computed from the file itself."""
    return file.hashes.stated if isinstance(file.hashes, LocalHashes) else file.hashes


def mismatch_of_file(stated: Mapping[str, str], path: Path) -> HashMismatch | None:
    """The first stated digest that a file does not have; it is not read where nothing is stated. Raises OSError."""
    return mismatch(stated, digests_of_file(path, stated)) if stated else None


def digests_of_file(path: Path, algorithms: Collection[str]) -> Mapping[str, str]:
    """The digests of a file, computed again only when its size or time has changed. Raises OSError."""
    status = path.stat()
    return _digests(path, frozenset(algorithms), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digests(path: Path, algorithms: frozenset[str], size: int, changed: int) -> Mapping[str, str]:  # noqa: ARG001
    with path.open("rb") as handle:
        return digests_of(chunks_of(handle), algorithms)
