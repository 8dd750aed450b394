"""Values given on the command line, held to what the file's settings are held to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from monitor.config import wording
from monitor.config.elsewhere import resolve
from monitor.config.kinds import EthereumAddress, HttpUrl, Model
from monitor.config.ledgers import BlockHeight, Protocol
from monitor.config.problems import ConfigError, Loc
from monitor.config.tree import Place, Tree

M = TypeVar("M", bound=Model)
Places = Mapping[Loc, Place]


class Endpoints(Model):
    """Who is asked."""

    rpc: HttpUrl
    reference: tuple[HttpUrl, ...] = ()


class ConformanceFlags(Model):
    """`headwatch gate conformance`."""

    node: HttpUrl


class LedgerFlags(Endpoints):
    """`headwatch ledger`, without a file."""

    hub: EthereumAddress
    protocol: Protocol = "poco-v1"
    from_block: BlockHeight | None = None


class AirdropFlags(Endpoints):
    """`headwatch airdrop verify`."""

    token: EthereumAddress
    payer: EthereumAddress
    wallets: tuple[EthereumAddress, ...]
    from_block: BlockHeight
    to_block: BlockHeight


def read_flags(
    model: type[M], flags: Mapping[str, object], env: Mapping[str, str], more: Places | None = None
) -> M:
    """Flags as values; those that are None were not given. Raises ConfigError, named by flag.

    `${env:NAME}` and `file:PATH` keep keys out of the process list. `more` has the places of what
    is no flag itself, such as the lines of a file.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    tree = Tree(given, {**_places(given), **(more or {})})
    resolve(tree, env, Path.cwd())
    made = None
    try:
        made = model.model_validate(tree.root)
    except ValidationError as error:
        wording.note_all(tree, error)
    if tree.problems or made is None:
        raise ConfigError(tree.problems)
    return made


def _places(flags: Mapping[str, object]) -> dict[Loc, Place]:
    found: dict[Loc, Place] = {(): Place("", 0)}
    for name, value in flags.items():
        label = f"--{name.replace('_', '-')}"
        found[(name,)] = Place("", 0, label)
        for index, _ in enumerate(value if isinstance(value, tuple) else ()):
            numbered = f"{label} {index + 1}" if isinstance(value, tuple) and value[1:] else label
            found[(name, index)] = Place("", 0, numbered)
    return found
