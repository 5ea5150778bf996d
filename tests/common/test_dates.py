"""When a file was uploaded and what `--exclude-newer` means: instants that compare, whatever form their text has."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelcheck.common.dates import instant_of, limit_of, shown
from wheelcheck.common.errors import UsageError

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 -- zones are drawn


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00:00.000000Z", "2024-05-01T12:00:00Z"),
        ("2024-05-01t12:00:00z", "2024-05-01T12:00:00Z"),
        ("2024-05-01 12:00:00+00:00", "2024-05-01T12:00:00Z"),
        ("2024-05-01T00:30:00+02:00", "2024-04-30T22:30:00Z"),
        ("2024-05-01T23:30:00-01:00", "2024-05-02T00:30:00Z"),
        ("2024-05-01T12:00:00.5Z", "2024-05-01T12:00:00.500000Z"),
        ("2024-05-01T12:00:00.123Z", "2024-05-01T12:00:00.123000Z"),
        ("2024-05-01T12:00:00.123456Z", "2024-05-01T12:00:00.123456Z"),
        ("2024-05-01T12:00:00.123456789Z", "2024-05-01T12:00:00.123456Z"),
    ],
)
def test_an_instant_in_any_form_of_the_standard(text: str, said: str) -> None:
    instant = instant_of(text)
    assert instant is not None
    assert shown(instant) == said


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "soon",
        "2024-05-01",
        "2024-05-01T12:00:00",
        "2024-05-01T12:00Z",
        "2024-05-01T12:00:00+0200",
        "2024-05-01T12:00:00.Z",
        "2024-02-30T12:00:00Z",
        "2024-05-01T24:00:00Z",
        "2024-05-01T12:60:00Z",
        "2024-05-01T12:00:00+25:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "٢٠٢٤-05-01T12:00:00Z",
        "2024-05-01T12:00:00Z\n",
        " 2024-05-01T12:00:00Z",
        "1714564800",
        "2024-05-01T12:00:00.1234567890123Z",
        "2024-05-01T12:00:00Z" * 1000,
    ],
)
def test_any_other_text_is_no_instant(text: str | None) -> None:
    assert instant_of(text) is None


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert instant_of(text) is None or text[:4].isdigit()


@given(INSTANTS, INSTANTS)
def test_texts_compare_as_the_instants_that_they_state(one: datetime, other: datetime) -> None:
    first, second = instant_of(one.isoformat()), instant_of(other.isoformat())
    assert first is not None
    assert second is not None
    assert (first < second, first == second) == (one < other, one == other)
    assert instant_of(shown(one)) == one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-05-01", "2024-05-02T00:00:00Z"),
        ("2024-02-28", "2024-02-29T00:00:00Z"),
        ("2024-12-31", "2025-01-01T00:00:00Z"),
        (" 2024-05-01 ", "2024-05-02T00:00:00Z"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"),
        ("2024-05-01T12:00:00.25Z", "2024-05-01T12:00:00.250000Z"),
        ("2999-01-01", "2999-01-02T00:00:00Z"),
        ("30 days", "2026-01-30T12:30:00Z"),
        ("30 Days ago", "2026-01-30T12:30:00Z"),
        ("30d", "2026-01-30T12:30:00Z"),
        ("1 day", "2026-02-28T12:30:00Z"),
        ("0 days", "2026-03-01T12:30:00Z"),
        ("2 weeks", "2026-02-15T12:30:00Z"),
        ("1w 1d", "2026-02-21T12:30:00Z"),
        ("2wks", "2026-02-15T12:30:00Z"),
        ("24 hours", "2026-02-28T12:30:00Z"),
        ("1 hr", "2026-03-01T11:30:00Z"),
        ("90 minutes", "2026-03-01T11:00:00Z"),
        ("30 mins", "2026-03-01T12:00:00Z"),
        ("45 secs", "2026-03-01T12:29:15Z"),
        ("1 hour, 30 minutes", "2026-03-01T11:00:00Z"),
        ("1 day and 2 hours", "2026-02-28T10:30:00Z"),
        ("P30D", "2026-01-30T12:30:00Z"),
        ("p2w", "2026-02-15T12:30:00Z"),
        ("PT24H", "2026-02-28T12:30:00Z"),
        ("P1DT2H3M4S", "2026-02-28T10:26:56Z"),
    ],
)
def test_what_exclude_newer_means(text: str, said: str) -> None:
    assert shown(limit_of(text, NOW)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no date such as 2024-05-01, no time, and no duration such as '30 days'"),
        ("tomorrow", "no duration"),
        ("30", "no duration"),
        ("days", "no duration"),
        ("-3 days", "no duration"),
        ("3 fortnights", "no duration"),
        ("3 days or so", "no duration"),
        ("1.5 days", "no duration"),
        ("P", "no duration"),
        ("PT", "no duration"),
        ("P1DT", "no duration"),
        ("6 months", "months and years have no fixed length: give days, such as '180 days'"),
        ("1 year", "months and years"),
        ("P6M", "months and years"),
        ("P1Y", "months and years"),
        ("2024-02-30", "is no date such as 2024-05-01, nor a time with its offset such as 2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00:00", "nor a time with its offset"),
        ("2024-05-01T25:00:00Z", "nor a time with its offset"),
        ("9999-12-31", "outside the years 1 to 9999"),
        ("9999999 days", "outside the years 1 to 9999"),
        (f"{'9' * 5000} days", "outside the years 1 to 9999"),
        (f"P{'9' * 5000}W", "outside the years 1 to 9999"),
    ],
)
def test_what_it_cannot_mean_gets_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        limit_of(text, NOW)
    assert said in str(caught.value)
    assert f"--exclude-newer is {text!r}" in str(caught.value)
