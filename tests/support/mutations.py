"""What an index may answer, damaged at random, and what pip makes of the same bytes.

python tests/support/mutations.py [NUMBER] [SEED]

Each case is made from its number and the seed alone. A case is wrong where a traceback escapes, where the answer takes
more than 5 seconds of the processor, where the cache makes another answer of it, or where it is "compatible" with other
versions than those that pip would install from the same server, or where pip installs nothing. As a script this also
reports the peak memory of the process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from packaging.version import Version

from loopback import HTML, JSON, Server
from wheelcheck.cli.main import main
from wheels import Dist, make_wheel, metadata_text

if TYPE_CHECKING:
    from typing_extensions import Self

CPU_SECONDS = 5.0
MAX_BYTES = 300 * 2**20
PIP_CAN_READ = 100_000
"""The size of a page beyond which pip, whose parser is quadratic, is not asked."""

ODD = (
    *(b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\r", b"\n\n", b"\\", b"%00", b"%2e%2e%2f", b"../", b"//"),
    *(b"?", b"#", b"@", b"<!--", b"-->", b"<a ", b"</", b"&#0;", b"&#x110000;", b'"', b"'", b"{", b"}"),
    *(b"[", b"]", b":", b",", b"1" * 400, b"9" * 30, b"-1", b"0", b"1e999", b"null", b"true", b"NaN"),
    *(b"\\ud800", b"\xe2\x80\xae", b";", b"==", b"~=", b">=3.8,", b"*", b"!=", b"0.0.0dev", b"!"),
    *(b"+local", b"python_version", b"extra ==", b"(", b")", b" and ", b" or "),
)
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 10**400, 1.5, "", "x", "\0", "\ud800", [], {}, [[]], {"x": {}}, "a" * 3000),
    *("../../etc/passwd", "http://[", "file:///etc/passwd", "//x/y", "demo-1.0-py3-none-any.whl"),
    *("2999-01-01T00:00:00Z", ">=3.8", "9" * 5000),
)
HOSTS = (
    *("", "a..b", "x" * 70, "[::1", "[::1]", "127.0.0.1:99999", "127.0.0.1:x", "127.0.0.1"),
    *("user:p#w@127.0.0.1", "%00"),
)


@dataclass
class Case:
    """What is served and asked. `kind` is what was damaged, `size` how many bytes it has."""

    kind: str
    index: str
    size: int


# -- damage


def damaged(random: Random, text: bytes) -> bytes:
    """Some bytes with one to four changes."""
    data = bytearray(text)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice((0, 1, 2, 8, 40, 400)))
        match random.randrange(7):
            case 0:
                data[at:end] = random.choice(ODD)
            case 1:
                data[at:at] = random.choice(ODD) * random.choice((1, 1, 1, 3, 500))
            case 2:
                data[at:end] = b""
            case 3:
                data[at:at] = bytes(data[at:end]) * random.choice((1, 1, 2, 50))
            case 4 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 5:
                del data[at:]
            case _:
                other = random.randrange(len(data) + 1)
                data[at:end] = data[other : other + 20]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def damaged_url(random: Random, url: str) -> str:
    """A URL with another host, or with changes anywhere; never the address of somebody else's machine."""
    if random.random() < 0.5:
        return url.replace("127.0.0.1", random.choice(HOSTS), 1)
    while True:
        found = damaged(random, url.encode()).decode("utf-8", "replace").replace("\0", "")
        with contextlib.suppress(ValueError):
            host = urlsplit(found).hostname or ""
            if re.fullmatch(r"[\d.]+", host) and not host.startswith("127."):
                continue
        return found


def altered(random: Random, value: Any) -> Any:
    """A JSON value with something in it exchanged, removed or repeated."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(sorted(value))
        match random.randrange(8):
            case 0:
                return {name: it for name, it in value.items() if name != key}
            case 1:
                return {**value, random.choice(sorted(value)): random.choice(JUNK)}
            case _:
                return {**value, key: altered(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + value[at : at + 1] * random.choice((1, 1, 100))
            case _:
                return [*value[:at], altered(random, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and random.random() < 0.5:
        return damaged(random, value.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    return random.choice(JUNK)


# -- cases

DEP = make_wheel("dep", "1.0")
OLDER = make_wheel("demo", "0.9", requires_python=">=3.6")


def wheels_of(random: Random) -> list[Dist]:
    """Two versions of a project, of which the newer one may need another project."""
    needs = random.choice(([], ["dep"], ["dep>=1; python_version>='3'"]))
    return [make_wheel("demo", "1.0", requires=needs, requires_python=">=3.6"), OLDER]


def entry(dist: Dist, **about: Any) -> dict[str, Any]:
    return {
        "filename": dist.filename,
        "url": f"../../files/{dist.filename}",
        "hashes": {"sha256": dist.sha256},
        "requires-python": ">=3.6",
        "size": len(dist.content),
        "yanked": False,
    } | about


def page_of(dists: list[Dist], **about: Any) -> dict[str, Any]:
    files = [entry(dist, **about) for dist in dists]
    return {"meta": {"api-version": "1.1"}, "name": "demo", "versions": ["1.0", "0.9"], "files": files}


def json_page(random: Random, server: Server) -> bytes:
    page = page_of(wheels_of(random))
    for _ in range(random.choice((1, 1, 2, 3))):
        page = altered(random, page)
    return json.dumps(page).encode()


def json_bytes(random: Random, server: Server) -> bytes:
    return damaged(random, json.dumps(page_of(wheels_of(random))).encode())


def html_page(random: Random, server: Server) -> bytes:
    anchors = "".join(
        f'<a href="../../files/{dist.filename}#sha256={dist.sha256}" data-requires-python="&gt;=3.6">'
        f"{dist.filename}</a><br/>\n"
        for dist in wheels_of(random)
    )
    return damaged(random, f"<!DOCTYPE html><html><head><title>x</title></head><body>{anchors}</body></html>".encode())


def urls_on_page(random: Random, server: Server) -> bytes:
    dists = wheels_of(random)
    url = damaged_url(random, f"{server.url}/files/{dists[0].filename}")
    return json.dumps({**page_of(dists), "files": [entry(dists[0], url=url), entry(dists[1])]}).encode()


def metadata(random: Random, server: Server) -> bytes:
    """Metadata that is the same beside the wheel and inside it."""
    _, older = wheels_of(random)
    needs = ["dep", "dep>=1.0", "dep[x]>=0; extra == 'y'", "dep (>=1.0)", "dep; sys_platform == 'nowhere'"]
    text = metadata_text("demo", "1.0", requires=random.sample(needs, 2), requires_python=">=3.6")
    body = damaged(random, text.encode())
    newer = make_wheel("demo", "1.0", metadata=body)
    server.add(f"/files/{newer.filename}", newer.content)
    files = [entry(newer), entry(older)]
    if random.random() < 0.5:
        server.add(f"/files/{newer.filename}.metadata", body)
        files[0]["core-metadata"] = {"sha256": sha256(body).hexdigest()}
    return json.dumps({**page_of([]), "files": files}).encode()


def archive(random: Random, server: Server) -> bytes:
    """A wheel whose bytes are damaged, and published as they are."""
    newer, older = wheels_of(random)
    content = damaged(random, newer.content) if random.random() < 0.7 else rearranged(random, newer)
    server.add(f"/files/{newer.filename}", content, ranges=random.choice(("all", "none", "no-suffix")))
    about = {"hashes": {"sha256": sha256(content).hexdigest()}, "size": len(content)}
    return json.dumps({**page_of([]), "files": [entry(newer, **about), entry(older)]}).encode()


def rearranged(random: Random, dist: Dist) -> bytes:
    """A wheel whose members are renamed, repeated, moved or left out."""
    with zipfile.ZipFile(io.BytesIO(dist.content)) as found:
        members = [(info.filename, found.read(info)) for info in found.infolist()]
    names = (
        "demo-1.0.dist-info/METADATA",
        "METADATA",
        "evil-1.0.dist-info/METADATA",
        "../x",
        "Demo-1.0.DIST-INFO/METADATA",
    )
    at = random.randrange(len(members))
    match random.randrange(4):
        case 0:
            members[at] = (random.choice(names), members[at][1])
        case 1:
            members.append((random.choice(names), random.choice(members)[1]))
        case 2:
            del members[at]
        case _:
            members[at] = (members[at][0], damaged(random, members[at][1] or b"x"))
    buffer = io.BytesIO()
    packing = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", packing) as archive:
        warnings.simplefilter("ignore")  # two members of one name are meant
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return random.choice((b"", b"", b"junk")) + buffer.getvalue() + random.choice((b"", b"", b"junk"))


KINDS: dict[str, Callable[[Random, Server], bytes]] = {
    "a JSON page": json_page,
    "the bytes of a JSON page": json_bytes,
    "the bytes of an HTML page": html_page,
    "URLs on a page": urls_on_page,
    "metadata": metadata,
    "an archive": archive,
}


def made(number: int, seed: int, server: Server) -> Case:
    """Serve a case, alone."""
    random = Random(f"{seed} {number}")
    kind = random.choice((*KINDS, "an index URL"))
    server.resources.clear()
    for dist in (*wheels_of(random), DEP):
        server.add(f"/files/{dist.filename}", dist.content)
    server.add_project("dep", [DEP])
    if kind == "an index URL":
        server.add("/simple/demo/", json.dumps(page_of(wheels_of(random))), JSON)
        return Case(kind, damaged_url(random, server.index), 0)
    body = KINDS[kind](random, server)
    server.add("/simple/demo/", body, HTML if "HTML" in kind else JSON)
    return Case(kind, server.index, len(body))


# -- what becomes of them


def checked(case: Case, cache: Path, *options: str) -> tuple[int, str, float]:
    """The exit code, all that is printed, and the seconds of the processor that a check takes."""
    out = io.StringIO()
    arguments = ["check", "demo", f"--index-url={case.index}", f"--cache-dir={cache}", "--format=json", *options]
    began = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code: Any = main(arguments)
        except SystemExit as end:
            code = end.code
        except Exception as error:
            code = f"Traceback: {error!r}"
    return code, out.getvalue(), time.process_time() - began


def pins_in(told: str) -> dict[str, Version]:
    """The pins of a printed report; none where another thing was printed."""
    with contextlib.suppress(ValueError):
        return {pin["name"]: Version(pin["version"]) for pin in json.loads(told)["results"][0]["pins"]}
    return {}


PIP = """
import json, os, sys
from pip._internal.cli.main import main
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(1, 2)
sys.stdout = sys.stderr = open(os.devnull, "w")
for line in sys.stdin:
    try:
        code = main(json.loads(line))
    except BaseException:
        code = 99
    answers.write("%d\\n" % code)
    answers.flush()
"""


class Pip:
    """The pip beside the tests, in one process for all cases."""

    def __init__(self, folder: Path) -> None:
        self._report = folder / "report.json"
        environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PIP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def pins(self, case: Case) -> dict[str, Version] | None:
        """What pip would install; None where it refuses."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._report.unlink(missing_ok=True)
        asked = [
            "install",
            "--dry-run",
            "--ignore-installed",
            "--no-cache-dir",
            "--isolated",
            "--only-binary=:all:",
            "-qqq",
        ]
        asked += ["--disable-pip-version-check", "--retries=0", "--timeout=5", "--report", str(self._report)]
        self._process.stdin.write(json.dumps([*asked, f"--index-url={case.index}", "demo"]) + "\n")
        self._process.stdin.flush()
        if int(self._process.stdout.readline() or 99) != 0 or not self._report.exists():
            return None
        installed = json.loads(self._report.read_text("utf-8"))["install"]
        metadata = [one["metadata"] for one in installed]
        return {canonicalize_name(one["name"]): Version(one["version"]) for one in metadata}


def faults(
    numbers: range, seed: int, counts: Counter[str], *, with_pip: bool = True, cpu_seconds: float = float("inf")
) -> Iterator[str]:
    """What is wrong with each case of some numbers; `counts` is told what became of all."""
    with TemporaryDirectory() as folder, Server() as server, Pip(Path(folder)) as pip:
        for number in numbers:
            case = made(number, seed, server)
            cache = Path(folder) / str(number)
            code, told, seconds = checked(case, cache)
            counts[f"{case.kind}: {code}"] += 1
            label = f"case {number} of seed {seed}, {case.kind}"
            if code not in (0, 1, 2) or "Traceback" in told or "cannot be handled" in told:
                yield f"{label}: {code} {told[-600:]}"
            if seconds > cpu_seconds:
                yield f"{label}: {seconds:.1f} s of the processor"
            again, kept, _ = checked(case, cache, "--no-remedies")  # another question, which the cache can answer
            if (again, pins_in(kept)) != (code, pins_in(told)):
                yield f"{label}: {code} at first, {again} from the cache: {kept[-600:]}"
            if with_pip and code == 0 and case.size < PIP_CAN_READ:
                counts["compared with pip"] += 1
                if pins_in(told) != (theirs := pip.pins(case)):
                    yield f"{label}: compatible with {pins_in(told)}, pip: {theirs}"


if __name__ == "__main__":
    number, seed = (int(text) for text in (*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1 :]))
    for name in [name for name in os.environ if name.startswith(("PIP_", "WHEELCHECK_"))]:
        del os.environ[name]
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PIP_TIMEOUT": "5"}
    counts: Counter[str] = Counter()
    found = list(faults(range(number), seed, counts, cpu_seconds=CPU_SECONDS))
    print(*found, sep="\n")
    for what, many in sorted(counts.items()):
        print(f"{many:7,}  {what}")
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        print(f"peak memory: {peak / 2**20:.0f} MiB")
        found += ["too much memory"] if peak > MAX_BYTES else []
    print(f"{len(found)} wrong of {number:,}")
    sys.exit(bool(found))
