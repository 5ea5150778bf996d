"""Completion for shells, by argcomplete where it is installed (the extra ``completion``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelcheck.cli.parser import build_parser, commands_of
from wheelcheck.inputs.options import ALL

if TYPE_CHECKING:
    import argparse


def complete() -> None:
    """Answer the shell's question what may come next, and end the process; return where argcomplete is missing."""
    try:
        import argcomplete
    except ImportError:
        return
    parser = build_parser()
    _suggest_targets(parser)
    argcomplete.autocomplete(parser)


def _suggest_targets(parser: argparse.ArgumentParser) -> None:
    from argcomplete import completers

    from wheelcheck.targets.parse import SPELLINGS

    suggestions: Any = completers.ChoicesCompleter(dict.fromkeys(SPELLINGS, ""))
    for action in parser._actions:  # noqa: SLF001 -- argparse has no other way to its actions
        if action.dest == ALL["target"].name:
            action.completer = suggestions  # type: ignore[attr-defined]
    for command in commands_of(parser).values():
        _suggest_targets(command)
