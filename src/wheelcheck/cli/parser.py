"""The argument parser: one sub-parser a command, its options taken from the table in `wheelcheck.inputs.options`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from wheelcheck._version import __version__
from wheelcheck.inputs.options import (
    ALL,
    BEFORE_PIP,
    EXAMINED,
    FILES,
    FORMATS,
    INDEXES,
    INPUTS,
    OUTPUT,
    PROOF,
    RESOLUTION,
    RULES,
    TARGETS,
    Entry,
)

QUESTION = (INPUTS, TARGETS, INDEXES, FILES, RESOLUTION, RULES)
"""The groups of options that make up the question."""


EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "check": (
        "check tensorflow tensorflow-metal -t macos-14-arm64-cp312",
        "check -r requirements.txt -t all-mac -t colab --python 3.12",
        "check tensorflow-cpu --confirm --fresh",
    ),
    "explain": ("explain tensorflow-metal -t macos-14-arm64-cp313", "explain 'numpy>=2' --python 3.9 -v"),
    "doctor": ("doctor", "doctor tensorflow --python .venv/bin/python", "doctor --record environment.json"),
    "confirm": ("confirm tensorflow", "confirm opencv-python --python .venv/bin/python"),
    "diagnose": ("diagnose error.txt", "diagnose error.txt -t macos-14-rosetta-cp312"),
    "snapshot": ("snapshot metal/ tensorflow tensorflow-metal -t macos-14-arm64-cp312",),
    "hook": ("hook install tensorflow",),
    "pip": ("pip install tensorflow", "pip --strict install -r requirements.txt"),
    "targets list": ("targets list", "targets list alpine -v"),
    "targets show": ("targets show macos-14-arm64-cp312", "targets show running --format json -o mine.json"),
    "rules list": ("rules list tensorflow-metal",),
    "rules show": ("rules show tensorflow-metal-1.2-needs-tensorflow-below-2.20",),
    "rules verify": ("rules verify tensorflow",),
    "cache info": ("cache info",),
    "cache clear": ("cache clear",),
}
"""Examples of each command, which stand at the end of its help."""
FLAGS_WIDTH = 26
"""Columns that help gives to the forms of an option."""


class Parser(argparse.ArgumentParser):
    """A parser whose help is one screen, with examples; ``--help-all`` shows every option.

    The terminal's width is determined only when something is printed.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(formatter_class=partial(argparse.HelpFormatter, width=80), add_help=False, **how)
        self.add_argument("-h", "--help", action=_Help, help="show this help, and exit")
        self.add_argument("--help-all", action=_Help, whole=True, help="show every option, and exit")

    def format_help(self, *, whole: bool = False) -> str:
        """Return the help with every option, or the main ones only."""
        if whole or commands_of(self):
            self.formatter_class = argparse.HelpFormatter
            return f"{super().format_help()}{self._examples()}"
        return f"{self._usage()}\n\n{self._described()}\n{self._listed()}{self._examples()}"

    def format_usage(self) -> str:
        """Return the usage in a line; it stands above every error."""
        return f"usage: {self._usage()}\n"

    def _usage(self) -> str:
        if self.usage or commands_of(self):
            return self.usage or f"{self.prog} COMMAND ..."
        names = [f"{action.metavar}{'' if action.nargs is None else '...'}" for action in self._named]
        return " ".join([self.prog, "[OPTIONS]", *names])

    @property
    def _named(self) -> list[argparse.Action]:
        """The arguments without dashes."""
        return [action for action in self._actions if not action.option_strings]

    def _described(self) -> str:
        from wheelcheck.render.layout import wrap

        return "\n".join(wrap(self.description or ""))

    def _listed(self) -> str:
        """Return a line for each argument and each main option."""
        from wheelcheck.render.layout import WIDTH, wrap

        lines = []
        for action in self._actions:
            entry = ALL.get(action.dest)
            if action.option_strings and (entry is None or not entry.about.main):
                continue
            flags = ", ".join(action.option_strings) or str(action.metavar)
            value = f" {action.metavar}" if action.option_strings and action.nargs != 0 and action.metavar else ""
            value = value or (f" {action.dest.upper()}" if action.choices else "")
            told = ", ".join(map(str, action.choices or ())) or (entry.about.main if entry else action.help or "")
            (about,) = wrap(told, WIDTH - FLAGS_WIDTH - 4, most=1) or [""]
            lines.append(f"  {flags + value:<{FLAGS_WIDTH}}  {about}".rstrip())
        return "\n".join(["", *lines, "  --help-all" + " " * (FLAGS_WIDTH - 8) + "show every option", ""])

    def _examples(self) -> str:
        examples = EXAMPLES.get(self.prog.removeprefix("wheelcheck "), ())
        return "".join(["\nExamples:\n", *(f"  wheelcheck {example}\n" for example in examples)]) if examples else ""


class _Help(argparse.Action):
    """Print the help, and exit."""

    def __init__(self, option_strings: Sequence[str], whole: bool = False, help: str = "", **_: object) -> None:  # noqa: A002
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)
        self.whole = whole

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        assert isinstance(parser, Parser)
        sys.stdout.write(parser.format_help(whole=self.whole))
        parser.exit()


class _Append(argparse.Action):
    """Collect the values of an option that may be given several times; the first one replaces the default."""

    def __call__(self, _: object, namespace: argparse.Namespace, values: object, __: object = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [values] if before is self.default else [*before, values])


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line, from which the documentation is made."""
    return _built(None)


def parser_for(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """Return the parser of a command, and the arguments after its name.

    Only that command's parser is built, which saves most of the time. It accepts options between requirements, which
    sub-parsers cannot, and shows its own usage on errors.
    """
    rest = list(arguments)
    parser = _built(rest[0] if rest else None)
    while rest and (below := commands_of(parser)) and rest[0] in below:
        parser = below[rest.pop(0)]
    return parser, rest


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of the commands of a parser, by name."""
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return next((action.choices for action in found), {})


def options_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.Action]:
    """Return the options of a parser that are in the table, by name."""
    return {action.dest: action for action in parser._actions if action.option_strings and action.dest in ALL}  # noqa: SLF001


def _built(command: str | None) -> argparse.ArgumentParser:
    parser = Parser(
        prog="wheelcheck",
        description="Which wheels are compatible with this interpreter, or with that one; why not the others; "
        "and do they really import?",
        epilog="Exit codes: 0 compatible, 1 not compatible, 2 unknown (bad usage, no network). "
        "Each long option has an environment variable: --cache-dir is WHEELCHECK_CACHE_DIR.",
    )
    parser.add_argument("--version", action="version", version=f"wheelcheck {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for add in [_COMMANDS[command]] if command in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _add_groups(
    parser: argparse.ArgumentParser,
    groups: Sequence[str],
    without: Sequence[str] = ("lock",),
    formats: Sequence[str] = FORMATS[:2],
) -> None:
    for title in groups:
        group = parser.add_argument_group(title)
        for entry in ALL.values():
            if entry.about.group == title and entry.name not in without:
                _add_option(group, entry, formats)


def _add_option(group: Any, entry: Entry, formats: Sequence[str] = FORMATS[:2]) -> None:
    about = entry.about
    flags = [about.short, entry.flag] if about.short else [entry.flag]
    if entry.type is bool:
        group.add_argument(*flags, action="store_true", help=about.help)
        return
    if entry.name == "editable":
        about = about._replace(help=argparse.SUPPRESS)  # an option that only says what to do instead
    keywords: dict[str, Any] = {"default": entry.default, "help": about.help, "metavar": about.metavar or None}
    if entry.type is tuple:
        keywords |= {
            "action": _Append,
            "help": about.help if about.help == argparse.SUPPRESS else f"{about.help}; repeatable",
        }
        keywords |= {"default": None if entry.name == "target" else []}
    elif about.choices:
        keywords["choices"] = formats if entry.name == "format" else about.choices
    else:
        keywords["type"] = entry.type
    group.add_argument(*flags, **keywords)


def _add_check(commands: Any) -> None:
    check = commands.add_parser(
        "check",
        help="what would be installed for each target, what is wrong with it, and what would fix it",
        description="Resolve requirements for each target; report what would be installed, what is wrong with it, "
        "and what would fix it.",
    )
    check.set_defaults(command="check")
    check.add_argument("requirements", nargs="*", metavar="REQ", help="a requirement, such as 'tensorflow>=2.16'")
    _add_groups(check, (*QUESTION, PROOF, OUTPUT), without=("ignore_environment",), formats=FORMATS)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain",
        help="the verdict on every file of one project",
        description="Give the verdict on every file of a project, newest first, with every reason against it.",
    )
    explain.set_defaults(command="explain")
    explain.add_argument(
        "requirement_text", metavar="REQ", help="a requirement; its specifier, if it has one, selects the versions"
    )
    _add_groups(explain, (TARGETS, INDEXES, FILES, RULES, OUTPUT))


def _add_snapshot(commands: Any) -> None:
    snapshot = commands.add_parser(
        "snapshot",
        help="record the part of an index that an answer needs",
        description="Record the part of an index that an answer needs, as a static simple repository. "
        "check --index-url DIR gives the same answer from it, without a network.",
    )
    snapshot.set_defaults(command="snapshot")
    snapshot.add_argument("directory", metavar="DIR", help="where to write; an earlier snapshot is replaced")
    snapshot.add_argument("requirements", nargs="*", metavar="REQ", help="as check takes it")
    _add_groups(snapshot, (*QUESTION, OUTPUT), without=("lock", "quiet", "verbose"))


def _add_pip(name: str, does: str, commands: Any) -> None:
    parser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}. Options of wheelcheck go before pip's command; everything after it "
        "is pip's. install, download, wheel and lock are checked.",
        usage=f"wheelcheck {name} [OPTIONS] install ...",
    )
    parser.set_defaults(command=name)
    group = parser.add_argument_group("options before pip's command")
    for option in BEFORE_PIP:
        _add_option(group, ALL[option])


def _add_confirm(commands: Any) -> None:
    parser = commands.add_parser(
        "confirm",
        help="whether installed modules really import, and run on the device",
        description="Import modules in a process of their own, run an operation where one is known for them, and say "
        "why what failed did. Exit code 0 where all is well, 1 for a failure, 2 where no Python could be used.",
    )
    parser.set_defaults(command="confirm")
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="a module, or an installed project whose modules are meant"
    )
    group = parser.add_argument_group("in which Python")
    for name in ("python", "ignore_environment", "timeout"):
        _add_option(group, ALL[name])
    _add_groups(parser, (INDEXES, RULES, OUTPUT), without=("lock", "quiet", "verbose"))
    _add_option(parser, ALL["no_remedies"])


def _add_doctor(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="what is wrong with an environment, in the order in which to mend it",
        description="Examine an interpreter and everything that is installed in it, or only what bears on some "
        "projects. Exit code 0 where nothing is wrong, 1 for findings, 2 where there is no such interpreter.",
    )
    parser.set_defaults(command="doctor")
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help="only what bears on these")
    _add_option(parser, ALL["python"])
    _add_groups(parser, (EXAMINED, INDEXES, RULES, OUTPUT), without=("lock", "quiet", "verbose"))
    _add_option(parser, ALL["no_remedies"])


def _add_diagnose(commands: Any) -> None:
    parser = commands.add_parser(
        "diagnose",
        help="why an install or import failed, from what it printed",
        description="Tell from the output of a failed install or import why it failed, and what helps. "
        "Exit code 0 where nothing failed, 1 for a cause, 2 where none is recognised.",
    )
    parser.set_defaults(command="diagnose")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the output; without it, or for -, stdin is read")
    parser.add_argument(
        "--returncode", metavar="N", help="how it ended: -11 or 139 for a signal, 0xC0000005 on Windows"
    )
    _add_option(parser, ALL["target"])
    _add_option(parser, ALL["no_remedies"])
    _add_groups(parser, (INDEXES, RULES, OUTPUT), without=("lock", "quiet", "verbose"))


def _add_targets(commands: Any) -> None:
    targets = commands.add_parser(
        "targets", help="the presets, or one target in full", description="Show what targets there are, and stand for."
    )
    actions = targets.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser(
        "list",
        help="well-known environments, such as colab",
        description="List well-known environments that --target takes by name. Each heading is a group; --target "
        "takes that, too, for all its members.",
    )
    listed.set_defaults(command="targets list")
    listed.add_argument("words", nargs="*", metavar="WORD", help="only those with these words in their names, or group")
    _add_groups(listed, (OUTPUT,), without=("lock", "quiet"))
    show = actions.add_parser("show", help="one target in full", description="Show one target in full.")
    show.set_defaults(command="targets show")
    show.add_argument("target", metavar="TARGET", help="as check takes it")
    _add_groups(show, (TARGETS, OUTPUT), without=("target", "lock", "quiet"))


def _add_rules(commands: Any) -> None:
    rules = commands.add_parser("rules", help="the curated rules", description="Show the curated rules.")
    actions = rules.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every rule, one a line", description="Show every rule, one a line.")
    listed.set_defaults(command="rules list")
    listed.add_argument("projects", nargs="*", metavar="PROJECT", help="only rules that name these projects")
    show = actions.add_parser(
        "show", help="one rule in full", description="Show one rule in full, beside the index's metadata."
    )
    show.set_defaults(command="rules show")
    show.add_argument("id", metavar="ID", help="the id of a rule")
    verify = actions.add_parser(
        "verify",
        help="compare the rules with the index",
        description="Check that the versions of each rule are on the index, that their metadata still lacks what the "
        "rule adds, and that an answer would differ without it. Exit code 1 where a rule is stale.",
    )
    verify.set_defaults(command="rules verify")
    verify.add_argument("names", nargs="*", metavar="PROJECT|ID", help="only the rules of a project, or one rule")
    for action, group, silent in ((listed, TARGETS, "verbose"), (show, INDEXES, "verbose"), (verify, INDEXES, "")):
        _add_groups(action, (group, RULES, OUTPUT), without=("no_rules", "ignore", "lock", "quiet", silent))


def _add_cache(commands: Any) -> None:
    cache = commands.add_parser("cache", help="what is kept on this machine", description="Show or clear the cache.")
    actions = cache.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    for name, does in (("info", "show what the cache holds"), ("clear", "clear the cache")):
        action = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
        action.set_defaults(command=f"cache {name}")
        _add_option(action, ALL["cache_dir"])
        _add_groups(action, (OUTPUT,), without=("lock", "quiet", "verbose"))


_COMMANDS: Mapping[str | None, Any] = {
    "check": _add_check,
    "explain": _add_explain,
    "snapshot": _add_snapshot,
    "doctor": _add_doctor,
    "confirm": _add_confirm,
    "diagnose": _add_diagnose,
    "hook": partial(_add_pip, "hook", "check what pip is about to do, without doing it"),
    "pip": partial(_add_pip, "pip", "run pip, after checking what it is about to do"),
    "targets": _add_targets,
    "rules": _add_rules,
    "cache": _add_cache,
}
