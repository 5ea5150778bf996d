"""A described environment: an interpreter and what is installed in it, as ``wheelcheck doctor`` examines it.

`wheelcheck.interpreters.examine` makes one of an interpreter of this machine; its JSON form carries it to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from wheelcheck.binaries.headers import Image
from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import Plain, field, record
from wheelcheck.standards.names import NormalizedName, canonicalize_name
from wheelcheck.targets.serialize import target_from_dict
from wheelcheck.targets.target import Target

SCHEMA = "wheelcheck/environment/1"


@record
class InstalledFile:
    """A file of a distribution.

    Attributes:
        path: where RECORD says it is, with slashes.
        state: ``there``, ``missing``, ``altered`` (its size or hash differs), or ``cut off`` (a compiled file that ends
            within its headers).
        image: what its headers say, for a compiled file.
    """

    path: str
    state: str = "there"
    image: Image | None = None

    def to_dict(self) -> dict[str, Plain]:
        """Return the JSON form."""
        return {"path": self.path, "state": self.state, "image": None if self.image is None else self.image.to_dict()}


@record
class InstalledProject:
    """An installed distribution.

    Attributes:
        name: its normalized name.
        version: its version as it is written, which may be invalid.
        head: the fields of its core metadata that decide.
        info: the path of its metadata directory.
        location: the directory on the path that holds it.
        installer: what installed it, such as ``pip`` or ``conda``; empty where that is not said.
        editable: whether it is an editable installation.
        tags: the tags in WHEEL, compressed sets expanded; empty where there is none.
        modules: the top-level modules and packages that it holds, with an initializer or as a single file.
        files: those that are missing, altered or compiled; of a whole one, only the compiled.
        fault: why its metadata cannot be read, or nothing.
    """

    name: NormalizedName
    version: str
    head: str = field(default="", repr=False)
    info: str = ""
    location: str = ""
    installer: str = ""
    editable: bool = False
    tags: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    files: tuple[InstalledFile, ...] = field(default=(), repr=False)
    fault: str = ""

    @property
    def parsed_version(self) -> Version | None:
        """Its version, or None where that is invalid."""
        try:
            return Version(self.version)
        except InvalidVersion:
            return None

    def to_dict(self) -> dict[str, Plain]:
        """Return the JSON form."""
        texts = ("name", "version", "head", "info", "location", "installer", "editable", "fault")
        return {name: getattr(self, name) for name in texts} | {
            "tags": list(self.tags),
            "modules": list(self.modules),
            "files": [file.to_dict() for file in self.files],
        }


@record
class DescribedEnvironment:
    """An interpreter with all that is installed in it.

    Attributes:
        target: the interpreter as a target; its `interpreter` is the path.
        prefix, base_prefix: its ``sys.prefix`` and ``sys.base_prefix``.
        native_arm64: whether the machine is a Mac with Apple silicon, whatever the process is.
        is_conda: whether it belongs to a conda environment.
        is_externally_managed: whether pip refuses to install there (PEP 668).
        distributions: every distribution on the path, duplicates and broken ones included.
        leftovers: the paths of what interrupted uninstallations left behind.
        shadowed: module to (file that is found first, project that is hidden, or nothing for a module of Python).
        conda: project to version, for the Python packages that conda has installed.
    """

    target: Target
    prefix: str = ""
    base_prefix: str = ""
    native_arm64: bool = False
    is_conda: bool = False
    is_externally_managed: bool = False
    distributions: tuple[InstalledProject, ...] = ()
    leftovers: tuple[str, ...] = ()
    shadowed: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    conda: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Plain]:
        """Return the document ``wheelcheck/environment/1``, which `environment_from_dict` reads."""
        return {
            "schema": SCHEMA,
            "target": self.target.to_dict(),
            "interpreter": self.target.interpreter,
            "prefix": self.prefix,
            "base_prefix": self.base_prefix,
            "native_arm64": self.native_arm64,
            "is_conda": self.is_conda,
            "is_externally_managed": self.is_externally_managed,
            "distributions": [one.to_dict() for one in self.distributions],
            "leftovers": list(self.leftovers),
            "shadowed": {module: list(pair) for module, pair in self.shadowed.items()},
            "conda": dict(self.conda),
        }


def environment_from_dict(data: object) -> DescribedEnvironment:
    """Return the environment that a document describes.

    Raises:
        UsageError: it is no such document.
    """
    from wheelcheck.common.records import replace

    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise UsageError(f"It is no description of an environment: its schema is not {SCHEMA}.")
    try:
        target = replace(target_from_dict(data["target"]), interpreter=_text(data, "interpreter") or None)
        return DescribedEnvironment(
            target=target,
            prefix=_text(data, "prefix"),
            base_prefix=_text(data, "base_prefix"),
            native_arm64=bool(data.get("native_arm64")),
            is_conda=bool(data.get("is_conda")),
            is_externally_managed=bool(data.get("is_externally_managed")),
            distributions=tuple(map(_project, data.get("distributions", ()))),
            leftovers=tuple(map(str, data.get("leftovers", ()))),
            shadowed={str(name): (str(pair[0]), str(pair[1])) for name, pair in data.get("shadowed", {}).items()},
            conda={str(name): str(version) for name, version in data.get("conda", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise UsageError("It is a damaged description of an environment: record it anew.") from None


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _project(data: Mapping[str, Any]) -> InstalledProject:
    return InstalledProject(
        name=canonicalize_name(str(data["name"])),
        version=str(data["version"]),
        editable=bool(data.get("editable")),
        tags=tuple(map(str, data.get("tags", ()))),
        modules=tuple(map(str, data.get("modules", ()))),
        files=tuple(map(_file, data.get("files", ()))),
        **{key: _text(data, key) for key in ("head", "info", "location", "installer", "fault")},
    )


def _file(data: Mapping[str, Any]) -> InstalledFile:
    return InstalledFile(path=str(data["path"]), state=str(data.get("state", "there")), image=_image(data.get("image")))


def _image(data: Mapping[str, Any] | None) -> Image | None:
    if data is None:
        return None
    floor = data.get("minimum_os")
    major, _, minor = str(floor).partition(".")
    return Image(
        format=data["format"],
        architectures=tuple(map(str, data["architectures"])),
        minimum_os=None if floor is None else (int(major), int(minor or 0)),
    )
