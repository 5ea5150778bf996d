"""Fresh environments that hold exactly the files of an answer, cached for reuse.

An environment is a venv of the target's interpreter without pip. This process unpacks the wheels (PEP 427, with the
`installer` library), so the interpreter needs no pip and may be externally managed. The contents of a wheel are hostile
until checked: nothing is written outside the environment, and nothing that makes up the environment can be replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias
from zipfile import BadZipFile, ZipFile

import installer
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
from installer.utils import get_launcher_kind

from wheelcheck.common.errors import UndeterminedError, UsageError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.records import record, replace
from wheelcheck.common.urls import path_of_url
from wheelcheck.diagnosis.confirmation import OLDEST_PYTHON
from wheelcheck.standards.file_problems import FileRefusedError, HashMismatch
from wheelcheck.standards.hashes import chunks_of, digests_of, mismatch_of
from wheelcheck.standards.project_page import Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from installer.records import RecordEntry
    from installer.utils import Scheme
    from packaging.version import Version

    from wheelcheck.standards.names import NormalizedName
    from wheelcheck.standards.project_page import Listed

Download: TypeAlias = "Callable[[Wheel, Path], object]"

STRONG = ("sha256", "sha384", "sha512", "blake2b")
"""Hashes that identify a file; others are compared, but the file is then cached by its URL only."""

MARKER = "wheelcheck.json"
UNFINISHED, LOCK = ".unfinished-", ".lock"
"""How a temporary directory is called, and the file beside it that is locked while it is in use."""
MAX_TEXT = 64 * 2**20
"""Maximum size of WHEEL, RECORD and entry_points.txt, which are read as a whole."""

DESCRIBE = """
import sys
del sys.path[:1]
import json, os, platform, sysconfig
executable = sys.executable
if executable and sys.prefix != getattr(sys, "base_prefix", sys.prefix):
    behind = getattr(sys, "_base_executable", None) or executable
    executable = behind if behind != executable else os.path.realpath(executable)
print(json.dumps({
    "python": list(sys.version_info[:3]),
    "build": sys.version,
    "abi": sysconfig.get_config_var("SOABI") or sysconfig.get_config_var("EXT_SUFFIX"),
    "machine": platform.machine(),
    "prefix": os.path.realpath(getattr(sys, "base_prefix", sys.prefix)),
    "executable": executable,
}))
"""

ASK_PATHS = """
import json, sys, sysconfig
schemes = sysconfig.get_scheme_names()
paths = sysconfig.get_paths("venv") if "venv" in schemes else sysconfig.get_paths()
print(json.dumps({name: paths[name] for name in ("purelib", "platlib", "scripts", "data")}))
"""


class PinLike(Protocol):
    """A chosen file, such as `wheelcheck.resolver.model.Pin`."""

    @property
    def name(self) -> NormalizedName: ...
    @property
    def version(self) -> Version: ...
    @property
    def file(self) -> Listed: ...


@record(frozen=False, kw_only=False, eq=False, slots=False)
class NoEnvironment(UndeterminedError):
    """The environment could not be created: no space, no permission, no venv module."""

    path: str
    why: str
    sentence = "A fresh environment in {path} could not be made: {why}."


@record(frozen=False, kw_only=False, eq=False, slots=False)
class WheelRefused(UndeterminedError):
    """A wheel that does not match its index, or must not be unpacked."""

    filename: str
    why: str
    sentence = "{filename} was not installed: {why}."


def fresh(
    pins: Sequence[PinLike],
    *,
    interpreter: str,
    download: Download,
    cache_dir: Path,
    verify: Callable[[Listed, Path], None] | None = None,
) -> Path:
    """Return the interpreter of an environment that holds exactly the pins, cached or newly created.

    Args:
        pins: wheels; each is verified against every published hash.
        interpreter: a Python, 3.8 or newer; if it is in a venv itself, its base Python is used.
        download: writes a file to a path; called for one after the other.
        cache_dir: holds environments and wheels; both are completed elsewhere and then moved into place.
        verify: called with each file and the path of its wheel before anything is unpacked; what it raises ends this.

    Raises:
        UsageError: the interpreter cannot be run or is too old.
        NoEnvironment: no space, no permission, or the interpreter cannot create a venv.
        WheelRefused: a pin is not a wheel, its hash differs, or its content must not be unpacked.
    """
    wheels = sorted((_hashed(pin.file) for pin in pins), key=lambda item: item.wheel.filename)
    described = _describe(interpreter)
    executable = described.pop("executable") or interpreter
    about = {"interpreter": described, "files": [[item.wheel.filename, item.identity] for item in wheels]}
    place = cache_dir.absolute() / "environments" / _short(json.dumps(about, sort_keys=True))
    if not _is_whole(place):
        with _explain_failures(place):
            stored = _fetch(wheels, cache_dir.absolute() / "wheels", download)
            for item, path in zip(wheels, stored, strict=True):
                if verify is not None:
                    verify(item.wheel, path)
            _build(place, stored, executable, about)
    return _python(place)


@contextmanager
def _explain_failures(place: Path) -> Iterator[None]:
    """Convert operating system errors into sentences."""
    try:
        yield
    except OSError as error:
        raise NoEnvironment(str(error.filename or place), _reason(error)) from None


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")


# -- what an environment is known by


@record
class _HashedWheel:
    """A wheel with the strongest identification of its content."""

    wheel: Wheel
    identity: str

    @property
    def unhashed(self) -> bool:
        return self.identity.startswith("url:")


def _hashed(file: Listed) -> _HashedWheel:
    if not isinstance(file, Wheel):
        raise WheelRefused(file.filename, "it is a source distribution, and nothing is built here")
    if Path(file.filename).name != file.filename:
        raise WheelRefused(file.filename, "its name is a path")
    return _HashedWheel(wheel=file, identity=_identity(file))


def _identity(wheel: Wheel) -> str:
    """Return a published hash; for a local file without one its own hash; otherwise its location."""
    for algorithm in STRONG:
        if algorithm in wheel.hashes:
            return f"{algorithm}:{wheel.hashes[algorithm].lower()}"
    local = wheel.path or path_of_url(wheel.url)
    if local is None:
        return f"url:{wheel.url}"
    try:
        with Path(local).open("rb") as file:
            return f"sha256:{digests_of(chunks_of(file), ['sha256'])['sha256']}"
    except OSError as error:
        raise WheelRefused(wheel.filename, f"{local} could not be read ({_reason(error)})") from None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _describe(interpreter: str) -> dict[str, Any]:
    """Return what identifies an interpreter; run in the caller's directory, where a shim finds its answer."""
    try:
        about = _ask([interpreter, "-E", "-s", "-c", DESCRIBE])
        python = tuple(about["python"])
    except OSError as error:
        raise UsageError(f"{interpreter} cannot be run: {_reason(error)}. Name a Python interpreter.") from None
    except (_BackendError, KeyError, TypeError) as error:
        raise UsageError(f"{interpreter} does not answer as a Python does: {_reason(error)}.") from None
    if python < OLDEST_PYTHON:
        version = ".".join(map(str, python))
        raise UsageError(f"{interpreter} is Python {version}; a fresh environment needs Python 3.8 or newer.")
    return about


class _BackendError(Exception):
    """A command of an interpreter failed, or printed no JSON; the text is its last line of output."""


def _ask(command: Sequence[str], directory: Path | None = None) -> dict[str, Any]:
    said = _run(command, directory)
    try:
        answer = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        raise _BackendError(said.strip().rpartition("\n")[2] or "no answer") from None
    if not isinstance(answer, dict):
        raise _BackendError("no answer")
    return answer


def _run(command: Sequence[str], directory: Path | None = None) -> str:
    """Return what a command printed. Raises `_BackendError` if it fails, `OSError` if it cannot be started."""
    import subprocess

    try:
        ended = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        raise _BackendError("no answer within 120 seconds") from None
    stdout, stderr = (text.decode("utf-8", "replace") for text in (ended.stdout, ended.stderr))
    if ended.returncode:
        lines = (stdout + stderr).strip().splitlines()
        raise _BackendError(lines[-1] if lines else f"it ended with exit code {ended.returncode}")
    return stdout


def _is_whole(place: Path) -> bool:
    """Return whether an environment is unchanged since it was created.

    The marker is written last; the interpreter is a link that breaks when its base Python is removed.
    """
    try:
        marker = json.loads((place / MARKER).read_bytes())
    except (OSError, ValueError):
        return False
    return _python(place).exists() and isinstance(marker, dict) and marker.get("state") == _state(place)


def _state(place: Path) -> str:
    """Return a digest of the names, sizes and times of all files except the bytecode that imports write."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            if path != place / MARKER:
                about = path.lstat()
                digest.update(f"{path.relative_to(place)}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _python(place: Path) -> Path:
    return place / "Scripts" / "python.exe" if os.name == "nt" else place / "bin" / "python"


# -- wheels


def _fetch(wheels: Sequence[_HashedWheel], store: Path, download: Download) -> list[Path]:
    """Return every wheel, verified, from the store or the index; one after the other, so that an interrupt ends it at
    once.
    """
    sizes = [item.wheel.size for item in wheels]
    ACTIVITY.begin("fetching wheels", total=sum(size or 0 for size in sizes) if all(sizes) else None, unit="MB")
    return [_stored(item, store, download) for item in wheels]


def _stored(wheel: _HashedWheel, store: Path, download: Download) -> Path:
    """Return a wheel in the store; it is verified each time, and downloaded again where it is corrupt."""
    place = store / _short(wheel.identity) / wheel.wheel.filename
    if not place.is_file() or _mismatch(place, wheel):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _workspace(store) as room:
            part = room / wheel.wheel.filename
            done = ACTIVITY.done
            download(wheel.wheel, part)
            ACTIVITY.done = done
            mismatch = _mismatch(part, wheel)
            if mismatch:
                raise FileRefusedError(wheel.wheel, mismatch)
            part.replace(place)
    ACTIVITY.add(place.stat().st_size)
    return place


def _mismatch(path: Path, wheel: _HashedWheel) -> HashMismatch | None:
    """Return how a file differs from what is published about it, or None."""
    algorithm, _, digest = wheel.identity.partition(":")
    stated = wheel.wheel.hashes if wheel.unhashed else {**wheel.wheel.hashes, algorithm: digest}
    with path.open("rb") as file:
        wrong = mismatch_of(stated, chunks_of(file))
    return replace(wrong, received=True) if wrong is not None else None


@contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """Yield a temporary directory, and remove those that killed processes have left behind.

    A file beside it is locked before the directory is made and until it is gone. So a directory whose file can be
    locked belongs to nobody.
    """
    for leftover in folder.glob(f"{UNFINISHED}*"):
        if leftover.suffix != LOCK:
            _remove_if_unused(leftover)
    room = folder / f"{UNFINISHED}{token_hex(8)}"
    mark = room.with_name(room.name + LOCK)
    try:
        with mark.open("w") as file:
            _lock(file)
            try:
                room.mkdir(mode=0o700)
                yield room
            finally:
                shutil.rmtree(room, ignore_errors=True)
    finally:
        mark.unlink(missing_ok=True)


def _remove_if_unused(leftover: Path) -> None:
    mark = leftover.with_name(leftover.name + LOCK)
    try:
        with mark.open("r+") as file:
            _lock(file)
            shutil.rmtree(leftover, ignore_errors=True)
    except FileNotFoundError:
        return  # it has just gone
    except OSError:
        return  # somebody works in it
    mark.unlink(missing_ok=True)


def _lock(mark: IO[str]) -> None:
    """Lock an open file until it is closed. Raises OSError where another process has locked it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(mark.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)


# -- the environment


def _build(place: Path, wheels: Sequence[Path], interpreter: str, about: Mapping[str, Any]) -> None:
    """Create the environment beside its place and move it there when complete; the first of two processes wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with _workspace(place.parent) as room:
        made = room / "made"
        command = [interpreter, "-I", "-m", "venv", "--without-pip", "--prompt", "wheelcheck", str(made)]
        try:
            _run(command, made.parent)
        except _BackendError as error:
            raise NoEnvironment(str(place), f"{interpreter} -m venv failed ({_reason(error)})") from None
        ACTIVITY.begin("unpacking wheels", total=_needed_space(wheels, place), unit="MB")
        python = tuple(about["interpreter"]["python"])
        destination = _Destination(_schemes(made, place, python), _python(place), ACTIVITY.add)
        for wheel, (_, identity) in zip(wheels, about["files"], strict=True):
            _unpack(wheel, destination, place, validate=identity.startswith("url:"))
        old, new = str(made).encode(), str(place).encode()
        for path in [made / "pyvenv.cfg", *_python(made).parent.iterdir()]:
            if path.is_file() and not path.is_symlink() and path.suffix != ".exe":
                content = path.read_bytes()
                if old in content:
                    path.write_bytes(content.replace(old, new))
        (made / MARKER).write_text(json.dumps({**about, "state": _state(made)}), encoding="utf-8")
        if place.exists() and not _is_whole(place):
            shutil.rmtree(place, ignore_errors=True)
        try:
            made.rename(place)
        except OSError:
            if not _is_whole(place):
                raise


def _schemes(made: Path, place: Path, python: tuple[int, ...]) -> dict[str, str]:
    """Return the directories of the venv as its own Python reports them; all must be inside it."""
    try:
        paths = _ask([str(_python(made)), "-I", "-c", ASK_PATHS], made.parent)
    except _BackendError as error:
        raise NoEnvironment(str(place), f"its Python does not start ({_reason(error)})") from None
    outside = [path for path in paths.values() if not Path(path).resolve().is_relative_to(made.resolve())]
    if outside:
        raise NoEnvironment(str(place), f"its Python installs to {outside[0]}, which is outside of it")
    headers = made / "include" / "site" / f"python{python[0]}.{python[1]}"
    return {name: str(path) for name, path in paths.items()} | {"headers": str(headers)}


MIN_SUSPICIOUS, MAX_RATIO = 64 * 2**20, 50
"""A wheel that unpacks to more bytes than this, and to more than so many times its size, is refused, as on PyPI."""


def _needed_space(wheels: Iterable[Path], place: Path) -> int:
    """Check the free space before the disk is full, which also bounds what compressed files expand to."""
    for wheel in wheels:
        size, packed = _unpacked_size(wheel), wheel.stat().st_size
        if size > MIN_SUSPICIOUS and size > MAX_RATIO * packed:
            why = f"it unpacks to {size / 1e6:,.0f} MB, more than {MAX_RATIO} times its size"
            raise WheelRefused(wheel.name, why)
    needed, free = sum(map(_unpacked_size, wheels)), shutil.disk_usage(place.parent).free
    if needed > free:
        why = f"the wheels unpack to {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free"
        raise NoEnvironment(str(place), why)
    return needed


def _unpacked_size(wheel: Path) -> int:
    try:
        with ZipFile(wheel) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise WheelRefused(wheel.name, f"it cannot be read as a zip archive ({_reason(error)})") from None


# -- unpacking


class _HostileError(ValueError):
    """A wheel that would write where it must not."""


class _Destination(SchemeDictionaryDestination):
    """The directories of a venv: a wheel may replace files of another wheel, and nothing else.

    The interpreter of a venv is a link, so a wheel that could write ``bin/python`` would alter the base Python.
    """

    def __init__(self, schemes: Mapping[str, str], python: Path, wrote: Callable[[int], None]) -> None:
        super().__init__(dict(schemes), str(python), get_launcher_kind())
        self.headers = schemes["headers"]
        self.written: set[tuple[int, int]] = set()
        self.wrote = wrote

    def begin(self, distribution: str) -> None:
        self.scheme_dict["headers"] = str(Path(self.headers) / distribution)

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        if Path(name).name != name or "\\" in name:
            raise _HostileError(f"its script {name!r} is a path")
        return super().write_script(name, module, attr, section)

    def write_to_fs(self, scheme: Scheme, path: str, stream: BinaryIO, is_executable: bool) -> RecordEntry:
        root = self.scheme_dict[scheme]
        target = Path(os.path.normpath(Path(root) / path))
        if not target.is_relative_to(root):
            raise _HostileError(f"{path!r} leads out of its directory")
        if os.path.lexists(target):
            self.make_way(target, path)
        record = super().write_to_fs(scheme, path, stream, is_executable or scheme == "scripts")
        self.written.add(_inode(target))
        self.wrote(record.size or 0)
        return record

    def make_way(self, target: Path, path: str) -> None:
        if _inode(target) not in self.written:
            raise _HostileError(f"{path!r} would replace a part of the environment itself")
        target.unlink()


def _inode(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


class _Source(WheelFile):
    """A wheel with the data directory that it contains, even where the file name spells the project otherwise."""

    def __init__(self, archive: ZipFile) -> None:
        super().__init__(archive)
        tops = {name.partition("/")[0] for name in archive.namelist()}
        self.data_dirs = sorted(top for top in tops if top.endswith(".data"))

    @property
    def data_dir(self) -> str:
        return self.data_dirs[0] if len(self.data_dirs) == 1 else super().data_dir


def _unpack(path: Path, destination: _Destination, place: Path, *, validate: bool) -> None:
    """Unpack one wheel. Its RECORD is verified only where no index published a hash for the whole file."""
    try:
        with ZipFile(path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for entry in archive.infolist():
                name = entry.orig_filename
                parts = name.split("/")
                if (
                    name.startswith("/")
                    or ".." in parts
                    or "\\" in name
                    or "\0" in name
                    or (os.name == "nt" and ":" in name)
                ):
                    raise _HostileError(f"its entry {name!r} is no path inside of it")
                if parts[0].endswith(".dist-info") and entry.file_size > MAX_TEXT:
                    raise _HostileError(f"its entry {name!r} has {entry.file_size:,} bytes")
            source = _Source(archive)
            if validate:
                source.validate_record()
            destination.begin(source.distribution)
            installer.install(source, destination, {"INSTALLER": b"wheelcheck\n"})
    except OSError as error:
        raise NoEnvironment(str(place), f"unpacking {path.name} failed ({_reason(error)})") from None
    except Exception as error:  # noqa: BLE001  # no list of what a reader raises on hostile bytes is complete
        raise WheelRefused(path.name, f"it cannot be unpacked ({_reason(error)})") from None
