"""URLs as text: with secrets masked for reports, and as paths where they name local files."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

from wheelcheck.common.lazy_regex import pattern

_START = pattern(r"(?:(?<![^\s'\"(<\[{=,;|@])[A-Za-z][\w+.-]*:)?//|\A(?=[^/?#\s@:]+:(?![\\/]))")
"""Where credentials may begin: after the scheme of a URL, or at the start of a proxy without one."""
_AUTHORITY = pattern(r"[^/?#\s]*")
_HOST_AND_PORT = pattern(r"(?:localhost|[^:@]*\.[^:@]*|\[[^\]@]*\])?(?::[0-9]{0,5})?['\"]*|[^:@]*")
_QUOTED_AT = pattern("%40|\uff20")
_LAST_AT = pattern(r"(?s:.*\S|\A)@")
_SECRET_PARAMETER = pattern(
    r"(?<=[?&;#])("
    r"(?:[\w.-]*(?:token|password|passwd|secret|signature|credential|api[_-]?key|access[_-]?key(?:[_-]?id)?)s?"
    r"|auth|authorization|hmac|jwt|key|pass|pwd|sas|sig)"
    r"=)[^&;#\s]+",
    re.IGNORECASE,
)
_MAX_USER_SHOWN = 20
_MAX_HOST = 253
"""Maximum length of a host name (RFC 1035)."""


def mask(text: str) -> str:
    """Replace passwords, tokens and signatures in a URL, or in any text that holds URLs, with ``****``.

    All between ``//`` and the last ``@`` counts as credentials, where it is not plainly a host: a password may hold any
    character unescaped. A user name is kept where a password follows it, unless it may be a token itself.
    """
    places = [found.span() for found in _START.finditer(text)]
    starts = [end for begin, end in places if begin == 0 or text[begin] != "/" or _HAS_AT.match(text, end)]
    parts = [text[: starts[0]] if starts else text]
    for start, end in zip(starts, [*starts[1:], len(text)][: len(starts)], strict=True):
        parts.append(_without_userinfo(text[start:end]))
    masked = _LOOSE_CREDENTIALS.sub(r"\1:****@", "".join(parts)) if "@" in text else "".join(parts)
    return _SECRET_PARAMETER.sub(r"\1****", masked)


_HAS_AT = pattern(r"[^\s@]*@")
_LOOSE_CREDENTIALS = pattern(
    r"(?<![^\s/\\:'\"<>()\[\]{}=,;|@])([^\s/\\:'\"<>()\[\]{}=,;|@]+):(?!//|\\[^\\])(?!\*{4}@)\S+@(?=[\w\[])"
)
"""A user, a password and a host without the ``//`` before them, as in a mistyped URL."""


def _without_userinfo(text: str) -> str:
    """Mask the credentials at the beginning of a text that follows ``//``, up to the next URL."""
    line = text.partition("\n")[0]
    authority = _AUTHORITY.match(line)
    assert authority is not None
    if "@" not in line and not _HOST_AND_PORT.fullmatch(authority[0]):
        host, _, rest = authority[0].partition(":")  # what cannot be a port may be a password
        quoted = _QUOTED_AT.split(rest)
        return f"{host}:****{'@' + quoted[-1] if len(quoted) > 1 else ''}{text[authority.end() :]}"
    if "@" not in line or ("@" not in authority[0] and _HOST_AND_PORT.fullmatch(authority[0])):
        return text
    last = _LAST_AT.match(line)
    if last is None:
        return text
    user, _, password = last[0][:-1].partition(":")
    is_token = password in ("", "x-oauth-basic") or len(user) > _MAX_USER_SHOWN or bool(re.search(r"[/?#\s@]", user))
    return f"{'****' if is_token else f'{user}:****'}@{text[last.end() :]}"


def shown(url: str) -> str:
    """Return a URL as reports show it: without credentials, query and fragment, which may hold tokens."""
    text = re.split("[?#]", mask(url), maxsplit=1)[0]
    if "@" not in text or _WELL_FORMED.match(text):
        return text
    scheme = _SCHEME.match(text)  # a text that is no URL, though it was given as one
    return f"{scheme[0] if scheme else ''}****@{text.rpartition('@')[2]}"


_SCHEME = pattern(r"[A-Za-z][\w+.-]*:[/\\]*")
_WELL_FORMED = pattern(r"[A-Za-z][\w+.-]*://(?:[^/?#@\s:]*(?::\*{4})?@)?[^/?#@\s:]+(?::[0-9]*)?(?:[/?#]|$)")


_PLAIN_HOST = pattern(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?", re.IGNORECASE
)


@lru_cache(maxsize=512)
def host_fault(netloc: str) -> str | None:
    """Return what is wrong with host and port in the authority of a URL (RFC 3986, section 3.2), or None.

    Example:
        >>> host_fault("a..b.example:443")
        'its host is malformed'
    """
    try:
        parts = urlsplit(f"//{netloc}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its host or port is malformed"
    if parts.path or parts.query or parts.fragment:
        return "its host or port is malformed"
    if not host:
        return "it names no host"
    if len(host) > _MAX_HOST:
        return "its host is malformed"
    if ":" in host or (_PLAIN_HOST.fullmatch(host) and "xn--" not in host):
        return None
    try:
        host.encode("idna")  # as the resolver of the system will
    except UnicodeError:
        return "its host is malformed"
    return "its host is malformed" if re.search(r"[\s\x00-\x20<>\\^`{|}\"]", host) else None


def url_fault(url: str) -> str | None:
    """Return what is wrong with the address of an http or https URL, or None."""
    try:
        url.encode("utf-8")
        parts = urlsplit(url)
    except ValueError:
        return "its address is malformed"
    return host_fault(parts.netloc) if parts.scheme in ("http", "https") else None


def server_fault(url: str) -> str | None:
    """Return why no server can be asked for a URL, or None."""
    fault = url_fault(url)
    return fault or (None if url.startswith(("https://", "http://")) else "its address is neither http nor https")


def path_of_url(url: str, *, system: str = sys.platform) -> str | None:
    """Return the local path that a file URL names (RFC 8089), or None for any other URL.

    Args:
        url: any URL.
        system: the platform whose paths are meant; only on ``win32`` may a host name a share and a path begin with a
            drive.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme != "file" or not path or "\0" in path:
        return None
    host = "" if parts.netloc.lower() == "localhost" else parts.netloc
    if system == "win32":
        return f"//{host}{path}" if host else re.sub(r"^/+(?=[A-Za-z][:|])", "", path).replace("|", ":", 1)
    return None if host else path


def absolute(base: str, link: str) -> str | None:
    """Resolve a link against a base URL; return None where it cannot be parsed."""
    try:
        if not link.isascii() or "[" in link or "]" in link:
            urlsplit(link)
        is_absolute = link.startswith(("https://", "http://", "file://")) and link.isprintable()
        address = link if is_absolute else urljoin(base, link)  # which drops line breaks and tabs
    except ValueError:
        return None
    return address
