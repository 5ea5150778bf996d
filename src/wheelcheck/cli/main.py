"""The command line: run a command and print its answer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import TYPE_CHECKING, Any

from wheelcheck.cli.parser import options_of, parser_for
from wheelcheck.inputs.options import ALL, LIBRARY
from wheelcheck.render.console import emit, ended, say, write_file

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from wheelcheck.commands.report import Report
    from wheelcheck.common.records import Plain
    from wheelcheck.inputs.options import Options

UNKNOWN = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 compatible, 1 not compatible, 2 unknown."""
    return ended(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    from wheelcheck.common.errors import UndeterminedError, UsageError

    arguments = None
    try:
        arguments = read_arguments(argv)
        if arguments.command is None:
            parser_for(argv)[0].print_help()
            return UNKNOWN
        return _COMMANDS[arguments.command](arguments)
    except (UsageError, UndeterminedError) as error:
        refuse(error, arguments)
        return UNKNOWN


def refuse(error: Exception, arguments: argparse.Namespace | None) -> None:
    """Say why there is no answer, with ``--format json`` in a document as well."""
    say(str(error))
    if arguments is not None and arguments.format == "json":
        about: Plain = {"kind": type(error).__name__, "message": str(error), "places": []}
        emit(_json({"schema": "wheelcheck/error/1", "ok": False, "error": about}), arguments.output)


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command line; what it leaves out comes from the environment, then from the project.

    Raises:
        UsageError: a variable or a setting has a value that its option cannot have.
    """
    from wheelcheck.index.cache.stamps import stamps_of

    began = time()
    parser, rest = parser_for(argv)
    _take_environment(parser, os.environ)
    arguments = _intermixed(parser, rest)
    command = arguments.command or ""
    is_isolated = getattr(arguments, "isolated", not command.startswith("rules"))
    paths = [] if is_isolated else _project_files()
    stamps = stamps_of(paths)
    if any(stamps.values()):
        from wheelcheck.inputs.project_settings import read_settings

        settings = read_settings(paths)
        # explain answers for one target, and rules list for all rules unless a target is named
        beside = {"target"} if arguments.command in ("explain", "rules list") else set()
        beside |= {"no-rules"} if arguments.rules else set()
        for name, action in options_of(parser).items():
            key = ALL[name].key
            if key in settings and key not in beside:
                action.default = settings[key]
        _take_environment(parser, os.environ)
        arguments = _intermixed(parser, rest)
    arguments.command_line = list(argv)
    arguments.project = began, stamps
    return arguments


def _intermixed(parser: argparse.ArgumentParser, rest: Sequence[str]) -> argparse.Namespace:
    """Parse arguments whose options may stand between requirements; argparse cannot do that beside sub-commands."""
    arguments, left = parser.parse_known_args(rest)
    if not left:
        return arguments  # the usual case, for which argparse need not format its usage
    is_command = parser.get_default("command") is not None
    return parser.parse_intermixed_args(rest) if is_command else parser.parse_args(rest)


def _project_files() -> list[str]:
    """Return where project settings may be; nowhere if the working directory is gone."""
    from wheelcheck.index.cache.stamps import project_files

    try:
        return project_files(os.getcwd())  # noqa: PTH109
    except OSError:
        return []


# -- the environment and the project


def _take_environment(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Make ``WHEELCHECK_OPTION`` the default of each long option."""
    for name, action in options_of(parser).items():
        text = environ.get(ALL[name].variable, "")
        if text:
            action.default = ALL[name].parse(text)


# -- the commands


def status_line() -> AbstractContextManager[None]:
    """Say on a terminal what takes its time."""
    from wheelcheck.render.progress import status_line as shown

    return shown()


def _check(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.check import check

    if arguments.lock is not None:
        from pathlib import Path

        from wheelcheck.render.lock_file import check_name

        check_name(Path(arguments.lock))
    question = _cached_question(arguments)
    if arguments.confirm:
        _end_with_signals()
    with status_line():
        report = check(_requirements(arguments), targets=arguments.target, **_options(arguments))
    for notice in report.notices:
        say(notice)
    text = _rendered(report, arguments)
    emit(text, arguments.output)
    if question is not None:
        _remember(question, report, text, arguments)
    if arguments.lock is not None:
        _write_lock(report, arguments.lock)
    return report.exit_code


def _explain(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.explain import explain
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_explanation

    with status_line():
        explanation = explain(
            arguments.requirement_text, target=_only_target(arguments.target, "explain"), **_options(arguments)
        )
    for notice in explanation.notices:
        say(notice)
    if arguments.format == "json":
        emit(_json(explanation.to_dict()), arguments.output)
    else:
        style = Style.of(arguments.output)
        text = render_explanation(explanation, style=style, quiet=arguments.quiet, verbose=arguments.verbose)
        emit(text, arguments.output)
    return explanation.exit_code


def _only_target(targets: Sequence[str] | None, command: str) -> str | None:
    from wheelcheck.common.errors import UsageError

    if targets is not None and len(targets) > 1:
        raise UsageError(f"{command} takes one target, and {', '.join(targets)} are given; run it once for each.")
    return targets[0] if targets else None


def _write_lock(report: Report, path: str) -> None:
    from pathlib import Path

    from wheelcheck.index.local_files import digests_here
    from wheelcheck.render.lock_file import lock_of, render_lock

    if not report.ok:
        say(f"{path} was not written, because not every target has an answer that is compatible.")
        return
    folder = Path(os.path.realpath(path)).parent
    write_file(render_lock(lock_of(report, folder, digests_here)), path)


def _rendered(report: Report, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        return _json(report.to_dict())
    if arguments.format == "markdown":
        from wheelcheck.render.markdown import render_markdown

        return render_markdown(report)
    if arguments.format == "junit":
        from wheelcheck.render.junit import render_junit

        return render_junit(report)
    if arguments.format == "sarif":
        from wheelcheck.render.sarif import render_sarif

        return render_sarif(report)
    if arguments.format == "github":
        from wheelcheck.render.github import render_github

        return render_github(report)
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_report

    style = Style.of(arguments.output)
    return render_report(report, style=style, quiet=arguments.quiet, verbose=arguments.verbose)


def _cached_question(arguments: argparse.Namespace) -> str | None:
    """Return the key to remember the answer by; None where its text shows its age, or where a file is written."""
    from wheelcheck.cli.answer_cache import question_of
    from wheelcheck.index.cache.stamps import is_settled, stamps_of

    began, stamps = arguments.project
    if stamps_of(stamps) != stamps or not all(is_settled(stamp, began) for stamp in stamps.values()):
        return None  # the settings of the project may have changed while they were read
    tells_its_age = arguments.verbose and arguments.format == "text"
    return None if tells_its_age or arguments.lock is not None else question_of(arguments.command_line)


def _remember(question: str, report: Report, text: str, arguments: argparse.Namespace) -> None:
    """Remember an answer."""
    from wheelcheck.cli.answer_cache import remember

    if report.is_lasting:
        given = text if report.counters == report.again.counters else _rendered(report.again, arguments)
        remember(question, report, given, arguments.cache_dir, output=arguments.output)


def _requirements(arguments: argparse.Namespace) -> list[str]:
    return [*arguments.requirements, *(f"-e {path}" for path in arguments.editable)]


def _options(arguments: argparse.Namespace) -> Options:
    """Return the arguments that the library knows, under the same names."""
    options: Any = {name: value for name, value in vars(arguments).items() if name in LIBRARY}
    known: Options = options
    return known


def _end_with_signals() -> None:
    """Have SIGTERM and SIGHUP end this process as Ctrl-C does, so that an import does not outlive it."""
    import signal

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
            signal.signal(getattr(signal, name), end)


def _doctor(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.doctor import audit
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_audit

    options: Any = {**_options(arguments), "hashes": arguments.hashes, "environment": arguments.environment}
    with status_line():
        found = audit(arguments.projects, **options)
    if arguments.record is not None:
        write_file(_json(found.environment.to_dict()), arguments.record)
    if arguments.format == "json":
        emit(_json(found.to_dict()), arguments.output)
    else:
        emit(render_audit(found, style=Style.of(arguments.output)), arguments.output)
    return found.exit_code


def _confirm(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.confirm import confirm
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_confirmation

    _end_with_signals()
    with status_line():
        found = confirm(arguments.names, ignore_environment=arguments.ignore_environment, **_options(arguments))
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/confirm/1", **found.to_dict()}), arguments.output)
    else:
        emit(render_confirmation(found, style=Style.of(arguments.output)), arguments.output)
    return found.exit_code


def _diagnose(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.diagnose import diagnose, read_output, returncode_of
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_diagnosis

    code, target = returncode_of(arguments.returncode), _only_target(arguments.target, "diagnose")
    found = diagnose(read_output(arguments.file), code, target, **_options(arguments))
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/diagnose/1", **found.to_dict()}), arguments.output)
    else:
        emit(render_diagnosis(found, style=Style.of(arguments.output)), arguments.output)
    return found.exit_code


def _snapshot(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.snapshot import record_snapshot
    from wheelcheck.render.text import render_snapshot

    options = _options(arguments)
    with status_line():
        snapshot = record_snapshot(arguments.directory, _requirements(arguments), targets=arguments.target, **options)
    for notice in snapshot.notices:
        say(notice)
    if arguments.format == "json":
        emit(_json(snapshot.to_dict()), arguments.output)
    else:
        emit(render_snapshot(snapshot), arguments.output)
    return 0


def _show_target(arguments: argparse.Namespace) -> int:
    from wheelcheck.interpreters.find import target_of
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_target

    target = target_of(arguments.target, arguments.python)
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/target/1", "target": target.to_dict()}), arguments.output)
    else:
        emit(render_target(target, verbose=arguments.verbose, style=Style.of(arguments.output)), arguments.output)
    return 0


def _list_targets(arguments: argparse.Namespace) -> int:
    from wheelcheck.common.errors import UsageError
    from wheelcheck.render.style import Style
    from wheelcheck.render.text import render_preset_names, render_presets
    from wheelcheck.targets.parse import GROUP
    from wheelcheck.targets.presets import presets

    words = [word.lower().removeprefix(GROUP) for word in arguments.words]
    found = [one for one in presets().values() if all(word in (one.group, *one.name.split("-")) for word in words)]
    if not found:
        raise UsageError(f"No preset is named {' '.join(arguments.words)}: wheelcheck targets list shows all.")
    if arguments.format == "json":
        rows: Plain = [one.to_dict() for one in found]
        emit(_json({"schema": "wheelcheck/targets/1", "presets": rows}), arguments.output)
    else:
        style = Style.of(arguments.output)
        if not words and not arguments.verbose:
            text = render_preset_names(found, style=style)
        else:
            text = render_presets(found, verbose=arguments.verbose, style=style)
        emit(text, arguments.output)
    return 0


def _list_rules(arguments: argparse.Namespace) -> int:
    from wheelcheck.interpreters.find import target_of
    from wheelcheck.render.rules_text import render_rules
    from wheelcheck.render.style import Style
    from wheelcheck.rules.load import rules_in_force

    wanted = arguments.target or ([None] if arguments.python else [])
    targets = [target_of(text, arguments.python) for text in wanted]
    rules = rules_in_force(arguments.rules).selected(arguments.projects, targets)
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/rules/1", "rules": [rule.to_dict() for rule in rules]}), arguments.output)
    else:
        emit(render_rules(rules, style=Style.of(arguments.output)), arguments.output)
    return 0


def _show_rule(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.verify_rules import show_rule
    from wheelcheck.render.rules_text import render_rule
    from wheelcheck.render.style import Style

    looked = show_rule(arguments.id, **_options(arguments))
    if arguments.format == "json":
        document: Plain = {"schema": "wheelcheck/rule/1", "rule": looked.rule.to_dict(), "index": looked.to_dict()}
        emit(_json(document), arguments.output)
    else:
        emit(render_rule(looked, style=Style.of(arguments.output)), arguments.output)
    return 0


def _verify_rules(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.verify_rules import verify_rules
    from wheelcheck.render.rules_text import render_verification
    from wheelcheck.render.style import Style

    with status_line():
        found = verify_rules(arguments.names, **_options(arguments))
    for notice in found.notices:
        say(notice)
    if arguments.format == "json":
        emit(_json(found.to_dict()), arguments.output)
    else:
        style = Style.of(arguments.output)
        emit(render_verification(found, verbose=arguments.verbose, style=style), arguments.output)
    return found.exit_code


def _cache(arguments: argparse.Namespace) -> int:
    from wheelcheck.index.cache.usage import clear, contents
    from wheelcheck.inputs.request import cache_directory
    from wheelcheck.render.text import render_contents

    directory = cache_directory({"cache_dir": arguments.cache_dir, "no_cache": False})
    assert directory is not None
    clears = arguments.command == "cache clear"
    held = clear(directory) if clears else contents(directory)
    if arguments.format == "json":
        emit(_json(held.to_dict()), arguments.output)
    else:
        emit(render_contents(held, cleared=clears), arguments.output)
    return 0


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "explain": _explain,
    "doctor": _doctor,
    "confirm": _confirm,
    "diagnose": _diagnose,
    "snapshot": _snapshot,
    "targets list": _list_targets,
    "targets show": _show_target,
    "rules list": _list_rules,
    "rules show": _show_rule,
    "rules verify": _verify_rules,
    "cache info": _cache,
    "cache clear": _cache,
}


def _json(document: Plain) -> str:
    import json

    return json.dumps(document, indent=2)
