"""The table of events: each topic is the hash of what stands beside it."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak

from monitor.poco.v1.declared import HUB, MARKETPLACE, POOL, TOKEN, Declared

TABLES = {"hub": HUB, "marketplace": MARKETPLACE, "pool": POOL, "token": TOKEN}
ROWS = [(source, row) for source, table in TABLES.items() for row in table]


@pytest.mark.parametrize(
    "row", [row for _, row in ROWS], ids=[f"{source}-{row.topic[:8]}" for source, row in ROWS]
)
def test_declared_topic_is_the_hash_of_its_signature(row: Declared) -> None:
    """A topic is what the contract puts there: keccak256 of name and types, without names."""
    name, parameters = row.solidity.removesuffix(")").split("(")
    types = [parameter.split()[0] for parameter in parameters.split(", ")]
    assert keccak(f"{name}({','.join(types)})".encode()).hex() == row.topic


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_declared_table_has_each_topic_and_each_class_once(table: tuple[Declared, ...]) -> None:
    """Two events of one contract are told apart."""
    topics = [row.topic for row in table]
    classes = [row.make for row in table if row.make is not None]
    assert len(set(topics)) == len(topics)
    assert len(set(classes)) == len(classes)
