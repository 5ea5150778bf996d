"""What hypothesis draws small indexes from, with everything in them that decides an answer, and how they are served."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Release:
    """One version of a project: what it needs, and of which kind its files are."""

    needs: tuple[str, ...]
    kind: str

    def dists(self, name: str, version: str) -> list[Dist]:
        """The files of this release."""
        version = f"{version}rc1" if self.kind == "candidate" else version
        about: Any = {"requires": self.needs, "extras": ("x",), "upload_time": "2024-02-03T04:05:06Z"}
        plain = make_wheel(name, version, **about)
        match self.kind:
            case "linux":
                return [make_wheel(name, version, LINUX_TAGS, **about)]
            case "mac":
                return [make_wheel(name, version, MAC_TAGS, **about)]
            case "both":  # the wheels of one version disagree
                return [make_wheel(name, version, LINUX_TAGS, **about), make_wheel(name, version, MAC_TAGS)]
            case "sdist":
                return [make_sdist(name, version)]
            case "withdrawn":
                return [replace(plain, yanked="it was <broken> & gone")]
            case "new python":
                return [make_wheel(name, version, requires_python=">=3.10", **about)]
            case "late python":  # only the metadata says so
                return [replace(make_wheel(name, version, requires_python=">=3.13", **about), requires_python=None)]
            case "builds":
                return [plain, plain.named(f"{name}-{version}-2-py3-none-any.whl")]
            case "misnamed":
                return [plain, plain.named(f"{name}-{version}-py3-none.whl"), plain.named(f"{name}-{version}.exe")]
            case "refused":
                return [make_wheel(name, version, metadata=metadata_text("other", version))]
        return [plain]


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
