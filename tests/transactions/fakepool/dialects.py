"""How each client's node behaves beside its words: methods, answers, and its pool's habits.

Sources: the clients' RPC references; geth core/txpool/locals (what it reports as success), Besu
TransactionAddedResult.java (a dropped transaction is a success), Nethermind TxPool.AddCore and
TxBroadcaster, reth's sub-pools, Erigon's sub-pools and its "poke".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.transactions.fakepool.refusals import Client, Refusal, Refused
from tests.transactions.fakepool.texts import TEXTS, Text, Texts

POOL_METHODS = (
    "debug_getRawTransaction",
    "eth_getRawTransactionByHash",
    "eth_pendingTransactions",
    "net_peerCount",
    "txpool_content",
    "txpool_contentFrom",
    "txpool_inspect",
    "txpool_status",
)
"""What some clients have and others lack."""

TEST_PREFIXES = ("anvil_", "evm_", "hardhat_")
"""What only a node made for tests has: none of it passes through another."""

NOT_FOUND = -32601
_GETH_ABSENT = (NOT_FOUND, "the method {method} does not exist/is not available")
_INVALID_PARAMS = (-32602, "Invalid params")
"""What bytes that are no transaction get from clients whose words for it are not listed."""
_PLAIN_ABSENT = (NOT_FOUND, "Method not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One client, as its RPC shows it."""

    client: Client
    version: str
    """`web3_clientVersion`."""
    texts: Texts
    methods: frozenset[str]
    """Of POOL_METHODS."""
    absent: Text = _PLAIN_ABSENT
    """The answer to a method that it lacks."""
    no_raw: str | None = None
    """The raw bytes of a transaction that is unknown; geth's are empty."""
    below_base_fee: Literal["pending", "parked", "refused"] = "pending"
    """A fee cap below the base fee: pooled like any other, kept apart (and silent), or refused."""
    announce_percent: int = 0
    """Announced only if the fee cap is at least this much of the base fee."""
    nonces_ahead_max: int | None = None
    when_full: Literal["underpriced", "full", "sub_pool", "dropped"] = "underpriced"
    """What becomes of the worst: `dropped` is reported as success."""
    hidden: frozenset[Refusal] = frozenset()
    """Reported as success where the node tracks its local transactions."""
    while_syncing: Literal["takes", "mute", "refuses"] = "takes"
    """Pools what comes by RPC and announces it; pools it and is silent; has no pool at all."""
    unpayable: Literal["dropped", "queued"] = "dropped"
    """What becomes of a pooled transaction whose sender has spent the money elsewhere."""
    keeps: Literal["locals", "all", "blobs", "nothing"] = "nothing"
    """What its pool has again after a restart."""
    rebroadcasts: bool = False
    """Announces some of its local transactions again on each new head."""
    pokes: bool = False
    """A refused replacement makes it announce the old one again."""

    def error(self, refused: Refused) -> Text:
        """Code and words for a refusal."""
        code, template = self.texts.get(refused.refusal, _INVALID_PARAMS)
        return code, template.format(**refused.numbers)

    def error_absent(self, method: str) -> Text:
        code, template = self.absent
        return code, template.format(method=method)

    def minds(self, refusal: Refusal) -> bool:
        """Whether this client looks for it at all."""
        return refusal in self.texts

    def has(self, method: str) -> bool:
        if method.startswith(TEST_PREFIXES):
            return self.client in {"anvil", "hardhat"}
        return method not in POOL_METHODS or method in self.methods


_RAW = ("eth_getRawTransactionByHash", "debug_getRawTransaction")
_VIEW = ("txpool_content", "txpool_inspect", "txpool_status")
_FROM = "txpool_contentFrom"
_PEERS = "net_peerCount"

_GETH_HIDES = frozenset(
    {
        Refusal.UNDERPRICED,
        Refusal.POOL_FULL,
        Refusal.FUTURE_FOR_PENDING,
        Refusal.IN_FLIGHT,
        Refusal.OUT_OF_ORDER,
        Refusal.AUTHORITY,
    }
)
"""core/txpool/locals/errors.go, IsTemporaryReject."""

DIALECTS: Mapping[Client, Dialect] = {
    "geth": Dialect(
        client="geth",
        version="Geth/v1.17.0-stable-0cf3d3ba/linux-amd64/go1.26.0",
        texts=TEXTS["geth"],
        methods=frozenset({*_RAW, *_VIEW, _FROM, _PEERS, "eth_pendingTransactions"}),
        absent=_GETH_ABSENT,
        no_raw="0x",
        hidden=_GETH_HIDES,
        keeps="locals",
    ),
    "reth": Dialect(
        client="reth",
        version="reth/v1.11.0-564ffa5/x86_64-unknown-linux-gnu",
        texts=TEXTS["reth"],
        methods=frozenset({*_RAW, *_VIEW, _FROM, _PEERS}),
        below_base_fee="parked",
        unpayable="queued",
        when_full="full",
        while_syncing="mute",
        keeps="locals",
    ),
    "erigon": Dialect(
        client="erigon",
        version="erigon/3.3.2/linux-amd64/go1.25.4",
        texts=TEXTS["erigon"],
        methods=frozenset(
            {"eth_getRawTransactionByHash", "txpool_content", "txpool_status", _FROM, _PEERS}
        ),
        absent=_GETH_ABSENT,
        below_base_fee="parked",
        unpayable="queued",
        when_full="sub_pool",
        keeps="all",
        pokes=True,
    ),
    "nethermind": Dialect(
        client="nethermind",
        version="Nethermind/v1.36.0+2f4c5a1b/linux-x64/dotnet10.0.1",
        texts=TEXTS["nethermind"],
        methods=frozenset({*_RAW, *_VIEW, _PEERS, "eth_pendingTransactions"}),
        absent=_GETH_ABSENT,
        announce_percent=70,
        when_full="dropped",
        while_syncing="mute",
        keeps="blobs",
        rebroadcasts=True,
    ),
    "besu": Dialect(
        client="besu",
        version="besu/v26.1.0/linux-x86_64/openjdk-java-25",
        texts=TEXTS["besu"],
        methods=frozenset({"debug_getRawTransaction", "txpool_status", _FROM, _PEERS}),
        nonces_ahead_max=200,
        when_full="dropped",
        while_syncing="refuses",
    ),
    "anvil": Dialect(
        client="anvil",
        version="anvil/v1.7.1",
        texts=TEXTS["anvil"],
        methods=frozenset({*_RAW, *_VIEW}),
        below_base_fee="refused",
    ),
    "hardhat": Dialect(
        client="hardhat",
        version="HardhatNetwork/2.29.0/@nomicfoundation/edr/0.12.0",
        texts=TEXTS["hardhat"],
        methods=frozenset({"eth_pendingTransactions", _PEERS}),
        absent=(-32004, "{method} - Method not supported"),
    ),
}
