"""What scripts share: who may be authorised, what was bought, and pieces of a list."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.errors import LabError
from monitor.lab.poco.accounts import named
from monitor.lab.poco.blocks import Blocks, Log, Receipt
from monitor.lab.poco.calls import NOBODY, Terms
from monitor.lab.poco.deployment import CLOCKS_SECONDS, Deployment
from monitor.lab.poco.stage import Pool, Stage, address_in, logs_of, only
from monitor.lab.poco.topics import HUB, MARKETPLACE
from monitor.model import Address, Hash32
from tests.lab.poco.history import seeded

HUB_ADDRESS, MARKET, ELSE = named(0, "hub"), named(0, "marketplace"), named(0, "else")
POOL = Pool(named(0, "pool"), named(0, "owner"))
WORKERS = [named(0, f"worker {one}") for one in range(3)]
HASH = Hash32("0x" + "ab" * 32)


def _log(address: Address, topics: tuple[bytes, ...], data: bytes = b"") -> Log:
    return Log(1, 0, HASH, address, topics, data)


def _receipt(*logs: Log) -> Receipt:
    return Receipt(1, HASH, is_success=True, contract=None, logs=logs)


def _stage(seed: int = 0) -> Stage:
    """A stage whose node never starts, for what needs none."""
    deployment = Deployment(
        Blocks(Anvil(Chain(1, 0))),
        Path(),
        POOL.owner,
        rlc=named(0, "rlc"),
        hub=HUB_ADDRESS,
        marketplace=MARKET,
        worker_pool_hub=ELSE,
        app_hub=ELSE,
        dataset_hub=ELSE,
        clocks_seconds=CLOCKS_SECONDS,
        first_block=1,
    )
    return Stage(deployment, seed, seeded(seed))


@given(items=st.lists(st.integers(), max_size=30), seed=st.integers(0, 1000))
def test_pieces_are_all_of_it_once(items: list[int], seed: int) -> None:
    """Nothing is lost or doubled, no piece is larger than the largest."""
    pieces = list(_stage(seed).pieces(items, 4))
    assert sorted(one for piece in pieces for one in piece) == sorted(items)
    assert all(len(piece) <= 4 for piece in pieces)


def test_authorise_takes_only_the_pools_own_and_keeps_them_there() -> None:
    """A stranger and a worker of another pool are left out; the others may not leave meanwhile."""
    stage = _stage()
    stage.affiliations |= {WORKERS[0]: POOL.address, WORKERS[1]: ELSE}
    assert stage.authorise(POOL, WORKERS) == [WORKERS[0]]
    assert stage.authorised == {WORKERS[0]}


def test_logs_of_are_of_one_emitter_and_one_topic() -> None:
    """A log without topics, or of another, is none of them."""
    topic, other = HUB["Deposit"], HUB["Withdraw"]
    wanted = _log(HUB_ADDRESS, (topic,))
    receipts = [
        _receipt(_log(HUB_ADDRESS, ()), _log(ELSE, (topic,)), wanted),
        _receipt(_log(HUB_ADDRESS, (other, topic))),
    ]
    assert logs_of(receipts, HUB_ADDRESS, topic) == [wanted]


@pytest.mark.parametrize("found", [[], [1, 2]], ids=["none", "two"])
def test_only_of_none_or_two_is_refused(found: list[int]) -> None:
    """One is what was meant."""
    assert only([7]) == 7
    with pytest.raises(LabError, match=f"one was expected, and {len(found)} came"):
        only(found)


def test_address_in_a_word_is_its_last_20_bytes() -> None:
    """Of the first word, whatever follows."""
    assert address_in(bytes(12) + bytes.fromhex(ELSE[2:]) + b"\xff" * 32) == ELSE


def test_stage_learns_of_a_block_what_was_bought() -> None:
    """Purchases of the marketplace are counted by order, indices and work orders read in order."""
    stage = _stage()
    consume, created = MARKETPLACE["MarketOrderAskConsume"], MARKETPLACE["MarketOrderCreated"]
    word = (5).to_bytes(32, "big")
    woid = bytes(12) + bytes.fromhex(ELSE[2:])
    receipts = [
        _receipt(_log(MARKET, (consume,), word + bytes(32)), _log(ELSE, (consume,), word)),
        _receipt(
            _log(MARKET, (consume,), word + bytes(32)),
            _log(MARKET, (created,), word),
            _log(stage.hub, (HUB["WorkOrderActivated"], bytes(32)), woid),
        ),
    ]
    stage.authorised.add(ELSE)
    stage.seen(receipts)
    assert stage.bought == {5: 2}
    assert not stage.authorised
    assert stage.market_orders(receipts) == [5]
    assert stage.work_orders(receipts) == [ELSE]
    assert (stage.clock_seconds(1), stage.clock_seconds(5)) == (300, 7200)


def test_terms_name_the_app_and_perhaps_a_dataset() -> None:
    """Goods are named by their place; no dataset is the zero address."""
    stage = _stage()
    stage.apps += [HUB_ADDRESS, ELSE]
    stage.datasets += [POOL.address]
    assert stage.terms(1, None) == Terms(ELSE, NOBODY)
    assert stage.terms(0, 0) == Terms(HUB_ADDRESS, POOL.address)
