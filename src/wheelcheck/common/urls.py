"""URLs as text: with secrets masked for reports, and as paths where they name local files."""

from __future__ import annotations

import re
import sys
from urllib.parse import unquote, urljoin, urlsplit

from wheelcheck.common.lazy_regex import pattern

_USERINFO = pattern(
    r"(?:(?<=://)|^(?=[^/?#\s@:]+:(?!\\)))"
    # to the last @ of the authority; failing that, a password in which a slash was left unescaped, to the last @ at all
    r"(?:([^/?#\s]*)@|([^/?#\s@:]+:(?!\d*(?:[/?#]|$))[^\s@]*(?:@(?:(?!://)[^\s@])*)*)@)"
)
_SECRET_PARAMETER = pattern(
    r"(?<=[?&;#])("
    r"(?:[\w.-]*(?:token|password|passwd|secret|signature|credential|api[_-]?key|access[_-]?key(?:[_-]?id)?)s?"
    r"|auth|authorization|hmac|jwt|key|pass|pwd|sas|sig)"
    r"=)[^&;#\s]+",
    re.IGNORECASE,
)
_MAX_USER_SHOWN = 20


def mask(text: str) -> str:
    """Replace passwords, tokens and signatures in a URL, or in any text that holds URLs, with ``****``.

    A user name is kept where a password follows it, unless it may be a token itself.
    """
    return _SECRET_PARAMETER.sub(r"\1****", _USERINFO.sub(_masked_userinfo, text))


def _masked_userinfo(found: re.Match[str]) -> str:
    user, _, password = (found[1] if found[1] is not None else found[2]).partition(":")
    is_token = password in ("", "x-oauth-basic") or len(user) > _MAX_USER_SHOWN
    return "****@" if is_token else f"{user}:****@"


def shown(url: str) -> str:
    """Return a URL as reports show it: without credentials, query and fragment, which may hold tokens."""
    return mask(re.split("[?#]", url, maxsplit=1)[0])


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
        return link if link.startswith(("https://", "http://", "file://")) else urljoin(base, link)
    except ValueError:
        return None
