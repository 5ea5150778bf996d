"""pip's configuration, read from its files and variables without running pip; and uv's index variables.

Source: pip's user guide, "Configuration". The order is pip's: files from global to site, in each the section of the
command over ``[global]``, then variables; a later setting overrides an earlier one of the same option.

uv's variables name the indexes where pip's configuration names none. If pip configures an index, extra indexes or no
index, they are ignored entirely, because a mixture would be a set of indexes that neither tool uses. Source: uv's
reference, "Environment variables".
"""

from __future__ import annotations

import math
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record
from wheelcheck.common.urls import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MAX_BYTES = 1 << 20
"""Maximum size of a configuration file."""

PROVIDERS = ("auto", "disabled", "import", "subprocess")
"""The values of pip's option ``keyring-provider``."""


@record
class Applied:
    """A setting that applies: the option, its value with credentials masked, the file or variable it comes from."""

    option: str
    value: str
    source: str


@record
class PipOptions:
    """The options that pip takes in its configuration, in a requirements file and on its command line.

    Attributes:
        index_url: the index, or None for pip's own default (`default_index_url`).
        extra_index_urls, find_links, no_index, trusted_hosts, pre, prefer_binary, require_hashes: pip's of these names.
        only_binary, no_binary: normalized names, or ``:all:``.
        all_releases, only_final: normalized names, or ``:all:``, whose pre-releases are always or never accepted.
    """

    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    pre: bool = False
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    all_releases: tuple[str, ...] = ()
    only_final: tuple[str, ...] = ()
    prefer_binary: bool = False
    require_hashes: bool = False


@record
class Configuration(PipOptions):
    """pip's configuration; None and empty where nothing is set.

    Attributes:
        cert, client_cert: paths that exist, ``~`` expanded.
        proxy: the proxy's URL, or None.
        timeout: seconds, above 0.
        retries: the number of retries of a request.
        keyring_provider: ``auto``, ``disabled``, ``import`` or ``subprocess``, as configured; see `keyring`.
        no_input: the user must not be prompted.
        constraints: constraint files.
        ignore_requires_python: pip's option of this name.
        applied: every setting that applies.
    """

    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: float = 15.0
    retries: int = 5
    keyring_provider: str = "auto"
    no_input: bool = False
    constraints: tuple[str, ...] = ()
    ignore_requires_python: bool = False
    applied: tuple[Applied, ...] = ()

    @property
    def keyring(self) -> str:
        """The effective provider: a keyring may prompt the user, so without input it has to be configured by name."""
        return "disabled" if self.no_input and self.keyring_provider == "auto" else self.keyring_provider


@record
class Setting:
    """What a file or a variable sets an option of pip to; the option is written with dashes."""

    option: str
    value: str = field(repr=False)
    source: str

    def refused(self, why: str) -> UsageError:
        """Return the error for a value that the option cannot have."""
        return UsageError(f"{self.source} sets {self.option} to {mask(self.value)!r}, {why}.")


def read_configuration(
    *, isolated: bool = False, environ: Mapping[str, str] | None = None, command: str = "install"
) -> Configuration:
    """Read pip's configuration files and environment variables, and uv's index variables.

    Args:
        isolated: ignore all of them.
        environ: the environment variables; by default those of this process.
        command: the pip command whose section applies beside ``[global]``.

    Raises:
        UsageError: a file cannot be read or parsed, or an option has an invalid value.
    """
    if isolated:
        return Configuration()
    environ = os.environ if environ is None else environ
    settings = settings_of_pip(command, environ)
    configuration = configuration_of(settings)
    if configuration.no_index or configuration.index_url or configuration.extra_index_urls:
        return configuration
    return configuration_of([*settings, *_settings_of_uv(environ)])


def settings_of_pip(
    command: str,
    environ: Mapping[str, str],
    *,
    prefix: str = sys.prefix,
    base_prefix: str = sys.base_prefix,
    isolated: bool = False,
) -> list[Setting]:
    """Return the settings in pip's files and variables, in the order in which they count.

    Args:
        command: the pip command whose section applies beside ``[global]``.
        environ: the environment variables.
        prefix, base_prefix: ``sys.prefix`` and ``sys.base_prefix`` of the Python that pip runs in.
        isolated: leave out variables and the user's own files, as pip's option ``--isolated`` does.

    Raises:
        UsageError: a file cannot be read or parsed.
    """
    files = configuration_files(environ, prefix=prefix, base_prefix=base_prefix, isolated=isolated)
    return [*_settings_of_files(files, command), *(() if isolated else _settings_of_variables(environ))]


# -- what the settings mean


def _text(setting: Setting) -> str:
    return setting.value.strip()


def _words(setting: Setting) -> tuple[str, ...]:
    return tuple(setting.value.split())


def truth_of(setting: Setting) -> bool:
    """Return the truth value of a setting. Raises UsageError."""
    value = setting.value.lower()
    if value in ("y", "yes", "t", "true", "on", "1"):
        return True
    if value in ("n", "no", "f", "false", "off", "0"):
        return False
    raise setting.refused("which is neither yes nor no: write true or false")


def _seconds(setting: Setting) -> float:
    try:
        seconds = float(setting.value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise setting.refused("which is not a time: give a number of seconds above 0")
    return seconds


def _count(setting: Setting) -> int:
    try:
        return int(setting.value)
    except ValueError:
        raise setting.refused("which is not a whole number: give one, such as 5") from None


def _provider(setting: Setting) -> str:
    provider = setting.value.strip()
    if provider not in PROVIDERS:
        raise setting.refused(f"which is none of {', '.join(PROVIDERS)}")
    return provider


def _existing_path(setting: Setting) -> str:
    path = Path(os.path.expanduser(setting.value.strip()))  # noqa: PTH111 (an unknown user is no error here)
    if not _exists(path):
        raise setting.refused("where there is no such file: name the certificate's own path, or remove the setting")
    return str(path)


_OPTIONS: Mapping[str, tuple[str, Callable[[Setting], Any]]] = {
    "index-url": ("index_url", _text),
    "pypi-url": ("index_url", _text),
    "extra-index-url": ("extra_index_urls", _words),
    "find-links": ("find_links", _words),
    "no-index": ("no_index", truth_of),
    "trusted-host": ("trusted_hosts", _words),
    "cert": ("cert", _existing_path),
    "client-cert": ("client_cert", _existing_path),
    "proxy": ("proxy", _text),
    "timeout": ("timeout", _seconds),
    "default-timeout": ("timeout", _seconds),
    "retries": ("retries", _count),
    "keyring-provider": ("keyring_provider", _provider),
    "no-input": ("no_input", truth_of),
    "constraint": ("constraints", _words),
    "pre": ("pre", truth_of),
    "prefer-binary": ("prefer_binary", truth_of),
    "require-hashes": ("require_hashes", truth_of),
    "ignore-requires-python": ("ignore_requires_python", truth_of),
}
"""Options whose last setting counts: the field that each sets, and how its text is parsed."""

_SELECTIONS = ("only-binary", "no-binary", "all-releases", "only-final")
"""Options whose settings accumulate; the two of a pair exclude each other."""


def configuration_of(settings: Iterable[Setting]) -> Configuration:
    """Return what settings come to. Raises UsageError."""
    last: dict[str, Setting] = {}
    added: list[Setting] = []
    for setting in settings:
        if setting.option in _SELECTIONS:
            added.append(setting)
        elif setting.option in _OPTIONS:
            last[_OPTIONS[setting.option][0]] = setting
    values: dict[str, Any] = {name: _OPTIONS[setting.option][1](setting) for name, setting in last.items()}
    values |= selections((setting.option, setting.value) for setting in added)
    counted = (*last.values(), *added)
    return Configuration(
        **values,
        applied=tuple(Applied(option=s.option, value=mask(s.value.strip()), source=s.source) for s in counted),
    )


def selections(changes: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Apply changes of ``only-binary``, ``no-binary``, ``all-releases`` and ``only-final`` in order.

    Each change is an option's name and its value: comma-separated project names, ``:all:`` or ``:none:``. A name that
    one option of a pair gains, the other loses (pip's rule). The result maps ``only_binary`` and so on to sorted names.
    """
    chosen: dict[str, set[str]] = {option: set() for option in _SELECTIONS}
    for option, value in changes:
        _select(value, chosen[option], chosen[_OPPOSITE[option]])
    return {option.replace("-", "_"): tuple(sorted(names)) for option, names in chosen.items()}


_OPPOSITE = dict(zip(_SELECTIONS, ("no-binary", "only-binary", "only-final", "all-releases"), strict=True))


def _select(value: str, names: set[str], others: set[str]) -> None:
    """Apply one value; after ``:all:`` only what follows a later ``:none:`` can still count."""
    given = value.split(",")
    if ":all:" in given:
        others.clear()
        names.clear()
        names.add(":all:")
        given = given[len(given) - given[::-1].index(":all:") :]
        if ":none:" not in given:
            return
    for name in given:
        if name == ":none:":
            names.clear()
        elif name.strip():
            name = re.sub(r"[-_.]+", "-", name.strip()).lower()
            others.discard(name)
            names.add(name)


# -- where the settings come from


def _settings_of_files(files: Iterable[str], command: str) -> Iterator[Setting]:
    sections: dict[str, dict[str, Setting]] = {"global": {}, command: {}}
    for path in files:
        for section, setting in _settings_in(path):
            if section in sections:
                sections[section][setting.option] = setting
    for settings in sections.values():
        yield from _given(settings.values())


def _settings_of_variables(environ: Mapping[str, str]) -> Iterator[Setting]:
    names = [name for name in environ if name.startswith("PIP_")]
    settings = {
        _option(name[4:]): Setting(option=_option(name[4:]), value=environ[name], source=name) for name in names
    }
    yield from _given(settings.values())


def _settings_of_uv(environ: Mapping[str, str]) -> Iterator[Setting]:
    """Return the index and the extra indexes in uv's order; the newer variable of each pair takes ``name=url``."""
    default = environ.get("UV_DEFAULT_INDEX", "").strip()
    index = _url_of_uv(default, environ) or environ.get("UV_INDEX_URL", "").strip()
    if index:
        yield Setting(option="index-url", value=index, source="UV_DEFAULT_INDEX" if default else "UV_INDEX_URL")
    newer = [_url_of_uv(word, environ) for word in environ.get("UV_INDEX", "").split()]
    older = environ.get("UV_EXTRA_INDEX_URL", "").split()
    if newer or older:
        sources = [*(["UV_INDEX"] if newer else []), *(["UV_EXTRA_INDEX_URL"] if older else [])]
        yield Setting(option="extra-index-url", value=" ".join([*newer, *older]), source=", ".join(sources))


def _url_of_uv(word: str, environ: Mapping[str, str]) -> str:
    """Return the URL of ``name=url`` or of a bare URL, with the credentials that uv reads from variables with that
    name.
    """
    named = re.fullmatch(r"([A-Za-z0-9_.-]+)=(.+)", word)
    if not named:
        return word
    name, url = named.groups()
    stem = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = environ.get(f"{stem}_USERNAME", ""), environ.get(f"{stem}_PASSWORD", "")
    scheme, separator, rest = url.partition("://")
    if not (user or password) or not separator or "@" in rest.partition("/")[0]:
        return url
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def _given(settings: Iterable[Setting]) -> Iterator[Setting]:
    """Return the settings with a value; pip ignores empty ones, even where they follow another."""
    return (setting for setting in settings if setting.value)


def _option(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def configuration_files(
    environ: Mapping[str, str],
    *,
    system: str = sys.platform,
    prefix: str = sys.prefix,
    base_prefix: str = sys.base_prefix,
    isolated: bool = False,
) -> tuple[str, ...]:
    """Return the files that pip looks for on a system, in increasing precedence; they need not exist.

    The user's own are left out for `isolated`. ``PIP_CONFIG_FILE`` names one more; where that exists the user's own
    files are ignored, and where it is the null device there are no files at all.
    """
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return ()
    name = "pip.ini" if system == "win32" else "pip.conf"
    shared, own = _directories(environ, system, base_prefix)
    if isolated or (chosen and _exists(chosen)):
        own = []
    files = [str(directory / name) for directory in (*shared, *own, Path(prefix))]
    return (*files, *([chosen] if chosen else []))


def _directories(environ: Mapping[str, str], system: str, base_prefix: str) -> tuple[list[Path], list[Path]]:
    """Return the configuration directories: for all users, and for this one."""
    home = Path(_home(environ, system))
    if system == "win32":
        shared = [Path(environ.get("PROGRAMDATA", "C:\\ProgramData"), "pip")]
        return shared, [home / "pip", Path(environ.get("APPDATA") or str(home / "AppData" / "Roaming"), "pip")]
    if system == "darwin":
        return _directories_of_macos(environ, home, base_prefix)
    shared = [Path(base, "pip") for base in _absolute(environ, "XDG_CONFIG_DIRS") or [Path("/etc/xdg")]]
    own = (_absolute(environ, "XDG_CONFIG_HOME") or [home / ".config"])[0]
    return [*shared, Path("/etc")], [home / ".pip", own / "pip"]


def _directories_of_macos(environ: Mapping[str, str], home: Path, base_prefix: str) -> tuple[list[Path], list[Path]]:
    homebrew = re.match(r"(.+)/opt/python[^/]*/Frameworks/", base_prefix)
    usual = [*([Path(homebrew[1], "share")] if homebrew else []), Path("/Library/Application Support")]
    shared = [Path(base, "pip") for base in _absolute(environ, "XDG_DATA_DIRS") or usual]
    support = (_absolute(environ, "XDG_DATA_HOME") or [home / "Library" / "Application Support"])[0] / "pip"
    return shared, [home / ".pip", support if _exists(support) else home / ".config" / "pip"]


def _absolute(environ: Mapping[str, str], variable: str) -> list[Path]:
    """Return the absolute paths in an XDG variable; the specification ignores all others."""
    return [Path(path.strip()) for path in environ.get(variable, "").split(os.pathsep) if path.strip().startswith("/")]


def _home(environ: Mapping[str, str], system: str) -> str:
    return environ.get("USERPROFILE" if system == "win32" else "HOME") or os.path.expanduser("~")  # noqa: PTH111


def _exists(path: str | Path) -> bool:
    """Return False, like pip, where a parent directory is not accessible; `Path.exists` raises there."""
    return os.path.exists(path)  # noqa: PTH110


def _settings_in(path: str) -> Iterator[tuple[str, Setting]]:
    text = _text_of(path)
    if not text:
        return
    import configparser

    parser = configparser.RawConfigParser()
    parser.optionxform = _option  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(text, path)
    except configparser.Error as error:
        raise UsageError(f"pip's configuration file {path} cannot be parsed: {_parse_failure(error)}.") from None
    for section in parser.sections():
        for option, value in parser.items(section):
            yield section, Setting(option=option, value=value, source=path)


def _parse_failure(error: Exception) -> str:
    """Return what is wrong and where, without the text of the line, which may hold a password."""
    lines = [number for number, _ in getattr(error, "errors", [])] or [getattr(error, "lineno", None)]
    what = {
        "MissingSectionHeaderError": "a setting precedes the first section, such as [global]",
        "DuplicateOptionError": f"the option {getattr(error, 'option', '')} is set twice in one section",
        "DuplicateSectionError": f"the section [{getattr(error, 'section', '')}] is there twice",
    }.get(type(error).__name__, "it is not of the form option = value")
    return f"{what} (line {lines[0]})" if lines[0] else what


def _text_of(path: str) -> str:
    """Return the text of a configuration file, empty where there is none."""
    file = Path(path)
    try:
        if not _exists(path):
            return ""
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(
                f"pip's configuration file {path} is larger than {MAX_BYTES >> 20} MiB: correct PIP_CONFIG_FILE."
            )
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"pip's configuration file {path} is not UTF-8 (line {line}): save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"pip's configuration file {path} cannot be read ({why}): make it readable, or run with --isolated."
        ) from None


# -- the default of pip itself


def default_index_url(location: str | None = None) -> str:
    """Return the default index of the pip in a directory, or else of this interpreter's pip.

    It is read from the installed pip, or from the one bundled for ``ensurepip``; neither is imported as a whole.

    Raises:
        UsageError: there is no pip of either kind.
    """
    own = [str(Path(location, "pip"))] if location else []
    for directory in (*own, *_installed_pip(), *_bundled_pips()):
        url = _default_of(directory)
        if url:
            return url
    raise UsageError(
        "No index is configured and no pip is installed to take the default from: name an index with --index-url."
    )


def _installed_pip() -> Iterator[str]:
    from importlib.util import find_spec

    spec = find_spec("pip")
    yield from (spec and spec.submodule_search_locations) or ()


def _bundled_pips() -> Iterator[str]:
    import sysconfig
    from importlib.util import find_spec

    spec = find_spec("ensurepip")
    folders = [Path(folder, "_bundled") for folder in (spec and spec.submodule_search_locations) or ()]
    distributors = sysconfig.get_config_var("WHEEL_PKG_DIR")
    for folder in (*([Path(distributors)] if distributors else []), *folders):
        yield from (str(wheel / "pip") for wheel in sorted(folder.glob("pip-*.whl"), reverse=True))


def _default_of(directory: str) -> str | None:
    """Return the default index in one copy of pip, a directory or a path into a wheel, without importing the rest of
    it.
    """
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("pip._internal.models.index", [f"{directory}/_internal/models"])
    if spec is None or spec.loader is None:
        return None
    try:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return str(module.PyPI.simple_url)
    except (ImportError, AttributeError, SyntaxError):
        return None
