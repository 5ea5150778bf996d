"""How long an answer is fresh and whom it may answer: tables after RFC 9111, and that no header is too strange."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.index.http.cache_control import FRESH_FOR, freshness, http_date, may_answer, varying

NOW = 1_800_000_000.0


def date(at: float) -> str:
    return formatdate(at, usegmt=True)


LIFETIMES = {
    "nothing is said": ({}, FRESH_FOR),
    "nothing that bears on it": ({"cache-control": "public, immutable", "etag": '"1"', "date": date(NOW - 9999)}, 600),
    "max-age": ({"cache-control": "max-age=60"}, 60),
    "names have no case": ({"cache-control": "public, Max-Age=60"}, 60),
    "quoted": ({"cache-control": 'max-age="60"'}, 60),
    "quoted and escaped": ({"cache-control": 'max-age="6\\0"'}, 60),
    "max-age over expires": ({"cache-control": "max-age=60", "expires": date(NOW + 999)}, 60),
    "s-maxage is for others": ({"cache-control": "s-maxage=999, max-age=60"}, 60),
    "s-maxage alone says nothing": ({"cache-control": "s-maxage=0"}, 600),
    "private is for others": ({"cache-control": "private, max-age=60"}, 60),
    "must-revalidate": ({"cache-control": "max-age=60, must-revalidate"}, 60),
    "other directives": ({"cache-control": "x, y=1, max-age=60, stale-while-revalidate=99"}, 60),
    "empty members": ({"cache-control": ", ,max-age=60,,"}, 60),
    # how old it is already
    "age": ({"cache-control": "max-age=60", "age": "45"}, 15),
    "age beyond": ({"cache-control": "max-age=60", "age": "100"}, 0),
    "the first of several ages": ({"cache-control": "max-age=60", "age": "10, 50"}, 50),
    "an age that is none": ({"cache-control": "max-age=60", "age": "-5"}, 60),
    "date": ({"cache-control": "max-age=60", "date": date(NOW - 20)}, 40),
    "the older of date and age": ({"cache-control": "max-age=60", "date": date(NOW - 20), "age": "30"}, 30),
    "a date to come": ({"cache-control": "max-age=60", "date": date(NOW + 999)}, 60),
    "a date that is none": ({"cache-control": "max-age=60", "date": "yesterday"}, 60),
    # expires
    "expires": ({"expires": date(NOW + 90)}, 90),
    "expires counts from date": ({"expires": date(NOW + 90), "date": date(NOW - 10)}, 90),
    "expires of a fast clock": ({"expires": date(NOW + 190), "date": date(NOW + 100)}, 90),
    "expires that is over": ({"expires": date(NOW - 90)}, 0),
    "expires 0": ({"expires": "0"}, 0),
    "expires -1": ({"expires": "-1"}, 0),
    "expires twice": ({"expires": f"{date(NOW + 90)}, {date(NOW + 90)}"}, 0),
    "expires in a form of old": ({"expires": "Friday, 15-Jan-27 08:01:30 GMT"}, 90),
    # what is malformed or contradicts itself
    "max-age twice": ({"cache-control": "max-age=60, max-age=30"}, 30),
    "max-age is no number": ({"cache-control": "max-age=soon", "expires": date(NOW + 90)}, 0),
    "max-age without a number": ({"cache-control": "max-age"}, 0),
    "max-age below 0": ({"cache-control": "max-age=-60"}, 0),
    "max-age in other digits": ({"cache-control": "max-age=\u0661\u0662"}, 0),
    "max-age beyond all": ({"cache-control": f"max-age={10**18}"}, 2**31),
    "max-age of a thousand digits": ({"cache-control": f"max-age={'9' * 1000}"}, 0),
    # what must not be used or kept
    "no-cache": ({"cache-control": "no-cache, max-age=60"}, 0),
    "no-cache for a field counts for all": ({"cache-control": 'max-age=60, no-cache="set-cookie"'}, 0),
    "no-store": ({"cache-control": "max-age=60, no-store"}, None),
    "no-store with a value": ({"cache-control": "no-store=1"}, None),
    "a name in a quoted string is no directive": ({"cache-control": 'x="no-store, no-cache", max-age=60'}, 60),
    "a quote that never ends hides nothing": ({"cache-control": 'x="a, no-store'}, None),
    "a quote that is escaped ends nothing": ({"cache-control": 'x="\\", no-store", max-age=60'}, 60),
    "longer than anything honest": ({"cache-control": "x," * 600 + "max-age=60"}, None),
    "varies with everything": ({"vary": "*"}, None),
    "varies with everything and more": ({"vary": "accept, *", "cache-control": "max-age=60"}, None),
    "varies": ({"vary": "accept, user-agent", "cache-control": "max-age=60"}, 60),
}


@pytest.mark.parametrize("case", LIFETIMES)
def test_how_long_an_answer_is_fresh(case: str) -> None:
    headers, seconds = LIFETIMES[case]
    assert freshness(headers, NOW) == seconds


def test_the_default_is_the_callers() -> None:
    assert freshness({}, NOW, 5) == 5
    assert freshness({"cache-control": "max-age=60"}, NOW, 5) == 60


def test_what_took_long_to_come_is_older_than_it_says() -> None:
    assert freshness({"cache-control": "max-age=60", "age": "10"}, NOW, delay=8) == 42
    assert freshness({"cache-control": "max-age=60", "date": date(NOW - 20)}, NOW, delay=8) == 40


WORDS = ["max-age=60", "max-age=5", "no-cache", "no-store", "private", 'x="a,b"', "max-age", "s-maxage=9", ","]
NAMES = ["cache-control", "age", "date", "expires", "vary"]


@given(st.dictionaries(st.sampled_from(NAMES), st.text()), st.floats(0, 1e10))
def test_no_header_is_too_strange(headers: dict[str, str], now: float) -> None:
    found = freshness(headers, now)
    assert found is None or 0 <= found <= 2**31


@given(st.lists(st.sampled_from(WORDS)), st.integers(0, 100))
def test_more_words_and_more_age_never_make_it_fresher(words: list[str], age: int) -> None:
    found = freshness({"cache-control": ", ".join(["max-age=60", *words]), "age": str(age)}, NOW)
    assert (found is None) == ("no-store" in words)
    assert found is None or found <= max(0, 60 - age)


# -- which requests

SENT = {"accept": "text/html;q=0.1,  application/json", "accept-encoding": "gzip", "user-agent": "wheelcheck/1"}
VARYING = {
    "": {},
    "Accept": {"accept": "text/html;q=0.1, application/json"},
    "accept-encoding, ACCEPT": {"accept": "text/html;q=0.1, application/json", "accept-encoding": "gzip"},
    "cookie": {"cookie": ""},
    " , ": {},
    "*": None,
    "accept, *": None,
    ",".join(f"x{number}" for number in range(17)): None,
    "x" * 2000: None,
}


@pytest.mark.parametrize("vary", VARYING)
def test_what_another_request_must_say(vary: str) -> None:
    assert varying(vary, SENT) == VARYING[vary]


REQUESTS = [
    ("", {}, True),
    ("accept", SENT, True),
    ("accept", SENT | {"accept": "text/html;q=0.1,application/json"}, True),
    ("accept", SENT | {"accept": "text/html"}, False),
    ("accept", SENT | {"user-agent": "wheelcheck/2"}, True),
    ("user-agent", SENT | {"user-agent": "wheelcheck/2"}, False),
    ("authorization", SENT, True),
    ("authorization", SENT | {"authorization": "me"}, False),
    ("accept", {}, False),
]


@pytest.mark.parametrize(("vary", "request_", "allowed"), REQUESTS)
def test_whom_an_answer_may_be_given_to(vary: str, request_: dict[str, str], allowed: bool) -> None:
    varied = varying(vary, SENT)
    assert varied is not None
    assert may_answer(varied, request_) is allowed


HEADERS = st.dictionaries(st.sampled_from(["accept", "accept-encoding", "cookie"]), st.text(max_size=20))


@given(st.text(), HEADERS, HEADERS)
def test_the_same_request_is_answered_and_no_vary_is_too_strange(
    vary: str, sent: dict[str, str], other: dict[str, str]
) -> None:
    for text in (vary, "accept, cookie"):
        varied = varying(text, sent)
        assert varied is None or may_answer(varied, sent)
    varied = varying("accept", sent)
    assert varied is not None
    if sent.get("accept", "").strip() == other.get("accept", "").strip():
        assert may_answer(varied, other)


# -- dates

DATES = {
    "Sun, 06 Nov 1994 08:49:37 GMT": 784111777,
    "sun, 06 nov 1994 08:49:37 utc": 784111777,
    "Sunday, 06-Nov-94 08:49:37 GMT": 784111777,
    "Sun Nov  6 08:49:37 1994": 784111777,
    " Sun, 06 Nov 1994 08:49:37 GMT ": 784111777,
    "Sat, 31 Dec 2016 23:59:60 GMT": 1483228799,
    "Friday, 15-Jan-77 08:00:00 GMT": 3377923200,
    "Friday, 15-Jan-78 08:00:00 GMT": 253699200,
    "Sun, 06 Nov 1994 08:49:37 +0100": None,
    "Sun, 06 Nov 1994 08:49:37": None,
    "Sun, 31 Feb 1994 08:49:37 GMT": None,
    "Sun, 06 Nov 0000 08:49:37 GMT": None,
    "Sun, 06 Noe 1994 08:49:37 GMT": None,
    "Sun, 06 Nov 1994 25:49:37 GMT": None,
    "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT": None,
    "784111777": None,
    "": None,
}


@pytest.mark.parametrize("text", DATES)
def test_a_date_of_http(text: str) -> None:
    assert http_date(text, NOW) == DATES[text]


@given(st.integers(0, 4_000_000_000))
def test_a_date_that_is_written_is_read(at: int) -> None:
    assert http_date(date(at), NOW) == at


@given(st.text())
def test_no_date_is_too_strange(text: str) -> None:
    http_date(text, NOW)
