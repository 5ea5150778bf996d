"""Credentials from the ``keyring`` command, queried as pip does.

pip imports the keyring of its own environment, or runs the command on PATH. Here the command is run in both cases, so
that no foreign code enters this process: first that of this environment, then that on PATH. Any failure means that
there are no credentials.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from subprocess import Popen

LIMIT = 60.0
"""Seconds after which a silent keyring is given up; it may be waiting for a person."""

MAX_BYTES = 64 * 2**10
_OUTDATED = 2
"""The exit code of a keyring older than 25.2.1, which does not know an option."""


class Keyring:
    """Query the command once for each service and user; concurrent callers share one answer.

    Args:
        provider: pip's ``keyring-provider``: ``import`` is the keyring of this environment, ``subprocess`` another one
            on PATH, ``auto`` the first of both, anything else none.
        limit: see `LIMIT`.
    """

    def __init__(self, provider: str, limit: float = LIMIT) -> None:
        self._provider = provider
        self._limit = limit
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str | None], tuple[str, str] | None] = {}
        self._command: str | None = None
        self._is_usable = provider in ("auto", "import", "subprocess")

    def credentials(self, services: Sequence[str], user: str | None) -> tuple[str, str] | None:
        """Return user and password for the first service that has any, or None.

        Args:
            services: the keys to try: the URL of an index, a host.
            user: the user name; None for any.
        """
        with self._lock:
            answers = (self._kept(service, user) for service in services)
            return next((found for found in answers if found is not None), None)

    def _kept(self, service: str, user: str | None) -> tuple[str, str] | None:
        key = service, user
        if key not in self._found:
            self._found[key] = self._asked(service, user) if _is_plain(service) and _is_plain(user or "") else None
        return self._found[key]

    def _asked(self, service: str, user: str | None) -> tuple[str, str] | None:
        self._command = self._command or (_command_of(self._provider) if self._is_usable else None)
        if self._command is None or not self._is_usable:
            return None
        asked = [service] if user is None else [service, user]
        code, output = self._run("--mode=creds", "--output=json", "get", *asked)
        if code == _OUTDATED and user is not None:
            code, output = self._run("get", *asked)
            return (user, output.rstrip("\r\n")) if code == 0 and output else None
        return _credentials_in(output) if code == 0 else None

    def _run(self, *arguments: str) -> tuple[int | None, str]:
        """Run the command; return its exit code and output. After a failure to run, it is not tried again."""
        assert self._command is not None
        try:
            code, output = _outcome([self._command, *arguments], self._limit)
            text = output.decode("utf-8")
        except (OSError, ValueError):
            code, text = None, ""
        self._is_usable = code is not None
        return code, text


def _is_plain(argument: str) -> bool:
    """Return whether a text cannot be mistaken for an option; a page may link to a host or user that looks like one."""
    return not argument.startswith("-") and "\0" not in argument


def _credentials_in(output: str) -> tuple[str, str] | None:
    import json

    try:
        document: Any = json.loads(output)
    except (ValueError, RecursionError):
        return None
    user, password = (
        (document.get("username"), document.get("password")) if isinstance(document, dict) else (None, None)
    )
    return (user, password) if isinstance(user, str) and isinstance(password, str) else None


# -- which command


def _command_of(provider: str) -> str | None:
    """Return the absolute path of a provider's command."""
    from shutil import which

    places = {"import": [_own()], "subprocess": [_others()], "auto": [_own(), _others()]}[provider]
    found = (which("keyring", path=place) for place in places)
    return next((command for command in found if command and os.path.isabs(command)), None)  # noqa: PTH117 - a text


def _own() -> str:
    """Return the scripts directory of this environment, whose keyring pip would import."""
    import sysconfig

    return sysconfig.get_path("scripts")


def _others() -> str:
    """Return PATH without the scripts directory of this environment."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if os.path.isabs(folder) and not _is_same(folder, _own()))  # noqa: PTH117


def _is_same(folder: str, other: str) -> bool:
    try:
        return os.path.samefile(folder, other)  # noqa: PTH121 - texts from outside, only asked about
    except (OSError, ValueError):
        return False


# -- one run


def _outcome(command: list[str], limit: float) -> tuple[int | None, bytes]:
    """Return exit code and output of a command; no code where it took too long or wrote too much, and was killed."""
    from subprocess import DEVNULL, PIPE, Popen

    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    end = time.monotonic() + limit
    process = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=environment, bufsize=0)
    chunks: list[bytes] = []
    reader = threading.Thread(target=lambda: chunks.extend(_written(process)), daemon=True)
    reader.start()
    try:
        reader.join(limit)
        is_over = not reader.is_alive() and sum(map(len, chunks)) <= MAX_BYTES and _ends(process, end)
        return (process.returncode, b"".join(chunks)) if is_over else (None, b"")
    finally:
        process.kill()
        process.wait()
        reader.join(1)
        if not reader.is_alive() and process.stdout:
            process.stdout.close()


def _written(process: Popen[bytes]) -> Iterator[bytes]:
    """Yield the output of a process, up to a little more than the limit."""
    assert process.stdout is not None
    length = 0
    while length <= MAX_BYTES and (chunk := process.stdout.read(2**16)):
        length += len(chunk)
        yield chunk


def _ends(process: Popen[bytes], end: float) -> bool:
    from subprocess import TimeoutExpired

    try:
        process.wait(max(0.0, end - time.monotonic()))
    except TimeoutExpired:
        return False
    return True
