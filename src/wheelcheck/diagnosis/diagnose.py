"""Tell from what a failed install or import printed why it failed: a cause of a closed list, with facts and fixes.

The knowledge is in ``data/``: patterns, each with the cause that it stands for and how much it says (`rank`), and for
each cause an explanation and fixes. A pattern names words of which one must be there (`has`), so that a long log is
searched for words instead of line by line for each pattern. Of all that match, the one that says most counts, and among
equals the first: the last line of a traceback is mostly a consequence.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wheelcheck.common.records import Plain, Truthful, field, record
from wheelcheck.diagnosis.crashes import Crash, crash_in, crash_of
from wheelcheck.diagnosis.lines import LONG, MAX_LINE, Lines
from wheelcheck.standards.names import canonicalize_name
from wheelcheck.targets.platform import MacOS, Windows

if TYPE_CHECKING:
    from wheelcheck.targets.target import Target

MAX_TEXT = 32 << 20
"""The number of characters that are read; of a longer text the beginning and the end."""
MAX_HITS = 40
"""The number of places at which one text of a pattern is looked at; a log repeats itself."""
MAX_NOISE = 100_000
"""The number of lines of a kind that are left out as noise."""
MAX_HINTS = 100_000
"""The number of characters at each end in which hints at the system are looked for."""
MAX_WRAPPED = 3
"""How many lines a wrapped sentence goes on for."""
NEAR = 14
"""How many lines around a match belong to the same message."""

BENIGN, UNRECOGNISED, CRASH = "benign", "unrecognised", "crash-undetermined"


@record
class Diagnosis(Truthful):
    """Why an install or import failed.

    Attributes:
        cause: one of the causes in the documentation; ``benign`` where nothing failed, ``unrecognised`` where the
            failure is not known.
        also: other causes that it could be.
        facts: what the text says: ``project``, ``file``, ``symbol``, ``library``, ``have``, ``need``, ``subcause`` and
            so on, and under ``line`` the line that decided.
        explanation: the cause in plain words.
        fixes: commands that help, the likeliest first.
    """

    cause: str
    also: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    explanation: str = ""
    fixes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.cause == BENIGN

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, 1 for a cause, 2 where none is known."""
        return {BENIGN: 0, UNRECOGNISED: 2}.get(self.cause, 1)

    def to_dict(self) -> dict[str, Plain]:
        """Return the form under `diagnosis`, and with a schema the document of ``wheelcheck diagnose``."""
        return {
            "cause": self.cause,
            "also": list(self.also),
            "facts": dict(self.facts),
            "explanation": self.explanation,
            "fixes": list(self.fixes),
        }


class _Pattern(NamedTuple):
    """A row of the data: see the module."""

    cause: str
    has: tuple[str, ...]
    match: re.Pattern[str]
    near: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    rank: int
    also: tuple[str, ...]
    subcause: str


class _Noise(NamedTuple):
    """A kind of line of a working run: any with one of some texts, or those that match as well."""

    has: tuple[str, ...]
    match: re.Pattern[str] | None

    def is_in(self, line: str) -> bool:
        return self.match is None or self.match.search(line) is not None


class _Found(NamedTuple):
    """A match: how much it says, where it is, and what."""

    rank: int
    position: int
    pattern: _Pattern
    facts: dict[str, str]


def diagnose(text: str, returncode: int | None = None, target: Target | None = None) -> Diagnosis:
    """Return why an install or import failed; see `wheelcheck.commands.diagnose.diagnose`."""
    text = _cleaned(text)
    system = _system_of(target) or _system_in(text)
    lines = _without_noise(Lines(text))
    found = sorted(_matches(lines), key=lambda one: (-one.rank, one.position))
    crash = crash_of(returncode) or crash_in(lines)
    if crash is not None and (not found or found[0].rank < crash.rank):
        return _of_crash(crash, text, system, target)
    if found:
        return _of_match(found, lines.text, system, target)
    is_known_to_work = returncode == 0 or len(lines.text) < len(text)  # it holds lines that working runs print
    return told(BENIGN if is_known_to_work and not returncode and not _has_failed(lines) else UNRECOGNISED, (), {})


# -- reading the text


_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[@-Z\\-_])")
_FAILED = re.compile(
    r"Traceback \(most recent call last\)|^\s*[\w.]*(?:Error|Exception)\b[:(]|^ERROR:|\bFATAL\b|[Ff]atal|[Aa]borted"
    r"|core dumped|exit (?:code|status) [1-9]"
)


_FAILURES = (
    "Traceback",
    "Error",
    "Exception",
    "ERROR",
    "FATAL",
    "atal",
    "borted",
    "core dumped",
    "exit code",
    "exit status",
)


def _has_failed(lines: Lines) -> bool:
    """Return whether a text tells of some failure, known or not."""
    return any(_FAILED.search(line) for _, line in lines.having(_FAILURES, MAX_HITS))


def _cleaned(text: str) -> str:
    """Return a text without escape codes and carriage returns, and the middle of one that is too long."""
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT // 2] + "\n" + text[-MAX_TEXT // 2 :]
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _without_repetitions(text) if len(text) > LONG else text


def _without_repetitions(text: str) -> str:
    """Return a long text without the lines that follow the same line as before: progress and warnings repeat."""
    lines = text.split("\n")
    return "\n".join(line for _, line in dict.fromkeys(zip(["", *lines], lines, strict=False)))


def _without_noise(lines: Lines) -> Lines:
    """Return a text without the lines that a working run prints as well."""
    text = lines.text
    noise = {start for row in _benign() for start, line in lines.having(row.has, MAX_NOISE) if row.is_in(line)}
    if not noise:
        return lines
    kept: list[str] = []
    position = 0
    for start in sorted(noise):
        kept.append(text[position:start])
        end = text.find("\n", start)
        position = end + 1 if end >= 0 else len(text)
    return Lines("".join([*kept, text[position:]]))


def _matches(lines: Lines) -> Iterator[_Found]:
    known: dict[str, list[tuple[int, str]]] = {}
    for pattern in _patterns():
        candidates: dict[int, str] = {}
        for word in pattern.has:
            if word not in known:
                known[word] = list(lines.having((word,), MAX_HITS))
            candidates.update(known[word])
        for start, line in sorted(candidates.items()):
            match = pattern.match.search(_with_next(lines.text, start, line))
            if match is None or (pattern.unless and pattern.unless.search(line)):
                continue
            if pattern.near is not None and not pattern.near.search(_around(lines.text, start)):
                continue
            facts = {name: value for name, value in match.groupdict().items() if value}
            yield _Found(pattern.rank, start, pattern, facts | {"line": _sentence(lines.text, start, line)})
            break


_UNFINISHED = re.compile(r"\b(?:an?|and|at|be|by|for|from|in|is|of|on|or|the|to|with)$")


def _sentence(text: str, start: int, line: str) -> str:
    """Return a line, with the next ones where it was wrapped in the middle of a sentence."""
    whole = line.strip()
    if _UNFINISHED.search(whole):
        end = start + len(line) + 1
        for more in text[end : end + MAX_LINE].split("\n")[:MAX_WRAPPED]:
            if not more.strip() or whole.endswith((".", "!", "?")):
                break
            whole = f"{whole} {more.strip()}"
    return whole[:400]


def _with_next(text: str, start: int, line: str) -> str:
    """Return a line, with the next one where it ends in the middle of a sentence."""
    if not line.rstrip().endswith(":"):
        return line
    after = text[start + len(line) : start + len(line) + MAX_LINE].lstrip().partition("\n")[0]
    return f"{line.rstrip()} {after}"


def _around(text: str, start: int) -> str:
    """Return the lines around a place."""
    begin = end = start
    for _ in range(NEAR):
        begin = max(text.rfind("\n", max(0, begin - MAX_LINE), max(0, begin - 1)), 0) if begin else 0
        after = text.find("\n", end, end + MAX_LINE)
        end = after + 1 if after >= 0 else min(len(text), end + MAX_LINE)
    return text[begin:end]


# -- what the machine is


def _system_of(target: Target | None) -> str:
    if target is None:
        return ""
    platform = target.platform
    if isinstance(platform, MacOS):
        return "rosetta" if target.translated else "macos"
    return "windows" if isinstance(platform, Windows) else "linux"


_SYSTEMS = {
    "macos": re.compile(
        r"\bon darwin\b|\bmacOS\b|Mac OS X|MacBook|/Users/|\.dylib|-darwin\.so|dlopen\(|Illegal instruction: 4"
        r"|Killed: 9"
        r"|Segmentation fault: 11|Abort trap: 6|illegal hardware instruction|zsh: |osx-(?:64|arm64)|Apple (?:M\d|clang)"
        r"|\(clang-\d|/opt/homebrew|/Library/Frameworks|Terminated due to signal|miniforge3?/.{0,40}darwin"
    ),
    "windows": re.compile(r"\b[A-Z]:\\|\bwin32\b|WinError|DLL load failed|0x[cC]0000\w{3}|on win32|MSC v\.\d"),
    "linux": re.compile(
        r"\bon linux\b|/home/|\bUbuntu\b|\bDebian\b|core dumped|linux-gnu|manylinux|\[GCC |/usr/lib/x86_64|/root/|root@"
        r"|/opt/conda|cannot open shared object|ELF"
    ),
}


def _system_in(text: str) -> str:
    """Return the system that a text comes from: macos, windows, linux, or nothing."""
    ends = text if len(text) <= 2 * MAX_HINTS else text[:MAX_HINTS] + text[-MAX_HINTS:]
    places = {name: found.start() for name, hint in _SYSTEMS.items() if (found := hint.search(ends))}
    return min(places, key=lambda name: places[name], default="")


# -- from matches to a diagnosis


def _of_match(found: list[_Found], text: str, system: str, target: Target | None) -> Diagnosis:
    first = found[0]
    cause, facts = first.pattern.cause, dict(first.facts)
    if first.pattern.subcause:
        facts["subcause"] = first.pattern.subcause
    others = [one.pattern.cause for one in found[1:] if one.rank >= 5]
    also = list(dict.fromkeys((*first.pattern.also, *others)))
    if cause == "cpu-no-avx":
        cause = "rosetta-avx" if _is_translated(system, text) else cause
        also.append("cpu-no-avx" if cause == "rosetta-avx" else "rosetta-avx")
    if cause == "pip-no-matching":
        from wheelcheck.diagnosis.no_match import refined

        cause, more = refined(facts, text, target)
        also += more
    if "ELFCLASS" in facts.get("have", ""):
        facts["have"] = "64 bits" if "64" in facts["have"] else "32 bits"
    for name in ("built", "run", "other"):
        if name in facts and cause == "source-build-failed":
            facts["project"] = canonicalize_name(facts.pop(name))
    facts |= _project_facts(facts, text, first.position, first.pattern.cause)
    return told(cause, tuple(one for one in dict.fromkeys(also) if one != cause), facts, system)


def _is_translated(system: str, text: str) -> bool:
    return system in ("macos", "rosetta") or ("x86 Python installation on ARM" in text and system != "linux")


_SITE = re.compile(r"(?:site|dist)-packages[/\\](?P<top>[A-Za-z_]\w*)")
_REQUIRED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?(?:[=<>!~].*)?$")
_TOP_LEVELS = {
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "google": "protobuf",
    "tensorflow-plugins": "tensorflow-metal",
    "OpenSSL": "pyopenssl",
    "Crypto": "pycryptodome",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "attr": "attrs",
    "pkg_resources": "setuptools",
    "_pywrap_tensorflow_internal": "tensorflow",
    "_multiarray_umath": "numpy",
    "_imaging": "pillow",
    "_ssl": "",
}
"""Projects that are named otherwise than their module."""


def _project_facts(facts: Mapping[str, str], text: str, position: int, cause: str = "") -> dict[str, str]:
    """Return the project that a failure is about, if the text tells.

    Of a module that is missing, it is that of the module, whatever imports it; of a part of the standard library that
    is gone, that of the importing file.
    """
    named = _project_fact(facts.get("module") or facts.get("package") or "")
    if cause == "module-missing" and named:
        return named
    found = _project_in(facts, text, position)
    return {} if cause == "python-removed-stdlib" and found == named else found


def _project_in(facts: Mapping[str, str], text: str, position: int) -> dict[str, str]:
    if facts.get("project"):
        return {}
    required = _REQUIRED.match(facts.get("requirement", ""))
    if required:
        return {"project": canonicalize_name(required["name"])}
    wheel = re.search(r"([A-Za-z0-9_.]+)-\d[\w.!+]*-[\w.]+-[\w.]+-[\w.]+\.whl", facts.get("file", ""))
    if wheel:
        return {"project": canonicalize_name(wheel[1])}
    for place in (facts.get("file", ""), facts.get("binary", ""), facts.get("line", ""), _around(text, position)):
        tops = [top for top in _SITE.findall(place) if top != "pip"]  # which only tells of the failure
        if tops:
            return _project_fact(tops[-1] if place == facts.get("line") else tops[0])
    return _project_fact(facts.get("module") or facts.get("package") or "")


def _project_fact(module: str) -> dict[str, str]:
    project = project_of(module.partition(".")[0])
    return {"project": project} if project else {}


def project_of(top: str) -> str:
    """Return the project that has a module, as far as it goes by its name or is known; else an empty text."""
    known = _TOP_LEVELS.get(top)
    return known or ("" if top.startswith("_") else canonicalize_name(top).strip("-"))


# -- crashes


def _of_crash(crash: Crash, text: str, system: str, target: Target | None) -> Diagnosis:
    facts = {name: value for name, value in (("signal", crash.signal), ("line", crash.line)) if value}
    facts |= _project_facts({}, text, max(text.rfind("import "), 0)) or _imported(text)
    if crash.signal == "SIGILL":
        is_mac = system in ("macos", "rosetta")
        is_native_arm = target is not None and not target.translated and target.platform.machine in ("arm64", "aarch64")
        if is_native_arm:
            return told(CRASH, ("wrong-architecture",), facts, system)
        cause, other = ("rosetta-avx", "cpu-no-avx") if is_mac else ("cpu-no-avx", "rosetta-avx")
        return told(cause, (other,), facts, system)
    if crash.signal == "SIGKILL":
        if crash.has_worked:
            return told("out-of-memory", (CRASH,), facts, system)
        also = ("out-of-memory",) if system in ("linux", "windows") else ("out-of-memory", "code-signature")
        return told(CRASH, also, facts, system)
    return told(CRASH, (), facts, system)


def _imported(text: str) -> dict[str, str]:
    found = re.findall(r"(?:^|>>> |-c ['\"])(?:import|from) ([A-Za-z_]\w*)", text[-MAX_HINTS:], re.MULTILINE)
    return _project_fact(found[-1]) if found else {}


# -- words


class _Facts(dict[str, str]):
    """Facts for a template. One that is not known makes a fix fall away, and is left out of an explanation."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        super().__init__(facts)
        self.lacks = False

    def __missing__(self, name: str) -> str:
        self.lacks = True
        return ""


def told(cause: str, also: tuple[str, ...], facts: Mapping[str, str], system: str = "") -> Diagnosis:
    """Return a diagnosis with the explanation and the fixes that the data has for a cause.

    Args:
        cause: of the closed list.
        also: other causes.
        facts: what is known of this failure; a fix that needs an unknown one is left out.
        system: ``macos``, ``rosetta``, ``linux`` or ``windows``, where it is known.
    """
    about = _causes()[cause]
    about = about.get(facts.get("subcause", ""), about)
    words = _Facts(facts)
    return Diagnosis(
        cause=cause,
        also=also,
        facts=dict(facts),
        explanation=_filled(about["explanation"], words),
        fixes=tuple(_fixes(about.get("fixes", ()), facts, system)),
    )


def _filled(template: str, words: _Facts) -> str:
    """Return an explanation; a part in parentheses whose fact is not known falls away."""
    return re.sub(r" \(\{(\w+)\}\)", lambda m: m[0] if m[1] in words else "", template).format_map(words)


def _fixes(rows: Iterable[Mapping[str, str]], facts: Mapping[str, str], system: str) -> Iterator[str]:
    kinds = {system, facts.get("subcause", ""), facts.get("library", ""), facts.get("module", "")}
    kinds |= {"macos"} if system == "rosetta" else set()
    rows = [row for row in rows if row.get("without") not in facts]
    limited = [row for row in rows if row.get("on", "") in kinds and row.get("on")]
    for row in (*limited, *(row for row in rows if not row.get("on"))):
        command = _command(row["run"], facts)
        if command is not None:
            yield command


def _command(template: str, facts: Mapping[str, str]) -> str | None:
    """Return a command with facts filled in, quoted for a shell: they come from a text that anyone may have written.

    None where a fact is not known, or holds a quote where the template has quotes already.
    """
    if facts.get("project"):
        tops = (top for top, project in _TOP_LEVELS.items() if project == facts["project"])
        facts = {"module": next(tops, facts["project"].replace("-", "_")), **facts}
    if "file" in facts:
        folder, mark, name = re.fullmatch(r"(?s)(?:(.*)([/\\]))?(.*)", facts["file"]).groups(default="")  # type: ignore[union-attr]
        facts = {**facts, "aside": f"{folder}{mark}my_{name}"}
    parts: list[str] = []
    for place, part in enumerate(re.split(r"('[^']*')", template)):
        is_quoted = place % 2 == 1
        words = _Facts(facts if is_quoted else {name: shlex.quote(value) for name, value in facts.items()})
        parts.append(part.format_map(words))
        if words.lacks or (is_quoted and "'" in parts[-1][1:-1]) or "\n" in parts[-1]:
            return None
    return "".join(parts)


# -- the data


_FOLDER = Path(__file__).with_name("data")
PATTERNS = ("machine", "libraries", "packages", "installing")


def _read(name: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


@cache
def _patterns() -> tuple[_Pattern, ...]:
    rows = (row for name in PATTERNS for row in _read(name)["pattern"])
    return tuple(
        _Pattern(
            cause=row["cause"],
            has=tuple(row["has"]),
            match=re.compile(row["match"]),
            near=re.compile(row["near"]) if "near" in row else None,
            unless=re.compile(row["unless"]) if "unless" in row else None,
            rank=row["rank"],
            also=tuple(row.get("also", ())),
            subcause=row.get("subcause", ""),
        )
        for row in rows
    )


@cache
def _benign() -> tuple[_Noise, ...]:
    rows = _read("benign")["line"]
    return tuple(_Noise(tuple(row["has"]), re.compile(row["match"]) if "match" in row else None) for row in rows)


@cache
def _causes() -> Mapping[str, Any]:
    return _read("causes")
