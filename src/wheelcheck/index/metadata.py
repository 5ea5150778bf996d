"""The core metadata of one file, through the cache."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import urlsplit

from wheelcheck.common.errors import IndexNonsense, NotCached, Unreadable
from wheelcheck.common.urls import path_of_url, server_fault, shown
from wheelcheck.index.cache.store import Kept, Key, key_of
from wheelcheck.index.context import FetchContext, Known
from wheelcheck.index.http.cache_control import FRESH_FOR
from wheelcheck.index.local_files import stated_of
from wheelcheck.standards.file_problems import BadMetadata, HashMismatch
from wheelcheck.standards.project_page import Listed
from wheelcheck.standards.source_metadata import MetadataResult, checked_metadata, with_beside


def identity_of(file: Listed) -> tuple[str, ...]:
    """Return a key that identifies a file with its published hashes.

    A remote file is identified by its hash at its origin where an index lists it, otherwise by its URL; a local one by
    its path and the source that lists it.
    """
    stated = stated_of(file)
    core = file.core_metadata
    published = _joined(core) if isinstance(core, Mapping) else ""
    if file.path is not None or path_of_url(file.url) is not None:
        return file.path or file.url, file.filename, file.index, _joined(stated), published
    digest = stated.get("sha256")
    parts = urlsplit(file.url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return (
        (where, "sha256", digest, file.filename, published)
        if digest and file.index
        else (file.url, file.filename, _joined(stated), published)
    )


def _joined(hashes: Mapping[str, str]) -> str:
    return "&".join(f"{name}={hashes[name]}" for name in sorted(hashes))


def read_metadata(access: FetchContext, file: Listed) -> MetadataResult:
    """Return the core metadata of this very file, or the reason to reject it.

    Raises:
        Unreadable: the metadata is out of reach.
        UndeterminedError: the server could not be asked.
    """
    from wheelcheck.index.fetch_metadata import local_metadata

    if file.fault is not None:
        return BadMetadata(why=file.fault, ends_search=True)
    if "sha256" not in file.hashes:
        access.note_kept({}, 0)
    recording = access.recording_of(file)
    if recording is not None:
        return recording.metadata(file)
    try:
        path = access.path_of(file, Unreadable)
        return local_metadata(file, path) if path is not None else _remote_metadata(access, file)
    except IndexNonsense as error:
        raise Unreadable(file.filename, error.why) from None


# -- on a server


def _key_of(access: FetchContext, file: Listed) -> Key:
    """Return the cache key of a file's metadata.

    Who knows the hash that an index lists has read the index's page; any other file is for who has the credentials.
    """
    identity = identity_of(file)
    if file.index and "sha256" in file.hashes:
        return key_of(*identity)
    url = access.bare(file.url)
    texts = (url if text == file.url else text for text in identity)
    return key_of(*texts, access.login_digest(file.url, access.login_of(file)))


def _remote_metadata(access: FetchContext, file: Listed) -> MetadataResult:
    if access.offline:
        raise NotCached(shown(file.url))
    fault = server_fault(file.url)
    if fault is not None:
        raise Unreadable(file.filename, f"{fault}: {shown(file.url)}")
    from wheelcheck.index.fetch_metadata import fetched_metadata

    return keep_metadata(access, file, *fetched_metadata(access, file))


def known_metadata(access: FetchContext, file: Listed) -> Known[MetadataResult] | None:
    """Return what `read_metadata` would, if the cache has it; None where a server or a directory must be read."""
    if file.fault is not None:
        return Known(BadMetadata(why=file.fault, ends_search=True))
    if path_of_url(file.url) is not None or access.recording_of(file) is not None:
        return None
    lasting = "sha256" in file.hashes
    key = _key_of(access, file)
    kept = None if access.refresh and not lasting else access.cache.metadata(key, time.time())
    if kept is None:
        return None
    if kept.refused or not lasting:
        access.note_kept({}, 0)
    access.note_cached()
    if kept.refused:
        return Known(BadMetadata(why=kept.refused, ends_search=kept.ends_search))
    return Known(with_beside(checked_metadata(file, kept.head), kept.beside))


def keep_metadata(
    access: FetchContext, file: Listed, found: bytes | BadMetadata | HashMismatch, beside: tuple[str, ...] = ()
) -> MetadataResult:
    """Store the metadata of a remote file: permanently where a hash identifies the file.

    Args:
        access, file: the file.
        found: its metadata, or the reason to reject it.
        beside: see `Metadata.beside`.
    """
    key = _key_of(access, file)
    until = time.time() + FRESH_FOR
    result = checked_metadata(file, found) if isinstance(found, bytes) else found
    if isinstance(found, bytes) and not isinstance(result, BadMetadata):
        lasting = None if "sha256" in file.hashes else until
        head = re.split(rb"\r?\n\r?\n", found, maxsplit=1)[0] + b"\n\n"  # without the description
        access.run_last(partial(access.cache.store_metadata, key, Kept(head, beside=beside), lasting))
        return with_beside(result, beside)
    access.note_kept({}, 0)
    if isinstance(result, BadMetadata):
        access.run_last(partial(access.cache.store_metadata, key, Kept(b"", result.why, result.ends_search), until))
    return result
