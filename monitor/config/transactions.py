"""The settings of the transaction watchdog: whose transactions are watched, and what may be done.

Prices are written in gwei and amounts in ether, as people write them; `transactions.rules` has them
in wei.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from monitor.config.kinds import (
    SAID,
    EthereumAddress,
    FilePath,
    Flag,
    HttpUrl,
    Listen,
    Model,
    Name,
    Seconds,
    Words,
    expects,
)

GWEI, ETHER = 10**9, 10**18
DEFAULT_POLICY, FLAG_POLICY = "default", "flag"
"""Policies that are always there: flag and rebroadcast, and flag alone."""

Gwei = Annotated[
    float, Field(gt=0, le=1_000_000_000), expects("expected a number of gwei above 0, up to 10^9")
]
Ether = Annotated[
    float, Field(gt=0, le=1_000_000), expects("expected a number of ether above 0, up to 10^6")
]


def wei(amount: float, unit: int) -> int:
    """As many wei as was written: through the shortest decimal, so that 0.1 is 0.1."""
    return int(Decimal(repr(amount)) * unit)


class Account(Model):
    """An account whose transactions are watched; its key is with its own program."""

    alias: Name
    """A unique name; it becomes a metric label, which the address never does."""
    address: EthereumAddress
    """0x and 40 hexadecimal digits, in quotes; mixed case must be the right checksum (EIP-55)."""
    network: Name | None = None
    """The name of its network. Default: the only one."""
    node: Name | None = None
    """The node that its program sends through. Default: the first node of the network."""
    policy: Name = DEFAULT_POLICY
    """What may be done for it: `default`, `flag`, or a name under `policies`."""
    signer: Name | None = None
    """Who may sign for it: a name under `signers`. Default: `signer`, where there is one."""


class TransactionPolicy(Model):
    """What may be done for an account, and when."""

    rebroadcast: Flag = True
    """Whether the same bytes are sent to references that do not know them."""
    resend: Flag = True
    """Whether the same bytes are sent to the account's own node when it has lost them."""
    replace: Flag = False
    """Whether the same payment is signed anew with higher fees; needs a signer and caps."""
    cancel: Flag = False
    """Whether a transaction may be replaced by a transfer of nothing; needs a signer and caps."""
    fill: Flag = False
    """Whether a nonce that is missing below others is filled so; needs a signer and caps."""
    propose: Flag = True
    """Whether an unsigned replacement is sent to `proposals` where nothing may be signed."""
    propagate_blocks: Annotated[
        int, Field(ge=1, le=1000), expects("expected a whole number of blocks from 1 to 1000")
    ] = 2
    """So many blocks after it was first seen, some reference must know a transaction."""
    bump_after_seconds: Annotated[float, Seconds(1, 604_800)] = 300.0
    """How old a transaction that pays too little gets before it is replaced, in seconds."""
    cancel_after_seconds: Annotated[float, Seconds(1, 2_592_000)] | None = None
    """From which age it is cancelled instead, in seconds. Default: never by itself."""
    stuck_after_seconds: Annotated[float, Seconds(1, 2_592_000)] = 1800.0
    """How old a well-paid transaction gets before it counts as stuck, in seconds."""
    rebroadcast_seconds: Annotated[float, Seconds(1, 86_400)] = 60.0
    """Between the first two rebroadcasts, in seconds; doubled with each, up to ten minutes."""
    actions_an_hour_max: Annotated[
        int, Field(ge=1, le=1000), expects("expected a whole number of actions from 1 to 1000")
    ] = 20
    """The most that is sent for one nonce within an hour."""
    bumps_max: Annotated[
        int, Field(ge=1, le=20), expects("expected a whole number of bumps from 1 to 20")
    ] = 6
    """The most replacements of one transaction."""
    bump_blocks_min: Annotated[
        int, Field(ge=1, le=1000), expects("expected a whole number of blocks from 1 to 1000")
    ] = 3
    """Blocks between two replacements."""
    bump_percent: Annotated[
        int, Field(ge=10, le=500), expects("expected a whole number of percent from 10 to 500")
    ] = 10
    """By how much fees are raised at least; pools refuse less than 10 %."""
    fee_cap_max_gwei: Gwei | None = None
    """The most a unit of gas may cost in what is signed, in gwei; required for signing."""
    market_multiple_max: Annotated[
        int, Field(ge=1, le=1000), expects("expected a whole number of times from 1 to 1000")
    ] = 5
    """The most a unit of gas may cost, in times of what the market asks."""
    cost_max_ether: Ether | None = None
    """The most the gas of one transaction may cost at its cap, in ether."""
    budget_a_day_ether: Ether | None = None
    """The most the gas of all that is signed in a day (UTC) may cost; required for signing."""


class Keystore(Model):
    """A Web3 Secret Storage file, as geth and others write it."""

    file: FilePath
    """The encrypted key."""
    password_file: FilePath
    """The file that holds its password."""


class Signer(Model):
    """Who signs replacements: exactly one of these. No key is ever part of this file."""

    keystore: Keystore | None = None
    """An encrypted key file, decrypted at the first signature."""
    web3signer: HttpUrl | None = None
    """Web3Signer's JSON-RPC, `eth_signTransaction`; only host and port of it are ever shown."""
    clef: HttpUrl | None = None
    """Clef's JSON-RPC, `account_signTransaction`; only host and port of it are ever shown."""
    command: Words | None = None
    """A program and its arguments: it gets JSON on its input and prints the signed bytes."""

    @model_validator(mode="after")
    def _is_one(self) -> Signer:
        kinds = ("keystore", "web3signer", "clef", "command")
        if sum(getattr(self, kind) is not None for kind in kinds) != 1:
            words = f"expected exactly one of {', '.join(kinds)}"
            raise PydanticCustomError(SAID, words)
        return self


class Tap(Model):
    """A drop-in RPC URL for the sender's program: everything passes, every send is written down."""

    listen: Listen = "127.0.0.1:9846"
    """Where to listen: HOST:PORT or [IPV6]:PORT; port 0 lets the system choose."""
    node: Name
    """The node that everything is passed on to."""
    token_file: FilePath | None = None
    """The file that holds the bearer token asked for; required where not on loopback."""
    fan_out: Annotated[
        Literal["never", "behind", "always"], expects("expected never, behind or always")
    ] = "behind"
    """When a send goes to the references too: never, when the node is off the network, always."""
    record: FilePath | None = None
    """The file that requests which only read are written to; at 64 MiB it becomes FILE.1."""
    record_share: Annotated[
        float, Field(gt=0, le=1), expects("expected a number above 0, and at most 1")
    ] = 1.0
    """The part of these requests that is recorded."""
    hosts: Words = ()
    """Host names under which programs reach it, beside addresses and localhost."""

    @property
    def address(self) -> tuple[str, int]:
        """Host, without the brackets of IPv6, and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Proposals(Model):
    """Who is told what could be signed, where headwatch has no key: a webhook."""

    url: HttpUrl
    """Where the proposal is posted as JSON; only host and port of it are ever shown."""
    token_file: FilePath | None = None
    """The file that holds a bearer token, read anew for every message."""


class Transactions(Model):
    """Whose transactions are watched, and what may be done for them."""

    accounts: tuple[Account, ...] = ()
    """The accounts to watch."""
    policies: dict[Name, TransactionPolicy] = Field(default_factory=dict)
    """What may be done, by name; `default` and `flag` are there, and `default` may be changed."""
    tap: Tap | None = None
    """The JSON-RPC tap. Default: off."""
    signer: Signer | None = None
    """Who signs for accounts that name no signer."""
    signers: dict[Name, Signer] = Field(default_factory=dict)
    """Further signers, by name."""
    proposals: Proposals | None = None
    """Who gets unsigned replacements."""
    dry_run: Flag = False
    """Only say what would be done."""
    halted: Flag = False
    """The kill switch: nothing is sent at all. `headwatch tx halt` does the same at once."""
    retention_days: Annotated[
        float, Field(ge=1, le=3650), expects("expected a number of days from 1 to 3650")
    ] = 90.0
    """How long closed transactions stay in the journal, in days."""

    def policy(self, name: str) -> TransactionPolicy:
        """The policy of this name; the built-in ones where nothing else is written."""
        if name in self.policies:
            return self.policies[name]
        if name == FLAG_POLICY:
            return TransactionPolicy(rebroadcast=False, resend=False, propose=False)
        return TransactionPolicy()
