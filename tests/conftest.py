"""What every test stands on: a cache of its own, and reasons to skip what this machine cannot do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS = "WHEELCHECK_TEST_IMPORTS"

settings.register_profile("default", deadline=None)
settings.register_profile("few", deadline=None, max_examples=30)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests, and the processes that they start, out of the cache of the person who runs them."""
    os.environ["WHEELCHECK_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True, scope="session")
def _wide_lines() -> None:
    """Sentences that tests look for stand in one line, whatever the terminal of the person who runs them."""
    os.environ["COLUMNS"] = "200"


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Processes that the tests start can be interrupted, even where the tests run in a shell's background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def environment_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with pip, which no test changes."""
    from environments import make_environment

    return make_environment(tmp_path_factory.mktemp("environment"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("imports") and os.environ.get(IMPORTS) != "1":
        pytest.skip(f"installs and imports a real TensorFlow; set {IMPORTS}=1 to run it")
    if item.get_closest_marker("network") or item.get_closest_marker("imports"):
        why = unreachable()
        if why:
            pytest.skip(f"the index that pip is configured for cannot be reached: {why}")


@cache
def unreachable() -> str:
    """Why the configured index does not answer, or an empty string where it does; pip itself is asked."""
    if find_spec("pip") is None:
        return "pip is not installed beside the tests"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions", "resolvelib"]
    try:
        answer = subprocess.run(
            [*command, "--retries", "1", "--timeout", "15"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "pip gave no answer within 90 seconds"
    return "" if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["pip said nothing"])[-1]
