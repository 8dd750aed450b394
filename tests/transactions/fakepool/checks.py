"""What a pool looks at before it looks into itself: the bytes, the node's settings, the account.

The order is geth's: internal/ethapi/api.go, SubmitTransaction; core/txpool/validation.go.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.transactions.fakepool.dialects import Dialect
from tests.transactions.fakepool.refusals import Number, Refusal, Refused
from tests.transactions.fakepool.signed import BLOB, LEGACY, Signed

SIZE_BYTES_MAX = 131_072
"""geth legacypool, txMaxSize; blobs are counted apart."""
SIZE_BLOB_BYTES_MAX = 1_048_576
RETH_FEE_CAP_MIN_WEI = 7
"""reth, MIN_PROTOCOL_BASE_FEE: no block can cost less."""
_ETHER = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a pool knows of the chain it stands on."""

    number: int
    hash: str
    parent_hash: str
    base_fee_wei: int
    """Of the next block."""
    gas_limit: int
    chain_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A sender at the head."""

    nonce: int
    balance_wei: int
    is_delegated: bool = False
    """Its code points elsewhere (EIP-7702)."""
    is_contract: bool = False


@dataclass(kw_only=True)
class Settings:
    """What the operator of one node has set; a test may change it at any time."""

    slots_max: int | None = None
    """Transactions in the pool; of Erigon in each sub-pool."""
    account_max: int | None = None
    """Of one sender: blob transactions in geth, those of peers in reth and Erigon; in Nethermind
    how far ahead of the chain."""
    floor_wei: int = 0
    """The least tip; in Besu and Erigon the least price."""
    cost_cap_wei: int | None = None
    """The most that gas may cost by RPC: in all, in Besu for a unit."""
    gas_cap: int | None = None
    """16 777 216 where EIP-7825 is in force."""
    blob_base_fee_wei: int = 1
    has_throttle: bool = False
    """geth: too many were pushed out of late, so that nothing gets in before the next block."""
    takes_future: bool = True
    takes_below_base_fee: bool = True
    allows_unprotected: bool = False
    tracks_locals: bool = True
    """geth: what is refused for now is reported as success and tried again each minute."""
    no_locals: bool = False
    """What comes by RPC is treated as if it came from a peer (--txpool.nolocals)."""


def check_bytes(
    transaction: Signed, dialect: Dialect, settings: Settings, head: Head, *, is_local: bool
) -> None:
    """Raise Refused for what no state of the pool or the account can change."""

    def demand(holds: bool, refusal: Refusal, **numbers: Number) -> None:
        if not holds and dialect.minds(refusal):
            raise Refused(refusal, **numbers)

    tx, chain_id = transaction, transaction.chain_id
    limit = SIZE_BLOB_BYTES_MAX if tx.type == BLOB else SIZE_BYTES_MAX
    needed, floor = tx.intrinsic_gas, tx.floor_gas
    demand(chain_id is not None or settings.allows_unprotected, Refusal.UNPROTECTED)
    # anvil compares the chain's id only where it stands in a field of its own.
    is_foreign = chain_id not in {None, head.chain_id}
    is_blind = dialect.client == "anvil" and tx.type == LEGACY
    wrong = {"have": chain_id or 0, "want": head.chain_id}
    demand(not is_foreign or is_blind, Refusal.CHAIN_ID, **wrong)
    demand(tx.type != BLOB or tx.has_sidecar, Refusal.SIDECAR)
    demand(tx.size_bytes <= limit, Refusal.OVERSIZED, size=tx.size_bytes, limit=limit)
    cap = settings.gas_cap
    demand(cap is None or tx.gas <= cap, Refusal.GAS_CAP, cap=cap or 0, gas=tx.gas)
    demand(tx.gas <= head.gas_limit, Refusal.BLOCK_GAS, gas=tx.gas, limit=head.gas_limit)
    demand(tx.tip_cap_wei <= tx.fee_cap_wei, Refusal.TIP_ABOVE_CAP)
    demand(tx.gas >= needed, Refusal.INTRINSIC_GAS, gas=tx.gas, needed=needed)
    demand(tx.gas >= floor, Refusal.FLOOR_GAS, gas=tx.gas, needed=floor)
    _check_price(tx, dialect, settings, is_local=is_local)
    is_below = tx.fee_cap_wei < head.base_fee_wei
    minds_base_fee = dialect.below_base_fee == "refused" or not settings.takes_below_base_fee
    demand(not (is_below and minds_base_fee), Refusal.BELOW_BASE_FEE)
    blob_fee = tx.blob_fee_cap_wei
    demand(blob_fee is None or blob_fee >= settings.blob_base_fee_wei, Refusal.BLOB_FEE)


def _check_price(tx: Signed, dialect: Dialect, settings: Settings, *, is_local: bool) -> None:
    """The operator's cap and floor."""
    cap = settings.cost_cap_wei
    fee = tx.fee_cap_wei if dialect.client == "besu" else tx.fee_cap_wei * tx.gas
    if cap is not None and is_local and fee > cap and dialect.minds(Refusal.COST_CAP):
        ethers = {"fee_ether": fee / _ETHER, "cap_ether": cap / _ETHER}
        raise Refused(Refusal.COST_CAP, fee=fee, cap=cap, **ethers)
    if dialect.client == "reth" and tx.fee_cap_wei < RETH_FEE_CAP_MIN_WEI:
        raise Refused(Refusal.UNDERPRICED)
    # Erigon has no floor for its own.
    if dialect.client == "erigon" and is_local and not settings.no_locals:
        return
    offered = tx.fee_cap_wei if dialect.client in {"besu", "erigon"} else tx.tip_cap_wei
    if offered < settings.floor_wei and dialect.minds(Refusal.FLOOR):
        raise Refused(Refusal.FLOOR, tip=offered, floor=settings.floor_wei)


def check_account(transaction: Signed, dialect: Dialect, account: Account) -> None:
    """Raise Refused for what the account at the head forbids, whatever is pooled."""
    tx = transaction
    if account.is_contract and dialect.minds(Refusal.SENDER_CODE):
        raise Refused(Refusal.SENDER_CODE)
    if tx.nonce < account.nonce:
        raise Refused(Refusal.NONCE_LOW, next=account.nonce, nonce=tx.nonce)
    cost, balance = tx.cost_wei, account.balance_wei
    if cost > balance:
        raise Refused(Refusal.FUNDS, balance=balance, cost=cost, overshot=cost - balance)
