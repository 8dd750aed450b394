"""pydantic's complaints, in the words of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from monitor.config.gates import Gate, GateRule
from monitor.config.kinds import EXPECTED, QUOTED, SAID, Model
from monitor.config.ledgers import Ledger
from monitor.config.problems import Loc, nearest
from monitor.config.releases import BY_PATH, BY_URL, ReleaseFeed
from monitor.config.settings import (
    BY_NAME,
    INLINE,
    Alerting,
    Alertmanager,
    Channel,
    File,
    FileNode,
    Heartbeat,
    History,
    Http,
    MaintenanceWindow,
    Network,
    ProfileRef,
    ReferenceSettings,
    Rpc,
)
from monitor.config.transactions import (
    Account,
    Keystore,
    Proposals,
    Signer,
    Tap,
    TransactionPolicy,
    Transactions,
)
from monitor.config.tree import Tree

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_OWNERS: Mapping[str, tuple[type[Model], str]] = {
    "": (File, "a configuration"),
    "http": (Http, "http"),
    "rpc": (Rpc, "rpc"),
    "alerting": (Alerting, "alerting"),
    "alertmanagers": (Alertmanager, "every Alertmanager"),
    "channels": (Channel, "every channel"),
    "heartbeats": (Heartbeat, "every heartbeat"),
    "maintenance": (MaintenanceWindow, "every window"),
    "history": (History, "history"),
    "nodes": (FileNode, "every node"),
    "references": (ReferenceSettings, "every reference"),
    "profile": (ProfileRef, "a profile written as a mapping"),
    "network": (ProfileRef, "a network written as a mapping"),
    "transactions": (Transactions, "transactions"),
    "accounts": (Account, "every account"),
    "tap": (Tap, "the tap"),
    "signer": (Signer, "a signer"),
    "keystore": (Keystore, "a keystore"),
    "proposals": (Proposals, "proposals"),
    "ledgers": (Ledger, "every ledger"),
    "releases": (ReleaseFeed, "every feed of releases"),
    "rules": (GateRule, "a rule written as a mapping"),
}
"""The last setting of a path -> the model of what is in it, and its name in sentences."""

_NEEDS = {"nodes": "name at least one node to watch: `nodes:` and below it `- name: …`"}
_LISTS = {
    *("nodes", "references", "alertmanagers", "channels", "heartbeats", "maintenance"),
    *("accounts", "ledgers", "releases", "rules"),
}
_MAPPINGS: Mapping[Loc, tuple[type[Model], str]] = {
    ("transactions", "policies"): (TransactionPolicy, "a policy"),
    ("transactions", "signers"): (Signer, "a signer"),
}
"""Mappings by name: the model of what they hold, and its name in sentences."""


UNWRITTEN = frozenset({BY_NAME, INLINE, BY_URL, BY_PATH})
"""Steps of pydantic's paths that are in no file."""
_BY_NAME: Mapping[str | int, str] = {"gate": "gates"}


def note_all(tree: Tree, error: ValidationError) -> None:
    """Note every complaint of `error`. No part of a URL is among its words."""
    for complaint in error.errors(include_url=False):
        loc = tuple(step for step in complaint["loc"] if step not in UNWRITTEN)
        _note(tree, loc, complaint)


def note_items(tree: Tree, error: ValidationError, model: type[Model]) -> None:
    """The same of a file that is one list of these."""
    for complaint in error.errors(include_url=False):
        loc, kind = complaint["loc"], complaint["type"]
        known = ", ".join(model.model_fields)
        if kind == "missing":
            tree.note(loc, "missing", f"known here: {known}" if loc[1:] else "")
        elif kind == "extra_forbidden":
            hint = nearest(str(loc[-1]), model.model_fields) or f"known here: {known}"
            tree.note(loc, "unknown setting", hint)
        elif kind == EXPECTED:
            tree.note(loc, f"{complaint['msg']}, {tree.found(loc, complaint['input'])}")
        else:
            is_list = len(loc) == 1
            what = "a list" if is_list else f"a mapping ({known})"
            tree.note(loc, f"expected {what}, {tree.found(loc, complaint['input'])}")


def _note(tree: Tree, loc: Loc, complaint: ErrorDetails) -> None:
    kind, found = complaint["type"], tree.found(loc, complaint["input"])
    shape = "found text" if isinstance(complaint["input"], str) else found
    if kind == "default_factory_not_called":
        return  # It follows from another complaint.
    if loc[-1:] == ("[key]",):
        tree.note(loc[:-1], f"{complaint['msg']}, as the key")
    elif kind == "missing":
        key, (_, owner) = str(loc[-1]), _owner(loc)
        tree.note(loc, "missing", _NEEDS.get(key, f"{owner} needs {_a(key)}"))
    elif kind == "extra_forbidden":
        known = _owner(loc)[0].model_fields
        known_text = f"known here: {', '.join(known)}"
        tree.note(loc, "unknown setting", nearest(str(loc[-1]), known) or known_text)
    elif kind == SAID:
        tree.note(loc, complaint["msg"])
    elif kind == EXPECTED:
        # A flag or a variable is text as it is: only a file of YAML knows quotes.
        is_written = not tree.place(loc).label
        wanted = complaint["msg"] if is_written else complaint["msg"].removesuffix(QUOTED)
        tree.note(loc, f"{wanted}, {found}", _quote(complaint))
    elif loc[-1] in _LISTS:
        tree.note(loc, f"expected a list, {shape}", "begin each item with '- '")
    elif loc in {("networks",), ("gate",)} or loc in _MAPPINGS:
        tree.note(loc, f"expected a mapping of {_BY_NAME.get(loc[-1], loc[-1])} by name, {shape}")
    else:
        _note_shape(tree, loc, shape)


def _a(word: str) -> str:
    return f"an {word}" if word[:1] in set("aeio") else f"a {word}"


def _note_shape(tree: Tree, loc: Loc, found: str) -> None:
    fields = ", ".join(_owner((*loc, ""))[0].model_fields)
    wanted = "the name of a chain profile or a mapping" if loc[-1] == "profile" else "a mapping"
    wanted = "a rule or a mapping" if loc[-2:-1] == ("rules",) else wanted
    hint = "drop the line, or give one of them" if found == "found nothing" else ""
    tree.note(loc, f"expected {wanted} ({fields}), {found}", hint)


def _quote(complaint: ErrorDetails) -> str:
    """YAML reads `name: 1` as a number; a text that looks like one needs quotes."""
    names = "expected a name" in complaint["msg"] or "expected the" in complaint["msg"]
    return "quote it" if names and isinstance(complaint["input"], bool | int | float) else ""


def _owner(loc: Loc) -> tuple[type[Model], str]:
    """The model that should hold the last step of `loc`, and its name in sentences."""
    if loc[:1] == ("networks",):
        below = loc[2:]
        if below and not below[1:]:
            return Network, "every network"
        loc = below
    if loc[:1] == ("gate",) and len(loc) == len(("", "name", "setting")):
        return Gate, "a gate"
    if loc[:2] in _MAPPINGS and len(loc) == len(("", "", "name", "setting")):
        return _MAPPINGS[loc[:2]]
    words = [step for step in loc[:-1] if isinstance(step, str)]
    return _OWNERS.get(words[-1] if words else "", _OWNERS[""])
