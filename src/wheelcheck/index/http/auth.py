"""Who asks a server: what stands in URLs, in netrc and in the keyring, in pip's order, each for its own origin only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from wheelcheck.common.records import field, record

if TYPE_CHECKING:
    from wheelcheck.index.http.keyring import Keyring

Origin: TypeAlias = "tuple[str, str, int | None]"
_Key: TypeAlias = "tuple[Origin, str | None, str | None]"


@record(kw_only=False)
class Credentials:
    """A user and a password, for one origin only. The password is None where only a user was named."""

    user: str
    password: str | None = field(repr=False)

    @property
    def header(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        from base64 import b64encode

        return "Basic " + b64encode(f"{self.user}:{self.password or ''}".encode()).decode()


@record(kw_only=False)
class Login:
    """Credentials, and the URL that they were given with, whose origin is theirs."""

    url: str
    credentials: Credentials


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """A URL without its user and password, and those. Raises ValueError where it is malformed."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, colon, password = userinfo.partition(":")
    credentials = Credentials(unquote(user), unquote(password) if colon else None)
    return urlunsplit(parts._replace(netloc=host)), credentials


def origin_of(url: str) -> Origin:
    """Scheme, host and port: who gets what is meant for this URL. Raises ValueError for a port that is no number."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


class Logins:
    """Finds credentials for each request, and after a refusal those of the keyring.

    Args:
        given: what is known of servers; of several for an origin the one whose URL begins most like that of a request.
        indexes: the URLs of indexes without credentials, under which a keyring may keep them.
        keyring: pip's ``keyring-provider``.
    """

    def __init__(self, given: Sequence[Login], indexes: Sequence[str] = (), keyring: str = "disabled") -> None:
        self._given = tuple(given)
        self._indexes = tuple(f"{url.rstrip('/')}/" for url in indexes)
        self._provider = keyring
        self._keyring: Keyring | None = None
        self._kept: dict[_Key, Credentials] = {}
        self._refused: set[_Key] = set()
        self._netrc: Any = None
        self._lock = threading.Lock()

    def find(self, url: str, inline: Credentials | None, first: Login | None) -> Credentials | None:
        """What is sent with a request.

        Args:
            url: whom it is for, without credentials.
            inline: what stood in the URL.
            first: what goes before every other login of its origin.
        """
        named = inline or self._named(url, first)
        if named is not None and named.password is not None:
            return named
        kept = self._kept.get(self._key(url, named)) if self._kept else None
        return kept or self._from_netrc(url) or named

    def has_others(
        self, url: str, inline: Credentials | None, first: Login | None, refused: Credentials | None
    ) -> bool:
        """Asks the keyring after a refusal; whether `find` has others now than those that were refused.

        As in pip, a password that was given is not replaced; a user without one is asked for.
        """
        named = inline or self._named(url, first)
        if named is not None and named.password is not None:
            return False
        key = self._key(url, named)
        with self._lock:
            if refused is not None and self._kept.get(key) == refused:
                self._refused.add(key)
                del self._kept[key]
        if key in self._refused:
            return False
        found = self._from_keyring(url, key)
        if found is not None:
            self._kept[key] = found
        return found is not None

    def _named(self, url: str, first: Login | None) -> Credentials | None:
        if not self._given and first is None:
            return None
        origin = origin_of(url)
        if first is not None and origin_of(first.url) == origin:
            return first.credentials
        logins = {login.url: login.credentials for login in reversed(self._given)}
        nearest = _nearest(url, [login.url for login in self._given])
        return logins[nearest] if nearest else None

    def _key(self, url: str, named: Credentials | None) -> _Key:
        """What the keyring is asked for: each index on a host may have credentials of its own."""
        return origin_of(url), _nearest(url, self._indexes), (named.user or None) if named else None

    def _from_keyring(self, url: str, key: _Key) -> Credentials | None:
        from wheelcheck.index.http.keyring import Keyring

        with self._lock:
            self._keyring = keyring = self._keyring or Keyring(self._provider)
        _, index, user = key
        found = keyring.credentials([*([index] if index else []), urlsplit(url).netloc], user)
        return Credentials(*found) if found else None

    def _from_netrc(self, url: str) -> Credentials | None:
        with self._lock:
            if self._netrc is None:
                self._netrc = _read_netrc()
        found = self._netrc.authenticators(urlsplit(url).hostname or "") if self._netrc else None
        return Credentials(found[0] or "", found[2] or "") if found else None


def _nearest(url: str, others: Iterable[str]) -> str | None:
    """The URL of the same origin whose path begins most like that of a URL, the first of equals."""
    origin, path = origin_of(url), urlsplit(url).path
    same = (other for other in others if origin_of(other) == origin)
    return max(same, key=lambda other: _shared(urlsplit(other).path, path), default=None)


def _shared(path: str, other: str) -> int:
    """How many characters two paths begin with alike."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(path, other, strict=False))
    return sum(1 for _ in alike)


def _read_netrc() -> Any:
    """The user's netrc file, or False where there is none that can be read."""
    import os
    from pathlib import Path

    named = os.environ.get("NETRC")
    places = [Path(named)] if named else [Path.home() / name for name in (".netrc", "_netrc")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return False
    import netrc

    try:
        return netrc.netrc(found)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False
