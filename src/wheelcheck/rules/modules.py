"""Modules that several projects install, so that two of those cannot stand in one environment.

Source of each row: the top-level directories in the newest wheel of each project that has any, read from the index on
2026-11-23. `SameModule` leaves out a project that needs another one of its row: such a wheel is an empty shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
