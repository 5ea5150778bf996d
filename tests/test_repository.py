"""The files around the code: no index host is named, the README's commands and the links of the pages hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

import wheelcheck

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("fixtures/**/*.md"))
    if "_build" not in path.parts
]
SHELL = ("sh", "bash", "shell", "console")


@cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks or would track."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("the tests do not lie in a git checkout")
    paths = (ROOT / name for name in listed.stdout.decode("utf-8", "surrogateescape").split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def hosts() -> tuple[bytes, ...]:
    """The index hosts that the installed pip carries: the default index, its files, and the same of the test index."""
    index = pytest.importorskip("pip._internal.models.index", reason="pip is not installed beside the tests")
    found = {host for known in (index.PyPI, index.TestPyPI) for host in (known.netloc, known.file_storage_domain)}
    assert all("." in host for host in found)
    return tuple(host.encode() for host in sorted(found))


def test_no_file_names_an_index_host() -> None:
    named = [
        f"{path.relative_to(ROOT)} names {host.decode()}"
        for path in files()
        for host in hosts()
        if host in path.read_bytes().lower()
    ]
    assert not named


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """The fenced code blocks of a page: language and lines."""
    fences = re.findall(r"^```(\S*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(language, body.splitlines()) for language, body in fences]


def test_the_first_shell_block_of_the_readme_runs_the_job_and_the_tests() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    job, tests = next(lines for language, lines in blocks(readme) if language in SHELL)
    assert "wheelcheck check tensorflow" in job
    assert ".venv/bin/pytest -q" in tests
    assert all(line.startswith("python3 -m venv .venv && ") for line in (job, tests))


def test_the_changelog_knows_this_version() -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert wheelcheck.__version__ in headings


def links(page: Path) -> list[str]:
    """The relative links of a page, without those inside code."""
    text = re.sub(r"^```.*?^```$|`[^`\n]+`", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(<?([^)\s>]+)>?[^)]*\)", text) + re.findall(r"^\[[^\]]+\]: *(\S+)", text, re.MULTILINE)
    return [target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:|#", target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files(page: Path) -> None:
    broken = [link for link in links(page) if not (page.parent / unquote(link.partition("#")[0])).exists()]
    assert not broken


def test_every_page_of_the_documentation_is_reached_from_its_index() -> None:
    listed = {
        line.strip()
        for language, lines in blocks((ROOT / "docs" / "index.md").read_text("utf-8"))
        if language == "{toctree}"
        for line in lines
    }
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages <= listed


def test_every_promise_of_the_threat_model_names_its_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| (?!tries|---).*\| (.*) \|$", page, re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        names = re.findall(r"`(test_\w+)`", row)
        assert names, row
        assert [name for name in names if f"def {name}(" not in tests] == []


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
