"""Words: every variant has a phrase, no text from elsewhere steers a terminal, and what a report looks like."""

from __future__ import annotations

import inspect
import re
import typing
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scenario import Scenario
from wheelcheck.advice import changes, concerns
from wheelcheck.commands.report import Report, Result
from wheelcheck.common.errors import IndexUnavailable, Interrupted
from wheelcheck.common.records import Variant, replace
from wheelcheck.diagnosis import confirmation
from wheelcheck.index.index import Counters
from wheelcheck.render import phrases
from wheelcheck.render.console import harmless
from wheelcheck.render.text import Style, render_report, render_target
from wheelcheck.resolver import compatibility as verdicts
from wheelcheck.resolver import model as outcomes
from wheelcheck.resolver.compatibility import CHECK_ORDER
from wheelcheck.resolver.limits import Counted
from wheelcheck.resolver.model import AddedByRule, Asked, Demand, Missing, NoAnswer, Pin, RefusedFile, Solution
from wheelcheck.rules.model import load_rules
from wheelcheck.standards.project_page import read_file
from wheelcheck.targets import platform as platforms
from wheelcheck.targets import python as pythons
from wheelcheck.targets.target import read_target

if TYPE_CHECKING:
    from types import ModuleType

TARGET = read_target("macos-14-arm64-3.12.4")
RULES = """
project = "metal"
[[rule]]
id = "metal-tf"
versions = "==1.2.0"
effect = "constrains"
requirements = ["tf<2.20"]
why = "metal 1.2.0 does not load beside tf 2.20."
evidence = "import-run"
confidence = "certain"
sources = [{ url = "https://forum.example/1", date = "2025-10-01" }, { fact = "Seen.", date = "2025-10-02" }]
"""
RULE = next(iter(load_rules([("mine.toml", RULES)])))
DEMAND = Demand(requirement=Requirement("spam>=2"), origin=Asked(place="the command line"))
REFUSED = RefusedFile(
    filename="spam-1.0-cp313-cp313-win_arm64.whl",
    version=Version("1.0"),
    reasons=(
        verdicts.WrongPlatformTag(have=("win_arm64",), want="win_amd64"),
        verdicts.WrongPythonTag(have=("cp313",), want="cp312"),
    ),
)

# -- a phrase for each variant

SAMPLES: dict[str, tuple[object, ...]] = {
    "str": ("some text",),
    "None": (None,),
    "Rule | None": (RULE, None),
    "bool": (False, True),
    "Requirement": (Requirement("spam; platform_release > '20'"),),
    "tuple[Missing, ...]": ((), (Missing(project=canonicalize_name("nowhere")),)),
    "str | None": ("some text", None),
    "int": (7,),
    "int | None": (7, None),
    "float": (1.5,),
    "Stage": ("import",),
    "tuple[int, ...]": ((3,),),
    "tuple[str, ...]": (("one",), ("one", "two")),
    "NormalizedName": (canonicalize_name("spam"),),
    "tuple[NormalizedName, ...]": ((canonicalize_name("spam"), canonicalize_name("eggs"), canonicalize_name("ham")),),
    "Version": (Version("1.0"),),
    "Version | None": (Version("1.0"), None),
    "Rule": (RULE,),
    "tuple[Rule, ...]": ((RULE,), (RULE, RULE)),
    "tuple[Demand, ...]": ((DEMAND,),),
    "tuple[RefusedFile, ...]": ((), (REFUSED,), (REFUSED, REFUSED)),
    "tuple[Requirement, ...]": ((Requirement("spam==3.*"),), (Requirement("spam==3.*"), Requirement("spam[eggs]"))),
    "confirmation.NotTried": (confirmation.NotInstalled(project="spam"),),
    "tuple[Elsewhere, ...]": (
        tuple(concerns.Elsewhere(index=f"https://{has}.example/", has=has) for has in ("nothing", "other", "unproven")),
    ),
}
"""Values of every type that a field of a variant has, by its annotation."""


def members(module: ModuleType, union: str) -> tuple[type[Variant], ...]:
    alias = getattr(module, union)
    resolved = eval(alias, vars(module)) if isinstance(alias, str) else alias
    return typing.get_args(resolved)


def fields(kind: type) -> dict[str, inspect.Parameter]:
    """The fields of a record with their types as written and their defaults."""
    types = {
        name: text for base in reversed(kind.__mro__) for name, text in vars(base).get("__annotations__", {}).items()
    }
    parameters = inspect.signature(kind).parameters
    return {name: parameter.replace(annotation=types[name]) for name, parameter in parameters.items()}


def samples_of(field: inspect.Parameter) -> tuple[object, ...]:
    default = () if field.default is field.empty else (field.default,)
    return (*SAMPLES[str(field.annotation)], *default)


def instances(kind: type[Variant]) -> list[Any]:
    """One instance for each combination of samples."""
    told = [field for name, field in fields(kind).items() if not name.startswith("_")]
    for field in told:
        assert field.annotation in SAMPLES, f"{kind.__name__}.{field.name}: give a sample of {field.annotation}"
    samples = product(*(samples_of(field) for field in told))
    return [kind(**{field.name: value for field, value in zip(told, row, strict=True)}) for row in samples]


REAL_REASONS = (
    verdicts.WrongPlatformTag(have=("win_arm64",), want="win_amd64"),
    verdicts.WrongPythonTag(have=("cp313",), want="cp312"),
)
PHRASES = [
    (verdicts, "Reason", phrases.reason),
    (outcomes, "Origin", lambda origin: phrases.origin(Demand(requirement=Requirement("spam"), origin=origin))),
    (outcomes, "NoAnswer", lambda told: phrases.conflict(told, TARGET)),
    (concerns, "Concern", phrases.concern),
    (changes, "Change", phrases.change),
    (confirmation, "NotTried", phrases.not_tried),
    (confirmation, "Failure", phrases.failure),
]


@pytest.mark.parametrize(
    ("phrase", "kind"),
    [
        pytest.param(phrase, kind, id=f"{union}-{kind.__name__}")
        for module, union, phrase in PHRASES
        for kind in members(module, union)
    ],
)
def test_every_variant_has_a_phrase(phrase: Any, kind: type[Variant]) -> None:
    for one in instances(kind):
        said = phrase(one)
        assert said.strip() == said != ""
        assert not re.search(r"None|[A-Z]\w+\(|\bTrue\b|\bFalse\b|[{}<>]\w|  |\.\.$", said.replace("spam>=2", "")), said


@pytest.mark.parametrize(("module", "union", "phrase"), PHRASES, ids=[union for _, union, _ in PHRASES])
def test_no_two_variants_have_the_same_phrase(module: ModuleType, union: str, phrase: Any) -> None:
    said = [phrase(instances(kind)[0]) for kind in members(module, union)]
    if union == "Reason":  # tags of Pythons and of platforms differ by themselves
        said = [phrase(one) for one in REAL_REASONS] + [text for text in said if not text.startswith("built for one;")]
    assert len(said) > 1
    assert len(set(said)) == len(said)


def test_every_union_is_closed() -> None:
    """A variant that stands in its module and in no union would never be phrased."""
    told = {kind for module, union, _ in PHRASES for kind in members(module, union)}
    told |= set(members(platforms, "Platform"))
    stray = {
        value
        for module in (verdicts, outcomes, concerns, changes, confirmation)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Variant) and not value.__name__.startswith("_")
    }
    assert stray - told - {Variant} == set()


def test_every_reason_has_its_place_among_the_questions() -> None:
    assert set(CHECK_ORDER) == set(members(verdicts, "Reason"))
    assert len(CHECK_ORDER) == len(set(CHECK_ORDER))


def test_every_failure_to_tell_has_a_sentence() -> None:
    from wheelcheck.common.errors import IndexUnavailable, NotCached, UndeterminedError
    from wheelcheck.interpreters.probe import NoWorkroom

    kinds = UndeterminedError.__subclasses__()
    assert {IndexUnavailable, NotCached, NoWorkroom} <= set(kinds)
    for kind in kinds:
        row = {name: samples_of(field)[0] for name, field in fields(kind).items() if field.default is field.empty}
        said = str(kind(**row))
        assert said.endswith((".", ")"))
        told = [part for value in row.values() for part in (value if isinstance(value, tuple) else [value])]
        assert all(str(part) in said for part in told), said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("macos-14-arm64-cp312", "macOS 14.0 arm64"),
        ("macos-10.15-x86_64-cp312", "macOS 10.15 x86_64"),
        ("manylinux_2_28_x86_64-cp312", "Linux x86_64, glibc 2.28"),
        ("musllinux_1_2_aarch64-cp312", "Linux aarch64, musl 1.2"),
        ("win32-cp312", "Windows x86"),
        ("freebsd_14_0_amd64-cp312", "freebsd_14_0_amd64"),
    ],
)
def test_platforms_in_words(name: str, said: str) -> None:
    assert phrases.platform_of(read_target(name)) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("win32-3.12.4", "CPython 3.12.4"),
        ("win32-3.13.1t", "CPython 3.13.1, free-threaded"),
        ("win32-pp3.10.16_7.3.19", "PyPy 3.10.16"),
    ],
)
def test_pythons_in_words(name: str, said: str) -> None:
    assert phrases.python_of(read_target(name)) == said


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (["cp39"], "CPython 3.9"),
        (["cp39", "cp310", "cp39"], "CPython 3.9 and 3.10"),
        (["py2"], "Python 2"),
        (["py3", "cp312", "pp310"], "Python 3, CPython 3.12 and PyPy 3.10"),
        (["cp27", "cp35", "cp36"], "CPython 2.7, 3.5 and 3.6"),
        (["cp38", "cp39", "cp310", "cp312"], "CPython 3.8 to 3.10 and 3.12"),
        (["cp27", "cp30", "cp31", "pp39", "pp310", "pp311"], "CPython 2.7, 3.0 and 3.1 and PyPy 3.9 to 3.11"),
        (["graalpy311_native"], "graalpy311_native"),
        (["cp"], "CPython"),
    ],
)
def test_python_tags_in_words(tags: list[str], said: str) -> None:
    assert phrases.pythons(tags) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (iter("ab"), "a and b")],
)
def test_lists_in_words(words: Any, said: str) -> None:
    assert phrases.listed(words) == said


# -- reports


def test_many_projects_that_are_behind_are_one_line() -> None:
    """What was asked for is told by itself; of the rest, those of one level together."""
    behind = {"2.0": {"files": ["x-2.0-cp313-cp313-win_amd64.whl"]}, "1.0": {}}
    index = {name: {v: about | _named(name, about) for v, about in behind.items()} for name in "bcd"}
    index |= {"a": {"2.0": _named("a", behind["2.0"]), "1.0": {"requires": ["b", "c", "d"]}}}
    said = rendered({"asks": ["a"], "index": index})
    assert "note: a 1.0 is 1 release behind 2.0, which does not fit. 2.0: built for Windows amd64; this is" in said
    assert "note: b 1.0 (2.0), c 1.0 (2.0) and d 1.0 (2.0) are behind their newest releases" in said
    assert said.count("note: ") == 2


def test_several_files_of_the_newest_release_are_told_as_several() -> None:
    files = ["a-2.0-cp313-cp313-win_amd64.whl", "a-2.0-cp310-cp310-win_amd64.whl"]
    said = rendered({"asks": ["a"], "index": {"a": {"2.0": {"files": files}, "1.0": {}}}})
    assert "(nearest: a-2.0-cp3" in said
    assert ".whl and 1 more)" in said


def test_versions_that_only_their_metadata_refuses_are_one_line() -> None:
    index = {f"{minor}.0": {"broken": "no METADATA in it"} for minor in (1, 2, 3)}
    said = rendered(
        {"asks": ["a", "b<2"], "index": {"a": index | {"4.0": {"requires": ["b>=2"]}}, "b": {"1.0": {}, "2.0": {}}}}
    )
    assert "  nearest: a-3.0-py3-none-any.whl and 2 more of other versions\n    its metadata cannot be used" in said


def test_files_that_are_not_shown_are_counted_with_the_command_that_shows_them() -> None:
    needs = {f"{version}.0": {"files": [f"b-{version}.0-cp38-cp38-win_amd64.whl"]} for version in range(1, 6)}
    said = rendered({"asks": ["a"], "index": {"a": {"1.0": {"requires": ["b"]}}, "b": needs}})
    assert said.endswith("  4 more files: wheelcheck explain b -t macos-14-arm64-3.12.4")


@pytest.mark.parametrize(
    ("tried", "rounds", "awaited", "said"),
    [
        ({}, 0, None, "Interrupted after 0 rounds."),
        ({"a": 1}, 1, None, "Interrupted after 1 round, in which 1 version of a was tried."),
        (
            {"a": 2, "b": 1},
            3,
            "it",
            "Interrupted while reading it after 3 rounds, in which 2 versions of a and 1 version of b were tried.",
        ),
    ],
)
def test_an_interrupt_in_words(tried: dict[str, int], rounds: int, awaited: str | None, said: str) -> None:
    assert str(Interrupted.resolving(tried, rounds, awaited)) == said


def _named(name: str, about: dict[str, Any]) -> dict[str, Any]:
    return {"files": [f"{name}{filename[1:]}" for filename in about["files"]]} if "files" in about else {}


def test_many_files_that_another_index_lacks_are_one_line() -> None:
    pages = {name: {"1.0": {}} for name in "abc"}
    other = {name: {"0.9": {}} for name in "abc"}
    said = rendered({"asks": ["a", "b", "c"], "index": pages, "further": {"https://other.example/": other}})
    assert said.count("warning: ") == 1
    assert "They are of a, b and c." in said


def rendered(told: dict[str, Any], **how: Any) -> str:
    """The text of the one result of a scenario, in long lines."""
    how = {"style": Style(width=300)} | how
    scenario = Scenario("here", {"target": "macos-14-arm64-3.12.4"} | told)
    (target,) = scenario.targets
    outcome = scenario.outcome(target)
    if isinstance(outcome, Solution):
        held = tuple(rule for held in outcome.held_back for rule in held.rules)
        result = Result(target=target, pins=outcome.pins, concerns=scenario.concerns(outcome, target), rules=held)
    else:
        rules = [d.origin.rule for d in outcome.demands if isinstance(d.origin, AddedByRule)]
        result = Result(target=target, conflict=outcome, rules=tuple(rules))
    result = replace(result, resolution=Counted(rounds=7, candidates=6, metadata=5))
    return render_report(Report(results=(result,), counters=Counters(1, 2, 3)), **how)


HEAD = "macos-14-arm64-3.12.4: {}\n  CPython 3.12.4 (cp312) on macOS 14.0 arm64\n"
PAIR = {
    "tf": {"2.19": {"requires": ["numpy<2.2"]}, "2.20": {}},
    "metal": {"1.2.0": {}},
    "numpy": {"2.1": {}, "2.3": {}},
}


def test_quiet_leaves_the_pins_out_and_nothing_else() -> None:
    told = {"asks": ["tf", "metal"], "index": PAIR, "rules": RULES}
    loud, quiet = rendered(told).splitlines(), rendered(told, quiet=True).splitlines()
    assert [line for line in loud if line not in quiet] == loud[loud.index("Pins") :]
    assert quiet == loud[: loud.index("Pins") - 1]


def test_verbose_says_where_the_answer_comes_from() -> None:
    text = rendered({"asks": ["metal"], "index": PAIR}, verbose=True)
    assert "\n\nrequests: 1; bytes: 2; answers from the cache: 3\n" in text


def test_verbose_tells_the_work_of_the_resolution() -> None:
    text = rendered({"asks": ["metal"], "index": PAIR}, verbose=True)
    assert text.endswith(": rounds: 7; candidates: 6; metadata: 5")


def test_the_nearest_wheels_are_told_beside_source_distributions() -> None:
    wheels = {
        v: {"files": [f"metal-{v}-cp311-cp311-macosx_12_0_arm64.whl", f"metal-{v}.tar.gz"]} for v in ("1.1", "1.2")
    }
    text = rendered({"asks": ["metal"], "index": {"metal": {"1.0": {"files": ["metal-1.0.tar.gz"]}, **wheels}}})
    assert "nearest: metal-1.2-cp311-cp311-macosx_12_0_arm64.whl" in text
    assert "4 more files: " in text
    scenario = {"asks": ["metal"], "index": {"metal": {"1.0": {"files": ["metal-1.0.tar.gz"]}, **wheels}}}
    lines = [line.strip() for line in rendered(scenario, verbose=True).splitlines()]
    assert [line for line in lines if line.startswith("metal-")] == [
        *(f"metal-1.2{rest}" for rest in (".tar.gz", "-cp311-cp311-macosx_12_0_arm64.whl")),
        "metal-1.1-cp311-cp311-macosx_12_0_arm64.whl",
    ]


def test_a_project_without_any_wheel_says_so_and_what_to_do() -> None:
    index = {"metal": {version: {"files": [f"metal-{version}.tar.gz"]} for version in ("1.0", "1.1")}}
    told = {"asks": ["metal"], "index": index}
    text = rendered(told)
    assert "  metal has no wheel that matches, only source distributions, and nothing is built here: " in text
    assert "a wheel that pip wheel makes of one is found with --find-links." in text
    assert all(f"    metal-{v}.tar.gz\n" in rendered(told, verbose=True) for v in ("1.0", "1.1"))


def test_a_wrong_hash_is_not_blamed_on_the_target() -> None:
    digest = "sha256:" + "0" * 64
    text = rendered({"asks": [f"metal==1.0 --hash={digest}"], "index": {"metal": {"1.0": {"sha256": "1" * 64}}}})
    assert "  metal has no file with one of the given hashes.\n" in text
    assert f"expected is {digest}" in text


def test_nowhere_to_ask_is_said() -> None:
    missing = Missing(project=canonicalize_name("spam"))
    assert "spam is not on any index: none is configured." in text_of(Result(target=TARGET, conflict=missing))


def text_of(*results: Result, colour: bool = False) -> str:
    return render_report(Report(results=results, counters=Counters(0, 0, 0)), style=Style(colour))


def test_several_targets_are_told_in_their_order() -> None:
    other = read_target("windows-amd64-3.13.1")
    error = IndexUnavailable("https://index.example/", "x")
    blocks = text_of(Result(target=TARGET), Result(target=other, error=error)).split("\n\n")
    assert [block.split(":")[0] for block in blocks] == [
        TARGET.name,
        other.name,
        "Summary\n  macos-14-arm64-3.12.4  compatible\n  windows-amd64-3.13.1   unknown",
    ]


def test_the_text_of_a_target() -> None:
    target = read_target("manylinux_2_28_x86_64", pythons.read_python("3.12"))
    lines = render_target(target, verbose=True).splitlines()
    assert lines[0] == target.name
    assert "assumed: Python 3.12.16" in lines[1]
    assert "    sys_platform = 'linux'" in lines
    assert [line.strip() for line in lines[-len(target.tags) :]] == list(target.tags)


# -- terminals

OWN = re.compile(r"\033\[(1|2|31|32|33|0)m")
HOSTILE = st.text(st.sampled_from("ab\x1b[31m\x9b\x07\r\t\0\x7f\u202e\u2028\ud800\\é字")) | st.just(
    "\x1b[31m\x1b[8mhidden\x1b[0m"
)


def hostile_results(text: str) -> list[Result]:
    """Text from an index, a rule or a child process wherever a report has some."""
    name = canonicalize_name("spam")
    file = read_file("spam-1.0-py3-none-any.whl", url=text, yanked=text)
    rule = replace(RULE, why=text)
    pin = Pin(name=name, version=Version("1.0"), extras=(), file=file, rank=0, demands=(DEMAND,))  # type: ignore[arg-type]
    refused = [
        verdicts.BadMetadata(why=text),
        verdicts.RequiresPython(specifier=text, python="3"),
        verdicts.Yanked(why=text),
    ]
    files = tuple(RefusedFile(filename=f"spam{text}", version=None, reasons=(why,)) for why in refused)
    asked = Demand(requirement=Requirement("spam"), origin=Asked(place=text))
    module = confirmation.ModuleResult(
        module="spam",
        origin=text,
        version=text,
        devices=(text,),
        facts={text: text},
        failure=confirmation.Raised(stage="import", error=text, message=text, where=text, traceback=text),
    )
    conflict: NoAnswer = Missing(project=name, indexes=(text,), demands=(asked,), files=files)
    return [
        Result(target=TARGET, error=IndexUnavailable(text, text)),
        Result(target=TARGET, conflict=conflict),
        Result(
            target=TARGET,
            pins=(pin,),
            rules=(rule,),
            concerns=(concerns.Yanked(project=name, version=Version("1"), why=text),),
            confirmation=confirmation.Confirmation(interpreter=text, modules=(module,)),
        ),
    ]


@given(HOSTILE)
def test_no_text_from_elsewhere_steers_a_terminal(text: str) -> None:
    plainly, coloured = (text_of(*hostile_results(text), colour=colour) for colour in (False, True))
    assert all(character.isprintable() or character == "\n" for character in plainly)
    assert OWN.sub("", coloured) == plainly
    assert OWN.search(coloured)


def test_what_is_spelled_out_is_still_told() -> None:
    assert harmless("a\x1b[31mb\tc\u202ed\ud800\n") == "a\\x1b[31mb\\tc\\u202ed\\ud800\n"
    assert harmless("déjà 字 ok") == "déjà 字 ok"


def test_colours() -> None:
    text = rendered({"asks": ["metal"], "index": PAIR}, style=Style(colour=True))
    assert "\033[1mmacos-14-arm64-3.12.4\033[0m: \033[32mcompatible\033[0m" in text
    assert "\033" not in rendered({"asks": ["metal"], "index": PAIR})
