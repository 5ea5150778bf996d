"""Compute hashes and compare them with published ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from wheelcheck.standards.file_problems import HashMismatch

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK = 2**20


def digests_of(chunks: Iterable[bytes], algorithms: Iterable[str]) -> dict[str, str]:
    """Return the hex digest of some bytes for each algorithm that this Python supports."""
    hashes = {name: made for name in algorithms if (made := _hash(name)) is not None}
    for chunk in chunks if hashes else ():
        for made in hashes.values():
            made.update(chunk)
    return {name: made.hexdigest() for name, made in hashes.items()}


def mismatch(stated: Mapping[str, str], found: Mapping[str, str]) -> HashMismatch | None:
    """Return the first published hash that differs from the computed one; algorithms that were not computed are
    skipped.
    """
    for name, digest in stated.items():
        if found.get(name, digest.lower()) != digest.lower():
            return HashMismatch(expected=(f"{name}:{digest}",), actual=f"{name}:{found[name]}")
    return None


def mismatch_of(stated: Mapping[str, str], chunks: Iterable[bytes]) -> HashMismatch | None:
    """Return the first published hash that some bytes do not match. Without published hashes, nothing is read."""
    return mismatch(stated, digests_of(chunks, stated))


def chunks_of(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the content of an open file from its beginning, in chunks."""
    handle.seek(0)
    return iter(partial(handle.read, CHUNK), b"")


def _hash(name: str) -> _Hash | None:
    """Return a new hash object, or None where this Python was built or configured without the algorithm."""
    import hashlib

    if name not in hashlib.algorithms_guaranteed or name.startswith("shake"):
        return None
    try:
        return hashlib.new(name)
    except ValueError:
        return None


_OTHERS = frozenset({"blake2b", "blake2s", "sha3_224", "sha3_256", "sha3_384", "sha3_512", "shake_128", "shake_256"})
"""What hashlib guarantees besides those of which the length is checked."""
LENGTHS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}


def fault_of_hashes(stated: Mapping[str, Any]) -> str | None:
    """Return what is wrong with published hashes that no file can have; None where nothing is."""
    for algorithm, digest in stated.items():
        length = LENGTHS.get(algorithm)
        if length is None and algorithm not in _OTHERS:
            return f"its published hash is of an unknown kind, {algorithm[:40]}"
        if length is not None and not (isinstance(digest, str) and len(digest) == length and _is_hex(digest)):
            return f"its published {algorithm} is no such hash"
    return None


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return text.isalnum()
