"""Every option, once: its type, default, choices, help, and whether a project may set it.

The annotations of `Options` are the table. The library's keyword arguments, the argument parser, the environment
variables, ``[tool.wheelcheck]`` and the documentation are all made from it.
"""

# No `from __future__ import annotations`: the annotations of the two classes below are read at run time.

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Annotated, Any, NamedTuple, TypedDict, get_args, get_origin

from wheelcheck.common.errors import UsageError

ENVIRONMENT_PREFIX = "WHEELCHECK_"
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
"""The words that pip takes for yes and no in environment variables."""

INPUTS, TARGETS, INDEXES = "what to check", "for which target", "which index"
FILES, RESOLUTION, RULES = "which files count", "how to choose", "curated rules"
PROOF, EXAMINED, OUTPUT = "proof by import", "what to examine", "output"


FORMATS = ("text", "json", "markdown", "junit", "sarif", "github")
"""The forms of a report; other documents have the first two."""


class Option(NamedTuple):
    """What a command line shows of an option, and who may set it.

    Attributes:
        group: the group of options in which help shows it.
        help: one phrase for the command line and the documentation.
        short: the short form on the command line, such as ``-r``, or nothing.
        metavar: how help calls its value.
        default: its default where that is not False, empty or None.
        choices: all values that it may have; empty where any text will do.
        in_project: whether ``[tool.wheelcheck]`` may set it. Where to ask is left to pip's configuration, which is the
            user's.
        main: what ``--help`` says of it in half a line; empty where only ``--help-all`` shows it.
    """

    group: str
    help: str
    short: str = ""
    metavar: str = ""
    default: Any = None
    choices: tuple[str, ...] = ()
    in_project: bool = False
    main: str = ""


Texts = Sequence[str]


class Options(TypedDict, total=False):
    """Keyword options of the public functions, named as on the command line."""

    requirement: Annotated[
        Texts,
        Option(
            INPUTS,
            "requirements.txt, pyproject.toml or pylock.toml; - is stdin",
            "-r",
            "FILE",
            main="requirements.txt, pyproject.toml or pylock.toml",
        ),
    ]
    constraint: Annotated[Texts, Option(INPUTS, "bounds for what is installed anyway", "-c", "FILE")]
    group: Annotated[
        Texts, Option(INPUTS, "a dependency group of pyproject.toml, or of the one at PATH", "", "[PATH:]GROUP")
    ]
    extra: Annotated[
        Texts, Option(INPUTS, "with -r pyproject.toml or pylock.toml: an extra of the project", "", "EXTRA")
    ]
    all_extras: Annotated[bool, Option(INPUTS, "with -r pyproject.toml: all extras of the project")]
    python: Annotated[
        str | None,
        Option(
            TARGETS,
            "the Python of targets without one: a version or a path",
            "",
            "VERSION",
            main="the Python of targets that name none",
        ),
    ]
    index_url: Annotated[
        str | None,
        Option(
            INDEXES,
            "the index, instead of the one pip is configured for",
            "-i",
            "URL",
            main="the index, instead of the one of pip",
        ),
    ]
    extra_index_url: Annotated[Texts, Option(INDEXES, "a further index", "", "URL")]
    find_links: Annotated[Texts, Option(INDEXES, "a directory or page of files", "-f", "PLACE")]
    no_index: Annotated[bool, Option(INDEXES, "use no index, only --find-links")]
    index_strategy: Annotated[
        str,
        Option(
            INDEXES,
            "best-match takes the best version of all indexes, as pip does; first-index takes a project from the first "
            "index that has it (further indexes in their order, then --index-url)",
            default="best-match",
            choices=("best-match", "first-index"),
            in_project=True,
        ),
    ]
    isolated: Annotated[bool, Option(INDEXES, "ignore [tool.wheelcheck] and pip's configuration and environment")]
    offline: Annotated[bool, Option(INDEXES, "answer from the cache, or say what is missing")]
    refresh: Annotated[bool, Option(INDEXES, "ask the index again even where the cache is fresh")]
    cache_dir: Annotated[str | None, Option(INDEXES, "where answers of indexes are kept", "", "DIR")]
    no_cache: Annotated[bool, Option(INDEXES, "keep nothing")]
    pre: Annotated[bool, Option(FILES, "accept pre-releases", in_project=True)]
    ignore_requires_python: Annotated[
        bool, Option(FILES, "accept files whose Requires-Python excludes the target", in_project=True)
    ]
    allow_sdists: Annotated[
        bool,
        Option(
            FILES,
            "where a version has no compatible wheel, accept a source distribution with static metadata",
            in_project=True,
        ),
    ]
    exclude_newer: Annotated[
        str | None,
        Option(
            FILES,
            "leave out files uploaded at this instant or later: a date, which includes that day (UTC), a time such as "
            "2024-05-01T12:00:00Z, or a duration back from now such as '30 days'",
            metavar="WHEN",
            in_project=True,
            main="the answer of that day, such as 2025-06-01",
        ),
    ]
    no_upload_time: Annotated[
        str,
        Option(
            FILES,
            "with --exclude-newer: what to do with a file whose index does not say when it was uploaded",
            default="refuse",
            choices=("refuse", "allow"),
            in_project=True,
        ),
    ]
    no_deps: Annotated[bool, Option(RESOLUTION, "ignore the dependencies of files")]
    resolution: Annotated[
        str,
        Option(
            RESOLUTION,
            "which versions to prefer",
            default="highest",
            choices=("highest", "lowest", "lowest-direct"),
            in_project=True,
        ),
    ]
    no_remedies: Annotated[bool, Option(RESOLUTION, "seek no change that would give a better answer", in_project=True)]
    strict: Annotated[
        bool, Option(RESOLUTION, "warnings make an answer not compatible", in_project=True, main="warnings fail")
    ]
    rules: Annotated[
        str | None,
        Option(
            RULES, "a file or directory of your own rules; one with a curated rule's id replaces it", "", "PATH",
            in_project=True,
        ),
    ]  # fmt: skip
    no_rules: Annotated[bool, Option(RULES, "judge by metadata alone", in_project=True)]
    ignore: Annotated[Texts, Option(RULES, "ignore one rule", "", "ID", in_project=True)]
    confirm: Annotated[
        bool,
        Option(PROOF, "import the requested projects in the target's interpreter", main="import what was asked for"),
    ]
    fresh: Annotated[
        bool,
        Option(
            PROOF,
            "with --confirm: in a new environment with exactly the pins",
            main="with --confirm: in a new environment",
        ),
    ]
    timeout: Annotated[float, Option(PROOF, "how long a step of the import may take", "", "SECONDS", default=600.0)]


class CommandLineOptions(TypedDict, total=False):
    """Options that only the command line has; the library takes targets as an argument of its own."""

    editable: Annotated[Texts, Option(INPUTS, "as in pip; says what to do instead", "-e", "PATH")]
    target: Annotated[
        Texts,
        Option(
            TARGETS,
            "macos-14-arm64-cp312, a preset such as colab, a group such as all-mac, 'running', the path of an "
            "interpreter, or a saved target",
            "-t",
            "TARGET",
            in_project=True,
            main="macos-14-arm64-cp312, colab, all-mac, a path",
        ),
    ]
    environment: Annotated[
        str | None,
        Option(
            EXAMINED,
            "examine a recorded description instead of an interpreter",
            "",
            "FILE",
            main="a recorded description",
        ),
    ]
    record: Annotated[
        str | None,
        Option(EXAMINED, "write a description of the environment, too", "", "FILE", main="write such a description"),
    ]
    hashes: Annotated[
        bool,
        Option(
            EXAMINED, "compare the content of every file with its RECORD", main="compare the content of every file, too"
        ),
    ]
    ignore_environment: Annotated[
        bool,
        Option(
            PROOF,
            "ignore user site, PYTHON* variables and the working directory (python -I)",
            "-I",
            main="as python -I",
        ),
    ]
    format: Annotated[
        str, Option(OUTPUT, "the form of the answer", default="text", choices=FORMATS, main="the form of the answer")
    ]
    output: Annotated[
        str | None,
        Option(
            OUTPUT,
            "write the answer to a file instead of stdout",
            "-o",
            "FILE",
            main="where to write it, instead of stdout",
        ),
    ]
    quiet: Annotated[bool, Option(OUTPUT, "leave out the pins, or a table of files", "-q")]
    verbose: Annotated[
        bool,
        Option(OUTPUT, "show everything in full, and where the answer comes from", "-v", main="everything in full"),
    ]
    lock: Annotated[
        str | None,
        Option(OUTPUT, "write the answer as pylock.toml or pylock.NAME.toml too (PEP 751)", "", "FILE"),
    ]


class Entry(NamedTuple):
    """A row of the table: an option with its name and the type of its values."""

    name: str
    type: type
    about: Option

    @property
    def key(self) -> str:
        """Its name in ``[tool.wheelcheck]``, such as ``index-url``."""
        return self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        """Its long form on the command line, such as ``--index-url``."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """Its environment variable, such as ``WHEELCHECK_INDEX_URL``."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def default(self) -> Any:
        """The value that it has where nobody sets it."""
        if self.about.default is not None:
            return self.about.default
        return False if self.type is bool else () if self.type is tuple else None

    def parse(self, text: str) -> Any:
        """Return the value that the text of an environment variable stands for, read as pip reads its own.

        Raises:
            UsageError: it stands for none.
        """
        if self.type is bool and text.lower() in (*TRUE, *FALSE):
            return text.lower() in TRUE
        if self.type is tuple:
            return text.split()
        if self.about.choices and text not in self.about.choices:
            raise self._unusable(text, f"not one of {', '.join(self.about.choices)}")
        if self.type is float:
            try:
                return float(text)
            except ValueError:
                raise self._unusable(text, "not a number") from None
        if self.type is bool:
            raise self._unusable(text, "neither 1 nor 0")
        return text

    def _unusable(self, text: str, why: str) -> UsageError:
        return UsageError(f"The environment variable {self.variable} is {text!r}, {why}.")


def _entries(table: Any) -> Iterator[Entry]:
    for name, annotation in table.__annotations__.items():
        kind, option = get_args(annotation)
        kinds = get_args(kind)
        yield Entry(name, tuple if get_origin(kind) is Sequence else kinds[0] if kinds else kind, option)


LIBRARY: Mapping[str, Entry] = {entry.name: entry for entry in _entries(Options)}
"""The options of the library by name."""

ALL: Mapping[str, Entry] = {**LIBRARY, **{entry.name: entry for entry in _entries(CommandLineOptions)}}
"""Those of the command line too."""

OF_THE_HOOK = ("strict", "rules", "no_rules", "ignore", "no_remedies", "offline", "refresh", "cache_dir", "no_cache")
"""The options of the library that go with a pip command; what else there is to say is pip's."""

BEFORE_PIP = ("python", "isolated", *OF_THE_HOOK, "format", "output", "quiet", "verbose")
"""The options that go before pip's command, in the order in which help shows them."""

DEFAULTS: Options = {entry.name: entry.default for entry in LIBRARY.values()}  # type: ignore[assignment]


def complete(options: Options) -> Options:
    """Return the options with the defaults of those that are left out.

    Raises:
        TypeError: an option is unknown.
        UsageError: an option has a value that it cannot have.
    """
    for name, value in options.items():
        if name not in LIBRARY:
            raise TypeError(f"unknown option {name!r}")
        entry = LIBRARY[name]
        if isinstance(value, str) and entry.type is tuple:
            raise UsageError(f"The option {name} takes a list, such as [{value!r}], not a text.")
        if entry.about.choices and value not in entry.about.choices:
            raise UsageError(f"The option {name} is {value!r}, not one of {', '.join(entry.about.choices)}.")
    if options.get("index_url") == "":
        raise UsageError("The index URL is empty; leave it out to use the index that pip is configured for.")
    completed: Options = {**DEFAULTS, **options}
    if not 0 < completed["timeout"] < inf:
        raise UsageError(f"The time-out is {completed['timeout']}; give a number of seconds above 0.")
    if completed["fresh"] and not completed["confirm"]:
        raise UsageError("--fresh says where to import, so it goes with --confirm.")
    return completed
