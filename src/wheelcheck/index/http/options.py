"""How an index is reached, in pip's terms."""

from __future__ import annotations

from pathlib import Path

from wheelcheck.common.records import field, record

MAX_RETRIES = 3

PAGE_LIMIT = 32 * 2**20
"""Maximum bytes of a page, decoded."""


@record
class TransportOptions:
    """How an index is reached, in pip's terms.

    Attributes:
        timeout: seconds of silence; a whole request gets twice that, and more while bytes arrive.
        retries: retries of a failed request, at most `MAX_RETRIES`.
        trusted_hosts: ``host`` or ``host:port``, reached over plain http or with an unverified certificate.
        cert: a file or directory of certificates to trust instead of the system's.
        client_cert: a file with the client's certificate and its unencrypted key.
        proxy: the URL of a proxy; None leaves it to the environment.
        keyring_provider: pip's option: whether and where to look up passwords after a 401.
        user_agent: the User-Agent header.
    """

    timeout: float = 15
    retries: int = 3
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring_provider: str = "disabled"
    user_agent: str = "wheelcheck"

    @property
    def client(self) -> bytes:
        """What tells the client certificate from others, for a salted digest only; empty without one."""
        try:
            return Path(self.client_cert).read_bytes() if self.client_cert else b""
        except OSError:
            return b"unreadable"
