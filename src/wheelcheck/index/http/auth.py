"""Credentials for servers: from URLs, netrc and the keyring, in pip's order, each for its own origin only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from os.path import commonprefix
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from wheelcheck.common.records import field, record
from wheelcheck.index.cache.stamps import Stamp, is_settled, stamps_of

if TYPE_CHECKING:
    from wheelcheck.index.http.keyring import Keyring

Origin: TypeAlias = "tuple[str, str, int | None]"
_Key: TypeAlias = "tuple[Origin, str | None, str | None]"


@record(kw_only=False)
class Credentials:
    """A user name and a password, for one origin only. The password is None where only a user was named."""

    user: str
    password: str | None = field(repr=False)

    @property
    def header(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        from base64 import b64encode

        return "Basic " + b64encode(f"{self.user}:{self.password or ''}".encode()).decode()

    @property
    def text(self) -> str:
        """What tells them from others, for a salted digest only."""
        return f"{self.user}\0{'' if self.password is None else f'={self.password}'}"


@record(kw_only=False)
class Login:
    """Credentials with the URL that they were given with; they are valid for its origin."""

    url: str
    credentials: Credentials


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Split a URL into the URL without credentials, and the credentials. Raises ValueError where it is malformed."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, colon, password = userinfo.partition(":")
    credentials = Credentials(unquote(user), unquote(password) if colon else None)
    return urlunsplit(parts._replace(netloc=host)), credentials


def origin_of(url: str) -> Origin:
    """Return scheme, host and port. Raises ValueError for a port that is not a number."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


class Logins:
    """Find credentials for each request, and after a 401 those in the keyring.

    Args:
        given: known logins; of several for an origin, the one with the longest common path counts.
        indexes: the URLs of indexes without credentials, under which a keyring may store them.
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
        self._netrc_stamps: dict[str, Stamp] = {}
        self._netrc_read = 0.0
        self._lock = threading.Lock()

    @property
    def stamps(self) -> tuple[Mapping[str, Stamp], bool]:
        """The netrc files that were looked for, with their stamps, and whether a change would show in what decides.

        It would not where the keyring supplied credentials, or where a file was written just before it was read.
        """
        settled = all(is_settled(stamp, self._netrc_read) for stamp in self._netrc_stamps.values())
        return self._netrc_stamps, settled and not self._kept

    def find(
        self, url: str, inline: Credentials | None, first: Login | None, *, keyring: bool = True
    ) -> Credentials | None:
        """Return the credentials to send with a request.

        Args:
            url: its URL, without credentials.
            inline: the credentials in the URL.
            first: a login that precedes all others of its origin.
            keyring: whether those count that the keyring has supplied so far.
        """
        named = inline or self._named(url, first)
        if named is not None and named.password is not None:
            return named
        kept = self._kept.get(self._key(url, named)) if self._kept and keyring else None
        return kept or self._from_netrc(url) or named

    def has_others(
        self, url: str, inline: Credentials | None, first: Login | None, refused: Credentials | None
    ) -> bool:
        """Query the keyring after a 401; return whether `find` now gives other credentials than the refused ones.

        As in pip, a given password is never replaced; a user name without one is looked up.
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
        """Return the key under which the keyring is queried: each index on a host may have its own credentials."""
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
                places = _netrc_places()
                self._netrc_read, self._netrc_stamps = time.time(), stamps_of(places)
                self._netrc = _read_netrc(places)
        found = self._netrc.authenticators(urlsplit(url).hostname or "") if self._netrc else None
        return Credentials(found[0] or "", found[2] or "") if found else None


def _nearest(url: str, others: Iterable[str]) -> str | None:
    """Return the URL of the same origin with the longest common path, the first of equals."""
    origin, path = origin_of(url), urlsplit(url).path
    same = (other for other in others if origin_of(other) == origin)
    return max(same, key=lambda other: len(commonprefix([urlsplit(other).path, path])), default=None)  # noqa: RUF071


def _netrc_places() -> list[str]:
    """Return where the user's netrc file may be."""
    named = os.environ.get("NETRC")
    return [named] if named else [f"{os.path.expanduser('~')}/{name}" for name in (".netrc", "_netrc")]  # noqa: PTH111


def _read_netrc(places: Sequence[str]) -> Any:
    """Read the first netrc file of some places; return False where there is no readable one."""
    found = next(filter(os.path.isfile, places), None)
    if found is None:
        return False
    import netrc

    try:
        return netrc.netrc(found)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False
