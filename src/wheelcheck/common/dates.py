"""Upload times and time limits: RFC 3339 instants, ISO 8601 durations, and uv's words for durations."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from wheelcheck.common.errors import UsageError

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d{0,6})?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII
)
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII | re.IGNORECASE)
_UNIT = r"(\d+)\s*(w(?:ks?|eeks?)?|d(?:ays?)?|h(?:rs?|ours?)?|m(?:ins?|inutes?)?|s(?:ecs?|econds?)?)"
_WORDS = re.compile(rf"(?:{_UNIT}(?:\s*,\s*|\s+and\s+|\s*))+(?:ago)?", re.ASCII | re.IGNORECASE)
_ONE = re.compile(_UNIT, re.ASCII | re.IGNORECASE)
_CALENDAR = re.compile(r"\d\s*(?:mos?|months?|y|yrs?|years?)\b|P[\dYWD]*\d[YM]", re.ASCII | re.IGNORECASE)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_MAX_LENGTH = 12
"""Maximum digits of a number in a duration; a longer one would reach back beyond the year 1 in any unit."""


def instant_of(text: str | None) -> datetime | None:
    """Parse an RFC 3339 timestamp.

    Returns:
        The instant in UTC, or None for any other text, including one without an offset.
    """
    match = _INSTANT.fullmatch(text) if text else None
    if match is None:
        return None
    day, time, fraction, offset = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{time}.{fraction or '':0<6}{offset or '+00:00'}")
        return local.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def shown(instant: datetime) -> str:
    """Return an instant as RFC 3339 text in UTC, such as ``2024-05-02T00:00:00Z``."""
    return instant.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def limit_of(text: str, now: datetime) -> datetime:
    """Return the instant that a text means as an exclusive upper bound.

    Args:
        text: a date, which includes all of that day in UTC; an RFC 3339 timestamp; or a duration back from now, such as
            ``30 days``, ``2 weeks`` or ``P30D``. A day has 24 hours.
        now: the instant from which durations count.

    Raises:
        UsageError: it is none of these, or outside the years 1 to 9999.

    Example:
        >>> shown(limit_of("2024-05-01", datetime.now(timezone.utc)))  # doctest: +SKIP
        '2024-05-02T00:00:00Z'
    """
    stripped = text.strip()
    try:
        return instant_of(stripped) or _end_of_day(stripped) or now - _duration(stripped)
    except OverflowError:
        raise UsageError(f"--exclude-newer is {text!r}, which lies outside the years 1 to 9999.") from None
    except ValueError as error:
        raise UsageError(f"--exclude-newer is {text!r}, {error}.") from None


def _end_of_day(text: str) -> datetime | None:
    start = instant_of(f"{text}T00:00:00Z")
    return start + timedelta(days=1) if start else None


def _duration(text: str) -> timedelta:
    """Parse a duration. Raises `ValueError` with the reason as half a sentence."""
    amounts = _amounts(text)
    if any(len(number) > _MAX_LENGTH for number, _ in amounts):
        raise OverflowError
    return timedelta(seconds=sum(int(number) * _SECONDS[unit[0].lower()] for number, unit in amounts))


def _amounts(text: str) -> list[tuple[str, str]]:
    """Yield the numbers of a duration, each with the first letter of its unit."""
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        return [(number, unit) for number, unit in zip(iso.groups(), _SECONDS, strict=True) if number]
    if _WORDS.fullmatch(text):
        return _ONE.findall(text)
    if _CALENDAR.search(text):
        raise ValueError("but months and years have no fixed length: give days, such as '180 days'")
    if re.match(r"\d{4}-", text):
        raise ValueError("which is no date such as 2024-05-01, nor a time with its offset such as 2024-05-01T12:00:00Z")
    raise ValueError("which is no date such as 2024-05-01, no time, and no duration such as '30 days' or P30D")
