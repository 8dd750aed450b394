"""What no single setting of `transactions` can know: names, nodes of other networks, missing caps.

Works on the tree as written, as `consistency` does; so do the ledgers, which name a network and a
node as accounts do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from monitor.config.problems import Loc, listed, nearest
from monitor.config.tree import Tree

BUILT_IN = ("default", "flag")
SIGNING = ("replace", "cancel", "fill")
CAPS = ("fee_cap_max_gwei", "budget_a_day_ether")
LOOPBACK = ("127.", "localhost:", "[::1]:")
_ROOT: Loc = ("transactions",)


def check(tree: Tree, networks: Collection[str]) -> None:
    """Note every contradiction below `transactions`; `networks`: the names there will be."""
    nodes = _nodes(tree, networks)
    policies = _names(tree, "policies")
    signers = _names(tree, "signers")
    signing = _signing(tree)
    first: dict[tuple[str, str], Loc] = {}
    for loc, account in tree.mappings(*_ROOT, "accounts"):
        network = _place(tree, loc, account, networks, nodes)
        policy = str(account.get("policy", "default"))
        _known(tree, (*loc, "policy"), policy, {*BUILT_IN, *policies}, "policy")
        _known(tree, (*loc, "signer"), account.get("signer"), signers, "signer")
        if policy in signing and not ("signer" in account or tree.at(*_ROOT, "signer")):
            where = tree.said(signing[policy])
            tree.note(loc, f"has no signer, and {where} lets something be signed", "name a signer")
        address = str(account.get("address", "")).lower()
        for what, value in (("alias", account.get("alias")), ("address", (network, address))):
            key = (what, str(value))
            if what in account and key in first:
                tree.note((*loc, what), f"is also the {what} of {tree.said(first[key])}")
            first.setdefault(key, loc)
    tap = tree.at(*_ROOT, "tap")
    if isinstance(tap, dict):
        _known(tree, (*_ROOT, "tap", "node"), tap.get("node"), nodes, "node")
        listen = str(tap.get("listen", LOOPBACK[0]))
        if not listen.startswith(LOOPBACK) and "token_file" not in tap:
            message = "listens beyond this machine, and asks for no token"
            tree.note((*_ROOT, "tap", "listen"), message, "give the tap a token_file")


def check_ledgers(tree: Tree, networks: Collection[str]) -> None:
    """Note every ledger on a network or a node that there is not; names are unique elsewhere."""
    nodes = _nodes(tree, networks)
    for loc, ledger in tree.mappings("ledgers"):
        _place(tree, loc, ledger, networks, nodes)


def _nodes(tree: Tree, networks: Collection[str]) -> dict[str, object]:
    return {
        str(node.get("name")): _network_of(node, networks) for _, node in tree.mappings("nodes")
    }


def _place(
    tree: Tree,
    loc: Loc,
    item: Mapping[str, object],
    networks: Collection[str],
    nodes: Mapping[str, object],
) -> object:
    """The network of an account or a ledger, its node looked at as well."""
    network = _network(tree, loc, item, networks)
    _node(tree, loc, item, network, nodes)
    return network


def _names(tree: Tree, kind: str) -> set[str]:
    found = tree.at(*_ROOT, kind)
    return {str(name) for name in found} if isinstance(found, dict) else set()


def _signing(tree: Tree) -> dict[str, Loc]:
    """The policies that let something be signed; each must say how much it may cost."""
    found: dict[str, Loc] = {}
    policies = tree.at(*_ROOT, "policies")
    for name, policy in policies.items() if isinstance(policies, dict) else ():
        loc = (*_ROOT, "policies", str(name))
        if not isinstance(policy, dict) or not any(policy.get(key) is True for key in SIGNING):
            continue
        found[str(name)] = loc
        for cap in CAPS:
            if policy.get(cap) is None:
                tree.note(loc, f"lets something be signed without a {cap}", f"add {cap}")
    return found


def _network_of(node: Mapping[str, object], networks: Collection[str]) -> object:
    """The network of a node, where it is named; None for one that the node has for itself."""
    network = node.get("network")
    if isinstance(network, dict):
        network = network.get("profile")
    return network if isinstance(network, str) and network in networks else None


def _network(
    tree: Tree, loc: Loc, account: Mapping[str, object], networks: Collection[str]
) -> object:
    network = account.get("network")
    if network is None and len(networks) != 1:
        hint = f"known: {listed(networks)}"
        tree.note((*loc, "network"), "missing; there is more than one network", hint)
    _known(tree, (*loc, "network"), network, networks, "network")
    if network is None and len(networks) == 1:
        network = next(iter(networks))
    return network


def _node(
    tree: Tree,
    loc: Loc,
    account: Mapping[str, object],
    network: object,
    nodes: Mapping[str, object],
) -> None:
    name = account.get("node")
    if name is None:
        if isinstance(network, str) and nodes and network not in nodes.values():
            message = f"no node of its network is watched, {tree.found((*loc, 'network'), network)}"
            tree.note(loc, message, "name a node of it")
        return
    _known(tree, (*loc, "node"), name, nodes, "node")
    theirs = nodes.get(str(name))
    if theirs is not None and isinstance(network, str) and theirs != network:
        found = tree.found((*loc, "network"), network)
        owner = "ledger" if loc[0] == "ledgers" else "account"
        tree.note((*loc, "node"), f"is a node of {theirs}, not of the {owner}'s network: {found}")


def _known(tree: Tree, loc: Loc, value: object, known: Collection[str], kind: str) -> None:
    if isinstance(value, str) and value not in known:
        hint = nearest(value, known) or f"known: {listed(known)}"
        tree.note(loc, f"unknown {kind}, {tree.found(loc, value)}", hint)
