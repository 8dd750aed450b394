"""The dialects of the clients, in their own words: each read strictly, into one shape."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rpc import dialects
from monitor.rpc.dialects import RawBadBlock, RawPeerEth, RawStage, RawSyncing, number

HASH = "0x" + "ab" * 32
OTHER_HASH = "0x" + "CD" * 32


def read(decoder: msgspec.json.Decoder[Any], said: object) -> Any:
    return decoder.decode(json.dumps(said).encode())


@given(st.integers(0, 2**64))
def test_number_is_the_same_however_it_is_written(value: int) -> None:
    """Hex, decimal text and a JSON number are three ways to write one height."""
    for written in (hex(value), hex(value).upper().replace("X", "x"), str(value), value):
        assert number(read(dialects.count, written)) == value


@pytest.mark.parametrize(
    "said",
    [-1, 1.5, "0x", "", "12a", "-1", "0x12\n", "1e3", None, True, "NaN", [], "0x" + "f" * 65],
)
def test_number_that_is_none_is_refused(said: object) -> None:
    """Nothing becomes 0, and nothing becomes NaN (ethereum-metrics-exporter issue 115)."""
    with pytest.raises(msgspec.ValidationError):
        read(dialects.count, said)


def test_syncing_of_two_words_is_read() -> None:
    """`false`, as everybody says; `true`, as some proxies do."""
    assert read(dialects.syncing, said=False) is False
    assert read(dialects.syncing, said=True) is True


STAGED = [
    pytest.param([{"stage_name": "Headers", "block_number": "0x10"}], id="erigon"),
    pytest.param([{"stage_name": "Headers", "block": "0x10"}], id="reth"),
    pytest.param([{"name": "Headers", "block": "0x10"}], id="reth_formerly"),
    pytest.param([{"stage_name": "Headers", "block_number": 16}], id="number"),
    pytest.param([{"stage_name": "Headers", "block_number": "16"}], id="decimal"),
]


@pytest.mark.parametrize("stages", STAGED)
def test_stages_are_the_same_under_whichever_keys_they_come(stages: object) -> None:
    """Two clients and two generations of one of them name the fields differently."""
    said = {"startingBlock": "0x0", "currentBlock": "0x0", "highestBlock": "0x20", "stages": stages}
    raw = read(dialects.syncing, said)
    assert isinstance(raw, RawSyncing)
    assert isinstance(raw.stages, list)
    (stage,) = raw.stages
    assert isinstance(stage, RawStage)
    assert (stage.label, number(stage.reached)) == ("Headers", 16)


@pytest.mark.parametrize(
    ("stage", "complaint"),
    [
        ({"block": "0x1"}, "a stage without a name"),
        ({"stage_name": "Headers"}, "stage Headers without a block"),
        ({"stage_name": "Headers", "block": "NaN"}, "regex"),
    ],
)
def test_stage_without_its_parts_is_refused(stage: object, complaint: str) -> None:
    """A stage is a name and a height; a missing one is no 0."""
    with pytest.raises(msgspec.ValidationError, match=complaint):
        read(dialects.syncing, {"stages": [stage]})


@pytest.mark.parametrize("said", ["false", 0, None, [], "syncing"])
def test_syncing_that_is_neither_word_nor_object_is_refused(said: object) -> None:
    """A text is not an answer to whether."""
    with pytest.raises(msgspec.ValidationError):
        read(dialects.syncing, said)


@pytest.mark.parametrize(
    ("eth", "height"),
    [
        (
            {"version": 69, "earliestBlock": 1, "latestBlock": 23_000_000, "latestBlockHash": HASH},
            23_000_000,
        ),
        ({"version": 68}, None),
        ({"version": 67, "difficulty": 0, "head": HASH}, None),
        ({"difficulty": "0x0", "head": HASH, "version": 68}, None),
    ],
    ids=["geth_eth69", "geth_eth68", "geth_eth67", "besu"],
)
def test_peer_has_a_height_only_where_it_names_one(eth: object, height: int | None) -> None:
    """The hash of a head says nothing of how high it is."""
    (peer,) = read(dialects.peers, [{"name": "Geth/v1", "protocols": {"eth": eth}}])
    assert isinstance(peer.protocols.eth, RawPeerEth)
    assert peer.protocols.eth.latest_block == height


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"name": None, "network": None, "protocols": None},
        {"protocols": {"eth": "handshake", "snap": "handshake"}},
        {"network": {"localAddress": "10.0.0.1:30303", "remoteAddress": "10.0.0.2:40303"}},
    ],
)
def test_peer_that_says_little_is_a_peer(row: object) -> None:
    """Nothing that is not told is asked for."""
    assert len(read(dialects.peers, [row])) == 1


@pytest.mark.parametrize(
    ("row", "named", "height"),
    [
        ({"hash": HASH, "block": {"number": "0x5", "hash": HASH}, "rlp": "0xf9"}, HASH, 5),
        ({"hash": HASH, "block": {"error": "unknown transaction type"}, "rlp": "0xf9"}, HASH, None),
        ({"hash": HASH, "block": "unavailable"}, HASH, None),
        ({"hash": HASH, "number": "0x5", "parentHash": OTHER_HASH}, HASH, 5),
        ({"blockHash": HASH, "number": 5}, HASH, 5),
        ({"block": {"number": 5, "hash": OTHER_HASH}}, OTHER_HASH, 5),
        ({"hash": HASH, "number": 4, "block": {"number": 5}}, HASH, 5),
    ],
    ids=["geth", "geth_unshown", "text", "block_itself", "other_keys", "inner", "both"],
)
def test_bad_block_is_read_wherever_its_hash_and_height_stand(
    row: object, named: str, height: int | None
) -> None:
    """The block may be wrapped, itself, or not shown at all."""
    (bad,) = read(dialects.bad_blocks, [row])
    assert isinstance(bad, RawBadBlock)
    assert bad.named == named
    assert (None if bad.height is None else number(bad.height)) == height


@pytest.mark.parametrize(
    "row", [{}, {"rlp": "0xf9"}, {"block": {"number": "0x5"}}, {"hash": "0x1"}]
)
def test_bad_block_without_a_hash_is_refused(row: object) -> None:
    """One that cannot be compared is not passed over."""
    with pytest.raises(msgspec.ValidationError):
        read(dialects.bad_blocks, [row])


@pytest.mark.parametrize(
    "said", [{}, {"pending": 1}, {"pending": None, "queued": 1}, {"pending": "x"}]
)
def test_pool_without_its_numbers_is_refused(said: object) -> None:
    """What was not said is no empty pool."""
    with pytest.raises(msgspec.ValidationError):
        read(dialects.pool, said)
