"""Fetch core metadata from beside a file or from inside it, remotely or locally."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from wheelcheck.common.errors import IndexNonsense, Unreadable
from wheelcheck.index.context import FetchContext
from wheelcheck.index.http.ranges import RemoteFile
from wheelcheck.index.local_files import body_of, mismatch_of_file, stated_of
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.hashes import chunks_of, mismatch_of
from wheelcheck.standards.project_page import Listed, Sdist
from wheelcheck.standards.source_metadata import MetadataResult, checked_metadata
from wheelcheck.standards.zip_member import METADATA_LIMIT, ArchiveError, metadata_of, reader_of


def fetched_metadata(access: FetchContext, file: Listed) -> bytes | BadMetadata | HashMismatch:
    """Return the metadata of a remote file, or the reason to reject the file."""
    beside = _sidecar(access, file) if file.core_metadata else None
    if isinstance(beside, HashMismatch):
        return beside
    if beside is not None and not isinstance(checked_metadata(file, beside), BadMetadata):
        return beside
    return _inside(access, file)


def _sidecar(access: FetchContext, file: Listed) -> bytes | HashMismatch | None:
    """Return the metadata beside the file (PEP 658), or None where the file itself must be read."""
    parts = urlsplit(file.url)
    url = urlunsplit(parts._replace(path=parts.path + ".metadata", fragment=""))
    try:
        answer = access.transport.get(url, limit=METADATA_LIMIT, login=access.login_of(file))
    except IndexNonsense:
        return None
    if answer.status == 401:
        raise answer.failure()
    if answer.status != 200:
        return None
    return mismatch_of(_expected_beside(file), [answer.body]) or answer.body


def _inside(access: FetchContext, file: Listed) -> bytes | BadMetadata | HashMismatch:
    """Return the metadata inside the file."""
    if isinstance(file, Sdist):
        from wheelcheck.index.sdists import fetched_pkg_info

        return fetched_pkg_info(access, file)
    with RemoteFile(
        access.transport,
        file.url,
        file.filename,
        size=file.size,
        login=access.login_of(file),
        unsupported=access.unsupported,
    ) as remote:
        wrong = mismatch_of(file.hashes, chunks_of(remote.whole)) if remote.whole is not None else None
        if wrong:
            return wrong
        try:
            return metadata_of(remote.read, remote.size)
        except ArchiveError as error:
            return BadMetadata(why=str(error))


# -- on this machine


def local_metadata(file: Listed, path: Path) -> MetadataResult:
    """Return the metadata of a local file.

    Metadata beside it counts even where the file is missing, as in a copy of an index without its files.
    """
    beside = _local_sidecar(file, path)
    try:
        return mismatch_of_file(stated_of(file), path) or beside or _local_inside(file, path)
    except OSError as error:
        if beside is not None and isinstance(error, FileNotFoundError):
            return beside
        raise Unreadable(file.filename, f"{path}: {error.strerror}") from None


def _local_sidecar(file: Listed, path: Path) -> MetadataResult | None:
    body = body_of(path.with_name(path.name + ".metadata")) if file.core_metadata else None
    if body is None:
        return None
    result = mismatch_of(_expected_beside(file), [body]) or checked_metadata(file, body)
    return None if isinstance(result, BadMetadata) else result


def _local_inside(file: Listed, path: Path) -> MetadataResult:
    with path.open("rb") as handle:
        found = metadata_in(file, handle)
    return found if isinstance(found, BadMetadata) else checked_metadata(file, found)


def metadata_in(file: Listed, handle: BinaryIO) -> bytes | BadMetadata:
    """Return the metadata inside an open file, or the reason to reject the file."""
    try:
        if isinstance(file, Sdist):
            from wheelcheck.index.sdists import pkg_info_of

            return pkg_info_of(handle, file)
        return metadata_of(reader_of(handle), handle.seek(0, 2))
    except ArchiveError as error:
        return BadMetadata(why=str(error))


def _expected_beside(file: Listed) -> Mapping[str, str]:
    return file.core_metadata if isinstance(file.core_metadata, Mapping) else {}
