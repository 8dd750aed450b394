"""YAML and environment -> frozen `Settings`; every mistake named by file, line and path.

A file is read (`tree`), its `${env:…}` and `file:…` are filled in (`elsewhere`), variables override
it (`environment`), each setting is validated (`settings`, of `kinds` of values; complaints become
our words in `wording`), the whole is checked for contradictions (`consistency`), and the shorthand
of a single node is resolved (`shorthand`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_lowercase

from pydantic import ValidationError

from monitor.config import consistency, environment, shorthand, wording
from monitor.config.checks import CheckSettings
from monitor.config.elsewhere import resolve
from monitor.config.environment import ENVIRONMENT
from monitor.config.gates import Gate, GateRule
from monitor.config.ledgers import Ledger
from monitor.config.place import data_directory
from monitor.config.problems import ConfigError, Problem
from monitor.config.releases import ReleaseFeed
from monitor.config.settings import (
    Alerting,
    File,
    History,
    Http,
    Network,
    NodeSettings,
    ProfileRef,
    ReferenceSettings,
    Rpc,
    Settings,
)
from monitor.config.text import INITIAL, schema, show
from monitor.config.token import read_token
from monitor.config.transactions import Account, Tap, TransactionPolicy, Transactions
from monitor.config.tree import Place, Tree, read

__all__ = [
    "ENVIRONMENT",
    "INITIAL",
    "Account",
    "Alerting",
    "CheckSettings",
    "ConfigError",
    "Gate",
    "GateRule",
    "History",
    "Http",
    "Ledger",
    "Network",
    "NodeSettings",
    "Problem",
    "ProfileRef",
    "ReferenceSettings",
    "ReleaseFeed",
    "Rpc",
    "Settings",
    "Tap",
    "TransactionPolicy",
    "Transactions",
    "data_directory",
    "from_flags",
    "load",
    "read_token",
    "schema",
    "show",
]


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """The settings of a file. Raises ConfigError with every problem of file and environment.

    Relative paths in the file are relative to its folder.
    """
    tree = read(path, "`headwatch config init` writes one to start from")
    folder = path.absolute().parent
    resolve(tree, env, folder)
    return _settings(tree, env, folder)


def from_flags(
    node: str,
    references: Sequence[str],
    network: str | None = None,
    *,
    interval_seconds: float | None = None,
    env: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Settings:
    """The settings of one-off use: one node `local`, references named `a`, `b`, and so on.

    `network` is a chain profile, by default `ethereum`. `${env:NAME}` and `file:PATH` keep keys
    out of the process list. Raises ConfigError, whose problems are named by flag: `flags` are
    those of the node and of the first references, where they are others than usual.
    """
    own: dict[str, object] = {"profile": "ethereum" if network is None else network}
    if interval_seconds is not None:
        own["interval_seconds"] = interval_seconds
    asked = tuple({"name": _letter(i), "url": url} for i, url in enumerate(references))
    root = {"nodes": ({"name": "local", "network": own, "url": node, "references": asked},)}
    tree = Tree(root, _flag_places(len(references), flags))
    folder = Path.cwd()
    resolve(tree, env or {}, folder)
    return _settings(tree, env or {}, folder)


def _letter(index: int) -> str:
    return ascii_lowercase[index] if index < len(ascii_lowercase) else f"r{index + 1}"


def _flag_places(count: int, flags: Sequence[str] = ()) -> dict[tuple[str | int, ...], Place]:
    local: tuple[str | int, ...] = ("nodes", 0)
    places: dict[tuple[str | int, ...], Place] = {
        (): Place("", 0),
        local: Place("", 0, flags[0] if flags else "--node"),
        (*local, "network"): Place("", 0, "--network"),
        (*local, "network", "interval_seconds"): Place("", 0, "--interval-seconds"),
        (*local, "references"): Place("", 0, "--reference"),
    }
    named = len(flags[1:])
    for index in range(count):
        label = f"--reference {index + 1 - named}" if count - named > 1 else "--reference"
        label = flags[index + 1] if index < named else label
        places[(*local, "references", index)] = Place("", 0, label)
    return places


def _settings(tree: Tree, env: Mapping[str, str], folder: Path) -> Settings:
    # Imported here because it is not needed to print a schema or the initial file.
    from monitor.judge.profiles import PROFILES

    environment.apply(tree, env)
    written = None
    try:
        written = File.model_validate(tree.root, context={"folder": folder})
    except ValidationError as error:
        wording.note_all(tree, error)
    consistency.check(tree, PROFILES)
    if tree.problems or written is None:
        raise ConfigError(tree.problems)
    return shorthand.resolved(written)
