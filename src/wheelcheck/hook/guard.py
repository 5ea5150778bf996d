"""Judge a pip command, and as a front run pip after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from wheelcheck.cli.answer_cache import given, question_of, remember, remembered
from wheelcheck.hook.run_pip import run_pip
from wheelcheck.render.console import emit, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wheelcheck.commands.check_pip import PipCheck
    from wheelcheck.commands.report import Report

SHARED = ("--python", "--isolated", "-q", "--quiet", "-v", "--verbose")
"""Options before the command that pip has as well, which it gets too."""
SKIP = "WHEELCHECK_SKIP"
NOT_COMPATIBLE, UNKNOWN = 1, 2


def guard(argv: Sequence[str]) -> int:
    """Run ``wheelcheck hook`` or ``wheelcheck pip``.

    Args:
        argv: the command and everything that follows it.

    Returns:
        As ``hook``, 0 compatible or nothing to judge, 1 not compatible, 2 unknown. As ``pip``, pip's exit code, or that
        of a verdict that kept pip from running.
    """
    from wheelcheck.common.errors import UndeterminedError, UsageError

    try:
        return _front(argv) if argv[0] == "pip" else _hook(argv)
    except (UsageError, UndeterminedError) as error:
        say(str(error))
        return UNKNOWN


def _hook(argv: Sequence[str]) -> int:
    if _is_skipped():
        return 0
    known = remembered(argv)
    if known is not None:
        return given(*known)
    asked = split(argv)
    if asked.unknown is not None:
        return UNKNOWN if _is_passed_by(asked) else 0
    if not asked.pips:
        return _show_help(argv)
    from wheelcheck.cli.main import refuse
    from wheelcheck.common.errors import UndeterminedError, UsageError

    options = _options(argv, asked)
    try:
        check = _examined(asked, options)
    except (UsageError, UndeterminedError) as error:
        refuse(error, options)
        return UNKNOWN
    return _told(argv, asked, check, options, every=not options.quiet)


def _front(argv: Sequence[str]) -> int:
    from wheelcheck.common.errors import UndeterminedError, UsageError

    known = remembered(argv) if not os.environ.get(SKIP) else None
    if known is not None:
        code = given(*known)
        return (
            _stopped(code)
            if known[0]["stops"]
            else run_pip(known[0]["pip"], [argv[place] for place in known[0]["pips"]], explains=True)
        )
    asked = split(argv)
    if _is_skipped() or asked.unknown is not None:
        if asked.unknown is not None:
            _is_passed_by(asked)
        return run_pip(_pip_of(asked.pips), asked.pips)
    if not asked.pips:
        return _show_help(argv)
    options, check, stdin = _options(argv, asked), None, None
    try:
        check = _examined(asked, options)
        stdin, asked = check.stdin, _understood(asked, check)
        code = _told(argv, asked, check, options, every=False)
    except (UsageError, UndeterminedError) as error:
        say(str(error))
        code = UNKNOWN
    if _stops(code, is_strict=options.strict):
        return _stopped(code)
    if code == UNKNOWN:
        say("whether this works is unknown; pip runs nevertheless. --strict before pip's command would stop it.")
    explains = check is None or bool(check.report.results)
    return run_pip(asked.runs or _pip_of(asked.pips), asked.pips, stdin, explains=explains)


def _understood(asked: Split, check: PipCheck) -> Split:
    """Return what this pip understands of its arguments: one before 22.3 has no ``--python``, and needs none."""
    from wheelcheck.commands.check_pip import without_python

    return asked if check.knows_python else asked._replace(pips=without_python(asked.pips), runs=_pip_of(asked.pips))


def _stops(code: int, *, is_strict: bool) -> bool:
    return code == NOT_COMPATIBLE or (code == UNKNOWN and is_strict)


def _stopped(code: int) -> int:
    say(f"pip was not run. {SKIP}=1 in the environment runs it regardless.")
    return code


# -- the command line


class Split(NamedTuple):
    """A command line before and after pip's command.

    Attributes:
        own: wheelcheck's options.
        pips: pip's arguments, with the options that both have.
        unknown: the first option before the command that wheelcheck does not know, or None.
        runs: the interpreter whose pip runs, where its arguments do not tell.
    """

    own: list[str]
    pips: list[str]
    unknown: str | None = None
    runs: str | None = None


def split(argv: Sequence[str]) -> Split:
    """Split a command line of ``wheelcheck hook`` or ``wheelcheck pip``."""
    from wheelcheck.inputs.options import ALL, BEFORE_PIP

    flags = {flag: ALL[name] for name in BEFORE_PIP for flag in (ALL[name].flag, ALL[name].about.short) if flag}
    own: list[str] = []
    shared: list[str] = []
    rest = list(argv[1:])
    while rest and rest[0].startswith("-"):
        word, equals, _ = rest[0].partition("=")
        if word in ("-h", "--help"):
            return Split(own, [])
        if word not in flags:
            return Split([], list(argv[1:]), word)
        taken = [rest.pop(0)]
        if flags[word].type is not bool and not equals and rest:
            taken.append(rest.pop(0))
        own += taken if word not in ("--python", "--isolated") else []
        shared += taken if word in SHARED else []
    return Split(own, [*shared, *rest] if rest else [])


def _show_help(argv: Sequence[str]) -> int:
    from wheelcheck.cli.parser import parser_for

    parser_for(argv[:1])[0].print_help()
    return 0 if {"-h", "--help"} & set(argv) else UNKNOWN


def _is_skipped() -> bool:
    """Return whether the user wants no check, and say so."""
    if os.environ.get(SKIP, "") in ("", "0"):
        return False
    say(f"not checked, because {SKIP} is set.")
    return True


def _is_passed_by(asked: Split) -> bool:
    """Return whether a command that chooses files goes unchecked because of an option before it, and say so."""
    from wheelcheck.interpreters.pip_environment import GUARDED

    if not any(word in GUARDED for word in asked.pips):
        return False
    say(f"not checked, because {asked.unknown} stands before pip's command; give it after the command.")
    return True


# -- the verdict


def _options(argv: Sequence[str], asked: Split) -> argparse.Namespace:
    """Return wheelcheck's options: those before pip's command, and what the environment and the project say."""
    from wheelcheck.cli.main import read_arguments

    return read_arguments([argv[0], *asked.own])


def _examined(asked: Split, options: argparse.Namespace) -> PipCheck:
    from wheelcheck.commands.check_pip import examine
    from wheelcheck.inputs.options import LIBRARY, complete

    chosen: Any = {name: value for name, value in vars(options).items() if name in LIBRARY}
    return examine(asked.pips, complete(chosen))


def _told(argv: Sequence[str], asked: Split, check: PipCheck, options: argparse.Namespace, *, every: bool) -> int:
    """Print a verdict, all of it or only one that stops pip or warns; remember it, and return its exit code."""
    question = question_of(argv)
    report = check.report
    for notice in report.notices:
        say(notice)
    text = _rendered(report, options, every=every)
    is_text = options.format == "text"
    if text:
        emit(text, options.output, stderr=is_text)
    places = _places(argv, asked.pips)
    lasts = report.is_lasting and check.stdin is None and not (options.verbose and is_text)
    if question is not None and lasts and places is not None:
        again = _rendered(report.again, options, every=every)
        about = {
            "stops": _stops(report.exit_code, is_strict=options.strict),
            "pip": asked.runs or _pip_of(asked.pips),
            "pips": places,
        }
        remember(question, report, again, options.cache_dir, output=options.output, stderr=is_text, **about)
    return report.exit_code


def _places(argv: Sequence[str], pips: Sequence[str]) -> list[int] | None:
    """Return where pip's arguments stand on the command line, so that no password in them is kept; None where they do
    not all stand there in order.
    """
    found: list[int] = []
    for text in pips:
        after = found[-1] + 1 if found else 0
        place = next((place for place in range(after, len(argv)) if argv[place] == text), None)
        if place is None:
            return None
        found.append(place)
    return found


def _rendered(report: Report, options: argparse.Namespace, *, every: bool) -> str:
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_report

    if options.format == "json":
        import json

        return json.dumps(report.to_dict(), indent=2)
    warns = any(concern.level == "warning" for result in report.results for concern in result.concerns)
    if not report.results or not (every or not report.ok or warns or options.verbose):
        return ""
    style = Style.of(options.output, stderr=True)
    return render_report(report, style=style, quiet=options.quiet or not every, verbose=options.verbose)


# -- pip


def _pip_of(arguments: Sequence[str]) -> str:
    from wheelcheck.commands.check_pip import pip_of

    return pip_of(arguments)
