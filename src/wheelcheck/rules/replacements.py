"""Projects that another one has taken the place of, as their publishers say or as the index shows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from wheelcheck.standards.names import NormalizedName, canonicalize_name


class Replacement(NamedTuple):
    """The project to ask for instead, why, and where that is from."""

    by: NormalizedName
    why: str
    source: str


_INDEX = "the files of both projects on the index, 2026-11-23"
_ROWS = {
    "tensorflow-macos": (
        "tensorflow",
        "tensorflow has wheels for macOS arm64 since 2.13; this ended at 2.16.2",
        _INDEX,
    ),
    "tensorflow-cpu": (
        "tensorflow",
        "tensorflow has wheels for more systems, and runs on the CPU as well",
        _INDEX,
    ),
    "tensorflow-intel": ("tensorflow", "tensorflow itself has wheels for Windows; this ended at 2.18.0", _INDEX),
    "tensorflow-cpu-aws": ("tensorflow", "tensorflow itself has wheels for Linux aarch64 since 2.16.1", _INDEX),
    "tensorflow-gpu": ("tensorflow", "tensorflow holds the GPU build since 2.1; this ended at 2.11.0", _INDEX),
    "tf-nightly": ("tensorflow", "tensorflow has the releases of what tf-nightly builds each night", _INDEX),
    "keras-nightly": ("keras", "keras has the releases of what keras-nightly builds each night", _INDEX),
    "onnxruntime-silicon": ("onnxruntime", "onnxruntime has wheels for macOS arm64; this ended at 1.16.3", _INDEX),
    "psycopg2": ("psycopg2-binary", "psycopg2 has wheels for Windows only, psycopg2-binary for all systems", _INDEX),
}

REPLACEMENTS: Mapping[NormalizedName, Replacement] = MappingProxyType(
    {
        canonicalize_name(project): Replacement(canonicalize_name(by), why, source)
        for project, (by, why, source) in _ROWS.items()
    }
)
"""By project, what is asked for instead of it."""
