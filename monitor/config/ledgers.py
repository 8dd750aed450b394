"""The settings of a PoCo ledger: which contract, on which network, through which node."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from monitor.config.kinds import EthereumAddress, Model, Name, expects

Protocol = Annotated[Literal["poco-v1"], expects("expected a protocol: poco-v1")]
BlockHeight = Annotated[
    int,
    Field(ge=0, le=2**53),
    expects("expected a block: a whole number from 0 to 9007199254740992"),
]


class Ledger(Model):
    """A ledger that is recomputed from its events, and compared with what the chain holds."""

    name: Name
    """A unique name; it becomes a metric label, and a folder below `ledger` in `data_dir`."""
    network: Name | None = None
    """The name of its network. Default: the only one."""
    node: Name | None = None
    """The node that is asked. Default: the first node of the network."""
    protocol: Protocol = "poco-v1"
    """Whose rules hold: poco-v1, of iExec's hub of 2018."""
    address: EthereumAddress
    """The hub: 0x and 40 hexadecimal digits, in quotes; mixed case must be the right checksum."""
    from_block: BlockHeight | None = None
    """The block in which the hub was made. Default: it is looked for, which takes an archive."""
