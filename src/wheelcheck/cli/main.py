"""The command line: arguments in, words out. Every answer comes from `wheelcheck.commands.check`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

from wheelcheck._version import __version__
from wheelcheck.render.console import emit, put, say, wants_colour

if TYPE_CHECKING:
    from wheelcheck.commands.check import Report
    from wheelcheck.common.records import Plain
    from wheelcheck.inputs.request import Options

INTERRUPTED = 130
COULD_NOT_TELL = 2
PREFIX = "WHEELCHECK_"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code: 0 compatible, 1 not compatible, 2 could not tell."""
    try:
        arguments = sys.argv[1:] if argv is None else argv
        return _run(build_parser(next(iter(arguments), None)), arguments)
    except KeyboardInterrupt as interrupted:
        if str(interrupted):
            say(str(interrupted))
        return INTERRUPTED
    except BrokenPipeError:
        return INTERRUPTED


def _run(parser: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    from wheelcheck.common.errors import CannotTell, UsageError

    try:
        arguments = _parsed(parser, argv)
        arguments.command_line = list(argv)
        if arguments.command is None:
            parser.print_help()
            return COULD_NOT_TELL
        answer: Callable[[argparse.Namespace], int] = arguments.answer
        return answer(arguments)
    except (UsageError, CannotTell) as error:
        say(str(error))
        return COULD_NOT_TELL


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; what they leave out is as the environment has it, and else as the project has it."""
    from wheelcheck.index.cache.stamps import stamps_of

    began = time()
    _take_environment(parser, os.environ)
    arguments = parser.parse_args(argv)
    is_isolated = getattr(arguments, "isolated", arguments.command != "rules")
    paths = [] if is_isolated else _project_files()
    stamps = stamps_of(paths)
    if any(stamps.values()):
        from wheelcheck.inputs.project_settings import read_settings

        _take_settings(parser, read_settings(paths), arguments)
        _take_environment(parser, os.environ)
        arguments = parser.parse_args(argv)
    arguments.project = began, stamps
    return arguments


def _project_files() -> list[str]:
    """Where settings of a project may be; nowhere if the working directory is gone."""
    from wheelcheck.index.cache.stamps import project_files

    try:
        return project_files(os.getcwd())  # noqa: PTH109
    except OSError:
        return []


# -- the parser


class _Repeatable(argparse.Action):
    """Gathers the values of an option that may be given several times; the first one replaces the default."""

    def __call__(self, _: object, namespace: argparse.Namespace, values: object, __: object = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [values] if before is self.default else [*before, values])


class _Parser(argparse.ArgumentParser):
    """Finds out how wide the terminal is when there is something to show, not once for each option."""

    def __init__(self, **how: Any) -> None:
        super().__init__(formatter_class=partial(argparse.HelpFormatter, width=80), **how)

    def format_help(self) -> str:
        self.formatter_class = argparse.HelpFormatter
        return super().format_help()

    def format_usage(self) -> str:
        self.formatter_class = argparse.HelpFormatter
        return super().format_usage()


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The command line: that of one command, or the whole, from which the documentation is made."""
    parser = _Parser(
        prog="wheelcheck",
        description="Which wheels are valid for this interpreter, or that one; why not; and do they really import?",
        epilog="Exit codes: 0 compatible, 1 not compatible, 2 could not tell (bad usage, no network). "
        "Each long option can be given as an environment variable: --cache-dir as WHEELCHECK_CACHE_DIR.",
    )
    parser.add_argument("--version", action="version", version=f"wheelcheck {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for add in [_COMMANDS[command]] if command and command in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _add_check(commands: Any) -> None:
    check = commands.add_parser(
        "check",
        help="what would be installed for each target, what is wrong with it, and why",
        description="Resolves requirements for each target and says what would be installed, "
        "what is wrong with it, and why.",
    )
    check.set_defaults(answer=_check)
    check.add_argument("requirements", nargs="*", metavar="REQ", help="a requirement, such as 'tensorflow>=2.16'")
    _add_question_options(check)
    _add_confirmation_options(check)
    _add_output_options(check).add_argument(
        "--lock", metavar="FILE", help="write the answer as a lock file too, pylock.toml or pylock.NAME.toml (PEP 751)"
    )


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain",
        help="the verdict on every file of one project",
        description="Says of every file of a project whether it fits, and every reason why not, newest first.",
    )
    explain.set_defaults(answer=_explain)
    explain.add_argument(
        "requirement_text", metavar="REQ", help="a requirement; its specifier, if it has one, selects the versions"
    )
    _add_target_options(explain, how_many="")
    _add_index_options(explain)
    _add_file_options(explain)
    _add_rule_options(explain)
    _add_output_options(explain)


def _add_snapshot(commands: Any) -> None:
    snapshot = commands.add_parser(
        "snapshot",
        help="record the part of an index that an answer needs",
        description="Records the part of an index that the answer to a question needs, as a static simple repository. "
        "check --index-url DIR gives the same answer from it, without a network.",
    )
    snapshot.set_defaults(answer=_snapshot)
    snapshot.add_argument("directory", metavar="DIR", help="where to; an earlier snapshot is replaced")
    snapshot.add_argument("requirements", nargs="*", metavar="REQ", help="as check takes it")
    _add_question_options(snapshot)
    _add_output_options(snapshot)


def _add_question_options(parser: argparse.ArgumentParser) -> None:
    _add_inputs(parser)
    _add_target_options(parser)
    _add_index_options(parser)
    _add_file_options(parser)
    _add_resolution_options(parser)
    _add_rule_options(parser)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is asked")
    group.add_argument(
        "-r",
        "--requirement",
        action=_Repeatable,
        default=[],
        metavar="FILE",
        help="a requirements file, a pyproject.toml or one pylock.toml; - is standard input",
    )
    group.add_argument(
        "-e", "--editable", action=_Repeatable, default=[], metavar="PATH", help="as in pip; says what to do instead"
    )
    group.add_argument(
        "-c", "--constraint", action=_Repeatable, default=[], metavar="FILE", help="bounds for what is needed anyway"
    )
    group.add_argument(
        "--group",
        action=_Repeatable,
        default=[],
        metavar="[PATH:]GROUP",
        help="a dependency group of pyproject.toml, or of the one at PATH; repeatable",
    )
    group.add_argument(
        "--extra",
        action=_Repeatable,
        default=[],
        metavar="EXTRA",
        help="with -r pyproject.toml or pylock.toml: an extra of the project; repeatable",
    )
    group.add_argument("--all-extras", action="store_true", help="with -r pyproject.toml: all extras of the project")


def _add_target_options(parser: argparse.ArgumentParser, how_many: str = "; repeatable") -> None:
    group = parser.add_argument_group("for which interpreter")
    group.add_argument(
        "-t",
        "--target",
        action=_Repeatable,
        default=None,
        metavar="TARGET",
        help="PLATFORM[-PYTHON] such as macos-14-arm64-cp312, 'running', the path of an interpreter, "
        f"or a saved target{how_many}",
    )
    group.add_argument(
        "--python", metavar="VERSION", help="the Python of targets that leave it open: a version or a path"
    )


def _add_index_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which index")
    group.add_argument(
        "-i", "--index-url", metavar="URL", help="the index to ask instead of what pip is configured for"
    )
    group.add_argument(
        "--extra-index-url", action=_Repeatable, default=[], metavar="URL", help="a further index; repeatable"
    )
    group.add_argument(
        "-f",
        "--find-links",
        action=_Repeatable,
        default=[],
        metavar="PLACE",
        help="a directory or page of files; repeatable",
    )
    group.add_argument("--no-index", action="store_true", help="ask no index, only --find-links")
    group.add_argument(
        "--index-strategy",
        choices=("best-match", "first-index"),
        default="best-match",
        help="of several indexes: the best version of all of them, as pip does, or the first index "
        "that has the project (further indexes in their order, then --index-url)",
    )
    group.add_argument(
        "--isolated", action="store_true", help="ignore [tool.wheelcheck] and what pip is configured for"
    )
    group.add_argument("--offline", action="store_true", help="answer from the cache, or say what is missing")
    group.add_argument("--refresh", action="store_true", help="ask again even where the cache is fresh")
    group.add_argument("--cache-dir", metavar="DIR", help="where answers of indexes are kept")
    group.add_argument("--no-cache", action="store_true", help="keep nothing")


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which files count")
    group.add_argument("--pre", action="store_true", help="take pre-releases")
    group.add_argument(
        "--ignore-requires-python", action="store_true", help="take files whose Requires-Python excludes the target"
    )
    group.add_argument(
        "--allow-sdists",
        action="store_true",
        help="where a version has no usable wheel, take a source distribution whose metadata is static",
    )
    group.add_argument(
        "--exclude-newer",
        metavar="WHEN",
        help="leave out what was uploaded then or later: a date, which includes that day (UTC), a time such as "
        "2024-05-01T12:00:00Z, or a duration back from now such as '30 days'",
    )
    group.add_argument(
        "--no-upload-time",
        choices=("refuse", "allow"),
        default="refuse",
        help="with --exclude-newer: what to do with a file whose index does not say when it was uploaded",
    )


def _add_resolution_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to choose")
    group.add_argument("--no-deps", action="store_true", help="leave the requirements of files aside")
    group.add_argument(
        "--resolution",
        choices=("highest", "lowest", "lowest-direct"),
        default="highest",
        help="which versions to prefer",
    )
    group.add_argument("--no-remedies", action="store_true", help="look for no change that would give a better answer")
    group.add_argument("--strict", action="store_true", help="warnings make an answer not compatible")


def _add_rule_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("curated rules")
    group.add_argument(
        "--rules", metavar="PATH", help="a file or directory of your own rules, which replace curated ones by id"
    )
    group.add_argument("--no-rules", action="store_true", help="judge by metadata alone")
    group.add_argument("--ignore", action=_Repeatable, default=[], metavar="ID", help="leave one rule out; repeatable")


def _add_confirmation_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proof by import")
    group.add_argument("--confirm", action="store_true", help="import what was asked for in the target's interpreter")
    group.add_argument(
        "--fresh", action="store_true", help="with --confirm: in a new environment that holds exactly the pins"
    )
    group.add_argument(
        "--timeout", type=float, default=600.0, metavar="SECONDS", help="how long a step of the import may take"
    )


def _add_output_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=("text", "json"), default="text", help="the form of the answer")
    group.add_argument("-o", "--output", metavar="FILE", help="write the answer there instead of to standard output")
    group.add_argument("-q", "--quiet", action="store_true", help="leave the pins out of the text")
    group.add_argument("-v", "--verbose", action="store_true", help="say where the answer comes from")
    return group


def _add_targets(commands: Any) -> None:
    targets = commands.add_parser("targets", help="one target in full", description="Shows what a target stands for.")
    actions = targets.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="one target in full", description="Shows one target in full.")
    show.set_defaults(answer=_show_target)
    show.add_argument("target", metavar="TARGET", help="as check takes it")
    show.add_argument("--python", metavar="VERSION", help="the Python, where the target leaves it open")
    _add_output_options(show)


def _add_rules(commands: Any) -> None:
    rules = commands.add_parser("rules", help="the curated rules", description="Shows the curated rules.")
    actions = rules.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every rule, a line each", description="Shows every rule, a line each.")
    listed.set_defaults(answer=_list_rules)
    listed.add_argument("projects", nargs="*", metavar="PROJECT", help="only rules that name these projects")
    _add_target_options(listed)
    show = actions.add_parser(
        "show",
        help="one rule in full",
        description="Shows one rule in full, with what the index's metadata says beside it.",
    )
    show.set_defaults(answer=_show_rule)
    show.add_argument("id", metavar="ID", help="the id of a rule")
    _add_index_options(show)
    verify = actions.add_parser(
        "verify",
        help="hold the rules against the index",
        description="Looks on the index whether the versions of each rule are there, whether their files still lack "
        "what it adds, and whether an answer would be another one without it. Exit code 1 where a rule is stale.",
    )
    verify.set_defaults(answer=_verify_rules)
    verify.add_argument("names", nargs="*", metavar="PROJECT|ID", help="only the rules of a project, or one rule")
    _add_index_options(verify)
    for action in (listed, show, verify):
        action.add_argument("--rules", metavar="PATH", help="a file or directory of your own rules")
        _add_output_options(action)


def _add_cache(commands: Any) -> None:
    cache = commands.add_parser("cache", help="what is kept on this machine", description="Shows or empties the cache.")
    actions = cache.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    for name, does in (("info", "what the cache holds"), ("clear", "empties the cache")):
        action = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
        action.set_defaults(answer=_cache, clear=name == "clear")
        action.add_argument("--cache-dir", metavar="DIR", help="where answers of indexes are kept")
        _add_output_options(action)


_COMMANDS: Mapping[str, Callable[[Any], None]] = {
    "check": _add_check,
    "explain": _add_explain,
    "snapshot": _add_snapshot,
    "targets": _add_targets,
    "rules": _add_rules,
    "cache": _add_cache,
}


# -- the environment


def _take_environment(parser: argparse.ArgumentParser, environ: Any) -> None:
    """Makes ``WHEELCHECK_OPTION`` the default of each long option, in every command."""
    for action in _every_action(parser):
        long = next((text for text in action.option_strings if text.startswith("--")), None)
        variable = PREFIX + (long or "").lstrip("-").upper().replace("-", "_")
        value = environ.get(variable, "") if long not in (None, "--help", "--version") else ""
        if value:
            action.default = _value(action, variable, value)


def _take_settings(parser: argparse.ArgumentParser, settings: Mapping[str, Any], given: argparse.Namespace) -> None:
    """Makes what a project states the default of options, but for those that are contrary to what is given."""
    beside = {"explain": {"target"}, "rules": {"target"}}.get(given.command, set())  # these are about one, or about all
    beside |= {"no-rules"} if given.rules else set()
    for action in _every_action(parser):
        key = next((text[2:] for text in action.option_strings if text.startswith("--")), "")
        if key in settings and key not in beside:
            action.default = settings[key]


def _every_action(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 -- argparse has no other way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for child in action.choices.values():
                yield from _every_action(child)
        else:
            yield action


def _value(action: argparse.Action, variable: str, text: str) -> object:
    from wheelcheck.common.errors import UsageError

    if isinstance(action, argparse._StoreTrueAction):  # noqa: SLF001
        if text.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            raise UsageError(f"The environment variable {variable} is {text!r}; set it to 1 or 0.")
        return text.lower() in ("1", "true", "yes", "on")
    if isinstance(action, _Repeatable):
        return text.split()
    if action.choices is not None and text not in action.choices:
        raise UsageError(f"The environment variable {variable} is {text!r}, not one of {', '.join(action.choices)}.")
    if action.type is float:
        return _number(variable, text)
    return text


def _number(variable: str, text: str) -> float:
    from wheelcheck.common.errors import UsageError

    try:
        return float(text)
    except ValueError:
        raise UsageError(f"The environment variable {variable} is {text!r}; set it to a number.") from None


# -- the commands


def _check(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.check import check

    if arguments.lock is not None:
        _check_lock(arguments.lock)
    question = _question(arguments)
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
    from wheelcheck.render.text import Style, render_explanation

    told = explain(arguments.requirement_text, target=_only_target(arguments.target), **_options(arguments))
    for notice in told.notices:
        say(notice)
    if arguments.format == "json":
        emit(_json(told.to_dict()), arguments.output)
    else:
        style = Style(wants_colour(arguments.output))
        text = render_explanation(told, style=style, quiet=arguments.quiet, verbose=arguments.verbose)
        emit(text, arguments.output)
    return told.exit_code


def _only_target(targets: Sequence[str] | None) -> str | None:
    from wheelcheck.common.errors import UsageError

    if targets is not None and len(targets) > 1:
        raise UsageError(f"explain is about one target, and {', '.join(targets)} are named; ask once for each.")
    return targets[0] if targets else None


def _check_lock(path: str) -> None:
    from pathlib import Path

    from wheelcheck.render.lock_file import check_name

    check_name(Path(path))


def _write_lock(report: Report, path: str) -> None:
    from pathlib import Path

    from wheelcheck.index.local_files import digests_here
    from wheelcheck.render.lock_file import lock_of, render_lock

    if not report.ok:
        say(f"{path} was not written, because not every target has an answer that is compatible.")
        return
    folder = Path(os.path.realpath(path)).parent
    put(render_lock(lock_of(report, folder, digests_here)), path)


def _rendered(report: Report, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        return _json(report.to_dict())
    from wheelcheck.render.text import Style, render_report

    style = Style(wants_colour(arguments.output))
    return render_report(report, style=style, quiet=arguments.quiet, verbose=arguments.verbose)


def _question(arguments: argparse.Namespace) -> str | None:
    """What the answer is kept under to be given again, unless its text tells how old it is, or a file is written."""
    from wheelcheck.cli.answer_cache import question_of
    from wheelcheck.index.cache.stamps import is_settled, stamps_of

    began, stamps = arguments.project
    if stamps_of(stamps) != stamps or not all(is_settled(stamp, began) for stamp in stamps.values()):
        return None  # the settings of the project may have changed while they were read
    tells_its_age = arguments.verbose and arguments.format == "text"
    return None if tells_its_age or arguments.lock is not None else question_of(arguments.command_line)


def _remember(question: str, report: Report, text: str, arguments: argparse.Namespace) -> None:
    """Keeps the answer as it is to be given again."""
    from wheelcheck.cli.answer_cache import forget_oldest, key_of
    from wheelcheck.index.cache.entries import ANSWERS, FORMAT
    from wheelcheck.index.cache.store import Cache
    from wheelcheck.inputs.request import cache_directory

    if not report.is_lasting:
        return
    about = {"question": question, "standing": report.standing, "code": report.exit_code, "output": arguments.output}
    about["notices"] = list(report.notices)
    given = text if report.counters == report.again.counters else _rendered(report.again, arguments)
    directory = cache_directory({"cache_dir": arguments.cache_dir, "no_cache": False})
    Cache(directory).store_answer(key_of(question), about, given.encode("utf-8", "surrogatepass"))
    forget_oldest(f"{directory}/{FORMAT}/{ANSWERS}")


def _requirements(arguments: argparse.Namespace) -> list[str]:
    return [*arguments.requirements, *(f"-e {path}" for path in arguments.editable)]


def _options(arguments: argparse.Namespace) -> Options:
    """The arguments that the library knows, under the same names."""
    from wheelcheck.inputs.request import DEFAULTS

    options: Any = {name: value for name, value in vars(arguments).items() if name in DEFAULTS}
    known: Options = options
    return known


def _snapshot(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.snapshot import record_snapshot
    from wheelcheck.render.text import render_snapshot

    options = _options(arguments)
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
    from wheelcheck.render.text import render_target

    target = target_of(arguments.target, arguments.python)
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/target/1", "target": target.to_dict()}), arguments.output)
    else:
        emit(render_target(target), arguments.output)
    return 0


def _list_rules(arguments: argparse.Namespace) -> int:
    from wheelcheck.interpreters.find import target_of
    from wheelcheck.render.rules_text import render_rules
    from wheelcheck.rules.load import rules_in_force

    wanted = arguments.target or ([None] if arguments.python else [])
    targets = [target_of(text, arguments.python) for text in wanted]
    rules = rules_in_force(arguments.rules).selected(arguments.projects, targets)
    if arguments.format == "json":
        emit(_json({"schema": "wheelcheck/rules/1", "rules": [rule.to_dict() for rule in rules]}), arguments.output)
    else:
        emit(render_rules(rules), arguments.output)
    return 0


def _show_rule(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.verify_rules import show_rule
    from wheelcheck.render.rules_text import render_rule

    looked = show_rule(arguments.id, **_options(arguments))
    if arguments.format == "json":
        told: Plain = {"schema": "wheelcheck/rule/1", "rule": looked.rule.to_dict(), "index": looked.to_dict()}
        emit(_json(told), arguments.output)
    else:
        emit(render_rule(looked), arguments.output)
    return 0


def _verify_rules(arguments: argparse.Namespace) -> int:
    from wheelcheck.commands.verify_rules import verify_rules
    from wheelcheck.render.rules_text import render_verification

    found = verify_rules(arguments.names, **_options(arguments))
    for notice in found.notices:
        say(notice)
    if arguments.format == "json":
        emit(_json(found.to_dict()), arguments.output)
    else:
        emit(render_verification(found, verbose=arguments.verbose), arguments.output)
    return found.exit_code


def _cache(arguments: argparse.Namespace) -> int:
    from wheelcheck.index.cache.usage import clear, contents
    from wheelcheck.inputs.request import cache_directory
    from wheelcheck.render.text import render_contents

    directory = cache_directory({"cache_dir": arguments.cache_dir, "no_cache": False})
    assert directory is not None
    held = clear(directory) if arguments.clear else contents(directory)
    if arguments.format == "json":
        emit(_json(held.to_dict()), arguments.output)
    else:
        emit(render_contents(held, cleared=arguments.clear), arguments.output)
    return 0


# -- output


def _json(document: Plain) -> str:
    import json

    return json.dumps(document, indent=2)
