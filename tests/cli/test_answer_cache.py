"""The remembered answer of a command: given without a request while all that it stands on is as it was, never after.

Most tests put a mark in place of what is remembered: whoever reads it was given the remembered answer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import wheelcheck
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Handler, Server, simple_index
from wheelcheck.cli.answer_cache import MAX_ENTRIES, forget_oldest, recalled
from wheelcheck.cli.main import main
from wheelcheck.index.cache.entries import entry_head, read_entry
from wheelcheck.index.cache.stamps import is_settled, stamp_of
from wheels import make_wheel, metadata_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MARK = "this was remembered"
MODULE = [sys.executable, "-m", "wheelcheck"]
NEW_SPAM = [*PROJECTS["spam"], make_wheel("spam", "3.0")]
POSIX = pytest.mark.skipif(os.name == "nt", reason="pipes, terminals and devices are told otherwise there")
OURS = ("PIP_", "WHEELCHECK_", "UV_", "XDG_", "NETRC", "NO_COLOR", "FORCE_COLOR", "PYTHON")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Checker:
    """Commands that are run in a directory of their own, with their own home and cache, against one index."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.here, self.files, self.home, self.cache = (folder / name for name in ("here", "files", "home", "cache"))
        for place in (self.here, self.files, self.home):
            place.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {"WHEELCHECK_CACHE_DIR": str(self.cache), "HOME": str(self.home), "USERPROFILE": str(self.home)}
        self.env = kept | own | {"PIP_CONFIG_FILE": os.devnull, "XDG_CONFIG_DIRS": str(folder / "xdg")}

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        command: list[str] = MODULE,
        **how: Any,
    ) -> Done:
        """Runs ``wheelcheck check`` with a target and the index behind some arguments, unless they name others."""
        target = [] if {"-t", "--python"} & {*arguments} else ["-t", LINUX]
        index = [] if {"-i", "--no-index"} & {*arguments} or "PIP_INDEX_URL" in {**self.env} else ["-i", self.index]
        return self.raw([*command, "check", *arguments, *target, *index], env=env, cwd=cwd, **how)

    def raw(
        self, command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, **how: Any
    ) -> Done:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        streams |= {} if "input" in how else {"stdin": how.get("stdin", subprocess.DEVNULL)}
        environment = self.env | dict(env or {})
        done: Any = subprocess.run(command, env=environment, cwd=cwd or self.here, check=False, **streams)
        out, err = ((stream or b"").decode() for stream in (done.stdout, done.stderr))
        assert "Traceback" not in out + err
        return Done(done.returncode, out, err)

    @property
    def index(self) -> str:
        return self.server.index

    @property
    def entries(self) -> list[Path]:
        """The remembered answers."""
        return sorted(self.cache.glob("*/answers/*"))

    def mark(self, **about: Any) -> None:
        """Puts the mark in place of every remembered answer, of which there is at least one; and changes its head."""
        assert self.entries
        for place in self.entries:
            head, _ = read_entry(str(place))
            write(place, head | {"stamps": head["stamps"] | about})

    def write(self, name: str, text: str) -> str:
        """A file with a text; its path."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return settled(path)


def settled(path: Path) -> str:
    """The path of a file, once it was written so long ago that it is trusted to show the next change."""
    while not is_settled(stamp_of(str(path)), time.time()):
        time.sleep(0.01)
    return str(path)


def write(place: Path, about: dict[str, Any], text: str = MARK) -> None:
    place.write_bytes(entry_head(about, [text.encode()])[0] + text.encode())


@pytest.fixture
def checker(tmp_path: Path) -> Iterator[Checker]:
    with simple_index(PROJECTS) as server:
        yield Checker(tmp_path, server)


def pins(out: str) -> dict[str, str]:
    """The pins in a text, by name."""
    _, _, rest = out.partition("Pins\n")
    return dict(line.split()[:2] for line in rest.partition("\n\n")[0].splitlines() if line[2:3].strip())


def is_marked(done: Done) -> bool:
    return MARK in done.out


# -- given again


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("spam", 0),
        ("spam --format json", 0),
        ("spam --format json -v", 0),
        ("spam -q", 0),
        ("onlymac", 1),
        ("onlymac --format json", 1),
        ("candidate --strict", 1),
        ("candidate spam", 0),
        (f"ham alone -t {MAC} -t {LINUX}", 1),
        ("spam --no-deps --pre", 0),
        ("alone -t linux --python 3.12", 0),
        ("alone -t running", 0),
        ("onlymac;sys_platform=='darwin' alone", 0),
        ("onlymac;sys_platform=='darwin'", 0),
    ],
)
def test_the_same_command_gives_the_same_answer_without_a_request(checker: Checker, arguments: str, code: int) -> None:
    first = checker.run(*arguments.split())
    assert first.code == code
    checker.server.forget()
    again = checker.run(*arguments.split())
    assert checker.server.paths == []
    if "json" in arguments:
        documents = [json.loads(done.out) for done in (first, again)]
        assert documents[0]["index"]["requests"] > 0
        assert [documents[1]["index"].pop(name) for name in ("requests", "bytes")] == [0, 0]
        assert documents[1]["index"].pop("cached") > 0
        for name in ("requests", "bytes", "cached"):
            documents[0]["index"].pop(name)
        assert documents[0] == documents[1]
        assert (again.code, again.err) == (first.code, first.err)
    else:
        assert again == first
    checker.mark()
    assert checker.run(*arguments.split()) == Done(code, MARK + os.linesep, "")


def test_an_answer_in_json_is_that_of_a_run_on_the_cache_alone(checker: Checker) -> None:
    arguments = ["alone", "ham", "--format", "json"]
    checker.run(*arguments)
    remembered = checker.run(*arguments)
    for entry in checker.entries:
        entry.unlink()
    assert checker.run(*arguments) == remembered


def test_a_requirements_file_that_is_as_it_was(checker: Checker) -> None:
    nested = checker.write("more.txt", "eggs<2\n")
    bounds = checker.write("bounds.txt", "spam<2\n")
    asked = checker.write("asked.txt", f"-r {nested}\n-c {bounds}\nspam\n")
    for _ in range(2):
        assert pins(checker.run("-r", asked).out) == {"eggs": "1.5", "spam": "1.0"}
    checker.mark()
    assert is_marked(checker.run("-r", asked))


def test_an_answer_in_a_file_is_written_again(checker: Checker) -> None:
    place = checker.files / "answer.txt"
    assert checker.run("spam", "-o", str(place)) == Done(0, "", "")
    first = place.read_bytes()
    place.unlink()
    assert checker.run("spam", "-o", str(place)) == Done(0, "", "")
    assert place.read_bytes() == first
    checker.mark()
    checker.run("spam", "-o", str(place))
    assert place.read_text("utf-8") == f"{MARK}\n"


def test_what_is_said_besides_is_said_again_in_the_same_order(checker: Checker) -> None:
    asked = checker.write("asked.txt", "--use-feature fast-deps\nspam\n")
    both = [checker.run("-r", asked, stderr=subprocess.STDOUT) for _ in range(2)]
    assert "--use-feature fast-deps" in both[0].out.splitlines()[0]
    assert both[0] == both[1]
    checker.mark()
    done = checker.run("-r", asked, stderr=subprocess.STDOUT)
    assert done.out.splitlines() == [both[0].out.splitlines()[0], MARK]


def test_the_console_script_and_the_module_give_each_others_answers(checker: Checker) -> None:
    script = shutil.which("wheelcheck", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("wheelcheck is not installed as a command here")
    assert checker.run("spam", command=[script]).code == 0
    checker.mark()
    assert is_marked(checker.run("spam", command=[script]))
    named = Path(script).read_bytes().splitlines()[0].removeprefix(b"#!").decode()  # answers name their interpreter
    interpreter = named if Path(named).exists() else sys.executable
    assert is_marked(checker.run("spam", command=[interpreter, "-m", "wheelcheck"]))


def test_an_index_that_is_down_does_not_matter_while_the_answer_stands(tmp_path: Path) -> None:
    with simple_index(PROJECTS) as server:
        checker = Checker(tmp_path, server)
        first = checker.run("spam")
    assert checker.run("spam") == first


# -- what is never remembered


def local_wheel(checker: Checker) -> str:
    (checker.files / "alone-1.0-py3-none-any.whl").write_bytes(PROJECTS["alone"][0].content)
    return str(checker.files / "alone-1.0-py3-none-any.whl")


def local_project(checker: Checker) -> str:
    checker.write("project/pyproject.toml", '[project]\nname = "mine"\nversion = "1.0"\n')
    return str(checker.files / "project")


def saved_target(checker: Checker, name: str = LINUX) -> str:
    place = str(checker.files / "target.json")
    checker.raw([*MODULE, "targets", "show", name, "--format", "json", "-o", place])
    return place


def folder_of_wheels(checker: Checker) -> str:
    return str(Path(local_wheel(checker)).parent)


def own_rules(checker: Checker, effect: str = "forbids") -> str:
    return checker.write(
        "mine.toml",
        f'project = "spam"\n[[rule]]\nid = "spam-1"\nversions = "==1.0"\neffect = "{effect}"\n'
        'why = "spam 1.0 is empty."\nevidence = "contents"\nconfidence = "certain"\n'
        'sources = [{ fact = "Seen.", date = "2025-01-01" }]\n',
    )


NEVER: dict[str, Callable[[Checker], list[str]]] = {
    "refresh": lambda checker: ["spam", "--refresh"],
    "offline": lambda checker: ["spam", "--offline"],
    "no cache": lambda checker: ["spam", "--no-cache"],
    "no cache, cut short": lambda checker: ["spam", "--no-c"],
    "cache": lambda checker: ["spam", "--cache-dir", str(checker.cache)],
    "cache, with an equals sign": lambda checker: ["spam", f"--cache-dir={checker.cache}"],
    "cache, cut short": lambda checker: ["spam", "--ca", str(checker.cache)],
    "confirm": lambda checker: ["spam", "--confirm", "-t", MAC],
    "confirm, cut short": lambda checker: ["spam", "--conf", "-t", MAC],
    "a limit that moves": lambda checker: ["spam", "--exclude-newer", "30 days", "--no-upload-time", "allow"],
    "verbose": lambda checker: ["spam", "-v"],
    "own rules": lambda checker: ["spam", "--rules", own_rules(checker)],
    "an interpreter": lambda checker: ["spam", "-t", sys.executable],
    "an interpreter as a Python": lambda checker: ["spam", "-t", "linux", "--python", sys.executable],
    "a saved target": lambda checker: ["spam", "-t", saved_target(checker)],
    "a saved target in capitals": lambda checker: [
        "spam",
        "-t",
        shutil.copy(saved_target(checker), str(checker.here / "T.JSON")),
    ],
    "a saved target beside spaces": lambda checker: ["spam", "-t", f" {Path(saved_target(checker)).rename('t.json')} "],
    "a local wheel": lambda checker: ["spam", local_wheel(checker)],
    "a local wheel by URL": lambda checker: ["spam", f"alone @ {Path(local_wheel(checker)).as_uri()}"],
    "a local project": lambda checker: ["spam", local_project(checker)],
    "a local wheel in a file": lambda checker: ["-r", checker.write("a.txt", f"spam\n{local_wheel(checker)}\n")],
    "a local wheel in a constraint": lambda checker: [
        *("spam", "-c"),
        checker.write("c.txt", f"alone @ {Path(local_wheel(checker)).as_uri()}\n"),
    ],
    "a wheel by URL": lambda checker: [f"alone @ {checker.server.url}/files/alone-1.0-py3-none-any.whl"],
    "a folder of wheels": lambda checker: ["alone", "-f", folder_of_wheels(checker)],
    "a folder of wheels alone": lambda checker: ["alone", "--no-index", "-f", folder_of_wheels(checker)],
    "a folder of wheels in a file": lambda checker: [
        "-r",
        checker.write("a.txt", f"-f {folder_of_wheels(checker)}\nspam\n"),
    ],
    "a missing project": lambda checker: ["nowhere"],
    "a missing dependency": lambda checker: ["needy"],
    "a file that was refused": lambda checker: ["refused"],
    "no sha256": lambda checker: ["unstated"],
    "no freshness": lambda checker: ["fleeting"],
    "no freshness, not to be stored": lambda checker: ["unstored"],
    "an answer about an index that is down": lambda checker: ["alone", "-i", "http://127.0.0.1:1/simple/"],
    "a usage error": lambda checker: ["spam=="],
}


@pytest.mark.parametrize("which", NEVER)
def test_what_may_change_unseen_is_never_remembered(
    checker: Checker, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checker.here)
    checker.env["PIP_RETRIES"] = "0"
    checker.server.add_project("needy", [make_wheel("needy", requires=["nowhere"])])
    checker.server.add_project("refused", [make_wheel("refused"), make_wheel("refused", "2.0")], metadata=False)
    checker.server.add("/files/refused-2.0-py3-none-any.whl", b"PK no zip")
    checker.server.add_project("unstated", [make_wheel("unstated")], hashes=False)
    checker.server.add_project("fleeting", [make_wheel("fleeting")], headers={"cache-control": "max-age=0"})
    checker.server.add_project("unstored", [make_wheel("unstored")], headers={"cache-control": "no-store"})
    arguments = NEVER[which](checker)
    if which == "offline":
        checker.run("spam")
        checker.run("spam", "--refresh")
        for entry in checker.entries:
            entry.unlink()
    first = checker.run(*arguments)
    assert checker.run(*arguments)[::2] == first[::2]
    assert checker.entries == []


@pytest.mark.parametrize("option", ["--no-cache", "--refresh", "--cache-dir", "--offline"])
def test_an_option_of_the_cache_passes_by_what_is_remembered(checker: Checker, option: str) -> None:
    options = [option, *([str(checker.files / "cache")] if option == "--cache-dir" else [])]
    first = checker.run("spam")
    checker.mark()
    assert checker.run("spam", *options) == first
    assert is_marked(checker.run("spam")) is (option != "--refresh")
    assert checker.run("spam", *options) == first
    assert list(checker.files.glob("cache/*/answers")) == []


def test_the_age_of_an_answer_is_told_as_it_is_now(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    for _ in range(2):
        done = checker.run("spam", "-v")
        assert not is_marked(done)
        assert f"index: {checker.index}" in done.out


def test_standard_input_is_read_each_time(checker: Checker) -> None:
    (checker.here / "-").write_text("a file of that name is not meant")
    settled(checker.here / "-")
    for name in ("-", "/dev/stdin") if os.name == "posix" else ("-",):
        for text, version in (("eggs<2", "1.5"), ("eggs<2", "1.5"), ("eggs", "2.0")):
            assert pins(checker.run("-r", name, input=text.encode()).out) == {"eggs": version}


@POSIX
def test_a_pipe_is_read_each_time(checker: Checker) -> None:
    pipe = checker.files / "pipe.txt"
    os.mkfifo(pipe)
    for text, version in (("eggs<2", "1.5"), ("eggs<2", "1.5"), ("eggs", "2.0")):
        writer = subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'w').write({text!r})"])
        assert pins(checker.run("-r", str(pipe)).out) == {"eggs": version}
        assert writer.wait(30) == 0


@POSIX
def test_a_file_behind_standard_input_is_the_one_of_now(checker: Checker) -> None:
    for text, version in (("eggs<2", "1.5"), ("eggs", "2.0")):
        place = Path(checker.write(f"{version}.txt", text))
        for _ in range(2):
            with place.open("rb") as stream:
                assert pins(checker.run("-r", "/dev/stdin", stdin=stream).out) == {"eggs": version}


def test_a_saved_target_that_changes(checker: Checker) -> None:
    place = saved_target(checker)
    assert [checker.run("onlymac", "-t", place).code for _ in range(2)] == [1, 1]
    saved_target(checker, MAC)
    assert checker.run("onlymac", "-t", place).code == 0


def test_a_folder_of_wheels_that_grows(checker: Checker) -> None:
    folder = folder_of_wheels(checker)
    asks = [["alone", "-f", folder], ["alone", "--no-index", "-f", folder]]
    for ask in asks * 2:
        assert pins(checker.run(*ask).out) == {"alone": "1.0"}
    newer = make_wheel("alone", "2.0")
    (Path(folder) / newer.filename).write_bytes(newer.content)
    for ask in asks:
        assert pins(checker.run(*ask).out) == {"alone": "2.0"}


def test_an_index_in_a_directory_that_changes(checker: Checker) -> None:
    for version in ("1.0", "2.0"):
        wheel = make_wheel("alone", version)
        place = checker.files / "alone" / wheel.filename
        checker.write("alone/index.html", f'<a href="{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a>')
        place.write_bytes(wheel.content)
        for _ in range(2):
            assert pins(checker.run("alone", "-i", str(checker.files)).out) == {"alone": version}


def test_rules_of_the_user_that_change(checker: Checker) -> None:
    place = own_rules(checker)
    assert [checker.run("spam==1.0", "--rules", place).code for _ in range(2)] == [1, 1]
    checker.write("mine.toml", Path(place).read_text().replace("==1.0", "==7.0"))
    assert checker.run("spam==1.0", "--rules", place).code == 0


def test_a_project_directory_that_changes(checker: Checker) -> None:
    folder = local_project(checker)
    assert [pins(checker.run(folder).out) for _ in range(2)] == [{"mine": "1.0"}] * 2
    checker.write("project/pyproject.toml", '[project]\nname = "mine"\nversion = "2.0"\n')
    assert "2.0" in checker.run(folder).out


@POSIX
def test_a_python_on_the_path_that_changes(checker: Checker) -> None:
    script = '#!/bin/sh\nexec {} "$@"\n'
    place = checker.files / "python3.99"
    place.write_text(script.format(sys.executable))
    place.chmod(0o755)
    checker.env["PATH"] = f"{checker.files}{os.pathsep}{checker.env['PATH']}"
    arguments = ["alone", "-t", "linux", "--python", "python3.99"]
    assert [checker.run(*arguments).code for _ in range(2)] == [0, 0]
    place.write_text("#!/bin/sh\nexit 3\n")
    assert checker.run(*arguments).code == 2


# -- files that decide


def rewritten(path: Path, text: str) -> None:
    """Other content of the same length, with the time of the old."""
    before = path.stat()
    assert len(text) == before.st_size
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path, text: str) -> None:
    """Another file in its place, of the same length and time."""
    other = path.with_name("other.txt")
    shutil.copy2(path, other)
    rewritten(other, text)
    other.replace(path)


WAYS: dict[str, Callable[[Path, str], Any]] = {
    "written over": lambda path, text: path.write_text(text),
    "written over, same size and time": rewritten,
    "replaced, same size and time": replaced,
    "longer": lambda path, text: path.write_text(text + "\n# more\n"),
}


@pytest.mark.parametrize(
    ("where", "way"),
    [
        *(("asked", way) for way in WAYS),
        *(
            (where, "replaced, same size and time")
            for where in ("nested", "bounds", "nested bounds", "configured bounds")
        ),
    ],
)
def test_a_file_that_changed_is_read_again(checker: Checker, where: str, way: str) -> None:
    changed = Path(checker.write("deep/changed.txt", "eggs==2.0\n"))
    outer = checker.write("outer.txt", "-c deep/changed.txt\neggs\n" if "bounds" in where else "-r deep/changed.txt\n")
    arguments = {
        "asked": ["-r", str(changed)],
        "bounds": ["eggs", "-c", str(changed)],
        "configured bounds": ["eggs"],
    }.get(where, ["-r", outer])
    if where == "configured bounds":
        checker.env["PIP_CONSTRAINT"] = str(changed)
    assert pins(checker.run(*arguments).out) == {"eggs": "2.0"}
    checker.mark()
    WAYS[way](changed, "eggs==1.5\n")
    done = checker.run(*arguments)
    assert (done.code, pins(done.out)) == (0, {"eggs": "1.5"})
    changed.unlink()
    assert checker.run(*arguments).code == 2


@POSIX
@pytest.mark.parametrize(
    "linked",
    [
        "file",
        "folder",
        "nested file",
        "second name",
    ],
)
def test_a_link_that_leads_elsewhere_is_followed_again(checker: Checker, linked: str) -> None:
    for version in ("1.5", "2.0"):
        checker.write(f"{version}/asked.txt", f"eggs=={version}\n")
    link = checker.files / ("link" if linked == "folder" else "link.txt")
    inside = "" if linked == "folder" else "asked.txt"
    link.symlink_to(checker.files / "1.5" / inside)
    before = "-r 1.5/asked.txt\n" if linked == "second name" else ""
    outer = checker.write("outer.txt", f"{before}-r link.txt\n")
    arguments = {"file": str(link), "folder": f"{link}/asked.txt"}.get(linked, outer)
    assert pins(checker.run("-r", arguments).out) == {"eggs": "1.5"}
    if linked != "folder":
        checker.mark()
    link.unlink()
    link.symlink_to(checker.files / "2.0" / inside)
    done = checker.run("-r", arguments)
    assert done.code == 1 if before else pins(done.out) == {"eggs": "2.0"}


def test_a_relative_path_is_taken_from_the_directory_of_now(checker: Checker) -> None:
    for version in ("1.5", "2.0"):
        checker.write(f"{version}/asked.txt", f"eggs=={version}\n")
    assert pins(checker.run("-r", "asked.txt", cwd=checker.files / "1.5").out) == {"eggs": "1.5"}
    checker.mark()
    assert pins(checker.run("-r", "asked.txt", cwd=checker.files / "2.0").out) == {"eggs": "2.0"}
    assert is_marked(checker.run("-r", "asked.txt", cwd=checker.files / "1.5"))


def test_a_file_that_changes_while_its_answer_is_found_is_read_again(checker: Checker) -> None:
    asked = checker.write("asked.txt", "eggs==2.0\n")

    def change(handler: Handler) -> None:
        checker.write("asked.txt", "eggs==1.5\n")
        handler.serve()

    checker.server.fault("/simple/eggs/", change, times=1)
    assert pins(checker.run("-r", asked).out) == {"eggs": "2.0"}
    assert pins(checker.run("-r", asked).out) == {"eggs": "1.5"}


@pytest.mark.parametrize("name", ["TOKEN_OF_MINE", "SHLVL", "COLUMNS", "OLDPWD"])
def test_a_variable_in_a_file_has_the_value_of_now(checker: Checker, name: str) -> None:
    asked = checker.write("asked.txt", f"eggs<${{{name}}}\n")
    assert pins(checker.run("-r", asked, env={name: "2"}).out) == {"eggs": "1.5"}
    checker.mark()
    assert pins(checker.run("-r", asked, env={name: "9"}).out) == {"eggs": "2.0"}


# -- configuration and environment


@pytest.mark.parametrize(
    "place", ["chosen.conf", "home/.pip/pip.conf", "home/.config/pip/pip.conf", "xdg/pip/pip.conf", "prefix"]
)
@pytest.mark.skipif(sys.platform != "linux", reason="where pip's configuration lies differs between systems")
def test_a_configuration_file_that_appears_changes_and_goes(checker: Checker, place: str) -> None:
    command = MODULE
    checker.env.pop("PIP_CONFIG_FILE")
    if place == "chosen.conf":
        checker.env["PIP_CONFIG_FILE"] = str(checker.folder / place)
    file = checker.folder / place
    if place == "prefix":
        command = [other_python(checker), "-m", "wheelcheck"]
        file = Path(command[0]).parent.parent / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    for text, version in (("", "1.0"), ("[global]\npre = y\n", "2.0rc1"), ("[global]\npre = n\n", "1.0")):
        if text:
            file.write_text(text)
            settled(file)
        done = checker.run("spam", command=command)
        assert pins(done.out).get("spam") == version
        checker.mark()
    file.write_text("[global]\npre = y\n")
    settled(file)
    for entry in checker.entries:
        entry.unlink()
    assert pins(checker.run("spam", command=command).out).get("spam") == "2.0rc1"
    checker.mark()
    assert is_marked(checker.run("spam", command=command))
    file.unlink()
    assert pins(checker.run("spam", command=command).out).get("spam") == "1.0"


@pytest.mark.parametrize(
    ("name", "value", "code", "spam"),
    [
        ("PIP_PRE", "1", 0, "2.0rc1"),
        ("WHEELCHECK_PRE", "1", 0, "2.0rc1"),
        ("WHEELCHECK_NO_CACHE", "1", 0, "1.0"),
        ("WHEELCHECK_REFRESH", "1", 0, "1.0"),
        ("WHEELCHECK_OFFLINE", "1", 0, "1.0"),
        ("WHEELCHECK_VERBOSE", "1", 0, "1.0"),
        ("WHEELCHECK_STRICT", "maybe", 2, None),
        ("WHEELCHECK_CACHE_DIR", "elsewhere", 0, "1.0"),
        ("WHEELCHECK_TARGET", MAC, 0, "1.0"),
        ("PIP_NO_INDEX", "1", 2, None),
        ("PIP_INDEX_URL", "OTHER", 0, "3.0"),
        ("PIP_EXTRA_INDEX_URL", "OTHER", 0, "3.0"),
        ("PIP_CONSTRAINT", "nowhere.txt", 2, None),
        ("PIP_ONLY_BINARY", "spam", 0, "1.0"),
        ("UV_DEFAULT_INDEX", "OTHER", 0, "3.0"),
        ("UV_INDEX_URL", "OTHER", 0, "3.0"),
        ("UV_INDEX", "more=OTHER", 0, "3.0"),
        ("UV_EXTRA_INDEX_URL", "OTHER", 0, "3.0"),
        ("NETRC", "netrc", 0, "1.0"),
        ("HOME", "OTHER HOME", 0, "1.0"),
        ("SSL_CERT_FILE", "nowhere.pem", 0, "1.0"),
        ("PYTHONPATH", "nowhere", 0, "1.0"),
        ("LANG", "xx_XX.UTF-8", 0, "1.0"),
    ],
)
def test_a_variable_that_differs_is_another_question(
    checker: Checker, name: str, value: str, code: int, spam: str | None
) -> None:
    checker.server.add_project("spam", NEW_SPAM, base="/other")
    checker.server.add_project("eggs", PROJECTS["eggs"], base="/other")
    other = f"{checker.server.url}/other/"
    base = "UV_INDEX_URL" if name.startswith("UV_") else "PIP_INDEX_URL"
    command = [*MODULE, "check", "spam"]
    env = {base: checker.index} | ({} if name == "WHEELCHECK_TARGET" else {"WHEELCHECK_TARGET": LINUX})
    assert checker.raw(command, env=env).code == 0
    checker.mark()
    given = value.replace("OTHER HOME", str(checker.files)).replace("OTHER", other)
    done = checker.raw(command, env=env | {name: given})
    assert not is_marked(done)
    assert (done.code, pins(done.out).get("spam")) == (code, spam)


def test_another_form_is_another_question(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    assert json.loads(checker.run("spam", env={"WHEELCHECK_FORMAT": "json"}).out)["ok"] is True
    assert json.loads(checker.run("spam", "--format", "json").out)["ok"] is True
    place = checker.files / "answer.txt"
    assert checker.run("spam", env={"WHEELCHECK_OUTPUT": str(place)}) == Done(0, "", "")
    assert pins(place.read_text("utf-8"))["spam"] == "1.0"
    assert "spam" not in pins(checker.run("spam", "-q").out)
    orders = [["-t", LINUX, "-t", MAC], ["-t", MAC, "-t", LINUX]]
    assert [checker.run("alone", *order).out.split(":")[0] for order in orders] == [LINUX, MAC]


def other_python(checker: Checker) -> str:
    """The interpreter of an environment of its own that imports what this one does."""
    folder = checker.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, stdin=subprocess.DEVNULL)
    packages = next(folder.glob("[Ll]ib*/**/site-packages"))
    (packages / "all.pth").write_text("\n".join(path for path in sys.path if path))
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def test_another_interpreter_or_another_way_to_start_it_is_another_question(checker: Checker) -> None:
    checker.run("alone", "-t", "running")
    checker.mark()
    for command in ([other_python(checker)], [sys.executable, "-s"], [sys.executable, "-E"]):
        done = checker.run("alone", "-t", "running", command=[*command, "-m", "wheelcheck"])
        assert (done.code, is_marked(done)) == (0, False)


# -- pages in the cache


def test_a_page_that_another_process_refreshed(checker: Checker) -> None:
    assert pins(checker.run("spam").out) == {"eggs": "1.5", "spam": "1.0"}
    checker.mark()
    checker.server.add_project("spam", NEW_SPAM)
    assert is_marked(checker.run("spam"))
    assert pins(checker.run("spam", "-t", MAC, "--refresh").out) == {"spam": "3.0"}
    assert pins(checker.run("spam").out) == {"spam": "3.0"}


def test_a_page_of_a_dependency_that_another_process_refreshed(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    checker.server.add_project("eggs", [*PROJECTS["eggs"], make_wheel("eggs", "1.6")])
    checker.run("eggs", "--refresh")
    assert pins(checker.run("spam").out) == {"eggs": "1.6", "spam": "1.0"}


@pytest.mark.parametrize("what", ["page", "answer"])
def test_a_project_that_appears_on_another_index(checker: Checker, what: str) -> None:
    extra = ["--extra-index-url", f"{checker.server.url}/other/"]
    assert pins(checker.run("alone", *extra).out) == {"alone": "1.0"}
    checker.mark()
    assert is_marked(checker.run("alone", *extra))
    checker.server.add_project("alone", [make_wheel("alone", "2.0")], base="/other")
    if what == "page":
        checker.run("alone", *extra, "-t", MAC, "--refresh")
    else:
        checker.run("alone", "-i", f"{checker.server.url}/other/", "--refresh")
    assert pins(checker.run("alone", *extra).out) == {"alone": "2.0"}


@pytest.mark.parametrize("absent", [False, True])
def test_an_answer_ends_with_the_first_of_its_pages(checker: Checker, absent: bool) -> None:
    long, short = {"cache-control": "max-age=3000"}, {"cache-control": "max-age=3000", "age": "2900"}
    checker.server.add_project("spam", PROJECTS["spam"], headers=long)
    checker.server.add_project("eggs", PROJECTS["eggs"], headers=long if absent else short)
    extra = ["--extra-index-url", f"{checker.server.url}/other/"] if absent else []
    checker.run("spam", *extra)
    (entry,) = checker.entries
    validity_stamps = read_entry(str(entry))[0]["stamps"]
    assert 0 < validity_stamps["until"] - validity_stamps["since"] <= (600 if absent else 100)
    checker.mark(until=time.time())
    done = checker.run("spam", *extra)
    assert pins(done.out) == {"eggs": "1.5", "spam": "1.0"}
    assert not is_marked(done)


@pytest.mark.parametrize("absent", [False, True])
def test_nothing_is_given_beyond_the_time_of_a_page(checker: Checker, absent: bool) -> None:
    base = "/other" if absent else "/simple"
    short = {"cache-control": "max-age=1"}
    if absent:
        checker.server.fault("/other/*", lambda handler: handler.answer(404, b"", short), times=1)
    else:
        checker.server.add_project("alone", PROJECTS["alone"], headers=short)
    extra = ["--extra-index-url", f"{checker.server.url}{base}/"]
    assert pins(checker.run("alone", *extra).out) == {"alone": "1.0"}
    ends = time.time() + 1
    checker.server.add_project("alone", [make_wheel("alone", "2.0")], base=base)
    while time.time() <= ends:
        time.sleep(0.05)
    assert pins(checker.run("alone", *extra).out) == {"alone": "2.0"}


def test_an_emptied_cache(checker: Checker) -> None:
    checker.run("spam")
    assert checker.entries
    checker.raw([*MODULE, "cache", "clear"])
    assert checker.entries == []
    checker.server.add_project("spam", NEW_SPAM)
    assert pins(checker.run("spam").out) == {"spam": "3.0"}


def test_a_page_that_is_gone_from_the_cache(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    for page in checker.cache.glob("*/pages/*-eggs"):
        page.unlink()
    checker.server.forget()
    assert pins(checker.run("spam").out) == {"eggs": "1.5", "spam": "1.0"}
    assert "/simple/eggs/" in checker.server.paths
    assert "/simple/spam/" not in checker.server.paths


def test_a_clock_that_was_set_back(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    assert is_marked(checker.run("spam"))
    checker.mark(since=time.time() + 60, until=time.time() + 600)
    assert not is_marked(checker.run("spam"))


@pytest.mark.parametrize("where", ["beside", "inside"])
def test_a_file_that_was_refused_and_is_mended(checker: Checker, where: str) -> None:
    old, new = make_wheel("mended", "1.0"), make_wheel("mended", "2.0")
    checker.server.add_project("mended", [old, new], metadata=where == "beside")
    path = f"/files/{new.filename}{'.metadata' if where == 'beside' else ''}"
    good = checker.server.resources[path]
    checker.server.add(
        path, metadata_text("mended", "2.0", requires=["nowhere"]) if where == "beside" else b"PK no zip"
    )
    assert checker.run("mended").code == 1  # another file than what was published, so no other version is tried
    checker.server.resources[path] = good
    for kept in checker.cache.glob("*/metadata/*"):
        kept.unlink()  # as after ten minutes
    assert pins(checker.run("mended").out) == {"mended": "2.0"}


def test_a_page_that_another_process_refreshes_while_an_answer_is_found(checker: Checker) -> None:
    def refresh(handler: Handler) -> None:
        checker.server.add_project("spam", [*PROJECTS["spam"], make_wheel("spam", "3.0", requires=["eggs"])])
        checker.run("spam", "--no-deps", "-t", MAC)
        for page in checker.cache.glob("*/pages/*-spam"):
            page.unlink()
        checker.run("spam", "--no-deps", "-t", MAC)
        handler.serve()

    checker.server.fault("/simple/eggs/", refresh, times=1)
    assert pins(checker.run("spam").out)["spam"] == "1.0"
    assert pins(checker.run("spam").out)["spam"] == "3.0"


# -- what is installed, and what this is


def test_something_that_was_installed(checker: Checker) -> None:
    checker.env["PYTHONPATH"] = str(checker.files)
    checker.run("spam")
    checker.mark()
    assert is_marked(checker.run("spam"))
    checker.write("something-1.0.dist-info/METADATA", metadata_text("something", "1.0"))
    assert not is_marked(checker.run("spam"))


def test_sources_and_rules_that_changed(checker: Checker) -> None:
    package = checker.files / "wheelcheck"
    shutil.copytree(Path(wheelcheck.__file__).parent, package)
    checker.env |= {"PYTHONPATH": str(checker.files), "PYTHONDONTWRITEBYTECODE": "1"}
    version = package / "_version.py"
    (rules, *more) = sorted((package / "rules" / "data").glob("*.toml"))
    changes: list[Callable[[], Any]] = [
        lambda: rules.write_text(rules.read_text("utf-8") + "\n", "utf-8"),
        lambda: rewritten(rules, rules.read_text("utf-8")[:-1] + " "),
        lambda: os.utime(rules, (1, 1)),
        more[0].unlink,
        lambda: version.write_text(version.read_text("utf-8").replace(wheelcheck.__version__, "77.0"), "utf-8"),
        lambda: (package / "new" / "deep").mkdir(parents=True) or (package / "new" / "deep" / "a.py").write_text(""),
        lambda: (package / "new" / "deep" / "a.py").write_text("changed = True"),
    ]
    for change in changes:
        assert checker.run("spam").code == 0
        checker.mark()
        assert is_marked(checker.run("spam"))
        change()
        assert not is_marked(checker.run("spam"))


@POSIX
def test_a_working_directory_that_is_gone(checker: Checker) -> None:
    gone = checker.folder / "gone"
    gone.mkdir()
    body = f"import os, sys; os.rmdir({str(gone)!r}); from wheelcheck.__main__ import main; sys.exit(main())"
    script = checker.write("script.py", body)  # with -c, CPython 3.13.0 itself fails there
    done = checker.run("spam", cwd=gone, command=[sys.executable, script])
    assert (done.code, pins(done.out)) == (0, {"eggs": "1.5", "spam": "1.0"})


# -- where the answer goes


def test_an_output_that_cannot_be_written_any_more(checker: Checker) -> None:
    folder = checker.files / ("out" if os.name == "nt" else "out\033[31m")
    folder.mkdir()
    arguments = ["-r", checker.write("asked.txt", "--use-feature fast-deps\nspam\n"), "-o", str(folder / "answer.txt")]
    first = checker.run(*arguments)
    assert (first.code, first.out) == (0, "")
    checker.mark()
    shutil.rmtree(folder)
    remembered = checker.run(*arguments)
    for entry in checker.entries:
        entry.unlink()
    assert remembered == checker.run(*arguments)
    assert remembered.code == 2
    assert "The answer could not be written to" in remembered.err.splitlines()[1]
    assert remembered.err.replace("\n", "").isprintable()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_standard_output_that_is_full(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    with Path("/dev/full").open("wb") as full:
        done = checker.run("spam", stdout=full)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert done.err.startswith("wheelcheck: The answer could not be written to standard output: ")


@POSIX
def test_a_closed_pipe_ends_quietly(checker: Checker) -> None:
    checker.run("spam")
    checker.mark()
    reading, writing = os.pipe()
    os.close(reading)
    done = checker.run("spam", stdout=writing)
    os.close(writing)
    assert (done.code, done.err) == (130, "")


@POSIX
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&-"])
def test_a_stream_that_is_closed_is_no_different_the_second_time(checker: Checker, closed: str) -> None:
    asked = checker.write("asked.txt", "--use-feature fast-deps\nspam\n")
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *MODULE]
    first, again = (checker.run("-r", asked, command=command) for _ in range(2))
    assert again == first
    assert "fast-deps" not in first.out
    assert first.code == (130 if closed == "1>&-" else 0)


@POSIX
def test_a_terminal_is_another_question_than_a_pipe(checker: Checker) -> None:
    escape = "\033["
    checker.env["TERM"] = "xterm"
    plain = checker.run("alone")
    assert escape not in plain.out
    coloured = on_terminal(checker, "alone")
    assert escape in coloured
    assert on_terminal(checker, "alone") == coloured
    assert checker.run("alone") == plain
    checker.mark()
    assert MARK in on_terminal(checker, "alone")
    assert MARK not in on_terminal(checker, "alone", env={"NO_COLOR": "1"})
    forced = checker.run("alone", env={"FORCE_COLOR": "1"})
    assert escape in forced.out
    assert checker.run("alone", env={"FORCE_COLOR": "1"}) == forced


def on_terminal(checker: Checker, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a command writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    done = checker.run(*arguments, env=env, stdout=theirs)
    os.close(theirs)
    assert (done.code, done.err) == (0, "")
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:
        pass
    os.close(ours)
    return written.decode()


# -- entries that are damaged, foreign, secret or many


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], tuple[list[str], Path]]]:
    """Has a command answered in this process; gives its arguments and the entry that was kept."""
    stand_alone(monkeypatch, tmp_path)
    with simple_index(PROJECTS) as server:

        def asked() -> tuple[list[str], Path]:
            arguments = ["check", "spam", "-t", LINUX, "-i", server.index]
            assert main(arguments) == 0
            (entry,) = (tmp_path / "cache").glob("*/answers/*")
            return arguments, entry

        yield asked


def test_a_damaged_entry_is_none(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, entry = ask()
    out = capsys.readouterr().out
    whole = entry.read_bytes()
    assert recalled(arguments) == 0
    assert capsys.readouterr().out == out
    for place in [*range(60), *range(60, len(whole), 7)]:
        for bit in (1, 0x20, 0x80):
            entry.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            assert recalled(arguments) is None, (place, bit)
    for length in (*range(0, len(whole), 97), len(whole) - 1):
        entry.write_bytes(whole[:length])
        assert recalled(arguments) is None, length
    assert capsys.readouterr().out == ""


def test_a_damaged_entry_is_written_anew(checker: Checker) -> None:
    first = checker.run("spam")
    (entry,) = checker.entries
    whole = entry.read_bytes()
    for data in (whole[:-1] + b"?", whole[:100], b"", b"\n\n"):
        entry.write_bytes(data)
        assert checker.run("spam") == first
        assert read_entry(str(entry))[1][0] == whole[whole.index(b"\n", 22) + 1 :]


def test_something_else_in_the_place_of_an_entry(checker: Checker) -> None:
    first = checker.run("spam")
    (entry,) = checker.entries
    entry.unlink()
    entry.mkdir()
    assert checker.run("spam") == first


@pytest.mark.parametrize(
    "about",
    [
        lambda about: about | {"question": "0" * 128},
        lambda about: about | {"question": about["question"][:32]},
        lambda about: about | {"stamps": {}},
        lambda about: about | {"stamps": None},
        lambda about: {name: value for name, value in about.items() if name != "question"},
        lambda about: [],
    ],
)
def test_an_answer_to_another_question_under_the_same_key(ask: Any, about: Callable[[Any], Any]) -> None:
    arguments, entry = ask()
    head, _ = read_entry(str(entry))
    write(entry, about(head))
    assert recalled(arguments) is None
    write(entry, head)
    assert recalled(arguments) == 0


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["targets", "show", "linux-cp312"], ["--version"], ["cache", "info"]]
)
def test_there_is_no_answer_to_what_was_never_asked(ask: Any, arguments: list[str]) -> None:
    ask()
    assert recalled(arguments) is None


def test_no_secret_is_kept(checker: Checker) -> None:
    checker.env |= {"TOKEN": "s3cret-token", "UV_INDEX_CORP_PASSWORD": "s3cret-password"}
    index = checker.server.with_credentials("me", "s3cret-word")
    assert checker.run("spam", "-i", index, "--extra-index-url", index).code == 0
    assert checker.entries
    kept = b"".join(path.read_bytes() for path in checker.cache.rglob("*") if path.is_file())
    assert b"s3cret" not in kept


def test_the_last_answers_are_kept_and_no_more(checker: Checker) -> None:
    checker.run("alone")
    (folder,) = checker.cache.glob("*/answers")
    for number in range(MAX_ENTRIES + 44):
        place = folder / f"old-{number}"
        place.write_bytes(b"")
        os.utime(place, (number, number))
    first = checker.run("spam")
    names = {path.name for path in checker.entries}
    assert len(names) == MAX_ENTRIES
    assert {f"old-{number}" for number in range(46)} & names == set()
    assert checker.run("spam") == first
    forget_oldest(str(folder / "nowhere"))


def test_a_folder_that_cannot_be_made_is_passed_over(checker: Checker) -> None:
    checker.run("alone")
    (folder,) = checker.cache.glob("*/answers")
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    first = checker.run("spam")
    assert (first.code, first.err) == (0, "")
    assert checker.run("spam") == first
