"""From the bytes of METADATA to what a resolver needs of it: name, version, Requires-Python, extras and requirements.

python benchmarks/metadata.py [RUNS]. The peers are packaging.metadata and the standard library's email.parser, alone
and with packaging's requirements made of what they found. All sides must agree before anything is timed.
"""

from __future__ import annotations

from email.parser import BytesHeaderParser, BytesParser
from typing import TYPE_CHECKING, Any, TypeAlias

import samples
from packaging.metadata import Metadata as CheckedMetadata
from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from side_by_side import Way, announce, compared, forget_everything, must_agree, runs_asked_for

from wheelcheck.standards.core_metadata import parse_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Answer: TypeAlias = "tuple[str, str, str | None, list[str], list[tuple[Any, ...]]]"
"""Name, version, Requires-Python, extras, and what each requirement says."""


def by_packaging(body: bytes) -> Answer:
    """What packaging.metadata and its requirements say."""
    raw, _ = parse_email(body)
    return _answer(
        raw["name"],
        raw["version"],
        raw.get("requires_python"),
        raw.get("provides_extra", []),
        map(Requirement, raw.get("requires_dist", [])),
    )


def by_email(body: bytes) -> Answer:
    """What the standard library's parser of mail headers says."""
    message = BytesHeaderParser().parsebytes(body)
    return _answer(
        message["name"],
        message["version"],
        message["requires-python"],
        message.get_all("provides-extra", []),
        map(Requirement, message.get_all("requires-dist", [])),
    )


def by_wheelcheck(body: bytes) -> Answer:
    """What `parse_metadata` says."""
    told = parse_metadata(body)
    return _answer(told.name, told.version, told.requires_python, told.extras, told.requires_dist)


def _answer(
    name: str, version: str, python: str | None, extras: Iterable[str], requirements: Iterable[Requirement]
) -> Answer:
    return canonicalize_name(name), version, python, sorted(extras), [_said(one) for one in requirements]


def _said(requirement: Requirement) -> tuple[Any, ...]:
    """A requirement in a form that two parsers of it share."""
    clauses = sorted(str(requirement.specifier).split(","))
    marker = requirement.marker and str(requirement.marker)
    return canonicalize_name(requirement.name), sorted(requirement.extras), clauses, marker, requirement.url


def scans(body: bytes) -> dict[str, Callable[[], object]]:
    """Ways to the fields as texts."""
    return {
        "packaging's parse_email": lambda: parse_email(body),
        "email, headers": lambda: BytesHeaderParser().parsebytes(body),
        "email, the whole": lambda: BytesParser().parsebytes(body),
    }


def requirements_of(texts: Iterable[str]) -> list[Requirement]:
    """Every requirement of a list, by packaging."""
    return [Requirement(text) for text in texts]


def parsed(body: bytes) -> dict[str, Callable[[], object]]:
    """Ways to the fields with every requirement parsed."""
    return {
        "parse_email and Requirement": lambda: requirements_of(parse_email(body)[0]["requires_dist"]),
        "packaging's Metadata.from_email": lambda: CheckedMetadata.from_email(body, validate=False).requires_dist,
        "email, headers, and Requirement": lambda: requirements_of(
            BytesHeaderParser().parsebytes(body).get_all("requires-dist", [])
        ),
    }


def main() -> None:
    runs = runs_asked_for(25)
    body = samples.metadata()
    must_agree(
        "the metadata",
        {"packaging": by_packaging(body), "email": by_email(body), "wheelcheck": by_wheelcheck(body)},
    )
    announce(f"METADATA of {len(body):,} bytes with {samples.REQUIREMENTS} requirements", runs)
    again = Way(name="parse_metadata, again", run=lambda: parse_metadata(body), loops=20)
    ways = [Way(name=name, run=run, loops=5) for name, run in scans(body).items()]
    compared("The scan of the headers; the peers give texts", [*ways, again], runs)
    first = Way(name="parse_metadata, nothing remembered", run=lambda: parse_metadata(body), before=forget_everything)
    ways = [Way(name=name, run=run) for name, run in parsed(body).items()]
    compared("Every requirement parsed", [*ways, first, again], runs)


if __name__ == "__main__":
    main()
