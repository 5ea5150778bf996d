"""Where wheelcheck keeps what it may forget."""

from __future__ import annotations

from os import environ

ENVIRONMENT_VARIABLE = "WHEELCHECK_CACHE_DIR"


def cache_directory() -> str:
    """The directory of the cache, unless an option names another one."""
    named = environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return named
    from platformdirs import user_cache_dir

    return user_cache_dir("wheelcheck", appauthor=False)
