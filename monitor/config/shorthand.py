"""The shorthand of a single node, resolved: every network gets a name, every node names one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.config.ledgers import Ledger
from monitor.config.settings import File, FileNode, Network, NodeSettings, ProfileRef, Settings
from monitor.config.transactions import Transactions

_NAME_CHARACTERS_MAX = 63


def resolved(file: File) -> Settings:
    """`file`, checked for contradictions before, with each node's own network in `networks`.

    Such a network is named after its profile; where that name is taken by a network that differs,
    after profile and node. Nodes that describe equal networks share one.
    """
    networks = dict(file.networks)
    nodes: list[NodeSettings] = []
    for node in file.nodes:
        name = node.network if isinstance(node.network, str) else None
        if name is None or node.references:
            own = Network(profile=_profile(node), references=node.references)
            name = _name(own, node.name, file.networks, networks)
            networks[name] = own
        nodes.append(
            NodeSettings(
                name=node.name,
                network=name,
                url=node.url,
                websocket=node.websocket,
                beacon=node.beacon,
            )
        )
    return Settings(
        data_dir=file.data_dir,
        http=file.http,
        rpc=file.rpc,
        networks=networks,
        checks=file.checks,
        nodes=tuple(nodes),
        alerting=file.alerting,
        maintenance=file.maintenance,
        history=file.history,
        transactions=_transactions(file, networks, nodes),
        releases=file.releases,
        ledgers=tuple(_ledger(ledger, networks, nodes) for ledger in file.ledgers),
        gate=file.gate,
    )


def _ledger(
    ledger: Ledger, networks: Mapping[str, Network], nodes: Sequence[NodeSettings]
) -> Ledger:
    """The ledger with its network and its node named."""
    network = ledger.network or next(iter(networks))
    node = ledger.node or next(n.name for n in nodes if n.network == network)
    return ledger.model_copy(update={"network": network, "node": node})


def _transactions(
    file: File, networks: Mapping[str, Network], nodes: Sequence[NodeSettings]
) -> Transactions:
    """Every account with its network and its node named."""
    accounts = []
    for account in file.transactions.accounts:
        network = account.network or next(iter(networks))
        node = account.node or next(n.name for n in nodes if n.network == network)
        accounts.append(account.model_copy(update={"network": network, "node": node}))
    return file.transactions.model_copy(update={"accounts": tuple(accounts)})


def _profile(node: FileNode) -> ProfileRef:
    written = node.network
    return ProfileRef(profile=written) if isinstance(written, str) else written


def _name(
    own: Network, node: str, defined: Mapping[str, Network], networks: Mapping[str, Network]
) -> str:
    base = own.profile.profile
    for name in (base, f"{base}-{node}"[:_NAME_CHARACTERS_MAX]):
        free = name not in networks
        if free or (name not in defined and networks[name] == own):
            return name
    count = 2
    while (name := f"{base[:20]}-{node[:36]}-{count}") in networks:
        count += 1
    return name
