"""Pythons: texts against what they mean, and the tables of the newest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from strategies import pythons
from wheelcheck.common.errors import UsageError
from wheelcheck.targets.python import NEWEST_DATE, NEWEST_MICRO, NEWEST_PYPY, Python, read_python


@pytest.mark.parametrize("minor", NEWEST_MICRO)
def test_a_minor_is_its_newest_micro_in_the_table(minor: int) -> None:
    python = read_python(f"3.{minor}")
    assert python == read_python(f"cp3{minor}")
    assert (python.version, python.assumed) == (f"3.{minor}.{NEWEST_MICRO[minor]}", True)
    assert read_python(python.version) == python
    assert not read_python(python.version).assumed


def test_the_tables_are_dated_and_sound() -> None:
    assert len(NEWEST_DATE.split("-")) == 3
    for abi, (python, release) in NEWEST_PYPY.items():
        major, minor = Version(python).release[:2]
        assert abi == f"pypy{major}{minor}_pp{''.join(release.split('.')[:2])}"


def test_a_python_newer_than_the_table_is_its_first_release() -> None:
    assert read_python("3.17").version == "3.17.0"


@given(text=st.one_of(st.text(), st.from_regex(r"(cp|pp|pypy|[.t_0-9]){0,6}", fullmatch=True)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_python_or_a_usage_error(text: str) -> None:
    try:
        assert isinstance(read_python(text), Python)
    except UsageError:
        return


@given(text=pythons)
def test_the_name_of_a_python_is_read_back_to_an_equal_one(text: str) -> None:
    python = read_python(text)
    assert read_python(python.name) == python


NAMES = {
    # text: its name, the python tag, the flags of the ABI
    "3.12": ("cp312", "cp312", ""),
    "3.12.16": ("3.12.16", "cp312", ""),
    "cp37": ("cp37", "cp37", "m"),
    "cp314td": ("cp314td", "cp314", "td"),
    "pypy3.11": ("pp311", "pp311", ""),
    "pypy311_pp73": ("pypy311_pp73", "pp311", ""),
    "pp3.10.14": ("pp3.10.14_7.3.19", "pp310", ""),
}


@pytest.mark.parametrize("text", NAMES)
def test_names_tags_and_flags(text: str) -> None:
    python = read_python(text)
    assert (python.name, python.tag, python.flags) == NAMES[text]


REFUSED = {
    # text: words of the sentence
    "cp27": "targets begin with Python 3.6",
    "3.5.9": "targets begin with Python 3.6",
    "pp27": "targets begin with Python 3.6",
    "3.12.4.5": "is not a Python",
    "cp312t": "free-threaded builds begin with Python 3.13",
    "3.12t": "free-threaded builds begin with Python 3.13",
    "cp38m": "Write cp38",
    "pp313": "there is PyPy for Python 3.6",
    "3.100": "does not exist",
    "cp50": "name a Python 3",
    "3.\u0661\u0662": "is not a Python",
    "3.99999999999999999999": "is not a Python",
    "": "is not a Python",
    "x" * 1000: "xxx...' is not a Python",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:40]))
def test_what_is_no_python_is_refused_in_one_sentence_that_helps(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_python(text)
    assert REFUSED[text] in str(caught.value)
    assert len(str(caught.value)) < 300
