"""TLS contexts, proxies and trusted hosts, as pip chooses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelcheck.common.errors import UsageError
from wheelcheck.common.urls import mask
from wheelcheck.index.http.auth import Origin
from wheelcheck.index.http.options import TransportOptions

if TYPE_CHECKING:
    import ssl
    from ipaddress import IPv4Address


def proxy_from_environment(origin: Origin) -> str | None:
    """Return the proxy that the environment or the system names for an origin, by pip's rules."""
    from urllib.request import getproxies, proxy_bypass

    scheme, host, port = origin
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(f"{host}:{port}") or _is_in_networks(host, proxies.get("no", "")):
        return None
    return proxy


def _is_in_networks(host: str, exempt: str) -> bool:
    """Return whether a host is an address in a network of ``no_proxy``, such as 10.0.0.0/8."""
    from ipaddress import IPv4Address

    try:
        address = IPv4Address(host)
    except ValueError:
        return False
    return any(_is_within(address, entry.strip()) for entry in exempt.split(","))


def _is_within(address: IPv4Address, network: str) -> bool:
    from ipaddress import IPv4Network

    try:
        return address in IPv4Network(network, strict=False)
    except ValueError:
        return False


def bad_proxy_message(proxy: str | None) -> str:
    if not proxy:
        return "A proxy that the environment names has a malformed URL; give one such as http://host:3128."
    named = mask(proxy) if "://" in proxy else mask(f"x://{proxy}").removeprefix("x://")
    return f"The configured proxy {named} is not the URL of a proxy; give one such as http://host:3128."


def ssl_context(options: TransportOptions, verified: bool) -> ssl.SSLContext:
    import ssl

    try:
        context = _verifying(options) if verified else _unverifying()
    except (OSError, ssl.SSLError):
        raise UsageError(f"The certificates in {options.cert} cannot be read; name another file with --cert.") from None
    if options.client_cert:
        try:
            # without a passphrase given here, OpenSSL would ask for one on the terminal, and wait
            context.load_cert_chain(options.client_cert, password="")
        except (OSError, ssl.SSLError):
            raise UsageError(
                f"The client certificate {options.client_cert} cannot be read; it must hold a certificate and its key, "
                "without a passphrase."
            ) from None
    return context


def named_certificates(options: TransportOptions) -> str:
    """Return the certificates that alone are trusted, by option or by the variables that pip reads; empty for none."""
    import os

    variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return options.cert or next(filter(None, map(os.environ.get, variables)), "")


def _verifying(options: TransportOptions) -> ssl.SSLContext:
    """Return a context that trusts the named certificates, or certifi's, to which the system's are added on demand."""
    import os
    import ssl

    named = options.cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if named:
        is_folder = os.path.isdir(named)  # noqa: PTH112 - a string from outside, only asked about
        return ssl.create_default_context(cafile=None if is_folder else named, capath=named if is_folder else None)
    if named_certificates(options):
        return ssl.create_default_context()
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _unverifying() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def is_trusted(host: str, port: int | None, trusted: tuple[str, ...]) -> bool:
    for entry in trusted:
        bare = f"[{entry}]" if entry.count(":") > 1 and "[" not in entry else entry
        parts = urlsplit(f"//{bare}")
        try:
            if (parts.hostname or "").lower() == host and parts.port in (None, port):
                return True
        except ValueError:
            continue
    return False


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127\.\d+\.\d+\.\d+", host))
