"""What ``[tool.wheelcheck]`` in a pyproject.toml fixes for a project: options of the command line, by their names."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from wheelcheck.common.errors import UsageError

CHOICES: Mapping[str, tuple[str, ...]] = {
    "index-strategy": ("best-match", "first-index"),
    "no-upload-time": ("refuse", "allow"),
    "resolution": ("highest", "lowest", "lowest-direct"),
}
KINDS: Mapping[str, type] = {
    "allow-sdists": bool,
    "exclude-newer": str,
    "ignore": list,
    "ignore-requires-python": bool,
    "index-strategy": str,
    "no-remedies": bool,
    "no-rules": bool,
    "no-upload-time": str,
    "pre": bool,
    "resolution": str,
    "rules": str,
    "strict": bool,
    "target": list,
}
"""The options that a project can fix. Where to ask is left to pip's configuration, which is the user's."""
_WORDS = {bool: "true or false", str: "a text in quotes", list: 'a list of texts, such as ["one"]'}


def read_settings(paths: list[str]) -> dict[str, Any]:
    """The options that the first file with a table ``[tool.wheelcheck]`` states; paths are made absolute.

    Raises:
        UsageError: a file is no TOML, or the table has an unknown key or a value of a wrong kind.
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
        if key not in KINDS:
            _refuse_key(key, place)
        if not _is_of(value, KINDS[key]):
            raise UsageError(f"{place}: {key} is not {_WORDS[KINDS[key]]}.")
        if value not in CHOICES.get(key, (value,)):
            raise UsageError(f"{place}: {key} is {value!r}, not one of {', '.join(CHOICES[key])}.")
    folder = Path(path).parent
    found = dict(table)
    if "rules" in found:
        found["rules"] = str(folder / found["rules"])
    if "target" in found:
        found["target"] = [str(folder / text) if _is_path(text) else text for text in found["target"]]
    return found


def _is_of(value: object, kind: type) -> bool:
    if isinstance(value, list):
        return kind is list and bool(value) and all(isinstance(one, str) and one for one in value)
    return isinstance(value, kind) and value != ""


def _is_path(text: str) -> bool:
    return text.endswith(".json") or "/" in text or os.sep in text


def _refuse_key(key: str, place: str) -> NoReturn:
    from difflib import get_close_matches

    near = get_close_matches(key, KINDS, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(KINDS)}."
    raise UsageError(f"{place}: the key {key!r} is not known; {hint}")
