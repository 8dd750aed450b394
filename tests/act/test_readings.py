from __future__ import annotations

from dataclasses import replace

from monitor.act.readings import read, version_text
from monitor.judge.verdict import STALE_SECONDS
from monitor.model import Unseen
from tests.act import snapshots


def test_reading_brings_together_what_belongs_to_one_endpoint() -> None:
    """Head, lag and findings of a node are its own."""
    readings = {reading.label: reading for reading in read(snapshots.stalled())}
    assert list(readings) == ["ethereum/a", "ethereum/b", "ethereum/c", "local", "spare"]
    local, spare = readings["local"], readings["spare"]
    assert (local.lag_blocks, local.lag_seconds, local.age_seconds) == (9, 108, 112.0)
    assert (spare.lag_blocks, spare.lag_seconds, spare.age_seconds) == (0, 0, 4.0)
    assert set(local.findings) == {"fork", "head", "identity", "stall"}
    assert set(readings["ethereum/a"].findings) == {"references"}


def test_reading_unseen_says_why() -> None:
    """Where the newest question was not answered there is no head but a reason."""
    (reading,) = (r for r in read(snapshots.unreachable()) if r.label == "local")
    assert reading.head is None
    assert reading.lag_blocks is None
    assert reading.unseen == Unseen("refused", "the connection was refused")


def test_reading_of_a_node_expires_with_its_findings() -> None:
    """A node's head is shown for as long as a level holds without being confirmed."""
    healthy = snapshots.healthy()
    at = snapshots.NOW - 1.5 + STALE_SECONDS
    for now, shown in ((at, True), (at + 0.1, False)):
        (reading,) = (r for r in read(replace(healthy, at=now)) if r.label == "local")
        assert (reading.head is not None) == shown


def test_reading_of_a_reference_may_be_as_old_as_its_budget_makes_it() -> None:
    """A reference that may be asked once an hour still has its head."""
    later = replace(snapshots.healthy(), at=snapshots.NOW + 3600.0)
    assert all(r.head is not None for r in read(later) if r.facts.kind == "reference")


def test_version_text_is_short_and_plain() -> None:
    """Marks that could end a label, a tag or a line are gone; a usual version stays as it is."""
    assert version_text(snapshots.GETH) == snapshots.GETH
    assert version_text('a"b<c>\n') == "a_b_c__"
    assert version_text("https://h/k`") == "https_//h/k_"
    assert version_text("  besu/v25 ") == "besu/v25"
    assert len(version_text("x" * 500)) == 64
