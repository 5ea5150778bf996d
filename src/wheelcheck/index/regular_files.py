"""Open files that others have put in their place: only regular ones, without waiting, and no more than is allowed."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, FileIO


def open_regular(path: str | os.PathLike[str], buffering: int = 8192) -> BufferedReader:
    """Open a regular file for reading.

    Anything else in its place could keep a reader waiting without end, as a FIFO and most devices do.

    Args:
        path: the file; symbolic links are followed.
        buffering: the size of the buffer in bytes.

    Raises:
        OSError: there is none, or it cannot be read. Its ``strerror`` is half a sentence.
    """
    handle = FileIO(os.fspath(path), opener=_opened_at_once)
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
    return BufferedReader(handle, buffering)


def read_regular(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; raises as `open_regular`, and for larger ones."""
    with open_regular(path) as handle:
        body = handle.read(limit + 1)
    if len(body) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", os.fspath(path))
    return body


def _opened_at_once(place: str, flags: int) -> int:
    return os.open(place, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
