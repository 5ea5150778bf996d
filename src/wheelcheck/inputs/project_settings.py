"""Options that ``[tool.wheelcheck]`` in a pyproject.toml sets for a project."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wheelcheck.common.errors import UsageError
from wheelcheck.inputs.options import ALL, Entry

SETTINGS: Mapping[str, Entry] = {entry.key: entry for entry in sorted(ALL.values()) if entry.about.in_project}
"""The options that a project may set, by key."""
_WORDS = {bool: "true or false", str: "a text in quotes", tuple: 'a list of texts, such as ["one"]'}


def read_settings(paths: list[str]) -> dict[str, Any]:
    """Return the options in the first file with a table ``[tool.wheelcheck]``; paths are made absolute.

    Raises:
        UsageError: a file is not TOML, or the table has an unknown key or a value of the wrong type.
    """
    for path in paths:
        if not os.path.isfile(path):  # noqa: PTH113 -- a pipe is not read
            continue
        table = _table(path)
        if table is not None:
            return _checked(table, path)
    return {}


def _table(path: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = Path(path).read_bytes()
        if b"wheelcheck" not in data:
            return None
        tool = tomllib.loads(data.decode("utf-8-sig")).get("tool", {})
    except OSError as error:
        raise UsageError(f"The settings in {path} could not be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a TOML file: {str(error) or 'it is nested too deeply'}.") from None
    return tool.get("wheelcheck") if isinstance(tool, dict) else None


def _checked(table: Any, path: str) -> dict[str, Any]:
    place = f"{path}, [tool.wheelcheck]"
    if not isinstance(table, dict):
        raise UsageError(f"{path}, tool.wheelcheck is not a table.")
    for key, value in table.items():
        if key not in SETTINGS:
            from difflib import get_close_matches

            near = get_close_matches(key, SETTINGS, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(SETTINGS)}."
            raise UsageError(f"{place}: the key {key!r} is not known; {hint}")
        entry, choices = SETTINGS[key], SETTINGS[key].about.choices
        if not _is_of(value, entry.type):
            raise UsageError(f"{place}: {key} is not {_WORDS[entry.type]}.")
        if choices and value not in choices:
            raise UsageError(f"{place}: {key} is {value!r}, not one of {', '.join(choices)}.")
    folder = Path(path).parent
    found = dict(table)
    if "rules" in found:
        found["rules"] = str(folder / found["rules"])
    if "target" in found:
        paths = {text for text in found["target"] if text.endswith(".json") or "/" in text or os.sep in text}
        found["target"] = [str(folder / text) if text in paths else text for text in found["target"]]
    return found


def _is_of(value: object, kind: type) -> bool:
    if isinstance(value, list):
        return kind is tuple and bool(value) and all(isinstance(one, str) and one for one in value)
    return isinstance(value, kind) and value != ""
