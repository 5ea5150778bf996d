"""Normalized project names (PEP 503), without loading `packaging.utils`, which imports its tags module."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
else:
    NormalizedName = str

__all__ = ["NormalizedName", "canonicalize_name"]


@lru_cache(maxsize=65536)
def canonicalize_name(name: str) -> NormalizedName:
    """Return the normalized form of a project name: lower case, one dash for each run of ``-``, ``_`` and ``.``."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())
