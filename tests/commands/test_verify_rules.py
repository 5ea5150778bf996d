"""Curated rules compared with an index: which hold, which are stale and why, and what is new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loopback import Server, simple_index, status
from wheelcheck.cli.main import main
from wheelcheck.commands.verify_rules import verify_rules
from wheelcheck.common.errors import UsageError
from wheelcheck.rules.load import curated, imported
from wheels import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

EARLY, LATE = "2024-06-01T00:00:00Z", "2025-06-01T00:00:00Z"
PROJECTS = {
    "spam": [
        make_wheel("spam", "1.0", requires=["eggs"], upload_time=EARLY),
        make_wheel("spam", "1.1", requires=["eggs<2"], upload_time=EARLY),
        make_wheel("spam", "1.2", "cp311-cp311-macosx_11_0_arm64", upload_time=EARLY),
        make_sdist("spam", "1.3"),
        make_wheel("spam", "1.4", requires=["ham"], upload_time=EARLY),
        make_wheel("spam", "1.5", requires=["gone"], upload_time=EARLY),
        make_wheel("spam", "2.0", upload_time=LATE),
        make_wheel("spam", "2.1rc1", upload_time=LATE),
    ],
    "eggs": [make_wheel("eggs", version) for version in ("1.0", "1.5", "2.0")],
    "ham": [make_wheel("ham", requires=["eggs<2"])],
}
SOURCES = (
    'why = "Seen."\nevidence = "report"\nconfidence = "{}"\nsources = [{{ fact = "Seen.", date = "2025-01-01" }}]\n'
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        yield server


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Writes a table of one rule about spam and gives its path."""

    def write(says: str, confidence: str = "certain") -> str:
        path = tmp_path / "mine.toml"
        path.write_text(f'project = "spam"\n[[rule]]\nid = "mine"\n{says}\n{SOURCES.format(confidence)}')
        return str(path)

    return write


def rule(versions: str, effect: str, *requirements: str, when: str = "") -> str:
    listed = f"requirements = {json.dumps(requirements)}" if requirements else ""
    return f'versions = "{versions}"\neffect = "{effect}"\n{listed}\n{when}'


WITHOUT_LINUX = "when = { marker = \"sys_platform != 'linux'\" }"
CASES: dict[str, tuple[str, str, list[str], dict[str, Any] | None]] = {
    "a requirement that decides": (
        rule("==1.0", "requires", "eggs<2"), "holds", [], {"before": {"eggs": "2.0"}, "after": {"eggs": "1.5"}},
    ),
    "a constraint that decides": (
        rule("==2.0", "constrains", "eggs<2"), "holds", [], {"before": {"eggs": "2.0"}, "after": {"eggs": "1.5"}},
    ),
    "one that decides only beside an old version": (
        rule("==2.0", "constrains", "eggs>=1.5"),
        "holds", [], {"before": {"eggs": "1.0", "spam": "2.0"}, "after": None},
    ),
    "versions that are refused": (
        rule("==1.0", "forbids"), "holds", [], {"before": {"eggs": "2.0", "spam": "1.0"}, "after": None},
    ),
    "one for a system of its own": (
        rule("==1.2", "forbids", when=WITHOUT_LINUX), "holds", [], {"before": {"spam": "1.2"}, "after": None},
    ),
    "versions that are not there": (rule("==7.*", "forbids"), "stale", ["NoVersion"], None),
    "what metadata says": (rule("==1.1", "requires", "eggs<2"), "stale", ["AlreadyInMetadata"], None),
    "what some metadata does not say": (rule(">=1.0,<1.2", "requires", "eggs<2"), "holds", [], {}),
    "a constraint that refuses nothing": (rule("==2.0", "constrains", "eggs<9"), "stale", ["AlreadyInMetadata"], None),
    "what another project sees to": (rule("==1.4", "constrains", "eggs<2"), "stale", ["NoDifference"], None),
    "versions without a wheel": (rule("==1.3", "forbids"), "unknown", ["NoFile"], None),
    "versions that no answer has": (rule("==1.5", "forbids"), "unknown", ["NoAnswer"], None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_rule_beside_the_index(server: Server, table: Any, case: str) -> None:
    says, state, kinds, difference = CASES[case]
    found = verify_rules(["mine"], rules=table(says), index_url=server.index, isolated=True)
    (audit,) = found.audits
    assert (audit.state, [finding.kind for finding in audit.findings]) == (state, kinds)
    assert found.exit_code == (state == "stale")
    told = audit.to_dict()["difference"]
    if difference:
        assert difference.items() <= told.items()  # type: ignore[union-attr]
    elif difference is None:
        assert told is None


def test_a_prediction_need_not_decide_anything(server: Server, table: Any) -> None:
    found = verify_rules(
        ["mine"], rules=table(CASES["versions that are refused"][0], "predicted"), index_url=server.index
    )
    assert (found.audits[0].state, found.audits[0].difference) == ("holds", None)


def test_metadata_that_cannot_be_used_is_not_said_to_be_silent(table: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mine = table(rule("==1.0", "requires", "eggs<2"))
    broken = make_wheel("spam", "1.0", metadata="Metadata-Version: 2.1\nName: ham\nVersion: 1.0\n")
    with simple_index({"spam": [broken], "eggs": PROJECTS["eggs"]}) as server:
        code, out = run(capsys, "show", "mine", "--index-url", server.index, "--rules", mine)
    assert code == 0
    assert "The metadata of spam-1.0-py3-none-any.whl cannot be used." in out


def test_releases_that_neither_a_rule_nor_a_run_covers_are_named(
    server: Server, table: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = table(rule("==1.1", "constrains", "eggs<9"))
    (found,) = verify_rules(["spam"], rules=mine, index_url=server.index).uncovered
    assert found.to_dict() == {
        "project": "spam", "since": "2025-01-01", "old": ["1.5", "1.4", "1.2", "1.0"], "new": ["2.0"],
    }  # fmt: skip
    _, out = run(capsys, "verify", "spam", "--index-url", server.index, "--rules", mine)
    assert "spam: neither a rule nor an import run covers 5 releases: 2.0, 1.2 to 1.5 and 1.0." in " ".join(out.split())
    assert "2.0 came after its rules were last examined (2025-01-01)" in " ".join(out.split())
    _, out = run(capsys, "verify", "mine", "--index-url", server.index, "--rules", mine)
    assert "neither" not in out
    everything = table(rule(">=0", "constrains", "eggs<9"))
    assert verify_rules(["spam"], rules=everything, index_url=server.index).uncovered == ()


def test_releases_that_were_imported_or_are_yanked_are_not_named() -> None:
    rules = curated()
    name, version = next(
        (name, version)
        for name in sorted(rules.projects)
        for version in sorted(imported(name))
        if not version.is_prerelease and not any(rule.covers(version) for rule in rules.about(name))
    )
    wheels = [make_wheel(name, str(version)), make_wheel(name, "9998.0", yanked="broken"), make_wheel(name, "9999.0")]
    with simple_index({name: wheels}) as server:
        (found,) = verify_rules([name], index_url=server.index, isolated=True).uncovered
    assert [list(map(str, span)) for span in found.old + found.new] == [["9999.0"]]


def test_an_older_python_is_asked_where_the_newest_has_no_answer(table: Any) -> None:
    projects = {
        "spam": [make_wheel("spam", requires=["eggs"])],
        "eggs": [make_wheel("eggs", version, "cp39-cp39-manylinux_2_17_x86_64") for version in ("1.0", "2.0")],
    }
    with simple_index(projects) as server:
        mine = table(rule("==1.0", "requires", "eggs<2"))
        (audit,) = verify_rules(["mine"], rules=mine, index_url=server.index, isolated=True).audits
    assert audit.difference is not None
    assert audit.difference.question == "spam==1.0 on manylinux_2_28_x86_64-cp39"


def test_a_rule_for_a_macos_between_the_usual_ones_is_asked_there(table: Any) -> None:
    with simple_index({"spam": [make_wheel("spam", "1.0", "py3-none-macosx_11_0_arm64")]}) as server:
        mine = table(rule("==1.0", "forbids", when='when = { macos = ">=12.1,<12.3" }'))
        (audit,) = verify_rules(["mine"], rules=mine, index_url=server.index, isolated=True).audits
    assert audit.state == "holds"
    assert audit.difference is not None
    assert audit.difference.question == "spam==1.0 on macos-12.1-arm64-cp314"


def test_a_rule_beside_another_project_is_asked_with_it(table: Any) -> None:
    projects = {name: [make_wheel(name)] for name in ("spam", "eggs", "ham")}
    with simple_index(projects) as server:
        mine = table(rule("==1.0", "requires", "ham", when='when = { beside = ["eggs>=1"] }'))
        (audit,) = verify_rules(["mine"], rules=mine, index_url=server.index, isolated=True).audits
    assert (audit.state, audit.difference and audit.difference.after) == ("holds", {"ham": "1.0"})


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["rules", *arguments, "--isolated"])
    out, err = capsys.readouterr()
    return code, out + err


def test_as_a_command(server: Server, table: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["verify", "mine", "--index-url", server.index, "--rules"]
    code, out = run(capsys, *ask, table(rule("==7.*", "forbids")))
    assert code == 1
    assert "mine: stale" in out
    assert "No version of spam on the index is among ==7.*." in out
    assert "Correct its versions, or remove it." in out
    assert out.splitlines()[-1] == f"1 rule compared with {server.index}: 0 hold, 1 stale, 0 unknown."
    code, out = run(capsys, *ask, table(rule("==1.0", "requires", "eggs<2")), "-v")
    assert code == 0
    assert "eggs 2.0 without the rule, eggs 1.5 with it." in out
    code, out = run(capsys, *ask, table(rule("==1.0", "forbids")), "--format", "json")
    assert code == 0
    assert json.loads(out)["rules"][0]["state"] == "holds"
    with pytest.raises(UsageError, match="no rule 'nobodys'"):
        verify_rules(["nobodys"])


def test_an_index_that_does_not_answer(table: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mine = table(rule("==1.0", "requires", "eggs<2"))
    with simple_index(PROJECTS) as server:
        server.fault("/simple/spam/", status(403))
        code, out = run(capsys, "verify", "mine", "--index-url", server.index, "--rules", mine)
        assert code == 2
        assert "mine: unknown" in out
        code, out = run(capsys, "show", "mine", "--index-url", server.index, "--rules", mine)
        assert code == 0
        assert "403" in out


def test_a_rule_is_shown_with_what_the_index_says(
    server: Server, table: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = table(rule(">=1.0,<1.2", "requires", "eggs<2"))
    ask = ["show", "mine", "--rules", mine, "--index-url", server.index]
    code, out = run(capsys, *ask)
    assert code == 0
    assert "why: Seen." in out
    assert "The rule covers 2 listed versions, the newest 1.1." in out
    assert "The metadata of spam-1.1-py3-none-any.whl requires eggs<2." in out
    told = json.loads(run(capsys, *ask, "--format", "json")[1])
    assert told["rule"]["id"] == "mine"
    assert told["index"]["beside"][0]["requirements"] == ["eggs<2"]
    code, out = run(capsys, *ask, "--offline", "--cache-dir", str(tmp_path / "empty"))
    assert code == 0
    assert "not in the cache, and --offline forbids requests" in out
