"""The arguments of a pip command, read with the options of the pip that will run.

pip's options are read as optparse reads them: abbreviated, joined to their values, and between requirements. What pip's
configuration says comes first, as in pip's user guide, "Configuration".
"""

from __future__ import annotations

import optparse
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record, replace
from wheelcheck.inputs.pip_config import Configuration, Setting, selections, truth_of

if TYPE_CHECKING:
    pass

OF_THE_INDEX = ("extra-index-url", "find-links", "trusted-host")
SELECTIONS = ("only-binary", "no-binary", "all-releases", "only-final")
"""Options that accumulate, the two of each pair excluding each other."""

DECISIVE = frozenset(
    {
        *("requirement", "constraint", "editable", "group", "index-url", "no-index", *OF_THE_INDEX, *SELECTIONS),
        *("pre", "prefer-binary", "no-deps", "only-deps", "upgrade", "upgrade-strategy", "force-reinstall"),
        *("ignore-installed", "ignore-requires-python", "require-hashes", "no-require-hashes", "uploaded-prior-to"),
        *("platform", "python-version", "implementation", "abi", "target", "python", "isolated", "help"),
        *("proxy", "cert", "client-cert", "timeout", "retries", "no-input", "keyring-provider"),
    }
)
"""Options that change the answer, or how an index is reached."""
IRRELEVANT = frozenset(
    {
        *(
            "build-constraint",
            "dry-run",
            "user",
            "no-user",
            "root",
            "prefix",
            "src",
            "no-build-isolation",
            "use-pep517",
        ),
        *("no-use-pep517", "check-build-dependencies", "break-system-packages", "config-settings", "global-option"),
        *("build-option", "install-option", "compile", "no-compile", "no-warn-script-location", "no-warn-conflicts"),
        *(
            "progress-bar",
            "root-user-action",
            "report",
            "no-clean",
            "dest",
            "wheel-dir",
            "no-verify",
            "output",
            "build",
        ),
        *("debug", "require-virtualenv", "verbose", "version", "quiet", "log", "exists-action", "cache-dir"),
        *("no-cache-dir", "disable-pip-version-check", "no-color", "no-python-version-warning", "use-feature"),
        *("use-deprecated", "resume-retries", "no-proxy-env", "refresh-package", "process-dependency-links"),
        *("skip-requirements-regex", "unstable-feature", "no-progress-bar"),
    }
)
"""Options that change neither."""


@record
class PipCommand:
    """A pip command that chooses files.

    Attributes:
        name: ``install``, ``download``, ``wheel`` or ``lock``.
        requirements: its arguments.
        options: by long name without dashes, the values in order; a flag that is set has one empty value.
        configuration: pip's configuration with these options.
        unknown: options of this pip that are not known here, as they are written.
        asks_for_help: whether pip will only print its help.
    """

    name: str
    requirements: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    configuration: Configuration = field(default_factory=Configuration)
    unknown: tuple[str, ...] = ()
    asks_for_help: bool = False

    def has(self, name: str) -> bool:
        """Return whether a flag is set, or an option has a value."""
        return bool(self.options.get(name))

    def last(self, name: str) -> str | None:
        """Return the value of an option that has only one, or None."""
        return self.options[name][-1] if self.has(name) else None

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of an option."""
        return self.options.get(name, ())

    @property
    def is_for_another_target(self) -> bool:
        """Whether pip chooses files for another Python or platform than its own."""
        return any(map(self.has, ("platform", "python-version", "implementation", "abi")))

    @property
    def ignores_installed(self) -> bool:
        """Whether nothing that is installed may stay, as with ``--target``, and for all commands but ``install``."""
        return self.name != "install" or any(map(self.has, ("ignore-installed", "force-reinstall", "target")))

    @property
    def upgrade_strategy(self) -> str:
        """When what is installed is kept, as in `wheelcheck.resolver.model.Environment`."""
        return (self.last("upgrade-strategy") or "only-if-needed") if self.has("upgrade") else "to-satisfy-only"


def read_pip_command(
    name: str,
    arguments: Sequence[str],
    table: Sequence[Mapping[str, Any]],
    settings: Iterable[Setting],
    configuration: Configuration,
) -> PipCommand:
    """Read the arguments of a pip command.

    Args:
        name: the command.
        arguments: what follows it.
        table: the options of that command, as ``_pip.py`` lists them.
        settings: what pip's configuration says, in the order in which it counts.
        configuration: the same, as far as it is about indexes.

    Raises:
        UsageError: pip would refuse an option, or a setting is malformed.
    """
    rows = {_name_of(row["spellings"]): row for row in table}
    named = {spelling[2:]: name for name, row in rows.items() for spelling in row["spellings"] if spelling[:2] == "--"}
    known = [setting for setting in settings if setting.option in named]
    values: dict[str, tuple[str, ...]] = {}
    for setting in known:
        option = named[setting.option]
        row = rows[option]
        if not row["takes_value"]:
            values[option] = ("",) if row["action"] == "count" or truth_of(setting) else ()
        elif row["action"] == "append":
            values[option] = tuple(setting.value.split())
        elif option == "group":
            values[option] = (*values.get(option, ()), *setting.value.split())
        else:
            values[option] = (setting.value,)
    requirements, given = _parsed(name, arguments, rows)
    for option, value in given:
        accumulates = rows[option]["action"] == "append" or option in (*SELECTIONS, "group")
        values[option] = (*values.get(option, ()), value) if accumulates else (value,)
    added = [(named[setting.option], setting.value) for setting in known]
    chosen = selections(pair for pair in (*added, *given) if pair[0] in SELECTIONS)
    return PipCommand(
        name=name,
        requirements=tuple(text for text in requirements if text.strip()),
        options=values,
        configuration=_with_options(configuration, values, chosen),
        unknown=tuple(dict.fromkeys(f"--{option}" for option in values if option not in DECISIVE | IRRELEVANT)),
        asks_for_help="help" in dict(given),
    )


def _name_of(spellings: Sequence[str]) -> str:
    """Return the name of an option: its first long spelling without dashes, or else its short one."""
    return next((one[2:] for one in spellings if one.startswith("--")), spellings[0].lstrip("-"))


class _Parser(optparse.OptionParser):
    """Parse as pip does; what it refuses is a `UsageError`."""

    def error(self, msg: str) -> NoReturn:
        raise UsageError(f"pip {self.prog} refuses these arguments: {msg}.")


def _parsed(
    command: str, arguments: Sequence[str], rows: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the positional arguments, and each option with its value, in order."""
    given: list[tuple[str, str]] = []

    def take(option: optparse.Option, _: str, value: str | None, __: object) -> None:
        given.append((str(option.dest), value or ""))

    parser = _Parser(prog=command, add_help_option=False)
    for name, row in rows.items():
        kind = "string" if row["takes_value"] else None
        parser.add_option(*row["spellings"], action="callback", callback=take, dest=name, type=kind)
    return parser.parse_args(list(arguments))[1], given


def _with_options(
    configuration: Configuration, values: Mapping[str, tuple[str, ...]], chosen: Mapping[str, tuple[str, ...]]
) -> Configuration:
    """Return pip's configuration, with the options that are about indexes and files as they are at last."""

    def last(name: str, before: Any) -> Any:
        return values[name][-1] if values.get(name) else before

    def number(name: str, before: float) -> float:
        try:
            return float(last(name, before))
        except ValueError:
            raise UsageError(f"pip's option --{name} is {values[name][-1]!r}, which is no number.") from None

    return replace(
        configuration,
        index_url=last("index-url", configuration.index_url),
        extra_index_urls=values.get("extra-index-url", ()),
        find_links=values.get("find-links", ()),
        no_index=bool(values.get("no-index")),
        trusted_hosts=values.get("trusted-host", configuration.trusted_hosts),
        cert=last("cert", configuration.cert),
        client_cert=last("client-cert", configuration.client_cert),
        proxy=last("proxy", configuration.proxy),
        timeout=number("timeout", configuration.timeout),
        retries=int(number("retries", configuration.retries)),
        keyring_provider=last("keyring-provider", configuration.keyring_provider),
        no_input=bool(values.get("no-input")),
        constraints=(),
        pre=bool(values.get("pre")),
        prefer_binary=bool(values.get("prefer-binary")),
        require_hashes=bool(values.get("require-hashes")),
        ignore_requires_python=bool(values.get("ignore-requires-python")),
        **chosen,
    )
