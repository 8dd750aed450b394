"""Vectors are found where execution-apis keep them, and what is wrong with a file names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.conformance import finding
from monitor.conformance.finding import (
    FILES_MAX,
    Place,
    Skip,
    find,
    head_hash,
    load,
    read_skips,
    skip_of,
)
from monitor.conformance.vectors import VectorError
from tests.conformance.written import answers, asks, write, write_head

HEAD = "0x" + "aB" * 32


def test_vectors_are_found_by_method_and_name(tmp_path: Path) -> None:
    """Whatever lies beside them is none: the chain, its genesis, notes."""
    for name in ("eth_b/two", "eth_b/one", "eth_a/one", "net_c/one"):
        write(tmp_path, name, asks("eth_a"), answers(1))
    for other in ("chain.rlp", "genesis.json", "eth_a/notes.md", "stray.io"):
        (tmp_path / other).write_text("{}")
    assert [place.id for place in find(tmp_path)] == [
        *("eth_a/one", "eth_b/one", "eth_b/two", "net_c/one")
    ]
    assert [place.id for place in find(tmp_path, ["net_*", "*_a"])] == ["eth_a/one", "net_c/one"]


@pytest.mark.parametrize(
    ("methods", "said"), [([], "io"), (["eth_x", "eth_[y]"], "io of eth_x, eth_[y]")]
)
def test_directory_without_vectors_is_told(tmp_path: Path, methods: list[str], said: str) -> None:
    """A gate that asked nothing would pass for ever."""
    with pytest.raises(VectorError, match=re.escape(f"{tmp_path}: there is no METHOD/NAME.{said}")):
        find(tmp_path, methods)


def test_files_may_be_as_many_as_the_limit_and_no_more(tmp_path: Path) -> None:
    """The limit itself is found, one more is not."""
    (tmp_path / "eth_a").mkdir()
    for index in range(FILES_MAX):
        (tmp_path / "eth_a" / f"{index}.io").touch()
    assert len(find(tmp_path)) == FILES_MAX
    (tmp_path / "eth_a" / "more.io").touch()
    with pytest.raises(VectorError, match="more than 10000; name a --method"):
        find(tmp_path)


def test_broken_vector_is_named_with_file_and_line(tmp_path: Path) -> None:
    """So that an editor goes there."""
    path = write(tmp_path, "eth_a/one", "// a", answers(1))
    with pytest.raises(VectorError) as caught:
        load(Place("eth_a", "one", path))
    assert str(caught.value) == f"{path}: line 2: this answer has no request"


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """As the system says it."""
    path = tmp_path / "eth_a.io"
    path.mkdir()
    with pytest.raises(VectorError, match="cannot be read: Is a directory"):
        load(Place("eth_a", "one", path))


def test_head_is_the_one_of_the_fork_choice(tmp_path: Path) -> None:
    """In lower case, as nodes write it; None where the directory does not say."""
    assert head_hash(tmp_path) is None
    write_head(tmp_path, HEAD)
    assert head_hash(tmp_path) == HEAD.lower()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no engine_forkchoiceUpdated: "),
        ("[]", "it is no engine_forkchoiceUpdated: "),
        ('{"params": [{}]}', "it is no engine_forkchoiceUpdated: "),
        ('{"params": []}', "its headBlockHash is no hash"),
        ('{"params": [{"headBlockHash": "0x12"}]}', "its headBlockHash is no hash"),
    ],
)
def test_head_that_is_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    """Rather than that answers of any chain are compared."""
    path = tmp_path / finding.HEAD_NAME
    path.write_text(text)
    with pytest.raises(VectorError) as caught:
        head_hash(tmp_path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_head_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """It is there, and nobody knows what it says."""
    (tmp_path / finding.HEAD_NAME).mkdir()
    with pytest.raises(VectorError, match=r"headfcu\.json: it cannot be read"):
        head_hash(tmp_path)


def test_what_is_left_out_is_a_glob_with_a_reason(tmp_path: Path) -> None:
    """The first line that covers a file is the one that leaves it out."""
    path = tmp_path / "skip"
    path.write_text("# all of it\n\neth_a/one  # broken in 1.2 # really\neth_*/o*#new\n")
    skips = read_skips(path)
    assert skips == (
        Skip("eth_a/one", "broken in 1.2 # really", 3),
        Skip("eth_*/o*", "new", 4),
    )
    places = [Place(method, name, tmp_path) for method, name in (("eth_a", "one"), ("eth_b", "on"))]
    assert [skip_of(place, skips) for place in places] == list(skips)
    assert skip_of(Place("net_a", "one", tmp_path), skips) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"eth_a/one\n", "line 1: expected METHOD/NAME  # why, found no reason"),
        (b"\neth_a/one #\n", "line 2: expected METHOD/NAME  # why, found no reason"),
        (b"\xff", "it is not UTF-8"),
        (b"a # b\n" * (finding.SKIP_LINES_MAX + 1), "there are more than 1000 lines"),
    ],
)
def test_left_out_without_a_reason_is_told(tmp_path: Path, written: bytes, said: str) -> None:
    """Such a file is read by whoever wonders why a thing is not tested."""
    path = tmp_path / "skip"
    path.write_bytes(written)
    with pytest.raises(VectorError) as caught:
        read_skips(path)
    assert str(caught.value) == f"{path}: {said}"


def test_file_of_what_is_left_out_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A typing error would run everything."""
    with pytest.raises(VectorError, match="No such file"):
        read_skips(tmp_path / "skip")
