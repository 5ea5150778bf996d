"""The plain form of values, which every document is made of."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from wheelcheck.failures import IndexUnavailable, NotAuthorized, NotCached, TimedOut, Unreadable
from wheelcheck.values import Variant, assert_never, fields_of, plain

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Variant):
    version: Version
    _kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    parts: tuple[Inner, ...] = ()
    tags: frozenset[str] = frozenset()
    hashes: dict[str, str] = field(default_factory=dict)


class OwnForm:
    def to_dict(self) -> dict[str, Any]:
        return {"form": "its own"}


@given(TREES)
def test_what_json_knows_stays_as_it_is(tree: Any) -> None:
    assert plain(tree) == tree
    assert json.loads(json.dumps(plain(tree))) == tree


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2, "x")), [1, [2, "x"]]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({3, 1}), [1, 3]),
        (OrderedDict({1: Version("2")}), {"1": "2"}),
        (Version("1.0rc1"), "1.0rc1"),
        (Requirement("numpy<2"), "numpy<2"),
        (OwnForm(), {"form": "its own"}),
        ([OwnForm()], [{"form": "its own"}]),
    ],
)
def test_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_dataclasses_become_objects_and_variants_say_their_kind() -> None:
    value = Outer(name="a", parts=(Inner(version=Version("1"), _kept="secret"),), tags=frozenset({"y", "x"}))
    assert plain(value) == {"name": "a", "parts": [{"kind": "Inner", "version": "1"}], "tags": ["x", "y"], "hashes": {}}
    assert list(fields_of(value)) == ["name", "parts", "tags", "hashes"]
    assert next(iter(fields_of(value.parts[0]))) == "kind"


def test_a_forgotten_variant_is_named() -> None:
    with pytest.raises(AssertionError, match="OwnForm"):
        assert_never(OwnForm())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (IndexUnavailable("https://i/", "HTTP 503"), "https://i/ could not be read: HTTP 503."),
        (NotAuthorized("https://i/", 401), "https://i/ refused access (HTTP 401)."),
        (NotCached("https://i/"), "https://i/ is not in the cache, and --offline forbids asking for it."),
        (TimedOut("https://i/", 15.0), "https://i/ took longer than 15 seconds."),
        (Unreadable("a-1.whl", "it is gone"), "The metadata of a-1.whl could not be read: it is gone."),
        (Unreadable("{url}", "{0} {why}"), "The metadata of {url} could not be read: {0} {why}."),
    ],
)
def test_a_failure_is_a_sentence_and_an_object(error: Any, said: str) -> None:
    assert str(error).startswith(said)
    assert error.to_dict()["kind"] == type(error).__name__
    assert error.to_dict()["message"] == str(error)
    assert set(vars(error)) < set(error.to_dict())
