"""What broke a request, in plain words, and whether a retry may succeed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from wheelcheck.common.errors import IndexUnavailable
from wheelcheck.common.urls import mask, shown
from wheelcheck.index.http.responses import RetryableError

if TYPE_CHECKING:
    pass


_Rows: TypeAlias = tuple[tuple[type[Exception], str], ...]


def failure_of(error: Exception, url: str) -> Exception:
    """Return the error for a broken request: retryable, or final where a retry cannot help."""
    lasting = _permanent(error)
    if lasting is not None:
        return IndexUnavailable(shown(url), lasting)
    return RetryableError(IndexUnavailable(shown(url), _retryable(error)))


def _permanent(error: Exception) -> str | None:
    """Return why every retry would fail as well; None where one may succeed."""
    import httpx

    distrust = distrust_of(error)
    if distrust is not None:
        return f"its TLS certificate cannot be verified ({distrust})"
    if isinstance(error, (httpx.ProxyError, httpx.UnsupportedProtocol)):
        return f"the proxy refused ({mask(str(error))})"
    return None


def distrust_of(error: Exception) -> str | None:
    """Return why a certificate was rejected; None where none was."""
    import ssl

    refusals = (cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next((cause.verify_message for cause in refusals), None)


def _retryable(error: Exception) -> str:
    """Describe a retryable failure; its root cause says more than the error itself."""
    import socket
    import ssl

    import httpx

    of_causes: _Rows = (
        (ssl.SSLError, "the TLS connection failed"),
        (socket.gaierror, "its host name cannot be resolved"),
        (ConnectionRefusedError, "the connection was refused"),
    )
    of_itself: _Rows = (
        (httpx.ConnectError, "no connection could be made"),
        (httpx.RemoteProtocolError, "its answer was cut short or is not HTTP"),
    )
    return _row(of_causes, _causes(error)) or _row(of_itself, [error]) or "the connection broke"


def _row(rows: _Rows, errors: Iterable[BaseException]) -> str | None:
    found = tuple(errors)
    return next((why for kind, why in rows if any(isinstance(error, kind) for error in found)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
