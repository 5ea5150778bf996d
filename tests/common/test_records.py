"""The plain form of values, which every document is made of."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from wheelcheck.common.errors import IndexUnavailable, NotAuthorized, NotCached, TimedOut, Unreadable
from wheelcheck.common.records import Variant, assert_never, field, fields_of, plain, record, replace

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@record
class Inner(Variant):
    version: Version
    _kept: str = ""


@record
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


def test_records_become_objects_and_variants_say_their_kind() -> None:
    value = Outer(name="a", parts=(Inner(version=Version("1"), _kept="secret"),), tags=frozenset({"y", "x"}))
    assert plain(value) == {"name": "a", "parts": [{"kind": "Inner", "version": "1"}], "tags": ["x", "y"], "hashes": {}}
    assert list(fields_of(value)) == ["name", "parts", "tags", "hashes"]
    assert next(iter(fields_of(value.parts[0]))) == "kind"


def test_a_record_is_what_a_frozen_slotted_keyword_only_dataclass_is() -> None:
    one, same = Outer(name="a"), Outer(name="a", parts=())
    assert one == same
    assert one != Outer(name="b")
    assert one.hashes is not same.hashes
    assert hash(Inner(version=Version("1"))) == hash(Inner(version=Version("1.0")))
    assert repr(Inner(version=Version("1"))) == "Inner(version=<Version('1')>, _kept='')"
    assert replace(one, name="b") == Outer(name="b")
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
    assert not hasattr(one, "__dict__")
    with pytest.raises(AttributeError):
        one.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del one.name  # type: ignore[misc]


def test_a_record_is_made_by_keyword_with_all_that_it_needs() -> None:
    with pytest.raises(TypeError, match="name"):
        Outer()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        Outer(name="a", colour="red")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Outer("a")  # type: ignore[call-arg,misc]


@record
class Wider(Outer):
    count: int = field(default=0, compare=False, repr=False)


def test_a_record_inherits_fields_and_is_no_equal_of_its_base() -> None:
    assert Wider(name="a", count=1) == Wider(name="a", count=2)
    assert Wider(name="a") != Outer(name="a")
    assert "count" not in repr(Wider(name="a", count=1))
    assert hash(Inner(version=Version("1"), _kept="a")) != hash(Inner(version=Version("1"), _kept="b"))


def test_the_signature_of_a_record_can_be_read() -> None:
    assert str(inspect.signature(Inner)) == "(*, version, _kept='')"


def test_a_forgotten_variant_is_named() -> None:
    with pytest.raises(AssertionError, match="OwnForm"):
        assert_never(OwnForm())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (IndexUnavailable("https://i/", "HTTP 503"), "https://i/ could not be read: HTTP 503."),
        (NotAuthorized("https://i/", 401), "https://i/ refused access (HTTP 401)."),
        (NotCached("https://i/"), "https://i/ is not in the cache, and --offline forbids requests."),
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
