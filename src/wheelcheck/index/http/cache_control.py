"""Freshness of stored answers (RFC 9111), for the private cache of one user.

Directives for shared caches (``s-maxage``, ``private``, ``proxy-revalidate``) are ignored. ``must-revalidate`` has no
effect, since a stale answer is never used, except with ``--offline``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

FRESH_FOR = 600.0
"""Seconds for which an answer without freshness headers is fresh."""

_MAX_SECONDS = 2**31
_MAX_LENGTH = 1024
_MAX_VARYING = 16
_MEMBER = r'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+'
"""A member of a list; commas inside quoted strings do not separate."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DATES = (
    rf"[a-z]{{3}}, (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_TIME} (?:gmt|utc)",
    rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_TIME} (?:gmt|utc)",
    rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
)
"""The three formats of an HTTP date (RFC 9110, section 5.6.7), in lower case."""


def freshness(
    headers: Mapping[str, str], now: float, default: float = FRESH_FOR, *, delay: float = 0.0
) -> float | None:
    """Return for how many seconds an answer is fresh, or None where it must not be stored (sections 3, 4.2 and 5.2).

    Of duplicate directives the shorter counts; malformed ones mean stale.

    Args:
        headers: names in lower case, duplicates joined by commas.
        now: the time of the answer, in seconds since the epoch.
        default: the freshness of an answer that does not say.
        delay: the seconds between request and answer, by which the answer may be older than it says.
    """
    control = headers.get("cache-control", "")
    found: dict[str, list[str]] = {}
    for name, value in _pairs(control):
        found.setdefault(name, []).append(value)
    directives = found
    if len(control) > _MAX_LENGTH or "no-store" in directives or "*" in _members(headers.get("vary", "")):
        return None
    if "no-cache" in directives:
        return 0.0
    lifetime = _lifetime(directives, headers, now)
    if lifetime is None:
        return default
    age = _seconds(headers.get("age", "").partition(",")[0].strip()) or 0.0
    return max(0.0, lifetime - max(0.0, now - _made(headers, now), age + delay))


def _lifetime(directives: Mapping[str, list[str]], headers: Mapping[str, str], now: float) -> float | None:
    """Return the freshness lifetime in seconds; None where the answer does not say."""
    if "max-age" in directives:
        return min(_seconds(value) or 0.0 for value in directives["max-age"])
    if "expires" not in headers:
        return None
    expires = http_date(headers["expires"], now)
    return 0.0 if expires is None else expires - _made(headers, now)


def _made(headers: Mapping[str, str], now: float) -> float:
    made = http_date(headers.get("date", ""), now)
    return now if made is None else made


def _seconds(text: str) -> float | None:
    """Parse delta-seconds (section 1.2.2); None where malformed."""
    return float(min(int(text), _MAX_SECONDS)) if text.isascii() and text.isdigit() and len(text) < 20 else None


# -- which requests


def varying(vary: str, request: Mapping[str, str]) -> dict[str, str] | None:
    """Return the header values that another request must have to get the same answer (section 4.1); None where none
    may.

    The values are meant to be stored; replace secrets by a digest.

    Args:
        vary: the Vary header of the answer, or empty.
        request: the headers of the request, names in lower case.
    """
    names = {name.lower() for name in _members(vary)}
    if "*" in names or len(names) > _MAX_VARYING or len(vary) > _MAX_LENGTH:
        return None
    return {name: _plain(request.get(name, "")) for name in sorted(names)}


def may_answer(varied: Mapping[str, str], request: Mapping[str, str]) -> bool:
    """Return whether an answer with a stored `varying` may answer a request with these headers (lower case)."""
    return all(_plain(request.get(name, "")) == value for name, value in varied.items())


def _plain(value: str) -> str:
    """Return a value with insignificant white space removed."""
    return ", ".join(_members(value))


# -- the grammar of headers


def _members(text: str) -> list[str]:
    """Split a list at its commas (RFC 9110, section 5.6.1); a long list is cut short."""
    return [member.strip() for member in re.findall(_MEMBER, text[: _MAX_LENGTH + 1]) if member.strip()]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for member in _members(text):
        name, _, value = member.partition("=")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        yield name.strip().lower(), re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value


def http_date(text: str, now: float) -> float | None:
    """Parse an HTTP date to seconds since the epoch, or None where malformed (RFC 9110, section 5.6.7).

    `now` decides the century of the obsolete format with a two-digit year.
    """
    text = text.strip().lower()
    found = (re.fullmatch(form, text, re.ASCII) for form in _DATES if len(text) < 40)
    parts = next(filter(None, found), None)
    return None if parts is None else _instant(parts.groupdict(), now)


def _instant(parts: Mapping[str, str], now: float) -> float | None:
    from datetime import datetime, timezone

    day, year, hour, minute, second = (int(parts[name]) for name in ("day", "year", "hour", "minute", "second"))
    if len(parts["year"]) == 2:
        this_year = datetime.fromtimestamp(now, timezone.utc).year
        year += this_year // 100 * 100
        year -= 100 * (year > this_year + 50)  # the year with these last digits that is at most 50 years ahead
    try:
        clock = (hour, minute, min(second, 59))  # second 60 is a leap second
        month = _MONTHS.index(parts["month"]) + 1
        return datetime(year, month, day, *clock, tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
