"""The file of a direct reference (``name @ url``), identified by its name or by its content.

A wheel is identified by its name. A source archive may not be, and a directory never is: those are read at once, as is
a remote file of moderate size whose hash the user gives, since no index publishes it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from packaging.version import InvalidVersion

from wheelcheck.common.errors import NotCached, Unreadable
from wheelcheck.common.records import replace
from wheelcheck.common.urls import path_of_url, shown
from wheelcheck.index.cache.store import Kept, key_of
from wheelcheck.index.context import FetchContext
from wheelcheck.index.fetch_metadata import metadata_in
from wheelcheck.index.http.cache_control import FRESH_FOR
from wheelcheck.index.http.ranges import bounded
from wheelcheck.index.local_files import LocalHashes
from wheelcheck.index.metadata import keep_metadata, known_metadata
from wheelcheck.index.regular_files import open_regular
from wheelcheck.index.sdists import MAX_SIZE, MODERATE, Enough, check_kind, fetch, promise_in
from wheelcheck.standards.core_metadata import Metadata, MetadataError
from wheelcheck.standards.file_problems import DynamicMetadata
from wheelcheck.standards.filenames import SDIST_ENDINGS
from wheelcheck.standards.hashes import chunks_of, digests_of, mismatch
from wheelcheck.standards.names import NormalizedName
from wheelcheck.standards.project_page import Listed, Sdist, UnreadableFile, direct_file, hash_pairs
from wheelcheck.standards.source_metadata import PYPROJECT, MetadataResult, Project, parse_project, static_metadata
from wheelcheck.standards.specifiers import version_of
from wheelcheck.standards.zip_member import ArchiveError

MAX_PYPROJECT = 2**24


def read_direct(
    access: FetchContext, url: str, name: NormalizedName, wanted: Collection[str] = ()
) -> tuple[Listed | UnreadableFile, MetadataResult | None]:
    """Return the file that the user names for a project, with its metadata where that had to be read.

    Args:
        access: the access to sources.
        url: its URL, which may have a hash in its fragment.
        name: the project.
        wanted: hashes (``sha256:...``) of which it must have one; if there are any, its own are under `hashes`, or the
            wanted ones where it is too large to be fetched just for that.

    Raises:
        Unreadable: it is out of reach, is no project, or only a build can tell its version or dependencies.
        UndeterminedError: its server could not be asked.
    """
    access.note_kept({}, 0)
    stated = hash_pairs(url.partition("#")[2])
    found, result = _found(access, url, name, wanted, wanted or [f"{kind}:{digest}" for kind, digest in stated.items()])
    if wanted or isinstance(found, UnreadableFile):
        return found, result
    return found, mismatch(stated, found.hashes) or result


def _found(
    access: FetchContext, url: str, name: NormalizedName, wanted: Collection[str], given: Collection[str]
) -> tuple[Listed | UnreadableFile, MetadataResult | None]:
    file = direct_file(url, name)
    link = url.partition("#")[0]
    if not re.match(r"(https?|file):", link, re.IGNORECASE):
        raise Unreadable(shown(link), "it is a source repository", needs_build=True)
    path = path_of_url(link)
    if path is not None:
        try:
            return _local(file, Path(path).absolute(), name, wanted, given)
        except OSError as error:
            raise Unreadable(file.filename, f"{path}: {error.strerror}") from None
    if _is_unnamed_archive(file):
        return _unnamed_remote(access, file.filename, link, name, given)
    return _checked(access, file, wanted) if wanted and not isinstance(file, UnreadableFile) else (file, None)


# -- on this machine


def _local(
    file: Listed | UnreadableFile, path: Path, name: NormalizedName, wanted: Collection[str], given: Collection[str]
) -> tuple[Listed | UnreadableFile, MetadataResult | None]:
    if path.is_dir():
        try:
            project = read_project(path)
        except MetadataError as error:
            raise Unreadable(str(path), str(error)) from None
        if project.dynamic:
            why = f"its pyproject.toml leaves {' and '.join(project.dynamic)} open (dynamic)"
            raise Unreadable(str(path), why, needs_build=True)
        return _source(path.name, path.as_uri(), name, project.metadata), project.metadata
    if _is_unnamed_archive(file):
        with open_regular(path) as handle:
            hashes = digests_of(chunks_of(handle), _algorithms(given))
            return _unnamed(file.filename, path.as_uri(), name, _promise(handle, file.filename), hashes)
    if wanted and not isinstance(file, UnreadableFile):
        file = replace(file, hashes=LocalHashes({}, path, _algorithms(wanted)))
    return file, None


def read_project(folder: Path) -> Project:
    """Return the project in the pyproject.toml of a directory; nothing else in it is read.

    Raises:
        MetadataError: there is none, or it describes no project.
        OSError: it cannot be read.
    """
    try:
        with open_regular(folder / PYPROJECT) as handle:
            body = handle.read(MAX_PYPROJECT + 1)
    except FileNotFoundError:
        old = next((name for name in ("setup.py", "setup.cfg") if (folder / name).is_file()), None)
        raise MetadataError(f"it has a {old} and no {PYPROJECT}" if old else f"it has no {PYPROJECT}") from None
    if len(body) > MAX_PYPROJECT:
        raise MetadataError(f"its {PYPROJECT} has more than {MAX_PYPROJECT} bytes")
    return parse_project(body)


# -- on a server


def _unnamed_remote(
    access: FetchContext, filename: str, url: str, name: NormalizedName, given: Collection[str]
) -> tuple[Listed | UnreadableFile, MetadataResult | None]:
    """Read a remote archive whose name has no version, such as that of a branch."""
    key = key_of("direct", access.bare(url), access.login_digest(url))
    kept = None if access.refresh or given else access.cache.metadata(key, time.time())
    if kept is not None:
        access.note_cached()
        return _unnamed(filename, url, name, kept.head, {})
    check_kind(filename)
    if access.offline:
        raise NotCached(shown(url))
    with TemporaryFile() as handle:
        fetch(access, url, filename, partial(bounded, handle, MAX_SIZE, partial(Unreadable, filename)))
        hashes = digests_of(chunks_of(handle), _algorithms(given))
        promise = _promise(handle, filename)
    access.cache.store_metadata(key, Kept(promise), time.time() + FRESH_FOR)
    return _unnamed(filename, url, name, promise, hashes)


def _checked(access: FetchContext, file: Listed, wanted: Collection[str]) -> tuple[Listed, MetadataResult | None]:
    """Return a file with its own hashes and its metadata; with the wanted hashes where it is large.

    Metadata that is cached under a wanted hash came from a file that has it.
    """
    stated = [replace(file, hashes=dict([one.split(":", 1)])) for one in sorted(wanted)]
    for one in stated:
        known = known_metadata(access, one)
        if known is not None:
            return one, known.value
    if access.offline or _is_large(access, file):
        return stated[0], None
    with TemporaryFile() as handle:
        if not fetch(access, file.url, file.filename, partial(bounded, handle, MODERATE, lambda _: Enough())):
            return stated[0], None
        found = digests_of(chunks_of(handle), {"sha256"} | _algorithms(wanted))
        same = next((one for one in stated if one.hashes.items() <= found.items()), None)
        if same is None:
            return replace(file, hashes=found), None
        return same, keep_metadata(access, same, metadata_in(same, handle))


def _is_large(access: FetchContext, file: Listed) -> bool:
    answer = access.transport.head(file.url, headers={"accept-encoding": "identity"})
    length = answer.headers.get("content-length", "")
    return answer.status == 200 and length.isascii() and length.isdigit() and int(length[:19]) > MODERATE


# -- what an archive or a directory is


def _promise(handle: BinaryIO, filename: str) -> bytes:
    try:
        return promise_in(handle, filename, None)
    except ArchiveError as error:
        raise Unreadable(filename, str(error)) from None


def _unnamed(
    filename: str, url: str, name: NormalizedName, promise: bytes, hashes: Mapping[str, str]
) -> tuple[Listed | UnreadableFile, MetadataResult | None]:
    try:
        metadata = static_metadata(promise)
    except MetadataError as error:
        raise Unreadable(filename, str(error)) from None
    if isinstance(metadata, DynamicMetadata):
        raise Unreadable.dynamic(filename, metadata.fields)
    found = _source(filename, url, name, metadata)
    return (found, None) if isinstance(found, UnreadableFile) else (replace(found, hashes=hashes), metadata)


def _source(filename: str, url: str, name: NormalizedName, metadata: Metadata) -> Sdist | UnreadableFile:
    try:
        version = version_of(metadata.version)
    except InvalidVersion as error:
        raise Unreadable(filename, str(error)) from None
    if metadata.name != name:
        return UnreadableFile(filename=filename, why=f"it says that it is {metadata.name} {metadata.version}")
    return Sdist(filename=filename, name=name, version=version, url=url, requires_python=metadata.requires_python)


def _is_unnamed_archive(file: Listed | UnreadableFile) -> bool:
    """Return whether it is an archive whose name is not enough. Raises `Unreadable` for other kinds of files."""
    if not isinstance(file, UnreadableFile) or file.filename.endswith(".whl"):
        return False
    if not file.filename.lower().endswith(SDIST_ENDINGS):
        raise Unreadable(file.filename, "it is neither a wheel nor a source archive nor a directory")
    return True


def _algorithms(digests: Collection[str]) -> set[str]:
    return {digest.partition(":")[0] for digest in digests}
