"""Fetch core metadata from beside a file or from inside it, remotely or locally."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from wheelcheck.common.errors import IndexNonsense, Unreadable
from wheelcheck.common.records import replace
from wheelcheck.index.context import FetchContext
from wheelcheck.index.http.ranges import RemoteFile
from wheelcheck.index.local_files import body_of, mismatch_of_file, stated_of
from wheelcheck.index.regular_files import open_regular
from wheelcheck.standards.core_metadata import Metadata
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.hashes import mismatch_of
from wheelcheck.standards.project_page import Listed, Sdist
from wheelcheck.standards.source_metadata import (
    MetadataResult,
    checked_metadata,
    contradiction,
    other_identity,
    with_beside,
)
from wheelcheck.standards.zip_member import METADATA_LIMIT, ArchiveError, check_dist_info, metadata_of, reader_of


def fetched_metadata(access: FetchContext, file: Listed) -> tuple[bytes | BadMetadata | HashMismatch, tuple[str, ...]]:
    """Return the metadata of a remote file, or the reason to reject the file; and `other_identity` where that is the
    reason why the file itself was read.
    """
    beside = _sidecar(access, file) if file.core_metadata else None
    if isinstance(beside, HashMismatch):
        return beside, ()
    if beside is not None and not isinstance(checked_metadata(file, beside), BadMetadata):
        return beside, ()
    return _inside(access, file), other_identity(file, beside) if beside is not None else ()


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
    wrong = mismatch_of(_expected_beside(file), [answer.body])
    return replace(wrong, received=True, of_metadata=True) if wrong else answer.body


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
        if wrong := _mismatch(file, remote):
            return wrong
        try:
            body = metadata_of(remote.read, remote.size, project=file.name)
            chunks = remote.whole_chunks()
            if chunks is not None:
                check_dist_info(remote.whole or BytesIO(b"".join(chunks)))
        except ArchiveError as error:
            return BadMetadata(why=str(error), ends_search=True)
        return _mismatch(file, remote) or body


def _mismatch(file: Listed, remote: RemoteFile) -> HashMismatch | None:
    """Return how a file differs from what is published about it, where all of it was received, however it came."""
    chunks = remote.whole_chunks()
    wrong = mismatch_of(file.hashes, chunks) if chunks is not None else None
    return replace(wrong, received=True) if wrong else None


# -- on this machine


def local_metadata(file: Listed, path: Path) -> MetadataResult:
    """Return the metadata of a local file.

    Metadata beside it counts even where the file is missing, as in a copy of an index without its files.
    """
    beside, other = _local_sidecar(file, path)
    try:
        wrong = mismatch_of_file(stated_of(file), path)
        if wrong is not None:
            return replace(wrong, received=True)
        own = _local_inside(file, path)
        return _contradicted(own, beside) or with_beside(own, other)
    except OSError as error:
        if beside is not None and isinstance(error, FileNotFoundError):
            return beside
        raise Unreadable(file.filename, f"{path}: {error.strerror}") from None


def _contradicted(own: MetadataResult, beside: MetadataResult | None) -> MetadataResult | None:
    """Return why a file is refused whose metadata is served beside it, and differs from its own; None where not."""
    if isinstance(beside, HashMismatch):
        return beside
    field = contradiction(own, beside) if isinstance(own, Metadata) and isinstance(beside, Metadata) else None
    return contradicted(field) if field else None


def contradicted(field: str) -> BadMetadata:
    """Return the reason to refuse a file of which two texts say different things in a field."""
    return BadMetadata(why=f"its own METADATA and the one served beside it differ in {field}", ends_search=True)


def _local_sidecar(file: Listed, path: Path) -> tuple[MetadataResult | None, tuple[str, ...]]:
    """Return the metadata beside a local file, where it can be used; and `other_identity` where it cannot."""
    body = body_of(path.with_name(path.name + ".metadata")) if file.core_metadata else None
    if body is None:
        return None, ()
    wrong = mismatch_of(_expected_beside(file), [body])
    result = replace(wrong, received=True, of_metadata=True) if wrong else checked_metadata(file, body)
    return (None, other_identity(file, body)) if isinstance(result, BadMetadata) else (result, ())


def _local_inside(file: Listed, path: Path) -> MetadataResult:
    with open_regular(path) as handle:
        found = metadata_in(file, handle)
    return found if isinstance(found, BadMetadata) else checked_metadata(file, found)


def metadata_in(file: Listed, handle: BinaryIO) -> bytes | BadMetadata:
    """Return the metadata inside an open file, or the reason to reject the file."""
    try:
        if isinstance(file, Sdist):
            from wheelcheck.index.sdists import pkg_info_of

            return pkg_info_of(handle, file)
        body = metadata_of(reader_of(handle), handle.seek(0, 2), project=file.name)
        check_dist_info(handle)
        return body
    except ArchiveError as error:
        return BadMetadata(why=str(error), ends_search=True)


def _expected_beside(file: Listed) -> Mapping[str, str]:
    return file.core_metadata if isinstance(file.core_metadata, Mapping) else {}
