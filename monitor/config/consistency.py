"""What no single setting can know: names used twice, names unknown, witnesses that are not.

Works on the tree as written, whatever its shape, so that these problems are told together with
those of single settings. URLs are compared, and never said.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.config import gate_rules, watched_accounts
from monitor.config.problems import Loc, listed, nearest, shown
from monitor.config.tree import Tree
from monitor.url import Url

_LOOPBACK = {"localhost": "loopback", "127.0.0.1": "loopback", "[::1]": "loopback"}

TOLD = ("alertmanagers", "channels", "heartbeats")
"""Lists of `alerting` whose names are labels of one metric."""
_ADD = "add references: endpoints of other operators"


def check(tree: Tree, profiles: Mapping[str, object]) -> None:
    """Note every contradiction of the tree. `profiles`: the known chain profiles by name."""
    networks = tree.at("networks")
    names = set(networks) if isinstance(networks, dict) else set()
    if tree.at("nodes") == ():
        tree.note(("nodes",), "expected at least one node to watch, found none")
    _unique_names(tree, ("nodes",))
    for loc, network in tree.mappings("networks"):
        _profile(tree, (*loc, "profile"), network.get("profile"), profiles)
        _references(tree, loc, network)
    for loc, node in tree.mappings("nodes"):
        _network(tree, loc, node, names, profiles)
        _witnesses(tree, loc, node)
    watched_accounts.check(tree, _networks(tree))
    watched_accounts.check_ledgers(tree, _networks(tree))
    gate_rules.check(tree, _networks(tree))
    _checks(tree)
    _feeds(tree)
    _unique_names(tree, ("ledgers",))
    _unique_names(tree, ("maintenance",))
    _unique_names(tree, *(("alerting", kind) for kind in TOLD))
    known = {"networks": _networks(tree), "nodes": _names(tree, "nodes")}
    for where in (("maintenance",), ("alerting", "channels")):
        for loc, item in tree.mappings(*where):
            for kind, names in known.items():
                _named(tree, (*loc, kind), item.get(kind), names)


def _checks(tree: Tree) -> None:
    """Only what can be done without has settings: required checks are made in every round."""
    from monitor.judge.offers import OPTIONAL_CHECKS
    from monitor.judge.verdict import REQUIRED

    written = tree.at("checks")
    for name in written if isinstance(written, dict) else ():
        if name in REQUIRED:
            tree.note(("checks", name), "is required, and made in every round", "leave it out")
        elif name not in OPTIONAL_CHECKS:
            hint = nearest(name, OPTIONAL_CHECKS) or f"known: {', '.join(OPTIONAL_CHECKS)}"
            tree.note(("checks", name), "there is no such check", hint)


def _feeds(tree: Tree) -> None:
    """What is known of a client is in one place."""
    first: dict[object, Loc] = {}
    for loc, feed in tree.mappings("releases"):
        client = feed.get("client")
        if isinstance(client, str) and client in first:
            other = tree.said(first[client])
            tree.note((*loc, "client"), f"is also the client of {other}", "write one feed of each")
        elif isinstance(client, str):
            first[client] = loc


def _names(tree: Tree, *loc: str) -> set[str]:
    return {str(item.get("name")) for _, item in tree.mappings(*loc)}


def _networks(tree: Tree) -> set[str]:
    """The networks there will be: named ones, and those of single nodes, named after profiles."""
    found = {str(loc[-1]) for loc, _ in tree.mappings("networks")}
    for _, node in tree.mappings("nodes"):
        network = node.get("network")
        if isinstance(network, dict):
            network = network.get("profile")
        if isinstance(network, str):
            found.add(network)
    return found


def _named(tree: Tree, loc: Loc, value: object, known: set[str]) -> None:
    """Note every name of a list that names nothing."""
    for index, name in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(name, str) and name not in known:
            place = (*loc, index)
            hint = nearest(name, known) or f"known: {listed(known)}"
            tree.note(place, _unknown(tree, place, name, str(loc[-1]).removesuffix("s")), hint)


def _unique_names(tree: Tree, *lists: Loc) -> None:
    """Each name once in all of these lists together."""
    first: dict[str, Loc] = {}
    for place, item in (pair for loc in lists for pair in tree.mappings(*loc)):
        name = item.get("name")
        if isinstance(name, str) and name in first:
            other = tree.said(first[name])
            which = "it" if (*place, "name") in tree.hidden else shown(name)
            tree.note((*place, "name"), f"{which} is also the name of {other}", "choose another")
        elif isinstance(name, str) and name:
            first[name] = place


def _profile(tree: Tree, loc: Loc, value: object, profiles: Mapping[str, object]) -> None:
    if isinstance(value, dict):
        loc, value = (*loc, "profile"), value.get("profile")
    if isinstance(value, str) and value not in profiles:
        hint = nearest(value, profiles) or f"known: {', '.join(profiles)}"
        tree.note(loc, _unknown(tree, loc, value, "chain profile"), hint)


def _unknown(tree: Tree, loc: Loc, value: str, kind: str) -> str:
    return f"unknown {kind}, {tree.found(loc, value)}"


def _references(tree: Tree, loc: Loc, owner: Mapping[str, object]) -> None:
    """At least one, each name and each URL once."""
    if owner.get("references", ()) == ():
        tree.note((*loc, "references"), "missing; there is nothing to compare with", _ADD)
    _unique_names(tree, (*loc, "references"))
    first: dict[str, Loc] = {}
    for place, item in tree.mappings(*loc, "references"):
        if (endpoint := _endpoint(item.get("url"))) in first:
            other = tree.said(first[endpoint])
            tree.note((*place, "url"), f"is also the URL of {other}", "a witness counts once")
        elif endpoint:
            first[endpoint] = place


def _network(
    tree: Tree,
    loc: Loc,
    node: Mapping[str, object],
    names: set[str],
    profiles: Mapping[str, object],
) -> None:
    """By name under `networks`, or a profile with references of the node's own."""
    network, own = node.get("network"), "references" in node
    place = (*loc, "network")
    if isinstance(network, str) and network in names:
        if own:
            hint = f"move them to networks.{network}.references"
            tree.note((*loc, "references"), "the node's network has references already", hint)
    elif own or isinstance(network, dict) or (isinstance(network, str) and network in profiles):
        _profile(tree, place, network, profiles)
        _references(tree, loc, node)
    elif isinstance(network, str) and isinstance(tree.at("networks"), dict | None):
        hint = nearest(network, {*names, *profiles})
        known = listed(names) if names else "none defined under `networks`"
        tree.note(place, _unknown(tree, place, network, "network"), hint or f"known: {known}")


def _witnesses(tree: Tree, loc: Loc, node: Mapping[str, object]) -> None:
    """A node that is its own reference would always agree with itself."""
    network, own = node.get("network"), _endpoint(node.get("url"))
    places = [(*loc, "references")]
    if isinstance(network, str):
        places.append(("networks", network, "references"))
    for place, item in (pair for where in places for pair in tree.mappings(*where)):
        if own and _endpoint(item.get("url")) == own:
            message = f"is the URL of {tree.said(loc)}, which cannot be its own witness"
            tree.note((*place, "url"), message, "name an endpoint of another operator")


def _endpoint(value: object) -> str:
    """What makes two URLs one endpoint; empty where there is no URL. Never to be shown."""
    try:
        url = Url(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if url is None:
        return ""
    host, _, port = url.origin.rpartition(":")
    rest = url.reveal().partition("://")[2].partition("/")[2].rstrip("/")
    return f"{_LOOPBACK.get(host, host)}:{port}/{rest}"
