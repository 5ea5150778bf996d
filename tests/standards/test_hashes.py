"""Digests of bytes: those that are stated must be those that are found, and nothing else proves anything."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.standards.file_problems import HashMismatch
from wheelcheck.standards.hashes import CHUNK, chunks_of, digests_of, mismatch, mismatch_of

BODY = b"all of it"
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()


@given(st.lists(st.binary(max_size=9), max_size=5), st.sets(st.sampled_from(["sha256", "sha512", "blake2b", "md5"])))
def test_the_digests_are_those_of_all_the_bytes(chunks: list[bytes], algorithms: set[str]) -> None:
    expected = {name: hashlib.new(name, b"".join(chunks)).hexdigest() for name in algorithms}
    assert digests_of(chunks, algorithms) == expected
    assert mismatch_of(expected, chunks) is None


@pytest.mark.parametrize("stated", [{}, {"sha256": SHA256}, {"sha256": SHA256.upper(), "md5": MD5}])
def test_what_is_stated_and_true_is_no_mismatch(stated: dict[str, str]) -> None:
    assert mismatch_of(stated, [BODY]) is None


@pytest.mark.parametrize("unknown", ["", "sha257", "shake_128", "../sha256", "SHA256"])
def test_an_algorithm_that_cannot_be_computed_proves_nothing(unknown: str) -> None:
    assert digests_of([BODY], [unknown]) == {}
    assert mismatch_of({unknown: "00"}, [BODY]) is None
    assert mismatch_of({unknown: "00", "md5": "00"}, [BODY]) is not None


def test_the_first_digest_that_differs_is_told() -> None:
    stated = {"md5": MD5, "sha256": "00", "sha1": "11"}
    assert mismatch_of(stated, [BODY]) == HashMismatch(expected=("sha256:00",), actual=f"sha256:{SHA256}")
    assert mismatch(stated, {"md5": MD5}) is None


def test_nothing_is_read_where_nothing_is_stated() -> None:
    chunks = iter([BODY])
    assert mismatch_of({}, chunks) is None
    assert next(chunks) == BODY


def test_an_open_file_is_read_from_its_beginning() -> None:
    body = b"x" * CHUNK + b"y"
    handle = BytesIO(body)
    handle.read(5)
    assert b"".join(chunks_of(handle)) == body
