"""Fresh environments: exactly the pins, nothing half-built, nothing outside, whatever a wheel contains."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wheelcheck.common.errors import IndexUnavailable, UsageError
from wheelcheck.common.progress import ACTIVITY
from wheelcheck.common.records import replace
from wheelcheck.interpreters.probe import confirm_projects
from wheelcheck.interpreters.venv import NoEnvironment, WheelRefused, fresh
from wheelcheck.standards.file_problems import FileRefusedError, HashMismatch
from wheelcheck.standards.project_page import Listed, Sdist, Wheel, read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.utils import NormalizedName
    from packaging.version import Version

posix = pytest.mark.skipif(os.name != "posix", reason="speaks of links and of shell scripts")


@dataclass(frozen=True)
class Pin:
    name: NormalizedName
    version: Version
    file: Listed


def wheel(
    name: str = "alpha", version: str = "1.0", files: Mapping[str, str] | None = None, **texts: str
) -> tuple[str, bytes]:
    """A wheel's name and bytes; `texts` are further files of its dist-info, with underscores for dots."""
    folder = f"{name}-{version}.dist-info"
    contents = {f"{name}/__init__.py": f"__version__ = {version!r}\n"} if files is None else dict(files)
    contents[f"{folder}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents[f"{folder}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents |= {f"{folder}/{key.replace('__', '.')}": text for key, text in texts.items()}
    record = f"{folder}/RECORD"
    lines = [f"{path},{hash_of(text)},{len(text.encode())}" for path, text in contents.items()]
    contents.setdefault(record, "\n".join([*lines, f"{record},,"]) + "\n")
    return f"{name}-{version}-py3-none-any.whl", zipped(contents)


def hash_of(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def zipped(contents: Mapping[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return body.getvalue()


@dataclass(frozen=True)
class Environment:
    """An environment as its interpreter shows it."""

    python: Path

    @property
    def path(self) -> Path:
        return self.python.parent.parent


@dataclass
class Shop:
    """An index of made wheels: pins them, hands them out, counts what it handed out."""

    cache: Path
    bodies: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def pin(self, made: tuple[str, bytes], **about: Any) -> Pin:
        filename, body = made
        self.bodies[filename] = body
        hashes = about.pop("hashes", {"sha256": hashlib.sha256(body).hexdigest()})
        about = {"url": f"https://index.test/{filename}", "index": "index.test", "size": len(body), **about}
        file = read_file(filename, hashes=hashes, **about)
        assert isinstance(file, (Wheel, Sdist)), file
        return Pin(file.name, file.version, file)

    def download(self, file: Listed, path: Path) -> None:
        self.fetched.append(file.filename)
        path.write_bytes(self.bodies[file.filename])

    def prepare(self, *pins: Pin, interpreter: str = sys.executable, **more: Any) -> Environment:
        python = fresh(pins, interpreter=interpreter, download=self.download, cache_dir=self.cache, **more)
        return Environment(python)

    @property
    def environments(self) -> list[str]:
        folder = self.cache / "environments"
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "cache")


def said(environment: Environment, code: str) -> str:
    return printed(environment.python, "-I", "-c", code)


def printed(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


INSTALLED = "import importlib.metadata as m; print(sorted(d.metadata['Name'] + d.version for d in m.distributions()))"


# -- what is in it


def test_it_holds_exactly_the_pins(shop: Shop) -> None:
    environment = shop.prepare(shop.pin(wheel("alpha", "1.0")), shop.pin(wheel("beta", "2.0")))
    assert said(environment, INSTALLED) == "['alpha1.0', 'beta2.0']"
    assert said(environment, "import alpha, beta; print(alpha.__version__, beta.__version__)") == "1.0 2.0"
    assert said(environment, "import sys; print(sys.prefix)") == str(environment.path)


def test_what_was_asked_for_imports_from_it(shop: Shop) -> None:
    python = shop.prepare(shop.pin(wheel())).python
    confirmation = confirm_projects(["alpha"], interpreter=str(python), versions=["alpha"], isolated=True)  # type: ignore[list-item]
    assert confirmation.ok is True
    assert confirmation.interpreter == str(python)
    assert confirmation.installed == {"alpha": "1.0"}


def test_no_pins_make_an_empty_environment(shop: Shop) -> None:
    assert said(shop.prepare(), INSTALLED) == "[]"


def test_scripts_and_data_go_where_they_belong(shop: Shop) -> None:
    files = {
        "alpha.py": "def main(): print('hello from', __file__)\n",
        "alpha-1.0.data/scripts/alpha-old": "#!python\nimport sys; print(sys.prefix)\n",
        "alpha-1.0.data/data/share/alpha/text": "data",
        "alpha-1.0.data/headers/alpha.h": "header",
        "alpha-1.0.data/purelib/beside.py": "",
    }
    environment = shop.prepare(
        shop.pin(wheel(files=files, entry_points__txt="[console_scripts]\nalpha-new = alpha:main\n"))
    )
    scripts = environment.python.parent
    assert (environment.path / "share" / "alpha" / "text").read_text() == "data"
    assert [path.name for path in environment.path.glob("include/site/*/alpha/*")] == ["alpha.h"]
    assert said(environment, "import beside, alpha; print('well')") == "well"
    assert printed(scripts / "alpha-new").startswith(f"hello from {environment.path}")
    assert printed(scripts / "alpha-old") == str(environment.path)


def test_a_cache_whose_path_has_a_space(shop: Shop, tmp_path: Path) -> None:
    shop.cache = tmp_path / "the cache"
    files = {"alpha.py": "def main(): print('well')\n"}
    environment = shop.prepare(
        shop.pin(wheel(files=files, entry_points__txt="[console_scripts]\nalpha = alpha:main\n"))
    )
    assert printed(environment.python.parent / "alpha") == "well"


def test_the_data_directory_may_spell_the_project_otherwise(shop: Shop) -> None:
    name, body = wheel("Alpha.Beta", files={"Alpha.Beta-1.0.data/data/share/text": "data", "alpha_beta.py": ""})
    environment = shop.prepare(shop.pin((name.replace("Alpha.Beta", "alpha_beta"), body)))
    assert (environment.path / "share" / "text").read_text() == "data"


def test_the_activation_script_names_the_right_place(shop: Shop) -> None:
    environment = shop.prepare(shop.pin(wheel()))
    text = (environment.python.parent / "activate").read_text()
    assert str(environment.path) in text
    assert "made" + os.sep not in text


def test_two_wheels_may_bring_the_same_file(shop: Shop) -> None:
    one = shop.pin(wheel("alpha", files={"tests/__init__.py": "", "alpha.py": ""}))
    other = shop.pin(wheel("beta", files={"tests/__init__.py": "", "beta.py": ""}))
    assert said(shop.prepare(one, other), "import alpha, beta, tests; print('well')") == "well"


def test_how_far_it_has_come_can_be_told_at_any_time(shop: Shop) -> None:
    told = []
    ACTIVITY.reset()

    def download(file: Any, place: Path) -> None:
        told.append(ACTIVITY.text)
        shop.download(file, place)

    pins = [shop.pin(wheel(name)) for name in ("alpha", "beta")]
    fresh(pins, interpreter=sys.executable, download=download, cache_dir=shop.cache)
    assert told == ["fetching wheels; 0 of 0 MB"] * 2
    assert ACTIVITY.text.startswith("unpacking wheels; ")
    assert ACTIVITY.done > 0


# -- used again


def test_the_same_question_uses_the_same_environment(shop: Shop) -> None:
    alpha, beta = shop.pin(wheel("alpha")), shop.pin(wheel("beta"))
    first = shop.prepare(alpha, beta)
    made = first.path.stat().st_ino
    second = shop.prepare(beta, alpha)
    assert second == first
    assert second.path.stat().st_ino == made
    assert shop.fetched == ["alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl"]


def test_another_question_makes_another_environment_of_the_same_downloads(shop: Shop) -> None:
    alpha, beta = shop.pin(wheel("alpha")), shop.pin(wheel("beta"))
    first = shop.prepare(alpha)
    second = shop.prepare(alpha, beta)
    assert first.path != second.path
    assert said(first, INSTALLED) == "['alpha1.0']"
    assert shop.fetched == ["alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl"]


def test_another_content_makes_another_environment(shop: Shop) -> None:
    first = shop.prepare(shop.pin(wheel(files={"alpha.py": "x = 1"})))
    second = shop.prepare(shop.pin(wheel(files={"alpha.py": "x = 2"})))
    assert [said(each, "import alpha; print(alpha.x)") for each in (first, second)] == ["1", "2"]


@pytest.mark.parametrize("algorithm", [None, "md5"])
def test_a_file_without_strong_hash_is_known_by_its_url(shop: Shop, algorithm: str | None) -> None:
    def prepared(code: str, **about: str) -> Environment:
        made = wheel(files={"alpha.py": code})
        hashes = {algorithm: hashlib.new(algorithm, made[1]).hexdigest()} if algorithm else {}
        return shop.prepare(shop.pin(made, hashes=hashes, **about))

    first = prepared("x = 1")
    assert prepared("x = 2") == first
    assert prepared("x = 2", url="https://index.test/elsewhere/alpha.whl") != first


def test_a_local_file_without_hash_is_known_by_its_content(shop: Shop, tmp_path: Path) -> None:
    def pin(code: str) -> Pin:
        made = wheel(files={"alpha.py": code})
        (tmp_path / made[0]).write_bytes(made[1])
        return shop.pin(made, hashes={}, url=(tmp_path / made[0]).as_uri())

    first = shop.prepare(pin("x = 1"))
    second = shop.prepare(pin("x = 2"))
    assert first != second
    assert said(second, "import alpha; print(alpha.x)") == "2"


@pytest.mark.parametrize("harm", ["altered", "removed", "added"])
def test_what_was_altered_since_is_made_anew(shop: Shop, harm: str) -> None:
    pin = shop.pin(wheel("alpha", "1.0"))
    first = shop.prepare(pin)
    said(first, "import alpha")  # leaves bytecode, which is no alteration
    module = Path(said(first, "import alpha; print(alpha.__file__)"))
    stamp = module.stat().st_mtime_ns
    assert (
        module.stat().st_mtime_ns
        == Path(said(shop.prepare(pin), "import alpha; print(alpha.__file__)")).stat().st_mtime_ns
    )
    if harm == "altered":
        module.write_text("__version__ = '6.6.6'")
    elif harm == "removed":
        module.unlink()
    else:
        module.parent.with_name("stranger.py").write_text("")
    again = shop.prepare(pin)
    assert said(again, "import alpha; print(alpha.__version__)") == "1.0"
    assert not module.parent.with_name("stranger.py").exists()
    assert stamp <= module.stat().st_mtime_ns


def test_what_is_not_whole_is_made_anew(shop: Shop) -> None:
    pin = shop.pin(wheel())
    environment = shop.prepare(pin)
    (environment.path / "wheelcheck.json").unlink()
    (environment.path / "rest").write_text("of an interrupted build")
    again = shop.prepare(pin)
    assert again == environment
    assert not (again.path / "rest").exists()


def test_what_a_killed_process_left_behind_is_removed(shop: Shop) -> None:
    """But nothing that another process still works in."""
    code = """
import sys, time
from pathlib import Path
from wheelcheck.interpreters.venv import _workspace
with _workspace(Path(sys.argv[1])) as room:
    print(room, flush=True)
    time.sleep(600)
"""
    places = [shop.cache / "environments", shop.cache / "wheels"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = []
    for place in [*places, *places]:
        place.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", code, str(place)]
        workers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ))
    try:
        rooms = [Path(worker.stdout.readline().strip()) for worker in workers if worker.stdout is not None]
        for worker in workers[:2]:
            worker.kill()
            worker.wait()
        assert all(room.is_dir() for room in rooms)
        shop.prepare(shop.pin(wheel()))
        assert [room.exists() for room in rooms] == [False, False, True, True]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


@posix
def test_an_environment_whose_python_is_gone_is_made_anew(shop: Shop) -> None:
    pin = shop.pin(wheel())
    environment = shop.prepare(pin)
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python")
    assert said(shop.prepare(pin), "import alpha; print('well')") == "well"


def test_two_at_once_get_the_same(shop: Shop) -> None:
    pin = shop.pin(wheel())
    with ThreadPoolExecutor(3) as pool:
        environments = list(pool.map(lambda _: shop.prepare(pin), range(3)))
    assert len({environment.path for environment in environments}) == 1
    assert said(environments[0], "import alpha; print('well')") == "well"
    assert len(shop.environments) == 1


# -- what is refused


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "md5"])
def test_a_hash_that_differs(shop: Shop, algorithm: str) -> None:
    pin = shop.pin(wheel(), hashes={algorithm: hashlib.new(algorithm, b"another").hexdigest()})
    with pytest.raises(FileRefusedError, match="alpha") as refused:
        shop.prepare(pin)
    assert isinstance(refused.value.reason, HashMismatch)
    assert refused.value.reason.actual.startswith(f"{algorithm}:")
    assert shop.environments == []


def test_every_hash_is_compared(shop: Shop) -> None:
    made = wheel()
    hashes = {"sha256": hashlib.sha256(made[1]).hexdigest(), "md5": "0" * 32}
    with pytest.raises(FileRefusedError) as refused:
        shop.prepare(shop.pin(made, hashes=hashes))
    assert isinstance(refused.value.reason, HashMismatch)
    assert refused.value.reason.actual.startswith("md5:")


def test_a_stored_wheel_that_was_damaged_is_fetched_anew(shop: Shop) -> None:
    alpha, beta = shop.pin(wheel("alpha")), shop.pin(wheel("beta"))
    shop.prepare(alpha)
    (stored,) = shop.cache.glob("wheels/*/alpha-*.whl")
    stored.write_bytes(b"damaged")
    assert said(shop.prepare(alpha, beta), "import alpha; print('well')") == "well"
    assert shop.fetched.count("alpha-1.0-py3-none-any.whl") == 2


def test_a_download_that_fails_leaves_nothing(shop: Shop) -> None:
    def broken(file: Listed, path: Path) -> None:
        path.write_bytes(b"PK")
        raise IndexUnavailable(file.url, "the connection was cut")

    pin = shop.pin(wheel())
    with pytest.raises(IndexUnavailable):
        fresh([pin], interpreter=sys.executable, download=broken, cache_dir=shop.cache)
    assert [path for path in shop.cache.rglob("*") if path.is_file()] == []
    assert said(shop.prepare(pin), "import alpha; print('well')") == "well"


def test_a_source_distribution(shop: Shop) -> None:
    with pytest.raises(WheelRefused, match="source distribution"):
        shop.prepare(shop.pin(("alpha-1.0.tar.gz", b"")))


def test_a_file_name_that_is_a_path(shop: Shop) -> None:
    pin = shop.pin(wheel())
    pin = dataclasses.replace(pin, file=replace(pin.file, filename="../" + pin.file.filename))
    with pytest.raises(WheelRefused, match="its name is a path"):
        shop.prepare(pin)


def scripted(name: str) -> tuple[str, bytes]:
    return wheel(entry_points__txt=f"[console_scripts]\n{name} = alpha:main\n")


def entries(*names: str) -> tuple[str, bytes]:
    return wheel(files={"alpha.py": "", **dict.fromkeys(names, "#!python\nhostile")})


HOSTILE: list[tuple[str, tuple[str, bytes], str]] = [
    ("climbs", entries("../../../../../../sentinel"), "is no path inside"),
    ("climbs from within", entries("alpha/../../../../../../../sentinel"), "is no path inside"),
    ("climbs by backslashes", entries("..\\..\\sentinel"), "is no path inside"),
    ("is absolute", entries("/tmp/wheelcheck-sentinel"), "is no path inside"),
    ("climbs in its data", entries("alpha-1.0.data/data/../../../../sentinel"), "is no path inside"),
    ("scheme unknown", entries("alpha-1.0.data/elsewhere/sentinel"), "not contained in a valid"),
    ("replaces Python", entries("alpha-1.0.data/scripts/python"), "part of the environment"),
    ("replaces Python as data", entries("alpha-1.0.data/data/bin/python"), "part of the environment"),
    ("replaces the configuration", entries("alpha-1.0.data/data/pyvenv.cfg"), "part of the environment"),
    ("replaces a directory", entries("alpha-1.0.data/data/bin"), "part of the environment"),
    ("script is Python", scripted("python"), "part of the environment"),
    ("script climbs", scripted("../../sentinel"), "is a path"),
    ("script is absolute", scripted("/tmp/wheelcheck-sentinel"), "is a path"),
    ("script is nothing", wheel(entry_points__txt="[console_scripts]\nalpha = ???\n"), "cannot be unpacked"),
    ("entry points are no such file", wheel(entry_points__txt="alpha"), "cannot be unpacked"),
    ("no RECORD", (wheel()[0], zipped({"alpha-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\n"})), "cannot be unpacked"),
    ("no dist-info", (wheel()[0], zipped({"alpha.py": ""})), "exactly one .dist-info"),
    ("two dist-infos", wheel(files={"beta-1.0.dist-info/WHEEL": ""}), "exactly one .dist-info"),
    ("another project's dist-info", ("beta-1.0-py3-none-any.whl", wheel()[1]), "doesn't match"),
    ("another format", wheel(WHEEL="Wheel-Version: 9.0\nRoot-Is-Purelib: true\n"), "Incompatible Wheel-Version"),
    ("no archive", (wheel()[0], b"<html>not found</html>"), "zip archive"),
    ("cut short", (wheel()[0], wheel()[1][:-40]), "zip archive"),
    ("damaged", (wheel()[0], wheel()[1].replace(b"alpha/__init__.py", b"alpha/__init__.pz", 1)), "cannot be unpacked"),
]


@pytest.mark.parametrize(("made", "why"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_hostile_wheel(shop: Shop, tmp_path: Path, made: tuple[str, bytes], why: str) -> None:
    before = contents(tmp_path)
    base = Path(os.path.realpath(sys.executable)).read_bytes()
    with pytest.raises(WheelRefused, match=why) as caught:
        shop.prepare(shop.pin(made))
    assert str(caught.value).startswith(f"{made[0]} was not installed: ")
    assert shop.environments == []
    assert contents(tmp_path) == before
    assert not Path("/tmp/wheelcheck-sentinel").exists()
    assert Path(os.path.realpath(sys.executable)).read_bytes() == base


def contents(directory: Path) -> list[str]:
    """Everything in a directory but the stored wheels."""
    return sorted(str(path) for path in directory.rglob("*") if path.is_file() and "wheels" not in path.parts)


@posix
def test_an_entry_that_is_a_link_becomes_a_plain_file(shop: Shop, tmp_path: Path) -> None:
    name, body = wheel()
    archive = io.BytesIO(body)
    with zipfile.ZipFile(archive, "a") as wheel_file:
        link = zipfile.ZipInfo("alpha/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        wheel_file.writestr(link, str(tmp_path))
        wheel_file.writestr("alpha/link/sentinel", "hostile")
    with pytest.raises((WheelRefused, NoEnvironment)):
        shop.prepare(shop.pin((name, archive.getvalue())))
    assert not (tmp_path / "sentinel").exists()


def test_without_a_hash_the_entries_are_held_against_their_record(shop: Shop) -> None:
    name, body = wheel()
    altered = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(altered, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry.filename, b"altered" if entry.filename == "alpha/__init__.py" else content)
    with pytest.raises(WheelRefused, match="RECORD"):
        shop.prepare(shop.pin((name, altered.getvalue()), hashes={}))


def test_no_space(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(NoEnvironment, match="MB are free"):
        shop.prepare(shop.pin(wheel()))
    assert shop.environments == []


def test_a_cache_that_cannot_be_written(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shop.cache = tmp_path / "file" / "cache"
    with pytest.raises(NoEnvironment, match=r"A fresh environment in .* could not be made"):
        shop.prepare(shop.pin(wheel()))


# -- interpreters


def script(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


@posix
def test_an_interpreter_without_the_venv_module(shop: Shop, tmp_path: Path) -> None:
    answer = '{"python": [3, 11, 0], "build": "", "abi": "", "machine": "", "prefix": "", "executable": ""}'
    no_venv = 'case "$*" in *"-m venv"*) echo "python: No module named venv" >&2; exit 1;; esac\n'
    python = script(tmp_path / "python", f"{no_venv}echo '{answer}'\n")
    with pytest.raises(NoEnvironment, match=r"-m venv failed .*No module named venv"):
        shop.prepare(shop.pin(wheel()), interpreter=python)
    assert shop.environments == []


@posix
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("exit 3", "exit code 3"),
        ("echo hello", "does not answer as a Python does: hello"),
        ("echo '[]'", "does not answer"),
        ("echo '{}'", "does not answer"),
    ],
)
def test_an_interpreter_that_is_no_python(shop: Shop, tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        shop.prepare(shop.pin(wheel()), interpreter=script(tmp_path / "python", text))


def test_an_interpreter_that_is_not_there(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be run: No such file"):
        shop.prepare(shop.pin(wheel()), interpreter=str(tmp_path / "python"))


def test_an_interpreter_in_an_environment_stands_for_the_python_behind_it(shop: Shop) -> None:
    outer = shop.prepare(shop.pin(wheel("alpha")))
    inner = shop.prepare(shop.pin(wheel("beta")), interpreter=str(outer.python))
    assert said(inner, INSTALLED) == "['beta1.0']"
    shutil.rmtree(outer.path)
    assert said(inner, "import beta; print('well')") == "well"


def pythons(wanted: Callable[[tuple[int, ...]], bool]) -> list[str]:
    """The Pythons that are installed beside the running one and whose version is wanted."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for path in sorted(root.glob("*/bin/python")):
        command = [str(path), "-c", "import sys; print('%d %d' % sys.version_info[:2])"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode == 0 and wanted(tuple(map(int, asked.stdout.split()))):
            found.append(str(path))
    return found


@pytest.mark.parametrize("python", pythons(lambda version: version >= (3, 8)))
def test_another_python(shop: Shop, python: str) -> None:
    files = {"alpha.py": "import sys\n__version__ = '%d.%d.%d' % sys.version_info[:3]\ndef main(): print(sys.prefix)\n"}
    pin = shop.pin(wheel(files=files, entry_points__txt="[console_scripts]\nalpha = alpha:main\n"))
    environment = shop.prepare(pin, interpreter=python)
    confirmation = confirm_projects(["alpha"], interpreter=str(environment.python), isolated=True)  # type: ignore[list-item]
    assert confirmation.ok is True
    assert confirmation.modules[0].version == confirmation.python
    assert environment.path != shop.prepare(pin).path or os.path.realpath(python) == os.path.realpath(sys.executable)
    assert printed(environment.python.parent / "alpha") == str(environment.path)


@pytest.mark.parametrize("python", pythons(lambda version: version < (3, 8)))
def test_a_python_that_is_too_old(shop: Shop, python: str) -> None:
    with pytest.raises(UsageError, match=r"is Python [23]\.[0-9]+\.[0-9]+; a fresh environment needs Python 3\.8"):
        shop.prepare(shop.pin(wheel()), interpreter=python)
