"""Remember whole answers of the command line while everything behind them is unchanged.

This runs before the argument parser is loaded: the same arguments in the same surroundings ask the same question.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from wheelcheck.index.cache.entries import ANSWERS, FORMAT, Damaged, cache_directory, digest_of, read_entry
from wheelcheck.index.cache.stamps import environment_state, holds
from wheelcheck.render.console import emit, say, terminal_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelcheck.commands.report import Report

MAX_ENTRIES = 256
"""Maximum number of answers on disk."""


def recalled(arguments: Sequence[str]) -> int | None:
    """Print the remembered answer to a command; return its exit code, or None where there is none."""
    found = remembered(arguments)
    return None if found is None else given(*found)


def remembered(arguments: Sequence[str]) -> tuple[dict[str, Any], str] | None:
    """Return what was remembered of a command, and the text of its answer; None where there is none."""
    question = question_of(arguments)
    if question is None:
        return None
    try:
        about, parts = read_entry("/".join((cache_directory(), FORMAT, ANSWERS, answer_key(question))))
        if about["question"] != question or not holds(about["stamps"]):
            return None
        text = parts[0].decode()
    except (OSError, Damaged, ValueError, KeyError, TypeError):
        return None
    return about, text


def remember(question: str, report: Report, text: str, cache_dir: str | None, **about: Any) -> None:
    """Remember an answer that lasts, with its text and whatever else is needed to give it again."""
    from wheelcheck.index.cache.store import Cache
    from wheelcheck.inputs.request import cache_directory as chosen

    directory = chosen({"cache_dir": cache_dir, "no_cache": False})
    told = {"question": question, "stamps": report.stamps, "code": report.exit_code, "notices": list(report.notices)}
    Cache(directory).store_answer(answer_key(question), told | about, text.encode("utf-8", "surrogatepass"))
    forget_oldest(f"{directory}/{FORMAT}/{ANSWERS}")


def may_be_recalled(arguments: Sequence[str]) -> bool:
    """Return whether the answer to a command may be remembered: not where it names the cache or wants none."""
    return arguments[:1] in (["check"], ["hook"], ["pip"]) and not any(
        text.startswith(("--ca", "--no-c")) for text in arguments
    )


def question_of(arguments: Sequence[str]) -> str | None:
    """Return a digest of everything that decides a command's answer and its form; None where it must not be remembered.

    Only a digest is stored, since arguments and environment hold secrets.
    """
    if not may_be_recalled(arguments):
        return None
    try:
        terminals = [bool(getattr(stream, "isatty", bool)()) for stream in (sys.stdin, sys.stdout, sys.stderr)]
        widths = [terminal_width(None), terminal_width(None, stderr=True)]
        asked = json.dumps([list(arguments), terminals, widths, environment_state()])
    except (OSError, ValueError):
        return None
    return digest_of(asked)


def answer_key(question: str) -> str:
    """Return the name of a question's entry; the entry holds the whole digest."""
    return question[:32]


def forget_oldest(folder: str) -> None:
    """Remove all but the newest entries of a directory: most others answer questions that cannot recur."""
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
        for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)[:-MAX_ENTRIES]:
            os.unlink(entry.path)  # noqa: PTH108 -- pathlib is not loaded on the way of remembered answers
    except OSError:
        return


def given(about: Mapping[str, Any], text: str) -> int:
    """Print an answer as the command would; return its exit code."""
    for notice in about["notices"]:
        say(notice)
    try:
        if text:
            emit(text, about["output"], stderr=about.get("stderr", False))
    except Exception as error:
        from wheelcheck.common.errors import UsageError

        if not isinstance(error, UsageError):
            raise
        say(str(error))
        return 2
    code: int = about["code"]
    return code
