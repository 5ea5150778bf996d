"""Certificates that sign themselves, made by openssl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def certificate_of(folder: Path, names: str, days: int) -> Path:
    """A certificate that signs itself, with its key; `days` may be over."""
    (folder / "names").write_text(f"subjectAltName={names}")
    key, request, made = folder / "key", folder / "request", folder / "certificate"
    commands = [
        f"openssl req -newkey rsa:2048 -nodes -subj /CN=tests -keyout {key} -out {request}",
        f"openssl x509 -req -in {request} -signkey {key} -days {days} -extfile {folder / 'names'} -out {made}",
    ]
    for command in commands:
        try:
            run = subprocess.run(command.split(), capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
        if run.returncode:
            pytest.skip("openssl made no certificate")
    both = folder / "both.pem"
    both.write_bytes(made.read_bytes() + key.read_bytes())
    return both
