"""The HTTP client: credentials, TLS, proxies, retries, ranges and cache control."""
