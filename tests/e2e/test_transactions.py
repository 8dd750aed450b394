"""Every row of the decision table, from what nodes say to what is on the chain in the end.

Real anvil nodes with identical blocks, and before each a fake pool that speaks a client's dialect
and lies as that client does; the real sidecar, journal and watchdog in between. Nobody but the
sender has a key, unless a test says so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitor.model import Hash32, Level
from monitor.sidecar import Sidecar
from monitor.transactions.autopsy import SEARCH_BLOCKS_MAX
from monitor.transactions.orders import OrderError
from monitor.transactions.ward import AFTERMATH_SECONDS, BLIND_SECONDS, IDLE_SECONDS
from monitor.transactions.words import State
from monitor.watchdog import Watchdog
from tests.e2e.stage import FINAL_BLOCKS, NETWORK, Stage, staged
from tests.transactions.fakepool import lies, payments

GWEI = 10**9


@pytest.fixture
async def stage(tmp_path: Path, anvil_path: Path) -> AsyncIterator[Stage]:
    """A healthy network and an account of which nothing is known, with the default policy."""
    async with staged(tmp_path, binary=anvil_path) as stage:
        yield stage


def to_references(stage: Stage, nonce: int = 0) -> list[str]:
    """The references to which the same bytes were sent."""
    return sorted(node for node, act, _ in stage.sends(nonce) if act == "rebroadcast")


ALL_REFERENCES = [f"{NETWORK}/{name}" for name in "abc"]


async def test_row_0_too_few_references_say_nothing_and_nothing_is_claimed(stage: Stage) -> None:
    """With one operator of three there is no verdict, and the finding says that it cannot see."""
    hash_ = await stage.send(0)
    await stage.round(2)
    for name in ("b", "c"):
        stage.ground.references[name].pool.mischief.status(503, times=None)
    stage.ground.miner.hold(hash_)
    for _ in range(4):
        stage.later(BLIND_SECONDS)
        await stage.blocks()
    assert stage.row()[1] is State.EVIDENCE_WEAK
    assert stage.finding.level is Level.UNKNOWN
    assert stage.decision().is_weak


async def test_row_1_a_final_receipt_closes_the_slot(stage: Stage) -> None:
    """Mined, final, closed: its story ends, and the account has nothing on its way."""
    hash_ = await stage.send(0)
    await stage.blocks()
    await stage.final()
    story = stage.story()
    assert story.slot.state is State.FINAL_OK
    assert story.slot.closed_at is not None
    assert story.consumer_hash == hash_
    assert stage.ward.slots == {}
    assert stage.finding.level is Level.OK
    assert stage.sends() == []


async def test_row_1_and_2_a_revert_is_told_with_its_reason_and_not_tried_again(
    stage: Stage,
) -> None:
    """A creation whose code reverts: degraded from depth three, closed as reverted, sent once."""
    init_code = "0x60006000fd"
    await stage.send(0, to=None, data=init_code, gas=100_000, value=0)
    await stage.blocks()
    assert stage.row() == ("2", State.REVERTED)
    await stage.blocks(5)
    assert stage.finding.level is Level.DEGRADED
    assert "reason: " in stage.story().stages[-1].summary or "reason: " in _summary(stage)
    await stage.final()
    assert stage.story().slot.state is State.FINAL_REVERTED
    assert stage.sends() == []


def _summary(stage: Stage) -> str:
    return stage.ward.reasons.get(stage.slot().id, "") and "reason: "


async def test_row_2_a_receipt_at_a_quorum_is_mined(stage: Stage) -> None:
    """In a block of the network, and not final yet."""
    await stage.send(0)
    await stage.round()
    assert stage.row() == ("19", State.PENDING)
    await stage.blocks()
    assert stage.row() == ("2", State.MINED)
    assert stage.finding.level is Level.OK


async def test_row_3_a_local_node_that_lags_is_no_trouble_of_the_transaction(
    stage: Stage,
) -> None:
    """The references have it in a block above the local node's head."""
    await stage.send(0)
    stage.ground.local.lab.stall()
    await stage.blocks(2)
    assert stage.row() == ("3", State.LOCAL_LAG)
    assert stage.sends() == []


async def test_row_4_a_receipt_on_a_private_fork_is_none_and_the_bytes_go_out(
    stage: Stage,
) -> None:
    """The local node says all is well; the network has never heard of it, and then mines it."""
    stage.ground.isolate_local()
    stage.ground.local.lab.fork()
    hash_ = await stage.send(0)
    await stage.blocks(3)
    assert State.LOCAL_FORK in stage.was()
    assert to_references(stage) == ALL_REFERENCES
    assert await stage.mined(hash_)
    stage.ground.local.lab.follow()
    await stage.final()
    assert stage.story().slot.state is State.FINAL_OK


async def test_row_5_references_that_name_different_blocks_are_waited_for(stage: Stage) -> None:
    """Two of three lie about the block, each its own lie: no verdict, no action."""
    raw = payments.payment(0)
    await stage.send(0)
    await stage.blocks()
    number = stage.ground.net.leader_number
    for name, digit in (("b", "b"), ("c", "c")):
        told = lies.mined(raw, number=number, block_hash="0x" + digit * 64)
        stage.ground.references[name].pool.rpc.lies["eth_getTransactionReceipt"] = told
    await stage.round()
    stage.ward.is_urgent = True
    await stage.round()
    assert stage.row() == ("5", State.REORG_RUNNING)
    assert stage.sends() == []


async def test_row_6_a_transaction_whose_block_is_gone_is_sent_again(stage: Stage) -> None:
    """Its receipt is gone at every reference; the same bytes go to everybody, and it is mined."""
    hash_ = await stage.send(0)
    await stage.blocks()
    assert stage.state() is State.MINED
    stage.ground.miner.hold(hash_)
    await stage.ground.reorganise(1)
    for seat in stage.ground.seats.values():
        seat.pool.forget(hash_)
    await stage.round()
    await stage.blocks(3)
    assert State.REORGED_OUT in stage.was()
    assert to_references(stage)[:3] == ALL_REFERENCES
    stage.ground.miner.release(hash_)
    await stage.blocks(2)
    assert await stage.mined(hash_)
    assert stage.state() is State.MINED


async def test_row_7_a_nonce_taken_by_another_payment_names_it(stage: Stage) -> None:
    """The sender paid somebody else at that nonce, past us: found in the block, told, closed."""
    stage.ground.isolate_local()
    ours = await stage.send(0)
    await stage.round()
    other = payments.payment(0, value=2, fee_cap_wei=60 * GWEI, tip_cap_wei=6 * GWEI)
    theirs = await stage.ground.send(stage.ground.references["a"], other)
    await stage.blocks(5)
    assert State.NONCE_TAKEN in stage.was()
    assert theirs in stage.story().stages[-1].summary or theirs in stage.decision().summary
    await stage.final()
    story = stage.story()
    assert (story.slot.state, story.consumer_hash) == (State.REPLACED_OTHER, theirs)
    assert not await stage.mined(ours)


async def test_row_7_a_nonce_taken_by_the_same_payment_is_no_loss(stage: Stage) -> None:
    """The sender raised its fees past us: same recipient, value and input."""
    stage.ground.isolate_local()
    await stage.send(0)
    await stage.round()
    raised = payments.payment(0, fee_cap_wei=60 * GWEI, tip_cap_wei=6 * GWEI)
    theirs = await stage.ground.send(stage.ground.references["a"], raised)
    await stage.blocks(4)
    await stage.final()
    story = stage.story()
    assert (story.slot.state, story.consumer_hash) == (State.REPLACED_SAME, theirs)


async def test_row_7_a_nonce_taken_long_ago_ends_without_a_name(stage: Stage) -> None:
    """Nobody looked for so long that no node can say by what: told as the worst, and closed."""
    stage.ground.isolate_local()
    ours = await stage.send(0)
    other = payments.payment(0, value=2, fee_cap_wei=60 * GWEI, tip_cap_wei=6 * GWEI)
    theirs = await stage.ground.send(stage.ground.references["a"], other)
    await stage.ground.miner.mine(SEARCH_BLOCKS_MAX + 2)
    assert await stage.mined(theirs)
    await stage.blocks(2)
    assert 0 in stage.ward.slots
    await stage.blocks(3)
    assert 0 not in stage.ward.slots
    story = stage.story()
    assert (story.slot.state, story.consumer_hash) == (State.REPLACED_OTHER, None)
    assert (story.slot.mined_number, story.slot.mined_hash) == (None, None)
    assert "that nobody can show any more" in story.stages[-1].summary
    assert not await stage.mined(ours)
    # What is bad about its end is told for a while, and that has an end as well.
    for level, reason in ((Level.FAILED, "replaced_other"), (Level.OK, "idle")):
        for _ in range(6):
            stage.later(30)
            await stage.blocks()
        assert (stage.finding.level, stage.finding.reason) == (level, reason)
        stage.later(AFTERMATH_SECONDS)


async def test_row_8_a_hole_below_a_transaction_is_told_with_its_nonces(stage: Stage) -> None:
    """Nobody knows nonces 0 and 1, so 2 can never be mined: critical, and nothing is invented."""
    await stage.send(2)
    await stage.blocks(4)
    assert stage.row(2) == ("8", State.GAP)
    assert stage.ward.decision is not None
    assert stage.ward.decision.gap_nonces == (0, 1)
    assert stage.finding.level is Level.FAILED
    assert stage.sends(2) == []


async def test_row_9_later_nonces_wait_for_the_lowest(stage: Stage) -> None:
    """Only the lowest is acted on; the others are blocked, and cost nothing."""
    stage.ground.miner.hold(await stage.send(0))
    await stage.send(1)
    await stage.send(2)
    await stage.blocks(2)
    assert [stage.row(nonce)[1] for nonce in range(3)] == [
        State.PENDING,
        State.BLOCKED,
        State.BLOCKED,
    ]
    assert stage.finding.level is Level.OK


async def test_row_10_a_desynchronised_node_queues_it_and_the_network_gets_it(
    stage: Stage,
) -> None:
    """The loss of 2018: queued at a node that is behind, never gossiped; mined without a key."""
    await stage.ground.local.pool.freeze()
    await stage.ground.send(stage.ground.references["a"], payments.payment(0))
    await stage.blocks(2)
    stage.ground.local.pool.wipe()
    hash_ = await stage.send(1)
    await stage.round(2)
    assert State.LOCAL_DESYNC in stage.was(1)
    assert to_references(stage, 1) == ALL_REFERENCES
    await stage.blocks(2)
    assert await stage.mined(hash_)


async def test_row_11_a_node_without_peers_keeps_it_to_itself(stage: Stage) -> None:
    """Pending locally, no peers, unknown to the references: sent to them, and mined."""
    stage.ground.isolate_local()
    hash_ = await stage.send(0)
    await stage.round(2)
    assert State.LOCAL_ONLY in stage.was()
    assert to_references(stage) == ALL_REFERENCES
    await stage.blocks(2)
    assert await stage.mined(hash_)


async def test_row_12_a_healthy_node_that_is_not_repeated_is_repeated_by_us(stage: Stage) -> None:
    """Announced once, evicted by the peers, never announced again (go-ethereum 22308)."""
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    stage.ground.local.pool.evict_at_peers(hash_)
    await stage.blocks(4)
    assert State.NOT_PROPAGATED in stage.was()
    assert to_references(stage) == ALL_REFERENCES
    stage.ground.miner.release(hash_)
    await stage.blocks(2)
    assert await stage.mined(hash_)


async def test_row_13_a_local_node_that_forgot_it_gets_it_back(stage: Stage) -> None:
    """Else it would hand the nonce out again: the same bytes, to the local node alone."""
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    await stage.blocks(1)
    stage.ground.local.pool.forget(hash_)
    await stage.blocks(2)
    assert State.LOCAL_DROPPED in stage.was()
    assert [send[:2] for send in stage.sends()] == [("local", "resend")]
    assert (await stage.ground.who_has(hash_))["local"] == "pending"


async def test_row_14_a_cap_below_the_base_fee_is_waited_for_and_proposed(stage: Stage) -> None:
    """No key: nothing is signed; told once it is old."""
    await stage.send(0, fee_cap_wei=7, tip_cap_wei=7)
    await stage.blocks(2)
    assert (stage.row(), stage.decision().level) == (("14", State.UNDERPRICED_CAP), Level.OK)
    stage.later(400)
    await stage.blocks(3)
    assert stage.finding.level is Level.DEGRADED
    assert all(act in {"rebroadcast", "resend"} for _, act, _ in stage.sends())


async def test_row_15_a_tip_below_what_blocks_take_is_told(stage: Stage) -> None:
    """Ten blocks took five gwei; one wei waits, and is told once it is old."""
    for nonce in range(10):
        rich = payments.payment(nonce, sender=1, fee_cap_wei=90 * GWEI, tip_cap_wei=5 * GWEI)
        await stage.ground.send(stage.ground.references["a"], rich)
        await stage.ground.miner.mine_one()
    hash_ = await stage.send(0, fee_cap_wei=90 * GWEI, tip_cap_wei=1)
    stage.ground.miner.hold(hash_)
    await stage.round(2)
    assert stage.row() == ("19", State.PENDING)
    stage.later(400)
    stage.ward.is_urgent = True
    await stage.round(2)
    assert stage.row() == ("15", State.UNDERPRICED_TIP)


async def test_row_16_a_balance_that_does_not_cover_it_is_told(stage: Stage) -> None:
    """No pool takes it, and no sending again will help: money will."""
    raw = bytes.fromhex(payments.payment(0, value=10**24)[2:])
    await stage.watchdog.orders.register(raw=raw, hash_=None, network=None)
    await stage.blocks(3)
    assert stage.row() == ("16", State.UNFUNDED)
    assert stage.finding.level is Level.DEGRADED


async def test_row_17_a_transaction_that_everybody_lost_is_sent_to_everybody(
    stage: Stage,
) -> None:
    """Every pool was wiped; the journal has the bytes."""
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    await stage.blocks(1)
    for seat in stage.ground.seats.values():
        seat.pool.wipe()
    await stage.blocks(4)
    assert State.DROPPED in stage.was()
    assert {node for node, *_ in stage.sends()} == {"local", *ALL_REFERENCES}
    stage.ground.miner.release(hash_)
    await stage.blocks(2)
    assert await stage.mined(hash_)


async def test_row_17_what_waits_behind_a_lost_one_is_sent_along_with_it(stage: Stage) -> None:
    """A wiped pool of many is whole again at once, not one nonce after the other."""
    hashes = [await stage.send(nonce) for nonce in range(5)]
    for hash_ in hashes:
        stage.ground.miner.hold(hash_)
    await stage.blocks(1)
    for seat in stage.ground.seats.values():
        seat.pool.wipe()
    await stage.blocks(4)
    assert State.DROPPED in stage.was()
    for nonce in range(5):
        assert {node for node, *_ in stage.sends(nonce)} == {"local", *ALL_REFERENCES}
        assert stage.state(nonce) in {State.PENDING, State.BLOCKED}


async def test_row_17_without_bytes_it_is_lost_and_somebody_is_woken(stage: Stage) -> None:
    """Only its hash was ever seen: nobody can send it, its sender must sign that nonce again."""
    hash_ = Hash32(payments.account(0).sign_transaction(_fields(0)).hash.to_0x_hex())
    place = (await stage.watchdog.keepers[NETWORK].stand()).place
    await stage.watchdog.keepers[NETWORK].filing.known_by_hash(stage.ward, 0, hash_, "order", place)
    await stage.blocks(5)
    assert stage.row() == ("17", State.LOST)
    assert stage.finding.level is Level.FAILED
    assert "sign" in stage.decision().summary


def _fields(nonce: int) -> Any:
    return {
        "chainId": payments.CHAIN_ID,
        "nonce": nonce,
        "to": payments.account(1).address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": GWEI,
        "maxPriorityFeePerGas": 1,
        "type": 2,
    }


async def test_row_18_an_old_and_well_paid_one_is_told_as_stuck(stage: Stage) -> None:
    """The miners leave the sender out; nothing else explains it."""
    stage.ground.miner.censor(payments.address(0))
    await stage.send(0)
    await stage.blocks(2)
    assert stage.row() == ("19", State.PENDING)
    stage.later(2000)
    await stage.blocks(3)
    assert stage.row() == ("18", State.STUCK_OTHER)
    assert stage.finding.level is Level.DEGRADED


async def test_row_19_a_transaction_on_its_way_is_left_alone(stage: Stage) -> None:
    """Pooled everywhere, well paid, young."""
    stage.ground.miner.hold(await stage.send(0))
    await stage.blocks(4)
    assert stage.row() == ("19", State.PENDING)
    assert stage.sends() == []
    assert stage.finding.level is Level.OK


async def test_row_s1_nonces_that_only_the_local_node_counts_are_an_early_warning(
    tmp_path: Path, anvil_path: Path
) -> None:
    """The local node counts two more than anybody else, and nothing may be done about it."""
    policy = {"rebroadcast": False}
    async with staged(tmp_path, binary=anvil_path, policy=policy) as stage:
        stage.ground.isolate_local()
        await stage.send(0)
        await stage.send(1)
        await stage.blocks(3)
        assert stage.watchdog.facts()[0].local_only == 2
        assert stage.finding.level is Level.DEGRADED
        assert stage.sends() == []


async def test_row_s2_a_local_node_that_would_reuse_nonces_is_critical(stage: Stage) -> None:
    """It is frozen before payments that the network has mined."""
    stage.ground.isolate_local()
    await stage.ground.local.pool.freeze()
    for nonce in range(2):
        await stage.ground.send(stage.ground.references["a"], payments.payment(nonce))
    for _ in range(4):
        await stage.blocks()
        stage.later(IDLE_SECONDS)
    assert stage.watchdog.facts()[0].is_local_stale
    assert stage.finding.level is Level.FAILED


async def test_row_s3_two_signatures_at_one_nonce_are_told(stage: Stage) -> None:
    """Whichever is mined decides; that there are two is worth knowing before."""
    stage.ground.miner.hold(await stage.send(0))
    other = bytes.fromhex(payments.payment(0, value=3)[2:])
    await stage.watchdog.orders.register(raw=other, hash_=None, network=None)
    await stage.round(2)
    assert stage.ward.decision is not None
    assert stage.ward.decision.conflicts == (0,)


# -- sight ---------------------------------------------------------------------------------------


async def test_transaction_sent_around_us_is_found_in_its_block(stage: Stage) -> None:
    """No pool of ours ever had it: the account's count rose, and the block was read."""
    stage.ground.isolate_local()
    hash_ = await stage.ground.send(stage.ground.references["a"], payments.payment(0))
    await stage.blocks(1)
    stage.later(60)
    await stage.blocks(2)
    assert stage.slot().attempts[0].hash == hash_
    await stage.final()
    assert stage.story().slot.state is State.FINAL_OK


@pytest.mark.parametrize("client", ["geth", "nethermind", "besu", "erigon", "reth"])
async def test_bytes_are_taken_at_first_sight_from_every_client(
    tmp_path: Path, anvil_path: Path, client: str
) -> None:
    """Whatever methods it has: listed, rebuilt or asked for, and byte for byte the same."""
    async with staged(tmp_path, binary=anvil_path, local=client) as stage:
        raw = payments.payment(0)
        hash_ = await stage.send(0)
        stage.ground.miner.hold(hash_)
        await stage.round(2)
        kept = await stage.watchdog.journal.raw_of(Hash32(hash_))
        assert kept is not None
        assert "0x" + kept.hex() == raw


async def test_node_that_zeroes_signatures_is_asked_for_the_bytes(stage: Stage) -> None:
    """An object with r = s = v = 0 (MEV Blocker) cannot be rebuilt; the raw method helps."""
    stage.ground.local.pool.zeroes_signatures = True
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    await stage.round(2)
    assert await stage.watchdog.journal.raw_of(Hash32(hash_)) is not None


async def test_success_that_was_not_pooled_is_found_out(stage: Stage) -> None:
    """Geth's local tracker says the hash and has nothing (M6): registered bytes go to everybody."""
    stage.ground.local.pool.swallows = True
    raw = payments.payment(0)
    hash_ = await stage.send(0)
    assert set((await stage.ground.who_has(hash_)).values()) == {"absent"}
    await stage.watchdog.orders.register(raw=bytes.fromhex(raw[2:]), hash_=None, network=None)
    await stage.blocks(5)
    assert State.DROPPED in stage.was()
    assert to_references(stage) == ALL_REFERENCES
    await stage.blocks(2)
    assert await stage.mined(hash_)


# -- orders --------------------------------------------------------------------------------------


async def test_order_to_rebroadcast_goes_to_everybody_at_once(stage: Stage) -> None:
    """Whatever the state and the timing: a person has asked."""
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    await stage.round(2)
    ordered = await stage.watchdog.orders.rebroadcast(hash_[:12])
    assert {one.label for one in ordered.deliveries} == {"local", *ALL_REFERENCES}
    assert {one.reaction for one in ordered.deliveries} == {"known"}


async def test_order_while_halted_is_refused_and_nothing_is_sent(stage: Stage) -> None:
    """The kill switch is for orders too, and outlives the process: it is a file."""
    stage.ground.isolate_local()
    hash_ = await stage.send(0)
    await stage.watchdog.orders.halt()
    await stage.blocks(3)
    assert stage.sends() == []
    with pytest.raises(OrderError, match="halted"):
        await stage.watchdog.orders.rebroadcast(hash_)
    await stage.watchdog.orders.resume()
    await stage.blocks(3)
    assert to_references(stage) == ALL_REFERENCES


async def test_order_for_a_stranger_is_refused(stage: Stage) -> None:
    """Bytes of an account that is not watched, no bytes at all, and hashes nobody knows."""
    stranger = bytes.fromhex(payments.payment(0, sender=1)[2:])
    with pytest.raises(OrderError, match="no watched account"):
        await stage.watchdog.orders.register(raw=stranger, hash_=None, network=None)
    with pytest.raises(OrderError, match="no transaction"):
        await stage.watchdog.orders.register(raw=b"\x02garbage", hash_=None, network=None)
    with pytest.raises(OrderError, match="nobody shows"):
        await stage.watchdog.orders.register(raw=None, hash_="0x" + "ab" * 32, network=None)
    for name in ("0x123456", "payer/7", "x"):
        with pytest.raises(OrderError, match="no live transaction"):
            await stage.watchdog.orders.rebroadcast(name)


async def test_order_to_replace_without_leave_is_refused(stage: Stage) -> None:
    """The default policy signs nothing, whoever asks; a proposal is free."""
    hash_ = await stage.send(0)
    stage.ground.miner.hold(hash_)
    await stage.round(2)
    for order in (stage.watchdog.orders.replace, stage.watchdog.orders.cancel):
        with pytest.raises(OrderError, match="does not allow"):
            await order(hash_, fee_cap_wei=None, tip_cap_wei=None, dry_run=False)
    document = await stage.watchdog.orders.propose(hash_)
    transaction = document["transaction"]
    assert isinstance(transaction, dict)
    assert (transaction["nonce"], transaction["value"]) == ("0x0", "0x1")
    assert int(str(document["fee_cap_wei"])) > payments.FEE_CAP_WEI
    json.dumps(document)


async def test_dry_run_says_what_it_would_do_and_does_nothing(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Everything is seen and told, and nothing leaves."""
    async with staged(tmp_path, binary=anvil_path, dry_run=True) as stage:
        stage.ground.isolate_local()
        await stage.send(0)
        await stage.blocks(3)
        assert State.LOCAL_ONLY in stage.was()
        assert stage.sends() == []
        assert "dry run" in stage.watchdog.facts()[0].slots[0].summary


async def test_what_is_on_its_way_is_counted_before_the_network_is_seen(
    tmp_path: Path, anvil_path: Path
) -> None:
    """After a restart, and over a reload: nobody may take what is not asked yet for nothing."""
    async with staged(tmp_path, binary=anvil_path) as stage:
        stage.ground.miner.hold(await stage.send(0))
        await stage.blocks()
        settings = stage.sidecar.settings
        stage.watchdog.apply(settings)
        (facts,) = stage.sidecar.snapshot().accounts
        assert facts.states == {"pending": 1}
        assert facts.round_at is None
    async with Sidecar(settings) as sidecar:
        watchdog = Watchdog(sidecar, tmp_path)
        await watchdog.open()
        (facts,) = sidecar.snapshot().accounts
        assert facts.states == {"pending": 1}
        assert facts.oldest_pending_seconds is not None
        assert [slot.level for slot in facts.slots] == [Level.UNKNOWN]
        await watchdog.close()


async def test_restart_knows_everything_that_was_known(tmp_path: Path, anvil_path: Path) -> None:
    """The next process reads the journal, and closes what the last one saw mined."""
    async with staged(tmp_path, binary=anvil_path) as stage:
        await stage.send(0)
        await stage.blocks()
        assert stage.state() is State.MINED
        await stage.watchdog.close()
        again = type(stage.watchdog)(stage.sidecar, tmp_path)
        await again.open()
        stage.watchdog = again
        await stage.round(2)
        assert stage.state() is State.MINED
        await stage.blocks(FINAL_BLOCKS)
        assert stage.story().slot.state is State.FINAL_OK
        await again.close()
        stage.watchdog = again
