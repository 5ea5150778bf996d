"""A whole answer of the command line, given again while all that it stands on is as it was.

This comes before the parser of arguments: the same arguments in the same surroundings ask the same question. A command
that was answered a minute ago is answered again before anything that could answer it anew is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import adler32, crc32

from wheelcheck.entries import ANSWERS, FORMAT, Damaged, opened
from wheelcheck.output import emit, say
from wheelcheck.places import cache_directory
from wheelcheck.standing import holds, surroundings


def recalled(arguments: Sequence[str]) -> int | None:
    """Gives the remembered answer to a command; its exit code, or None where there is none."""
    if not may_be_recalled(arguments):
        return None
    question = question_of(arguments)
    try:
        about, parts = opened("/".join((cache_directory(), FORMAT, ANSWERS, key_of(question))), lambda: None)
        if about["question"] != question or not holds(about["standing"]):
            return None
        text = parts[0].decode()
    except (OSError, Damaged, ValueError, KeyError, TypeError):
        return None
    return _given(about, text)


def may_be_recalled(arguments: Sequence[str]) -> bool:
    """Whether the answer to a command may be kept to be given again: not where it names the cache or wants none."""
    return arguments[:1] == ["check"] and not any(text.startswith(("--ca", "--no-c")) for text in arguments)


def question_of(arguments: Sequence[str]) -> str:
    """Everything that decides what a command answers and in which form."""
    terminals = [stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)]
    return json.dumps([list(arguments), terminals, surroundings()])


def key_of(question: str) -> str:
    """The name of the entry of a question; that it is the same question is read in the entry."""
    data = question.encode("utf-8", "surrogatepass")
    return f"{crc32(data):08x}{adler32(data):08x}"


def _given(about: Mapping[str, Any], text: str) -> int | None:
    """Gives an answer; None where it cannot be written, which the long way says in words."""
    try:
        emit(text, about["output"])
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001
        return None
    for notice in about["notices"]:
        say(notice)
    code: int = about["code"]
    return code
