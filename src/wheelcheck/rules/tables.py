"""Facts about projects that are no rules: shared modules, and replacements."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from wheelcheck.standards.names import NormalizedName, canonicalize_name

_ROWS = {
    "tensorflow": (
        *("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-intel"),
        *("tensorflow-cpu-aws", "tensorflow-rocm", "intel-tensorflow", "tf-nightly", "tf-nightly-cpu"),
    ),
    "keras": ("keras", "keras-nightly"),
    "tf_keras": ("tf-keras", "tf-keras-nightly"),
    "tensorflow_text": ("tensorflow-text", "tensorflow-text-nightly"),
    "tensorflow_io": ("tensorflow-io", "tensorflow-io-nightly"),
    "tensorboard": ("tensorboard", "tb-nightly"),
    "cv2": (
        *("opencv-python", "opencv-python-headless"),
        *("opencv-contrib-python", "opencv-contrib-python-headless"),
    ),
    "onnxruntime": (
        *("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-silicon"),
    ),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
    "cupy": ("cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"),
    "paddle": ("paddlepaddle", "paddlepaddle-gpu"),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "triton": ("triton", "triton-windows"),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "magic": ("python-magic", "python-magic-bin"),
    "jwt": ("pyjwt", "jwt"),
}


MODULES: Mapping[str, tuple[NormalizedName, ...]] = MappingProxyType(
    {module: tuple(map(canonicalize_name, projects)) for module, projects in _ROWS.items()}
)
"""The projects that install each module."""


class Replacement(NamedTuple):
    """The project to use instead, why, and where that is from."""

    by: NormalizedName
    why: str
    source: str


_INDEX = "the files of both projects on the index, 2026-11-23"


_REPLACED = {
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
        for project, (by, why, source) in _REPLACED.items()
    }
)
"""Replacements by project."""
