"""How an index is reached, in pip's terms; `transport` reaches it."""

from __future__ import annotations

from wheelcheck.common.records import field, record

MAX_RETRIES = 3


@record
class TransportOptions:
    """How an index is reached, in pip's terms.

    Attributes:
        timeout: seconds without a sign of life; a request as a whole gets twice that, and more while bytes arrive.
        retries: further tries of a request that failed in a way that may pass; at most `MAX_RETRIES` are made.
        trusted_hosts: ``host`` or ``host:port``, reached over plain http or with a certificate that proves nothing.
        cert: a file or directory of certificates to trust instead of the system's.
        client_cert: a file with the client's certificate and key.
        proxy: the URL of a proxy for everything; the environment decides where it is None.
        keyring_provider: pip's option: whether and where passwords of the keyring are asked for after a refusal.
        user_agent: how servers are told who asks.
    """

    timeout: float = 15
    retries: int = 3
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring_provider: str = "disabled"
    user_agent: str = "wheelcheck"
