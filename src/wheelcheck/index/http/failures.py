"""What broke a request, in plain words, and whether another try may succeed."""

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
    """What broke, in plain words; failures that another try cannot mend are final."""
    lasting = _permanent(error)
    if lasting is not None:
        return IndexUnavailable(shown(url), lasting)
    return RetryableError(IndexUnavailable(shown(url), _retryable(error)))


def _permanent(error: Exception) -> str | None:
    """Why every other try would fail as well; None where one may succeed."""
    import httpx

    distrust = distrust_of(error)
    if distrust is not None:
        return f"its TLS certificate cannot be verified ({distrust})"
    if isinstance(error, (httpx.ProxyError, httpx.UnsupportedProtocol)):
        return f"the proxy refused ({mask(str(error))})"
    return None


def distrust_of(error: Exception) -> str | None:
    """Why a certificate was refused, None where none was."""
    import ssl

    refusals = (cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next((cause.verify_message for cause in refusals), None)


def _retryable(error: Exception) -> str:
    """The first row that fits: what is at the bottom of an error says more than the error itself."""
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
