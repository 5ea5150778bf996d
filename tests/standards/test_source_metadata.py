"""What a source distribution promises and what a pyproject.toml states: tables, and both forms of one project."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from sdists import pkg_info_text
from wheelcheck.standards.core_metadata import Metadata, MetadataError
from wheelcheck.standards.file_problems import DynamicMetadata
from wheelcheck.standards.source_metadata import Project, head_of, parse_project, static_metadata


def promised(**about: Any) -> Metadata | DynamicMetadata:
    return static_metadata(pkg_info_text("Some.Name", "1.0", **about).encode())


# -- PKG-INFO


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.4", "2.5", "2.10", "3.0", "10.0"])
def test_static_metadata_counts_from_version_2_2_on(version: str) -> None:
    found = promised(metadata_version=version, requires=["a<2; extra == 'x'"], requires_python=">=3.9", extras=["x"])
    assert found == Metadata(
        name="some-name",
        version="1.0",
        requires_dist=(Requirement("a<2; extra == 'x'"),),
        requires_python=">=3.9",
        extras=frozenset({"x"}),
    )


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.0", "2.1", "2", "", "new", "2.2beta", "-2.2"])
def test_older_metadata_promises_nothing(version: str) -> None:
    assert promised(metadata_version=version, requires=["a"]) == DynamicMetadata()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Name: a\nVersion: 1\n",
        b"Name: a\n\nMetadata-Version: 2.4\n",
        b"Metadata-Version: 1.0\nName: J\xf6rg\n",
        b"Metadata-Version: 2.1\nName: a\nVersion: 1.0-nonsense\nRequires-Dist: (>1\n",
        b"Name: a\nDescription: b\n Metadata-Version: 2.2\nVersion: 1\n",
    ],
)
def test_what_has_no_version_that_promises_anything_is_not_even_faulty(body: bytes) -> None:
    assert static_metadata(body) == DynamicMetadata()


DYNAMIC = [
    (["Requires-Dist"], ("requires-dist",)),
    (["requires-python", "REQUIRES-DIST"], ("requires-dist", "requires-python")),
    (["Provides-Extra"], ("provides-extra",)),
    (["Version"], ("version",)),
    (["Name"], ("name",)),
    (["License", "Requires-Dist", "Classifier"], ("requires-dist",)),
]


@pytest.mark.parametrize(("declared", "fields"), DYNAMIC)
def test_dynamic_fields_that_decide_are_named(declared: list[str], fields: tuple[str, ...]) -> None:
    assert promised(dynamic=declared) == DynamicMetadata(fields=fields)


def test_other_dynamic_fields_and_the_description_are_no_matter() -> None:
    assert isinstance(promised(dynamic=["License", "Description", "License-File"]), Metadata)


def test_other_line_ends_are_read() -> None:
    body = pkg_info_text("a", "1.0", dynamic=["Requires-Dist"]).replace("\n", "\r\n").encode()
    assert static_metadata(body) == DynamicMetadata(fields=("requires-dist",))
    assert isinstance(static_metadata(body.replace(b"Dynamic", b"Keywords")), Metadata)


def test_what_promises_something_and_cannot_be_used_is_faulty() -> None:
    for body, why in (
        (b"Metadata-Version: 2.2\nName: a\n", "no version"),
        (b"Metadata-Version: 2.2\nName: a\nVersion: 1\nRequires-Dist: (>1\n", "cannot be parsed"),
        (b"Metadata-Version: 2.2\nName: a\nVersion: 1\nAuthor: J\xf6rg\n", "not UTF-8"),
    ):
        with pytest.raises(MetadataError, match=why):
            static_metadata(body)


# -- pyproject.toml

FULL = """
[build-system]
requires = ["setuptools"]

[project]
name = "Some.Name"
version = "1.0.0"
requires-python = ">=3.9"
dependencies = ["a>=1", "b ; os_name == 'nt' or os_name == 'x'"]
dynamic = ["readme"]

[project.optional-dependencies]
Dev_Tools = ["c", "d ; python_version < '3.11' or os_name == 'nt'"]
docs = ["some-name[dev-tools]", "e @ https://h/e-1-py3-none-any.whl"]
"""


def test_a_project_table_becomes_metadata() -> None:
    project = parse_project(FULL.encode())
    assert project.dynamic == ()
    assert (project.metadata.name, project.metadata.version) == ("some-name", "1.0.0")
    assert project.metadata.requires_python == ">=3.9"
    assert project.metadata.extras == {"dev-tools", "docs"}
    assert [str(requirement) for requirement in project.metadata.requires_dist] == [
        "a>=1",
        'b; os_name == "nt" or os_name == "x"',
        'c; extra == "dev-tools"',
        'd; (python_version < "3.11" or os_name == "nt") and extra == "dev-tools"',
        'some-name[dev-tools]; extra == "docs"',
        'e @ https://h/e-1-py3-none-any.whl ; extra == "docs"',
    ]


def test_what_is_neither_stated_nor_dynamic_is_empty() -> None:
    project = parse_project(b'[project]\nname = "a"\nversion = "1"\n')
    assert project == Project(metadata=Metadata(name="a", version="1"))


def test_the_requirement_of_an_extra_is_no_other_ones() -> None:
    """The same text is parsed once; adding a marker to it must not change what others have of it."""
    text = '[project]\nname = "a"\nversion = "1"\n[project.optional-dependencies]\nx = ["zzz"]\ny = ["zzz"]\n'
    for _ in range(2):
        needs = [str(one) for one in parse_project(text.encode()).metadata.requires_dist]
        assert needs == ['zzz; extra == "x"', 'zzz; extra == "y"']
    assert (
        str(parse_project(b'[project]\nname="a"\nversion="1"\ndependencies=["zzz"]').metadata.requires_dist[0]) == "zzz"
    )


LEFT_OPEN = [
    ('dynamic = ["version"]', ("version",)),
    ('dynamic = ["dependencies", "version"]', ("version", "dependencies")),
    ('version = "1"\ndynamic = ["requires-python", "optional-dependencies", "scripts"]', None),
    ('version = "1"\n[tool.poetry.dependencies]\npython = "^3.9"', ("dependencies",)),
    ('version = "1"\ndependencies = []\n[tool.poetry.dependencies]\na = "^3.9"', ()),
    ('version = "1"\ndynamic = ["dependencies"]\n[tool.poetry.dependencies]\na = "^3.9"', ("dependencies",)),
    ('version = "1"\n[tool.poetry]\npackages = []', ()),
    ('version = "1"\n[tool]\npoetry = 3', ()),
]


@pytest.mark.parametrize(("rest", "fields"), LEFT_OPEN)
def test_fields_that_are_left_open_are_named(rest: str, fields: tuple[str, ...] | None) -> None:
    project = parse_project(f'[project]\nname = "a"\n{rest}\n'.encode())
    assert project.dynamic == (("requires-python", "optional-dependencies") if fields is None else fields)
    assert project.metadata.name == "a"


FAULTY = [
    (b"", "no [project] table"),
    (b"project = 3", "no [project] table"),
    (b"[project", "cannot be parsed"),
    (b"\xff", "not UTF-8 (byte 0)"),
    (b"x = " + b"[" * 100_000, "cannot be parsed"),
    (b"x = " + b"9" * 10_000, "cannot be parsed"),
    (b"[project]\nversion = '1'", "name is missing"),
    (b"[project]\nname = 3", "name is no project name"),
    (b"[project]\nname = '../a'", "name is no project name"),
    (b"[project]\nname = 'a'", "version is missing"),
    (b"[project]\nname = 'a'\nversion = 1", "version is no version"),
    (b"[project]\nname = 'a'\nversion = 'one'", "version is no version"),
    (b"[project]\nname = 'a'\nversion = '1'\ndynamic = ['version']", "version is stated, and declared dynamic"),
    (b"[project]\nname = 'a'\nversion = '1'\ndynamic = 'version'", "dynamic is no list of texts"),
    (b"[project]\nname = 'a'\nversion = '1'\nrequires-python = '3,9'", "requires-python is no version specifier"),
    (b"[project]\nname = 'a'\nversion = '1'\nrequires-python = ['>3']", "requires-python is no version specifier"),
    (b"[project]\nname = 'a'\nversion = '1'\ndependencies = 'b'", "dependencies is no list of texts"),
    (b"[project]\nname = 'a'\nversion = '1'\ndependencies = [{}]", "dependencies is no list of texts"),
    (b"[project]\nname = 'a'\nversion = '1'\ndependencies = ['b=1']", "dependencies has a requirement that cannot"),
    (b"[project]\nname = 'a'\nversion = '1'\noptional-dependencies = []", "optional-dependencies is no table"),
    (
        b"[project]\nname = 'a'\nversion = '1'\n[project.optional-dependencies]\nx = 'b'",
        "optional-dependencies.x is no list",
    ),
    (
        b"[project]\nname = 'a'\nversion = '1'\n[project.optional-dependencies]\na-b = []\na_b = []",
        "twice the same: 'a_b'",
    ),
    (
        b"[project]\nname = 'a'\nversion = '1'\n[project.optional-dependencies]\n\"x' or 'y\" = ['b']",
        "a name that is no extra's",
    ),
]


@pytest.mark.parametrize(("body", "why"), FAULTY)
def test_a_table_that_breaks_the_specification_is_refused_with_why(body: bytes, why: str) -> None:
    with pytest.raises(MetadataError) as caught:
        parse_project(body)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


# -- both forms of one project

NEEDS = st.lists(
    st.sampled_from(["a", "b>=1", "c[x]", "d ; os_name == 'nt' or os_name == 'x'", "e @ https://h/e.whl"]), max_size=4
)


@given(
    needs=NEEDS,
    extras=st.dictionaries(st.sampled_from(["x", "Y_y"]), NEEDS),
    python=st.sampled_from([None, ">=3.9", "<4,>=3"]),
    version=st.sampled_from(["1", "1!2.0.post1+local", None]),
)
def test_a_project_and_its_core_metadata_say_the_same(
    needs: list[str], extras: dict[str, list[str]], python: str | None, version: str | None
) -> None:
    lines = ["[project]", 'name = "A.b"', f"dependencies = {json.dumps(needs)}"]
    lines += [f'version = "{version}"'] if version else ['dynamic = ["version"]']
    lines += [f'requires-python = "{python}"'] if python else []
    lines += ["[project.optional-dependencies]"]
    lines += [f"{extra} = {json.dumps(many)}" for extra, many in extras.items()]
    project = parse_project("\n".join(lines).encode())
    told = static_metadata(head_of(project))
    assert told == (project.metadata if version else DynamicMetadata(fields=("version",)))
