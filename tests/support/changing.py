"""An index that changes while it is asked, of which every answer tells by itself whether it can be right.

The processes of test_shared_cache.py import this; it imports little, so that they start soon.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from doors import LINUX, MAC
from loopback import JSON, Server, page_json, serve
from wheelcheck import check
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECTS = 6
STATES = 2
GONE = "sometimes"
NAMES = [*(f"project{number}" for number in range(PROJECTS)), GONE]
TARGETS = [LINUX, MAC]
FILLER = 300
"""Versions for nobody that make a page take a while to write."""


def project(number: int, state: int) -> tuple[str, list[dict[str, Any]], dict[str, bytes]]:
    """A project whose wheels need ``leaf`` in a version that no other project and no other state has.

    The file has the same name in every state and for both targets a wheel of its own, so that metadata of another
    project, target or state gives an answer that is not one.
    """
    name, entries, bodies = f"project{number}", [], {}
    for place, platform in enumerate(("manylinux_2_17_x86_64", "macosx_12_0_arm64")):
        wheel = make_wheel(name, "1.0", f"cp312-cp312-{platform}", requires=[f"leaf=={leaf(number, state, place)}"])
        assert wheel.metadata is not None
        path = f"/files/{state}/{wheel.filename}"
        bodies[path] = wheel.content
        bodies[f"{path}.metadata"] = wheel.metadata
        core = {"sha256": hashlib.sha256(wheel.metadata).hexdigest()}
        hashes = {"sha256": wheel.sha256}
        entries.append({"filename": wheel.filename, "url": path, "hashes": hashes, "core-metadata": core})
    entries += [
        {"filename": filler, "url": f"/files/{filler}", "hashes": {}}
        for filler in (f"{name}-0.{n}-cp39-cp39-win32.whl" for n in range(FILLER))
    ]
    return name, entries, bodies


def leaf(number: int, state: int, place: int) -> str:
    return f"{number}.{state}.{place}"


def turn(server: Server, number: int, state: int) -> None:
    """Puts a project into a state; its page has validators, a short life or neither."""
    name, entries, bodies = project(number, state)
    for path, content in bodies.items():
        server.add(path, content)
    headers = ({"etag": f'"{number}-{state}"', "cache-control": "max-age=0"}, {"cache-control": "max-age=1"}, {})
    server.add(f"/simple/{name}/", page_json(name, entries), JSON, headers=headers[number % 3])


def come_and_go(server: Server, *, there: bool) -> None:
    if there:
        wheel = make_wheel(GONE)
        server.add(
            f"/simple/{GONE}/",
            page_json(GONE, [{"filename": wheel.filename, "url": f"/g/{wheel.filename}", "hashes": {}}]),
            JSON,
        )
        server.add(f"/g/{wheel.filename}", wheel.content)
    else:
        server.resources.pop(f"/simple/{GONE}/", None)


@contextmanager
def changing_index() -> Iterator[Server]:
    with serve() as server:
        leaves = [
            make_wheel("leaf", leaf(n, state, place))
            for n in range(PROJECTS)
            for state in range(STATES)
            for place in range(len(TARGETS))
        ]
        server.add_project("leaf", leaves)
        for number in range(PROJECTS):
            turn(server, number, 0)
        come_and_go(server, there=True)
        yield server


NOT_CACHED = "it is not in the cache"


def fault_in(document: Any) -> str:
    """What is wrong with an answer to the question for one project and both targets; empty where it can be right."""
    for place, result in enumerate(document["results"]):
        if result["error"]:
            return NOT_CACHED if result["error"]["kind"] == "NotCached" else str(result["error"])
        pins = {pin["name"]: pin for pin in result["pins"]}
        if not pins:
            missing = (result["conflict"]["kind"], result["conflict"]["project"]) == ("Missing", GONE)
            return "" if missing else str(result["conflict"])
        name = next(name for name in pins if name != "leaf")
        if name == GONE:
            continue
        number = int(name.removeprefix("project"))
        right = [(f"/files/{state}/", f"leaf-{leaf(number, state, place)}-") for state in range(STATES)]
        if not any(one in pins[name]["url"] and other in pins["leaf"]["url"] for one, other in right):
            return str([pin["url"] for pin in pins.values()])
    return ""


def ask(name: str, index: str, cache: Path, **options: Any) -> str:
    """What is wrong with the answer to one question."""
    report = check([name], targets=TARGETS, index_url=index, cache_dir=str(cache), no_rules=True, **options)
    if report.notices:
        return str(report.notices)
    return fault_in(report.to_dict())
