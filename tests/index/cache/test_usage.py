"""What is kept on this machine is counted and removed, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wheelcheck.cli.main import main
from wheelcheck.common.errors import UsageError
from wheelcheck.index.cache.store import Cache, Stored, key_of
from wheelcheck.index.cache.usage import clear, contents


def fill(directory: Path) -> None:
    page = Stored(url="u", parts=[b"x" * 100], stored=0, fresh_until=9e9)
    Cache(directory).store_page(key_of("u"), "six", page)
    for kind, name in (("wheels", "six.whl"), ("environments", "abc/lib/six.py")):
        (directory / kind / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / kind / name).write_bytes(b"y" * 50)


def test_what_is_kept_is_counted_and_cleared(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "mine.txt").write_text("not wheelcheck's")
    held = contents(tmp_path)
    assert (held.answers.number, held.wheels.number, held.environments.number) == (1, 1, 1)
    assert held.answers.bytes >= 100
    assert (held.wheels.bytes, held.environments.bytes) == (50, 50)
    assert clear(tmp_path) == held
    empty = contents(tmp_path)
    assert [a.number for a in (empty.answers, empty.wheels, empty.environments)] == [0, 0, 0]
    assert (tmp_path / "mine.txt").exists()


def test_a_directory_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert contents(tmp_path / "nowhere").wheels.number == 0
    assert clear(tmp_path / "nowhere").environments.bytes == 0


def test_the_commands(tmp_path: Path, capsys: Any) -> None:
    fill(tmp_path)
    assert main(["cache", "info", "--cache-dir", str(tmp_path)]) == 0
    assert "wheels: 1, 0.0 MB" in capsys.readouterr().out
    assert main(["cache", "clear", "--cache-dir", str(tmp_path), "--format", "json"]) == 0
    assert '"schema": "wheelcheck/cache/1"' in capsys.readouterr().out
    assert contents(tmp_path).answers.number == 0


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    (tmp_path / "wheels").write_text("a file in the place of a directory")
    with pytest.raises(UsageError, match="wheels could not be removed"):
        clear(tmp_path)
