"""Names of projects, normalised (PEP 503), without loading the tags that packaging's own module brings along."""

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
    """The name as all of its spellings are compared: lower case, one dash for each run of dashes, dots and lines."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())
