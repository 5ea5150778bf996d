"""What a remembered answer stands on, and the reports that one process remembers."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certificates import certificate_of
from doors import LINUX, MAC, PROJECTS, stand_alone
from loopback import Server, simple_index, status
from wheelcheck import Report, Target, UsageError, check
from wheelcheck.commands import check as checker
from wheelcheck.commands.report import Memory
from wheelcheck.index.cache.stamps import (
    COARSE_TICK,
    TICK,
    environment_state,
    holds,
    installations,
    is_settled,
    stamp_of,
    stamps_of,
    validity,
)
from wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST = 32


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_alone(monkeypatch, tmp_path)
    for name in [name for name in os.environ if name.startswith(("UV_", "XDG_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with simple_index(PROJECTS) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        yield server


def pins(report: Report, at: int = 0) -> dict[str, str]:
    return {pin.name: str(pin.version) for pin in report.results[at].pins}


def is_same(report: Report, other: Report) -> bool:
    """Whether one report is the other, given again."""
    return report.results[0] is other.results[0]


def written(path: Path, text: str) -> str:
    """A file that was written so long ago that it is trusted to show the next change; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    while not is_settled(stamp_of(str(path)), time.time()):
        time.sleep(0.01)
    return str(path)


def remembered(*asks: str, **options: Any) -> Report:
    """The report on a question, which is sure to be remembered."""
    first = check(asks, targets=[LINUX], **options)
    assert is_same(check(asks, targets=[LINUX], **options), first)
    return first


# -- stamps


def test_a_stamp_shows_each_change(tmp_path: Path) -> None:
    place = tmp_path / "file.txt"
    assert stamp_of(str(place)) is None
    stamps = [stamp_of(written(place, "one"))]
    before = place.stat()
    changes: list[Callable[[], Any]] = [
        lambda: written(place, "two"),
        lambda: os.utime(written(place, "six"), ns=(before.st_mtime_ns, before.st_mtime_ns)),
        lambda: written(place, "seven"),
        lambda: (written(tmp_path / "other.txt", "other"), (tmp_path / "other.txt").replace(place)),
        place.unlink,
        place.mkdir,
        lambda: written(place / "inside.txt", ""),
    ]
    for change in changes:
        change()
        stamps.append(stamp_of(str(place)))
    assert len({str(stamp) for stamp in stamps}) == len(changes) + 1
    assert stamp_of("\0") is None
    assert stamp_of(str(place / "inside.txt" / "deeper")) is None


@pytest.mark.skipif(os.name == "nt", reason="pipes are no files there")
def test_a_pipe_is_never_settled(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert stamp_of(str(tmp_path / "pipe")) == []
    assert not is_settled([], time.time())


@pytest.mark.parametrize(
    ("changed", "began", "settled"),
    [
        (1000.25, 1000.25, False),
        (1000.25, 1000.25 + TICK / 2, False),
        (1000.25, 1000.25 + 2 * TICK, True),
        (1000.25, 900.0, False),
        (1000.0, 1000.0 + 2 * TICK, False),
        (1000.0, 1000.0 + COARSE_TICK, False),
        (1000.0, 1000.5 + COARSE_TICK, True),
    ],
)
def test_what_was_changed_a_moment_ago_is_not_settled(changed: float, began: float, settled: bool) -> None:
    nanoseconds = int(changed * 1e9)
    assert is_settled([nanoseconds, 0, 1, 1], began) is settled
    assert is_settled([0, nanoseconds, 1, 1], began) is settled
    assert is_settled(None, began)


def test_an_answer_stands_for_its_time_on_its_files(tmp_path: Path) -> None:
    place, now = written(tmp_path / "file.txt", "one"), time.time()
    stamps = stamps_of([place, str(tmp_path / "nowhere")])
    validity_stamps = validity(stamps, now + 60)
    assert holds(validity_stamps)
    assert holds(json.loads(json.dumps(validity_stamps)))
    assert holds(json.loads(json.dumps(validity(stamps, float("inf")))))
    assert not holds(validity(stamps, time.time()))
    assert not holds(validity(stamps, 0))
    assert not holds(validity_stamps | {"since": time.time() + 60})
    (tmp_path / "nowhere").touch()
    assert not holds(validity_stamps)
    (tmp_path / "nowhere").unlink()
    assert holds(validity_stamps)
    written(tmp_path / "file.txt", "two")
    assert not holds(validity_stamps)


def test_surroundings_tell_what_may_decide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = json.dumps(environment_state())
    assert here == json.dumps(environment_state())
    assert sys.version in environment_state()[2]
    assert sys.executable in environment_state()[2]
    name, version = platform.libc_ver()
    assert name != "glibc" or f"glibc {version}" in here
    changes: list[Callable[[], None]] = [
        lambda: monkeypatch.setenv("SHLVL", "77"),
        lambda: monkeypatch.setenv("ANYTHING", "1"),
        lambda: monkeypatch.delenv("WHEELCHECK_CACHE_DIR"),
        lambda: monkeypatch.chdir(tmp_path / ".."),
    ]
    for change in changes:
        change()
        assert json.dumps(environment_state()) != here
        here = json.dumps(environment_state())


def test_what_is_installed_is_on_the_path_of_this_process() -> None:
    assert str(Path(pytest.__file__).parent.parent) in installations()
    assert "" not in installations()


# -- the reports of one process


def test_a_report_is_given_again_without_a_request(index: Server) -> None:
    first = check(["spam"], targets=[LINUX, MAC])
    index.forget()
    again = check(["spam"], targets=[LINUX, MAC])
    assert index.paths == []
    assert is_same(again, first)
    assert again.results == first.results
    assert (again.sources, again.applied, again.oldest) == (first.sources, first.applied, first.oldest)
    assert (again.counters.requests, again.counters.bytes) == (0, 0)
    assert first.counters.requests > 0
    assert again.to_dict() | {"index": None} == first.to_dict() | {"index": None}


def test_the_counters_are_those_of_an_answer_from_the_cache(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asks = ["alone", "ham"]
    check(asks, targets=[LINUX])
    again = check(asks, targets=[LINUX])
    monkeypatch.setenv("ANYTHING", "another question")
    assert check(asks, targets=[LINUX]).counters == again.counters == (0, 0, 4)
    assert again == check(asks, targets=[LINUX])


def test_a_no_is_remembered_as_well(index: Server) -> None:
    assert remembered("onlymac").exit_code == 1


def test_what_is_said_besides_is_said_again(index: Server, tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.txt", "--use-feature fast-deps\nspam\n")
    report = remembered(requirement=[asked])
    assert len(report.notices) == 1
    assert check(requirement=[asked], targets=[LINUX]).notices == report.notices


def test_lists_and_tuples_are_the_same_question(index: Server, tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.txt", "eggs\n")
    first = check(["spam"], targets=[LINUX], requirement=[asked], extra_index_url=[])
    again = check(("spam",), targets=(LINUX,), requirement=(asked,), extra_index_url=())
    assert is_same(again, first)
    assert is_same(check((ask for ask in ["spam"]), targets=iter([LINUX]), requirement=[asked]), first)


def test_other_questions_have_answers_of_their_own(index: Server) -> None:
    first = remembered("alone")
    assert pins(check(["spam"], targets=[LINUX]))["spam"] == "1.0"
    assert pins(check(["spam"], targets=[LINUX], pre=True))["spam"] == "2.0rc1"
    assert pins(check(["spam"], targets=[LINUX], no_deps=True)) == {"spam": "1.0"}
    assert len(check(["alone"], targets=[LINUX, MAC]).results) == 2
    assert pins(check(["spam", "alone"], targets=[LINUX])) == {"alone": "1.0", "eggs": "1.5", "spam": "1.0"}
    assert is_same(check(["alone"], targets=[LINUX]), first)


def test_equal_targets_that_a_report_describes_otherwise_are_not_the_same_question(index: Server) -> None:
    open_, told = Target.parse("linux-3.12.4"), Target.parse(LINUX)
    assert open_ == told
    assert open_.assumed != told.assumed
    for _ in range(2):
        for target in (open_, told):
            assert check(["spam"], targets=[target]).results[0].target.assumed == target.assumed
    assert is_same(check(["spam"], targets=[told]), check(["spam"], targets=[told]))
    assert check(["spam"], targets=[LINUX]).results[0].target == told


def test_an_interpreter_and_a_saved_target_are_asked_each_time(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "target.json"
    for name, code in ((LINUX, 1), (LINUX, 1), (MAC, 0)):
        place.write_text(json.dumps(Target.parse(name).to_dict()))
        assert check(["onlymac"], targets=[str(place)]).exit_code == code
        assert check(["onlymac"], targets=["target.json"]).exit_code == code
        assert check(["onlymac"], targets=[" target.json"]).exit_code == code
    first = check(["spam"], targets=[sys.executable])
    assert not is_same(check(["spam"], targets=[sys.executable]), first)


@pytest.mark.parametrize(
    "options",
    [
        {"refresh": True},
        {"offline": True},
        {"no_cache": True},
        {"exclude_newer": "30 days", "no_upload_time": "allow"},
        {"exclude_newer": "2040-01-01", "no_upload_time": "allow"},
        {"confirm": True},
        {"rules": "mine.toml"},
        {"find_links": ["."]},
    ],
)
def test_what_may_change_unseen_is_never_remembered(index: Server, tmp_path: Path, options: Any) -> None:
    written(
        tmp_path / "mine.toml",
        'project = "other"\n[[rule]]\nid = "other-1"\nversions = "==1.0"\neffect = "forbids"\nwhy = "It is empty."\n'
        'evidence = "contents"\nconfidence = "certain"\nsources = [{ fact = "Seen.", date = "2025-01-01" }]\n',
    )
    check(["spam"], targets=[MAC])
    first = check(["spam"], targets=[MAC], **options)
    assert first.ok
    assert not is_same(check(["spam"], targets=[MAC], **options), first)


def test_a_directory_of_wheels_that_grows(index: Server, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("2.0", "3.0"):
        wheel = make_wheel("alone", version)
        (folder / wheel.filename).write_bytes(wheel.content)
        for _ in range(2):
            assert pins(check(["alone"], targets=[LINUX], find_links=[str(folder)])) == {"alone": version}


def test_a_file_that_changed_is_read_again(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "asked.txt"
    remembered(requirement=[written(place, "eggs==2.0\n")])
    before = place.stat()
    place.write_text("eggs==1.5\n")
    os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert pins(check(requirement=[str(place)], targets=[LINUX])) == {"eggs": "1.5"}


def test_a_file_that_changes_again_and_again_is_read_each_time(index: Server, tmp_path: Path) -> None:
    place = tmp_path / "asked.txt"
    for number in range(60):
        version = ("1.5", "2.0")[number % 2]
        place.write_text(f"eggs=={version}\n")
        assert pins(check(requirement=["asked.txt"], targets=[LINUX])) == {"eggs": version}


def test_a_file_beside_another_directory(index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.5", "2.0"):
        written(tmp_path / version / "asked.txt", f"eggs=={version}\n")
    for version in ("1.5", "2.0", "1.5"):
        monkeypatch.chdir(tmp_path / version)
        assert pins(remembered(requirement=["asked.txt"])) == {"eggs": version}


def test_configuration_that_changes(index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(place))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pins(remembered("spam"))["spam"] == "1.0"
    written(place, "[global]\npre = y\n")
    assert pins(remembered("spam"))["spam"] == "2.0rc1"
    written(place, "[global]\npre = n\n")
    assert pins(remembered("spam"))["spam"] == "1.0"
    place.unlink()
    remembered("spam")
    monkeypatch.setenv("PIP_PRE", "1")
    assert pins(remembered("spam"))["spam"] == "2.0rc1"


@pytest.mark.parametrize("name", ["cert", "client-cert"])
def test_a_file_that_configuration_names_and_that_goes(
    index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = tmp_path / "some.pem"
    check(["spam"], targets=[LINUX])
    certificate = certificate_of(tmp_path, "DNS:client", 2).read_text("utf-8")
    monkeypatch.setenv("PIP_" + name.upper().replace("-", "_"), written(place, certificate))
    remembered("spam")
    place.unlink()
    with pytest.raises(UsageError, match=r"some\.pem"):
        check(["spam"], targets=[LINUX])


def test_a_page_that_was_refreshed(index: Server) -> None:
    remembered("spam")
    index.add_project("spam", [*PROJECTS["spam"], make_wheel("spam", "3.0")])
    remembered("spam")
    assert pins(check(["spam"], targets=[MAC], refresh=True)) == {"spam": "3.0"}
    assert pins(remembered("spam")) == {"spam": "3.0"}


@pytest.mark.parametrize("header", ["max-age=0", "no-store", "no-cache"])
def test_a_page_that_is_never_fresh(index: Server, header: str) -> None:
    for version in ("1.0", "2.0"):
        index.add_project("alone", [make_wheel("alone", version)], headers={"cache-control": header})
        for _ in range(2):
            assert pins(check(["alone"], targets=[LINUX])) == {"alone": version}


def test_an_emptied_cache(index: Server, tmp_path: Path) -> None:
    remembered("spam")
    for page in (tmp_path / "cache").glob("*/pages/*"):
        page.unlink()
    index.add_project("spam", [*PROJECTS["spam"], make_wheel("spam", "3.0")])
    assert pins(check(["spam"], targets=[LINUX])) == {"spam": "3.0"}


def test_a_cache_of_its_own(index: Server, tmp_path: Path) -> None:
    remembered("spam", cache_dir=str(tmp_path / "other"))
    index.forget()
    check(["spam"], targets=[LINUX])
    assert "/simple/spam/" in index.paths


def test_a_clock_that_was_set_back(index: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    first = remembered("spam")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    assert not is_same(check(["spam"], targets=[LINUX]), first)


def test_what_could_not_be_told_is_asked_again(index: Server) -> None:
    index.fault("/simple/alone/", status(503), times=1)
    assert [check(["alone"], targets=[LINUX]).exit_code for _ in range(2)] == [2, 0]
    first = check(["gone"], targets=[LINUX])
    assert first.exit_code == 1
    assert not is_same(check(["gone"], targets=[LINUX]), first)


def test_metadata_that_no_hash_vouches_for(index: Server) -> None:
    index.add_project("alone", PROJECTS["alone"], hashes=False)
    first = check(["alone"], targets=[LINUX])
    for _ in range(2):
        assert not is_same(check(["alone"], targets=[LINUX]), first)


def test_something_that_was_installed(index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    first = remembered("spam")
    written(folder / "something-1.0.dist-info" / "METADATA", "")
    assert not is_same(check(["spam"], targets=[LINUX]), first)


def test_a_working_directory_that_is_gone(index: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("a working directory cannot be removed there")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert pins(check(["alone"], targets=[LINUX])) == {"alone": "1.0"}


# -- what is shared


def test_a_report_cannot_be_changed(index: Server) -> None:
    report = remembered("spam")
    for name in ("results", "counters", "notices", "stamps", "oldest"):
        with pytest.raises(AttributeError):
            setattr(report, name, None)
    with pytest.raises(AttributeError):
        report.results[0].pins = ()  # type: ignore[misc]


def test_a_document_belongs_to_whoever_asked_for_it(index: Server) -> None:
    report = remembered("spam", "onlymac", "candidate")
    other = remembered("spam", "candidate")
    before = json.dumps([report.again.to_dict(), other.again.to_dict()])
    for one in (report, other):
        _wreck(one.to_dict())
    again = [check(asks, targets=[LINUX]) for asks in (["spam", "onlymac", "candidate"], ["spam", "candidate"])]
    assert json.dumps([one.to_dict() for one in again]) == before


def _wreck(value: Any) -> None:
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, (dict, list)):
            _wreck(item)
    value.clear()


def test_few_reports_are_kept_however_many_were_asked_for(index: Server) -> None:
    memory = checker._MEMORY
    report = remembered("spam")
    for number in range(3000):
        memory.keep(("another", number), report)
        assert len(memory._reports) <= MOST
    assert memory.recall(("another", 2999)) is not None
    assert memory.recall(("another", 0)) is None
    for number in range(MOST + 8):
        assert pins(check([f"spam!=9.{number}"], targets=[LINUX]))["spam"] == "1.0"
    assert len(memory._reports) == MOST
    assert is_same(check([f"spam!=9.{MOST}"], targets=[LINUX]), check([f"spam!=9.{MOST}"], targets=[LINUX]))


def test_what_does_not_stand_any_more_is_forgotten(index: Server, tmp_path: Path) -> None:
    memory = Memory()
    memory.keep("question", remembered("spam"))
    assert memory.recall("question") is not None
    for page in (tmp_path / "cache").glob("*/pages/*"):
        page.unlink()
    assert memory.recall("question") is None
    assert memory._reports == {}
    memory.keep("question", check(["gone"], targets=[LINUX]))
    memory.keep(None, check(["spam"], targets=[LINUX]))
    assert memory._reports == {}


def test_threads_that_ask_at_once(index: Server) -> None:
    asks = ["spam", "eggs", "alone", "candidate", "onlymac", "ham", *(f"eggs!=7.{number}" for number in range(34))]
    expected = {ask: check([ask], targets=[LINUX], no_cache=True).results for ask in asks}
    wrong: list[object] = []

    def ask(start: int) -> None:
        try:
            for turn in range(3 * len(asks)):
                one = asks[(start * 7 + turn * (start + 1)) % len(asks)]
                report = check([one], targets=[LINUX])
                wrong.extend([one] if report.results != expected[one] else [])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
    assert len(checker._MEMORY._reports) <= MOST
