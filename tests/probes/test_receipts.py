"""What receipts come to: the root of a real block, and whatever does not change it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from monitor.probes.receipts import LOGS, RECEIPTS
from monitor.probes.trie import EMPTY_ROOT

HASH = "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
FIRST = {
    "transactionHash": HASH,
    "cumulativeGasUsed": "0x5208",
    "gasUsed": "0x5208",
    "logsBloom": "0x" + "00" * 256,
    "logs": [],
    "root": "0x96a8e009d2b88b1483e6941e6812e32263b05683fac202abc622a3e31aed1957",
}
"""Of the first transaction of Ethereum's main network, in block 46147."""
FIRST_ROOT = "0xfe2bf2a941abf41d72637e5b91750332a30283efd40c424dc522b77e6f0ed8c4"
LOG = {
    "address": "0xAbababababababababababababababababababab",
    "topics": ["0x" + "01" * 32],
    "data": "0x2a",
    "logIndex": "0x0",
    "transactionHash": HASH,
}
Json = Any


def receipts(*said: Json) -> Any:
    return RECEIPTS.decode(msgspec.Raw(json.dumps(said).encode()))


def logs(*said: Json) -> Any:
    return LOGS.decode(msgspec.Raw(json.dumps(said).encode()))


def later(**changes: Json) -> Json:
    """A receipt after Byzantium, with these fields otherwise."""
    told = {name: value for name, value in FIRST.items() if name != "root"}
    return told | {"status": "0x1", "type": "0x2", "logs": [LOG], **changes}


def test_receipts_of_block_46147_come_to_the_root_in_its_header() -> None:
    """The first receipt that there ever was, of before there was a status."""
    assert receipts(FIRST).root == FIRST_ROOT


def test_receipts_of_an_empty_block_come_to_the_empty_root() -> None:
    """None is a number of receipts like others."""
    said = receipts()
    assert (said.root, said.count, said.adds_up) == ("0x" + EMPTY_ROOT.hex(), 0, True)
    assert said.logs_digest == logs().digest


@pytest.mark.parametrize(
    "change",
    [
        {"status": "0x0"},
        {"cumulativeGasUsed": "0x5209", "gasUsed": "0x5209"},
        {"logsBloom": "0x" + "01" * 256},
        {"logs": []},
        {"logs": [LOG | {"data": "0x2b"}]},
        {"logs": [LOG | {"topics": []}]},
        {"type": "0x1"},
    ],
    ids=["status", "gas", "bloom", "log", "data", "topic", "type"],
)
def test_receipts_that_say_anything_else_come_to_another_root(change: Json) -> None:
    """All that the root holds is in it."""
    assert receipts(later(**change)).root != receipts(later()).root
    assert receipts(later(**change)).digest != receipts(later()).digest


def test_receipts_of_unknown_types_have_no_root_and_a_digest() -> None:
    """Deposits of rollups hold more fields: what they come to is not known here."""
    deposit = receipts(later(type="0x7e"))
    assert deposit.root is None
    assert deposit.digest != receipts(later()).digest
    assert receipts({**later(), "status": None}).root is None


def test_receipts_whose_gas_is_not_the_difference_of_the_sums_do_not_add_up() -> None:
    """The root holds the sums alone: the gas of each could be anything."""
    second = later(cumulativeGasUsed="0xa410")
    assert receipts(later(), second).adds_up
    wrong = receipts(later(), second | {"gasUsed": "0x5209"})
    assert not wrong.adds_up
    assert wrong.root == receipts(later(), second).root


def test_logs_are_those_of_the_receipts_whatever_their_case() -> None:
    """Addresses are written with and without checksum."""
    said = receipts(later())
    assert logs(LOG).digest == said.logs_digest
    assert logs(LOG | {"address": str(LOG["address"]).lower()}) == logs(LOG)
    assert logs(LOG, LOG).digest != said.logs_digest


@pytest.mark.parametrize("field", ["data", "logIndex", "topics"])
def test_logs_that_say_anything_else_have_another_digest(field: str) -> None:
    """Data and places are compared, which no bloom shows."""
    changed: Json = {"data": "0x", "logIndex": "0x1", "topics": []}
    assert logs(LOG | {field: changed[field]}).digest != logs(LOG).digest


def test_logs_set_three_bits_for_each_address_and_topic() -> None:
    """Nothing sets none; the same twice sets the same."""
    none, one, twice = logs(), logs(LOG), logs(LOG, LOG)
    assert int(none.bloom, 16) == 0
    assert 4 <= int(one.bloom, 16).bit_count() <= 6
    assert one.bloom == replace(twice, count=1).bloom


@pytest.mark.parametrize(
    "bad",
    [
        {"address": "0x12"},
        {"topics": ["0x" + "01" * 32] * 5},
        {"data": "0x1"},
        {"data": None},
        {"logIndex": "one"},
    ],
    ids=["address", "topics", "half_a_byte", "null", "word"],
)
def test_logs_that_are_none_are_refused(bad: Json) -> None:
    """A missing or a wrong field is an error and no default."""
    with pytest.raises(msgspec.ValidationError):
        logs(LOG | bad)
    with pytest.raises(msgspec.ValidationError):
        receipts(later(logs=[LOG | bad]))
