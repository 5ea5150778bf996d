"""Read the metadata of source distributions, which are never unpacked or built.

An archive of moderate size is downloaded whole where its hash is published, so that a wrong hash rejects it. Otherwise
a tar archive is read only up to its PKG-INFO and not verified, like a wheel that is read in ranges.
"""

from __future__ import annotations

from functools import partial
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from wheelcheck.common.errors import Unreadable
from wheelcheck.common.records import replace
from wheelcheck.index.http.ranges import bounded
from wheelcheck.standards.core_metadata import MetadataError
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.hashes import chunks_of, mismatch_of
from wheelcheck.standards.project_page import UnreadableFile, read_file
from wheelcheck.standards.source_metadata import PKG_INFO, PYPROJECT, head_of, parse_project
from wheelcheck.standards.tar_member import TarScan, member_of_tar
from wheelcheck.standards.zip_member import ArchiveError, NoSuchMember, member_of, reader_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelcheck.index.context import FetchContext
    from wheelcheck.index.http.client import Login, Sink
    from wheelcheck.standards.project_page import Sdist

MODERATE = 64 * 2**20
"""Maximum bytes that are downloaded just to check a hash."""

MAX_SIZE = 2**30
"""Maximum size of a source distribution."""

_KINDS = {".tar.gz": True, ".tgz": True, ".tar": False, ".zip": None}
"""The supported archives: True for compressed tar, False for plain tar, None for ZIP."""


def pkg_info_of(handle: BinaryIO, file: Sdist) -> bytes:
    """Return the PKG-INFO of a local source distribution; see `promise_in`."""
    return promise_in(handle, file.filename, partial(_is_own_folder, file) if file.index else None)


def promise_in(handle: BinaryIO, filename: str, is_folder: Callable[[str], bool] | None) -> bytes:
    """Return the PKG-INFO of a source archive; empty where it has none, as in the oldest.

    Args:
        handle: the open archive.
        filename: its name, which tells its kind.
        is_folder: whether a folder is that of the project. None for an archive that the user names: any folder is, and
            where there is no PKG-INFO, as in a repository's archive, the pyproject.toml counts as much.

    Raises:
        ArchiveError: it is corrupt.
        Unreadable: its kind is not supported.
    """
    try:
        return file_in(handle, filename, is_folder or bool, PKG_INFO)
    except NoSuchMember:
        pass
    try:
        return b"" if is_folder else head_of(parse_project(file_in(handle, filename, bool, PYPROJECT)))
    except (NoSuchMember, MetadataError):
        return b""


def file_in(handle: BinaryIO, filename: str, is_folder: Callable[[str], bool], what: str) -> bytes:
    """Return a file directly below a folder of a source archive; raises `NoSuchMember`, or as `promise_in` does."""
    gzipped = check_kind(filename)
    chosen = partial(_is_at_top, is_folder, what)
    if gzipped is not None:
        return member_of_tar(chunks_of(handle), chosen, what, gzipped=gzipped)
    size = handle.seek(0, 2)
    return member_of(reader_of(handle), size, lambda path: chosen(path.decode("utf-8", "replace")), what)


def fetched_pkg_info(access: FetchContext, file: Sdist) -> bytes | BadMetadata | HashMismatch:
    """Return the PKG-INFO of a remote source distribution, or the reason to reject the file.

    Raises:
        Unreadable: the server does not have it, it is larger than its index says, or its kind is not supported.
        UndeterminedError: the server could not be asked.
    """
    check_kind(file.filename)
    with TemporaryFile() as handle:
        whole = fetch(access, file.url, file.filename, _Intake(handle, file).start, login=access.login_of(file))
        wrong = mismatch_of(file.hashes, chunks_of(handle)) if whole else None
        if wrong:
            return replace(wrong, received=True)
        try:
            return pkg_info_of(handle, file)
        except ArchiveError as error:
            return BadMetadata(why=str(error), ends_search=True)


def fetch(access: FetchContext, url: str, filename: str, sink: Callable[[], Sink], login: Login | None = None) -> bool:
    """Download a file; return False where the sink had `Enough` before its end. Raises as `fetched_pkg_info` does."""
    try:
        answer = access.transport.download(url, sink, login=login)
    except Enough:
        return False
    if answer.status in (404, 410):
        raise Unreadable(filename, f"its server answers HTTP {answer.status}")
    if answer.status != 200:
        raise answer.failure()
    return True


class Enough(Exception):
    """End a download of which no more is needed."""


class _Intake:
    """Take a source distribution as it arrives, and stop it once its beginning has told everything."""

    def __init__(self, handle: BinaryIO, file: Sdist) -> None:
        self._handle, self._file = handle, file
        self._scan: TarScan | None = None

    def start(self) -> Sink:
        """Start over, as each retry of a download does."""
        file = self._file
        self._write = bounded(self._handle, min(file.size or MAX_SIZE, MAX_SIZE), partial(Unreadable, file.filename))
        gzipped = check_kind(file.filename)
        if gzipped is not None and not (file.hashes and (file.size or 0) <= MODERATE):
            is_folder = partial(_is_own_folder, file) if file.index else bool
            chosen = partial(_is_at_top, is_folder, PKG_INFO)
            self._scan = TarScan(chosen, PKG_INFO, gzipped=gzipped)
        return self._take

    def _take(self, chunk: bytes) -> None:
        self._write(chunk)
        if self._scan is not None and _has_told(self._scan, chunk):
            raise Enough


def _has_told(scan: TarScan, chunk: bytes) -> bool:
    """Return whether no more of an archive is needed."""
    try:
        return scan.feed(chunk)
    except ArchiveError:
        return True


def _is_own_folder(file: Sdist, folder: str) -> bool:
    """Return whether a folder has the name and version of a file, in any spelling."""
    found = read_file(f"{folder}.tar.gz", file.name, url="")
    return not isinstance(found, UnreadableFile) and found.version == file.version


def _is_at_top(is_folder: Callable[[str], bool], what: str, path: str) -> bool:
    if not path.endswith(what) or path.startswith("/"):
        return False
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return len(parts) == 2 and parts[1] == what and parts[0] != ".." and is_folder(parts[0])


def check_kind(filename: str) -> bool | None:
    """Return whether an archive is a compressed or a plain tar; None for ZIP. Raises `Unreadable` for others."""
    ending = next((end for end in _KINDS if filename.lower().endswith(end)), None)
    if ending is None:
        raise Unreadable(filename, f"of source archives only {', '.join(_KINDS)} are read")
    return _KINDS[ending]
