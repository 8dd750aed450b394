"""The memory of a rollout: which version passed, since when, and what was before it."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import msgspec
import pytest

from monitor.passed import (
    BYTES_MAX,
    EMPTY,
    Before,
    Passed,
    StateError,
    digest,
    read,
    record,
    updated,
)

REPORT, LATER_REPORT = digest("one"), digest("two")
AT, LATER = 1_795_000_000.0, 1_795_003_600.5
MOMENT, LATER_MOMENT = "2026-11-18T11:06:40.000Z", "2026-11-18T12:06:40.500Z"
OLD, NEW = "Geth/v1.16.7-stable/linux-amd64/go1.25.1", "Geth/v1.17.0-stable/linux-amd64/go1.25.3"
NODES = b'{"schema":"headwatch.passed/1","nodes":{%b}}'
FIRST = updated(EMPTY, {"main": OLD}, report=REPORT, at=AT)


def test_digest_is_what_sha256sum_says_of_the_report() -> None:
    """Whoever kept verdict.json can tell whether it is the one that let the version through."""
    assert digest("{}\n") == "sha256:" + hashlib.sha256(b"{}\n").hexdigest()


def test_first_pass_of_a_node_is_since_now_and_after_nothing() -> None:
    """There is no version to go back to yet."""
    assert FIRST.nodes == {"main": Passed(OLD, MOMENT, REPORT, MOMENT)}


def test_same_version_again_keeps_since_and_names_the_newest_report() -> None:
    """`since` is when it came, `at` and `report` are of the last pass."""
    again = updated(FIRST, {"main": OLD}, report=LATER_REPORT, at=LATER)
    assert again.nodes == {"main": Passed(OLD, MOMENT, LATER_REPORT, LATER_MOMENT)}


def test_other_version_is_since_now_and_remembers_the_way_back() -> None:
    """A third pass, of the same version, keeps both; another one forgets the oldest."""
    changed = updated(FIRST, {"main": NEW}, report=LATER_REPORT, at=LATER)
    before = Before(OLD, MOMENT)
    assert changed.nodes["main"] == Passed(NEW, LATER_MOMENT, LATER_REPORT, LATER_MOMENT, before)
    again = updated(changed, {"main": NEW}, report=REPORT, at=LATER + 1)
    assert (again.nodes["main"].since, again.nodes["main"].before) == (LATER_MOMENT, before)
    back = updated(again, {"main": OLD}, report=REPORT, at=LATER + 2)
    assert back.nodes["main"].before == Before(NEW, LATER_MOMENT)
    assert back.nodes["main"].since > LATER_MOMENT


def test_nodes_that_were_not_judged_stay_as_they_were() -> None:
    """One file serves several configurations, and names are in order, for whoever compares."""
    both = updated(FIRST, {"backup": NEW}, report=LATER_REPORT, at=LATER)
    assert both.nodes["main"] == FIRST.nodes["main"]
    assert list(both.nodes) == ["backup", "main"]
    assert updated(both, {}, report=REPORT, at=LATER) == both


def test_file_that_is_not_there_is_an_empty_state_and_comes_with_the_first_pass(
    tmp_path: Path,
) -> None:
    """What was written is read as it was, and nothing else is left in the folder."""
    path = tmp_path / "state.json"
    assert read(path) == EMPTY
    record(path, {"main": OLD}, report=REPORT, at=AT)
    assert read(path) == FIRST
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
    assert path.read_text().startswith('{\n  "schema": "headwatch.passed/1",\n  "nodes": {')
    record(path, {"main": NEW}, report=LATER_REPORT, at=LATER)
    assert read(path) == updated(FIRST, {"main": NEW}, report=LATER_REPORT, at=LATER)


def test_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    """Deployments mount such a file under another name."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "state.json"
    link.symlink_to(tmp_path / "real" / "kept.json")
    record(link, {"main": OLD}, report=REPORT, at=AT)
    assert link.is_symlink()
    assert read(tmp_path / "real" / "kept.json") == FIRST


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not a state file: "),
        (b"{", "not a state file: "),
        (b"[]", "not a state file: "),
        (b'{"schema":"headwatch.passed/2"}', "not a state file: Invalid enum value"),
        (b'{"nodes":{}}', "missing required field `schema`"),
        (b'{"schema":"headwatch.passed/1"}', "missing required field `nodes`"),
        (b'{"schema":"headwatch.passed/1","nodes":{},"node":{}}', "unknown field `node`"),
        (NODES % b'"a":{"version":"x","since":"y","report":"z"}', "missing required field `at`"),
        (NODES % b'"\xff":{}', "not a state file: "),
        (b" " * (BYTES_MAX + 1), "more than 1048576 bytes"),
    ],
    ids=["empty", "cut", "list", "version", "none", "half", "more", "less", "text", "size"],
)
def test_file_that_is_something_else_is_refused_and_left_as_it_is(
    body: bytes, said: str, tmp_path: Path
) -> None:
    """A file that another program wrote is not overwritten; the error is one line and names it."""
    path = tmp_path / "state.json"
    path.write_bytes(body)
    with pytest.raises(StateError) as refused:
        record(path, {"main": OLD}, report=REPORT, at=AT)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"--state {path}: ")
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == body


def test_state_of_exactly_the_size_limit_is_read(tmp_path: Path) -> None:
    """The limit is the last size that is accepted."""
    path = tmp_path / "state.json"
    body = msgspec.json.encode(FIRST)
    path.write_bytes(body + b" " * (BYTES_MAX - len(body)))
    assert read(path) == FIRST


def test_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """And nothing is made in its place."""
    path = tmp_path / "none" / "state.json"
    with pytest.raises(StateError, match="No such file or directory"):
        record(path, {"main": OLD}, report=REPORT, at=AT)
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(StateError, match="Is a directory"):
        read(path)


def _record_many(path: Path, name: str) -> None:
    for count in range(20):
        record(path, {f"{name}{count}": OLD}, report=REPORT, at=AT)


def test_pipelines_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each reads what the one before it wrote."""
    path = tmp_path / "state.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_record_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(read(path).nodes) == 40
