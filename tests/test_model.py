"""The words of the house: names and order."""

from __future__ import annotations

from monitor.model import (
    BlockNumber,
    BlockStamp,
    Finding,
    Hash32,
    Head,
    Level,
    account_subject,
    ledger_subject,
    node_subject,
    reference_label,
    short,
    subject_of,
    transaction_subject,
)
from tests.act import snapshots


def test_level_order_is_that_of_worst_of() -> None:
    """Not knowing is worse than being well, and better than being ill."""
    assert max(Level.OK, Level.UNKNOWN) == Level.UNKNOWN
    assert sorted(Level) == [Level.OK, Level.UNKNOWN, Level.DEGRADED, Level.FAILED]
    assert [level.word for level in Level] == ["ok", "unknown", "degraded", "failed"]


def test_short_of_a_hash_keeps_both_ends() -> None:
    """A lie may change either end."""
    assert short("0x" + "ab" * 31 + "cd") == "0xababab…ababcd"


def test_stamp_of_a_head_is_the_head_without_its_parent() -> None:
    """The "as of" names number, hash and time."""
    block_hash, parent = Hash32("0x" + "11" * 32), Hash32("0x" + "22" * 32)
    head = Head(BlockNumber(7), block_hash, parent, 99)
    assert head.stamp == BlockStamp(BlockNumber(7), block_hash, 99)


def test_key_of_a_finding_is_check_and_subject() -> None:
    """Never a time, never a level: the same trouble is the same key."""
    one = Finding("head", "node:a", "net", Level.OK, "x", "x", since=1.0)
    other = Finding("head", "node:a", "net", Level.FAILED, "y", "y", since=2.0)
    assert one.key == other.key == ("head", "node:a")


def test_subjects_of_labels_tell_nodes_from_references() -> None:
    """A label with a slash is a reference's; names hold no slash."""
    assert subject_of("local") == node_subject("local") == "node:local"
    assert subject_of(reference_label("net", "a")) == "reference:net/a"
    assert subject_of(reference_label("net")) == "reference:net/quorum"


def test_subjects_of_what_is_no_endpoint_begin_with_what_they_are() -> None:
    """An account, a transaction and a ledger of one name are three subjects."""
    one = [account_subject("a"), transaction_subject("a"), ledger_subject("a")]
    assert one == ["account:a", "tx:a", "ledger:a"]


def test_label_tells_nodes_and_references_apart() -> None:
    """A node and a reference may have one name; their labels differ."""
    assert snapshots.node_facts("a").label == "a"
    assert snapshots.reference_facts("a", "one", "").label == "ethereum/a"
