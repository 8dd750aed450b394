"""The environment variables that mean something; others with our prefix are mistakes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from monitor.config.problems import ENVIRONMENT_FILE, Loc, nearest
from monitor.config.tree import Place, Tree

PREFIX = "HEADWATCH_"
TOLD = "Written by `--output dotenv=FILE` for the jobs that follow; not read."
ENVIRONMENT: Mapping[str, str] = {
    "HEADWATCH_ANVIL": "The anvil program that the lab starts.",
    "HEADWATCH_BLIND": TOLD,
    "HEADWATCH_CONFIG": "The configuration file, where no `-c` is given.",
    "HEADWATCH_DATA_DIR": "Overrides `data_dir`; relative to the working directory.",
    "HEADWATCH_FAILED": TOLD,
    "HEADWATCH_HTTP_LISTEN": "Overrides `http.listen`.",
    "HEADWATCH_OK": TOLD,
    "HEADWATCH_POCO": "The folder of compiled PoCo contracts that the lab deploys.",
    "HEADWATCH_VERDICT": TOLD,
    "HEADWATCH_WARNED": TOLD,
}
"""Every known variable, and what it means."""

OVERRIDES: Mapping[str, Loc] = {
    "HEADWATCH_DATA_DIR": ("data_dir",),
    "HEADWATCH_HTTP_LISTEN": ("http", "listen"),
}

# Kubernetes tells every pod of the services beside it; one named headwatch-… gets our prefix.
_SERVICE = re.compile(r"_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?$")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def apply(tree: Tree, env: Mapping[str, str]) -> None:
    """Let variables override settings of the tree; note those that mean nothing."""
    for name in sorted(env):
        if not name.startswith(PREFIX) or _is_of_kubernetes(name, env[name]):
            continue
        tree.places[("", name)] = Place(ENVIRONMENT_FILE, 0, name)
        if name not in ENVIRONMENT:
            hint = nearest(name, ENVIRONMENT, PREFIX) or "unset it"
            tree.note(("", name), "this variable means nothing to headwatch", hint)
        elif not env[name]:
            tree.note(("", name), "is set, but empty", "give it a value, or unset it")
        elif name in OVERRIDES:
            _override(tree, name, env[name])


def _is_of_kubernetes(name: str, value: str) -> bool:
    linked = name.endswith("_PORT") and _SERVICE_ADDRESS.match(value)
    return bool(linked or _SERVICE.search(name))


def _override(tree: Tree, name: str, value: str) -> None:
    loc = OVERRIDES[name]
    section = tree.root
    for step in loc[:-1]:
        # A section of another shape stays: it is a mistake of its own, noted where it is.
        section = section.setdefault(step, {}) if isinstance(section, dict) else None
    if isinstance(section, dict):
        if name == "HEADWATCH_DATA_DIR" and not value.startswith("~"):
            value = str(Path.cwd() / value)
        section[str(loc[-1])] = value
        tree.hidden.discard(loc)
        tree.places[loc] = Place(ENVIRONMENT_FILE, 0, name)
