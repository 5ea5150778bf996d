"""Digests of bytes, and whether they are those that are stated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from wheelcheck.standards.file_problems import HashMismatch

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK = 2**20


def digests_of(chunks: Iterable[bytes], algorithms: Iterable[str]) -> dict[str, str]:
    """The hexadecimal digest of some bytes for each of the algorithms that this Python can compute."""
    hashes = {name: made for name in algorithms if (made := _hash(name)) is not None}
    for chunk in chunks if hashes else ():
        for made in hashes.values():
            made.update(chunk)
    return {name: made.hexdigest() for name, made in hashes.items()}


def mismatch(stated: Mapping[str, str], found: Mapping[str, str]) -> HashMismatch | None:
    """The first stated digest that is not the one found; an algorithm that was not computed proves nothing."""
    for name, digest in stated.items():
        if found.get(name, digest.lower()) != digest.lower():
            return HashMismatch(expected=(f"{name}:{digest}",), actual=f"{name}:{found[name]}")
    return None


def mismatch_of(stated: Mapping[str, str], chunks: Iterable[bytes]) -> HashMismatch | None:
    """The first stated digest that some bytes do not have; they are not read where nothing is stated."""
    return mismatch(stated, digests_of(chunks, stated))


def chunks_of(handle: BinaryIO) -> Iterator[bytes]:
    """The bytes of an open file from its beginning."""
    handle.seek(0)
    return iter(partial(handle.read, CHUNK), b"")


def _hash(name: str) -> _Hash | None:
    """A Python may be built or set up not to compute an algorithm that the standard library guarantees."""
    import hashlib

    if name not in hashlib.algorithms_guaranteed or name.startswith("shake"):
        return None
    try:
        return hashlib.new(name)
    except ValueError:
        return None
