"""Curves of nodes and of networks, as boards of several nodes draw them."""

from __future__ import annotations

from dashboards.panels import Query
from dashboards.promql import series, worst

NODE = 'node=~"$node"'
QUORUM = 'reference="quorum"'
EACH = "network, node"
NAMED = "{{network}} {{node}}"


def each(name: str, by: str = EACH) -> str:
    """The worst of what every sidecar says of each node."""
    return worst(by, series(name, NODE))


def chain(name: str) -> str:
    """The worst of what every sidecar says of each network."""
    return worst("network", series(name))


def summed(by: str, expression: str) -> str:
    """A sum by labels."""
    return f"sum by ({by}) ({expression})"


def curve(word: str, name: str) -> Query:
    """One of several curves of every node, under a word of its own."""
    return Query(each(name), f"{word}, {NAMED}")
