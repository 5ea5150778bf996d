"""What is stated of a file's bytes, and the digests of local files, computed when somebody looks at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from wheelcheck.common.errors import Unreadable
from wheelcheck.common.records import replace
from wheelcheck.common.urls import path_of_url
from wheelcheck.standards.distributions import Listed
from wheelcheck.standards.file_problems import HashMismatch


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
    from wheelcheck.standards.hashes import mismatch

    return mismatch(stated, digests_of_file(path, stated)) if stated else None


def digests_of_file(path: Path, algorithms: Collection[str]) -> Mapping[str, str]:
    """The digests of a file, computed again only when its size or time has changed. Raises OSError."""
    status = path.stat()
    return _digests(path, frozenset(algorithms), status.st_size, status.st_mtime_ns)


def digests_here(file: Listed) -> Mapping[str, str]:
    """The SHA-256 of a file on this machine; nothing of any other, or where it cannot be read."""
    path = path_of_url(file.url)
    try:
        return digests_of_file(Path(path), ["sha256"]) if path is not None else {}
    except OSError:
        return {}


@lru_cache(maxsize=4096)
def _digests(path: Path, algorithms: frozenset[str], size: int, changed: int) -> Mapping[str, str]:  # noqa: ARG001
    from wheelcheck.standards.hashes import chunks_of, digests_of

    with path.open("rb") as handle:
        return digests_of(chunks_of(handle), algorithms)
