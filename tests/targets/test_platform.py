"""Platforms: their tags against packaging's generators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux, tags

from strategies import MAC_RELEASES, glibcs, musls, old_glibcs
from wheelcheck.targets.platform import MacOS, Manylinux, Musllinux, Other

MACS = [(release, "x86_64") for release in MAC_RELEASES]
MACS += [(release, "arm64") for release in MAC_RELEASES if release >= (11, 0)]


@pytest.mark.parametrize(("release", "machine"), MACS)
def test_mac_tags_are_those_of_packaging(release: tuple[int, int], machine: str) -> None:
    ours = MacOS(major=release[0], minor=release[1], machine=machine)
    assert list(ours.tags) == list(tags.mac_platforms(release, machine))
    assert ours.tag == ours.tags[0]


def linux_tags(patch: pytest.MonkeyPatch, platform: Manylinux | Musllinux) -> list[str]:
    """What packaging would say on a Linux of that kind."""
    small = {"i686": "x86_64", "armv8l": "aarch64"}.get(platform.machine)
    patch.setattr("sysconfig.get_platform", lambda: f"linux-{small or platform.machine}")
    patch.setattr(_manylinux, "_have_compatible_abi", lambda *_: isinstance(platform, Manylinux))
    patch.setattr(_manylinux, "_get_manylinux_module", lambda: None)
    patch.setattr(_manylinux, "_get_glibc_version", lambda: (platform.major, platform.minor))
    musl = _musllinux._MuslVersion(platform.major, platform.minor) if isinstance(platform, Musllinux) else None
    patch.setattr(_musllinux, "_get_musl_version", lambda _: musl)
    return list(tags._linux_platforms(is_32bit=small is not None))


@given(platform=st.one_of(glibcs, old_glibcs, musls))
def test_linux_tags_are_those_of_packaging(platform: Manylinux | Musllinux) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert list(platform.tags) == linux_tags(patch, platform)


def test_a_new_major_glibc_keeps_the_tags_of_the_old_one() -> None:
    platform = Manylinux(major=3, minor=1, machine="aarch64")
    with pytest.MonkeyPatch.context() as patch:
        assert list(platform.tags) == linux_tags(patch, platform)


def test_the_native_tag_stands_before_the_portable_ones_and_the_aliases_after_theirs() -> None:
    assert Manylinux(major=2, minor=17, machine="x86_64").tags[:3] == (
        "linux_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    )
    assert Manylinux(major=2, minor=5, machine="i686").tags == ("linux_i686", "manylinux_2_5_i686", "manylinux1_i686")


def test_refused_manylinux_tags_are_left_out_with_their_alias() -> None:
    some = Manylinux(major=2, minor=18, machine="x86_64", refused=("manylinux_2_17_x86_64",))
    assert some.tags[:3] == ("linux_x86_64", "manylinux_2_18_x86_64", "manylinux_2_16_x86_64")
    assert "manylinux2014_x86_64" not in some.tags


@pytest.mark.parametrize("release", [(13, 0), (17, 2), (26, 1)])
def test_ios_tags_are_those_of_packaging(release: tuple[int, int]) -> None:
    ours = Other(tag=f"ios_{release[0]}_{release[1]}_arm64_iphonesimulator")
    assert list(ours.tags) == list(tags.ios_platforms(release, "arm64-iphonesimulator"))


@pytest.mark.parametrize("level", [16, 24, 35])
def test_android_tags_are_those_of_packaging(level: int) -> None:
    assert list(Other(tag=f"android_{level}_arm64_v8a").tags) == list(tags.android_platforms(level, "arm64_v8a"))
