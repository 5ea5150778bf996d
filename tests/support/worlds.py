"""What hypothesis draws small indexes from, with everything in them that decides an answer, and how they are served."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from loopback import simple_index
from wheels import Dist, make_sdist, make_wheel, metadata_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from loopback import Server

NAMES = "abcde"
ABSENT = "nowhere"
LINUX = "manylinux_2_28_x86_64-3.12.4"
MAC = "macos-14-arm64-3.12.4"
OLD = "windows-amd64-3.9.13"

LINUX_TAGS, MAC_TAGS = "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-macosx_12_0_arm64"
KINDS = (
    *["any"] * 12,
    *("linux", "mac", "both", "sdist", "withdrawn", "new python", "candidate", "builds", "misnamed", "refused"),
    "late python",
)
TAGS = {"linux": [LINUX_TAGS], "mac": [MAC_TAGS], "both": [LINUX_TAGS, MAC_TAGS]}
PYTHONS = {"new python": ">=3.10", "late python": ">=3.13"}
NAMESAKES = {"builds": ["-2-py3-none-any.whl"], "misnamed": ["-py3-none.whl", ".exe"]}


@dataclass(frozen=True)
class Release:
    """One version of a project: what it needs, and of which kind its files are."""

    needs: tuple[str, ...]
    kind: str

    def dists(self, name: str, version: str) -> list[Dist]:
        """The files of this release."""
        if self.kind == "sdist":
            return [make_sdist(name, version)]
        if self.kind == "refused":
            return [make_wheel(name, version, metadata=metadata_text("other", version))]
        version = f"{version}rc1" if self.kind == "candidate" else version
        about: dict[str, Any] = {"requires": self.needs, "extras": ("x",), "upload_time": "2024-02-03T04:05:06Z"}
        about |= {"requires_python": PYTHONS[self.kind]} if self.kind in PYTHONS else {}
        wheels = [make_wheel(name, version, tags, **about) for tags in TAGS.get(self.kind, ["py3-none-any"])]
        match self.kind:
            case "both":  # the wheels of one version disagree
                wheels[1] = make_wheel(name, version, MAC_TAGS)
            case "withdrawn":
                wheels = [replace(wheels[0], yanked="it was <broken> & gone")]
            case "late python":  # only the metadata says so
                wheels = [replace(wheels[0], requires_python=None)]
        return [*wheels, *(wheels[0].named(f"{name}-{version}{rest}") for rest in NAMESAKES.get(self.kind, ()))]


@dataclass(frozen=True)
class World:
    """An index: its projects, and how it serves them."""

    projects: Mapping[str, Mapping[str, Release]]
    form: str
    metadata: bool | str
    hashes: bool

    @contextmanager
    def served(self) -> Iterator[Server]:
        """A server that has this index."""
        dists = {
            name: [dist for version, release in releases.items() for dist in release.dists(name, version)]
            for name, releases in self.projects.items()
        }
        with simple_index(dists, form=self.form, metadata=self.metadata, hashes=self.hashes) as server:
            yield server
            wait_for_threads()


def wait_for_threads() -> None:
    """Until no index asks any more: what one has begun before it was closed would disturb the next example."""
    for thread in threading.enumerate():
        if thread.name.startswith("wheelcheck"):
            thread.join(30)


_SPECIFIERS = st.sampled_from([*[""] * 5, "<2", "<3", ">=2", "==1", "==2", ">1"])
_NAMES = st.sampled_from([*NAMES * 8, ABSENT])
PLAIN = st.builds("{}{}{}".format, _NAMES, st.sampled_from(["", "", "[x]"]), _SPECIFIERS)
_OF_EXTRA = st.builds("{}{}; extra == 'x'".format, _NAMES, _SPECIFIERS)
_MARKED = st.builds("{}{}; sys_platform == 'linux'".format, _NAMES, _SPECIFIERS)
_NEEDS = st.tuples(st.lists(PLAIN, max_size=3), st.lists(st.one_of(_OF_EXTRA, _MARKED), max_size=1)).map(
    lambda both: (*both[0], *both[1])
)
_RELEASES = st.builds(Release, needs=_NEEDS, kind=st.sampled_from(KINDS))
_THREE = st.fixed_dictionaries(dict.fromkeys("123", _RELEASES))
_FEWER = st.dictionaries(st.sampled_from("123"), _RELEASES)
WORLDS = st.builds(
    World,
    projects=st.fixed_dictionaries({name: st.one_of(_THREE, _THREE, _FEWER) for name in NAMES}),
    form=st.sampled_from(["both", "json", "html"]),
    metadata=st.sampled_from([True, True, "true", False, "listed"]),
    hashes=st.booleans(),
)
ROOTS = st.lists(st.one_of(st.sampled_from(NAMES), PLAIN), min_size=1, max_size=3)
