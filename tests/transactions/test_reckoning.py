"""What the journal says to a gate, and what is measured from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.config.transactions import Account
from monitor.model import Address, Hash32, Level
from monitor.transactions.journal import Change, Inclusion, Journal, Reader, Sighting
from monitor.transactions.reckoning import (
    MAX_AGE_SECONDS,
    findings,
    inclusion_measures,
    of_network,
)
from monitor.transactions.words import Slot, State

NOW = 1_800_000_000.0
SENDER = Address("0x" + "11" * 20)
ACCOUNT = Account(alias="scheduler", address=SENDER, network="dev", node="local")


def hash_of(nonce: int) -> Hash32:
    return Hash32(f"0x{nonce:064x}")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", clock=lambda: NOW)
    await journal.open()
    yield journal
    await journal.close()


async def observed(journal: Journal, nonce: int, at: float = NOW) -> Slot:
    sighting = Sighting(
        network="dev",
        chain_id=31337,
        alias="scheduler",
        sender=SENDER,
        nonce=nonce,
        hash=hash_of(nonce),
        transaction=None,
        raw=None,
        source="local",
    )
    return await journal.observe(sighting, at)


async def enter(journal: Journal, slot: Slot, state: State, level: Level, at: float = NOW) -> None:
    change = Change(
        slot_id=slot.id, state=state, at=at, row="1", level=level, summary=f"it is {state.value}"
    )
    await journal.entered([change])


async def test_findings_of_a_fresh_journal_tell_the_worst_slot(journal: Journal) -> None:
    """One finding an account: the worst of its transactions, in its own words."""
    await journal.beat("dev", 7, NOW)
    assert findings(Reader(journal.path), [ACCOUNT], NOW)[0].level is Level.OK
    await enter(journal, await observed(journal, 3), State.PENDING, Level.OK)
    await enter(journal, await observed(journal, 4), State.LOST, Level.FAILED)
    await enter(journal, await observed(journal, 5), State.DROPPED, Level.DEGRADED)
    (found,) = findings(Reader(journal.path), [ACCOUNT], NOW)
    assert (found.check, found.subject) == ("transactions", "account:scheduler")
    assert (found.level, found.reason, found.measured) == (Level.FAILED, "lost", 3.0)
    assert found.summary == "nonce 4: it is lost"
    assert found.evidence[0].said == "1 dropped, 1 lost, 1 pending"


@pytest.mark.parametrize(
    ("age_seconds", "level"),
    [
        (MAX_AGE_SECONDS, Level.OK),
        (MAX_AGE_SECONDS + 1, Level.UNKNOWN),
        (None, Level.UNKNOWN),
    ],
)
async def test_findings_of_an_old_journal_are_unknown(
    journal: Journal, age_seconds: float | None, level: Level
) -> None:
    """What nobody keeps up says nothing of now, neither good nor bad."""
    await enter(journal, await observed(journal, 3), State.PENDING, Level.OK)
    if age_seconds is not None:
        await journal.beat("dev", 7, NOW - age_seconds)
    (found,) = findings(Reader(journal.path), [ACCOUNT], NOW)
    assert found.level is level


def test_findings_without_a_journal_are_unknown(tmp_path: Path) -> None:
    """A file that is not there is no empty journal."""
    (found,) = findings(Reader(tmp_path / "journal.sqlite"), [ACCOUNT], NOW)
    assert (found.level, found.reason) == (Level.UNKNOWN, "no_journal")


async def test_measures_count_states_and_ages(journal: Journal) -> None:
    """Each is under its path; what is closed counts only where it says so."""
    for nonce, state, level in (
        (1, State.PENDING, Level.OK),
        (2, State.LOCAL_DESYNC, Level.DEGRADED),
        (3, State.LOST, Level.FAILED),
        (4, State.MINED, Level.OK),
    ):
        await enter(journal, await observed(journal, nonce, NOW - 100 * nonce), state, level)
    ended = await observed(journal, 0, NOW - 500)
    await journal.close_slot(
        ended.id,
        State.FINAL_REVERTED,
        consumer_hash=hash_of(0),
        number=9,
        block_hash=hash_of(99),
        summary="reverted",
        at=NOW - 400,
    )
    found = of_network(Reader(journal.path), "dev", NOW)
    values = {name.removeprefix("transactions."): one.value for name, one in found.items()}
    expected = {
        "live.count": 4.0,
        "waiting.count": 3.0,
        "lost.count": 1.0,
        "dropped.count": 0.0,
        "local_only.count": 1.0,
        "reverted.count": 1.0,
        "replaced_by_others.count": 0.0,
        "failed.count": 1.0,
        "degraded.count": 1.0,
        "oldest_waiting_seconds.max": 300.0,
    }
    assert {name: values[name] for name in expected} == expected
    assert set(values) - set(expected) == {f"inclusion_seconds.p{p}" for p in (50, 95, 99)}
    assert all(name == one.name for name, one in found.items())


def test_inclusion_counts_the_unmined_as_so_far() -> None:
    """A total stop is seen although nothing more completes; such a value is a lower bound."""
    mined = [Inclusion("a", hash_of(n), NOW - 1000, NOW - 1000 + n) for n in range(1, 100)]
    waits = Inclusion("a", hash_of(100), NOW - 600, None)
    p50, p95, p99 = inclusion_measures([*mined, waits], NOW)
    assert (p50.value, p95.value, p99.value) == (50.0, 95.0, 99.0)
    assert not p99.is_lower_bound
    _, _, p99 = inclusion_measures([*mined[:50], waits, waits], NOW)
    assert (p99.value, p99.is_lower_bound) == (600.0, True)
    assert [one.value for one in inclusion_measures([], NOW)] == [None, None, None]
