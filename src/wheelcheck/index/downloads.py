"""Download whole files, and move them into place only once they match their published hashes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from wheelcheck.common.errors import NotCached, NotDownloaded
from wheelcheck.common.records import replace
from wheelcheck.common.urls import server_fault, shown
from wheelcheck.index.context import FetchContext
from wheelcheck.index.http.ranges import MAX_BYTES, bounded
from wheelcheck.index.local_files import stated_of
from wheelcheck.index.pages import GONE
from wheelcheck.index.regular_files import open_regular
from wheelcheck.standards.file_problems import FileRefusedError
from wheelcheck.standards.hashes import chunks_of, mismatch_of
from wheelcheck.standards.project_page import Listed

Progress = Callable[[int], None]


def download(access: FetchContext, file: Listed, destination: Path, progress: Progress) -> None:
    """Download a file as `Index.download` documents."""
    temporary = destination.with_name(f".{destination.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        _fetch(access, file, temporary, progress)
        with temporary.open("rb") as handle:
            wrong = mismatch_of(stated_of(file), chunks_of(handle))
        if wrong:
            raise FileRefusedError(file, replace(wrong, received=True))
        temporary.replace(destination)
    except OSError as error:
        raise NotDownloaded(file.filename, f"it cannot be written to {destination} ({error.strerror})") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _fetch(access: FetchContext, file: Listed, place: Path, progress: Progress) -> None:
    local = access.path_of(file, NotDownloaded)
    if local is None and access.offline:
        raise NotCached(shown(file.url))
    fault = server_fault(file.url) if local is None else None
    if fault is not None:
        raise NotDownloaded(file.filename, f"{fault}: {shown(file.url)}")
    with place.open("wb") as handle:
        sink = partial(
            bounded,
            handle,
            MAX_BYTES if file.size is None else file.size,
            partial(NotDownloaded, file.filename),
            progress,
        )
        if local is not None:
            _copy(file, local, sink())
            return
        answer = access.transport.download(file.url, sink, login=access.login_of(file), size=file.size)
    if answer.status in GONE:
        raise NotDownloaded(file.filename, f"nothing is at its URL: the server answers HTTP {answer.status}")
    if answer.status != 200:
        raise answer.failure()


def _copy(file: Listed, source: Path, take: Callable[[bytes], None]) -> None:
    try:
        handle = open_regular(source)
    except OSError as error:
        raise NotDownloaded(file.filename, f"{source}: {error.strerror}") from None
    with handle:
        for chunk in chunks_of(handle):
            take(chunk)
