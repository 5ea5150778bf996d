"""Disk usage: cached answers, wheels, and environments."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import Plain, record
from wheelcheck.index.cache.entries import FORMAT
from wheelcheck.index.cache.store import Cache

ENVIRONMENTS, WHEELS = "environments", "wheels"


@record
class Amount:
    """A number of things, and their size in bytes."""

    number: int
    bytes: int


@record
class Contents:
    """The contents of a cache directory: answers of indexes, wheels, and environments."""

    directory: Path
    answers: Amount
    wheels: Amount
    environments: Amount

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/cache/1``."""
        kinds = {"answers": self.answers, "wheels": self.wheels, "environments": self.environments}
        amounts: dict[str, Plain] = {kind: {"number": a.number, "bytes": a.bytes} for kind, a in kinds.items()}
        return {"schema": "wheelcheck/cache/1", "directory": str(self.directory)} | amounts


def contents(directory: Path) -> Contents:
    """Return the contents of a cache directory; empty where it does not exist."""
    number, size = Cache(directory).size()
    return Contents(
        directory=directory,
        answers=Amount(number=number, bytes=size),
        wheels=_amount(directory / WHEELS),
        environments=_amount(directory / ENVIRONMENTS),
    )


def clear(directory: Path) -> Contents:
    """Remove what is wheelcheck's from a cache directory; return what it held.

    Raises:
        UsageError: something cannot be removed.
    """
    held = contents(directory)
    try:
        Cache(directory).clear()
        for folder in (directory / ENVIRONMENTS, directory / WHEELS, *_older_formats(directory)):
            if folder.is_symlink():
                folder.unlink()  # what it leads to is not wheelcheck's
            elif folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        raise UsageError(f"{error.filename} could not be removed: {error.strerror}.") from None
    return held


def _older_formats(directory: Path) -> list[Path]:
    """Return the directories of earlier formats of the cache, which no version reads any more."""
    try:
        return [path for path in directory.iterdir() if path.name.isdecimal() and path.name != FORMAT]
    except OSError:
        return []


def _amount(directory: Path) -> Amount:
    try:
        number = sum(1 for _ in directory.iterdir())
    except OSError:
        return Amount(number=0, bytes=0)
    return Amount(
        number=number, bytes=sum(_size(Path(folder, name)) for folder, _, names in os.walk(directory) for name in names)
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
