"""For every refusal, what makes a pool refuse for it.

A situation prepares a pool, with transactions that are taken, and returns the one that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tests.transactions.fakepool.checks import Account, Head, Settings
from tests.transactions.fakepool.dialects import DIALECTS
from tests.transactions.fakepool.payments import (
    ACCOUNTS,
    CHAIN_ID,
    FEE_CAP_WEI,
    GWEI,
    TIP_CAP_WEI,
    address,
    blobs,
    delegation,
    legacy,
    payment,
)
from tests.transactions.fakepool.pool import Change, Pool
from tests.transactions.fakepool.refusals import Client, Refusal
from tests.transactions.fakepool.signed import decode

Offence: TypeAlias = tuple[str, bool]
"""Raw bytes, and whether they come by RPC."""

ETHER = 10**18
RICH = Account(nonce=0, balance_wei=10_000 * ETHER)
HEAD = Head(
    number=100,
    hash="0x" + "aa" * 32,
    parent_hash="0x" + "99" * 32,
    base_fee_wei=10 * GWEI,
    gas_limit=30_000_000,
    chain_id=CHAIN_ID,
)


def fresh(client: Client = "geth", settings: Settings | None = None) -> Pool:
    """An empty pool; the dev accounts are rich and have sent nothing."""
    pool = Pool(DIALECTS[client], HEAD, settings)
    pool.accounts = {address(index): RICH for index in range(ACCOUNTS)}
    return pool


def add(pool: Pool, raw: str, *, is_local: bool = True) -> Change:
    return pool.add(decode(raw), is_local=is_local)


def _known(pool: Pool) -> Offence:
    add(pool, payment(0))
    return payment(0), True


def _nonce_low(pool: Pool) -> Offence:
    pool.accounts[address(0)] = Account(nonce=3, balance_wei=ETHER)
    return payment(1), True


def _nonce_gap(pool: Pool) -> Offence:
    if pool.dialect.client != "nethermind":
        return blobs(2), True
    pool.settings.slots_max = 1
    add(pool, payment(0, sender=1))
    return payment(2), False


def _nonce_distant(pool: Pool) -> Offence:
    pool.settings.account_max = 200
    add(pool, payment(200))
    return payment(201), True


def _nonce_high(pool: Pool) -> Offence:
    pool.settings.takes_future = False
    add(pool, payment(0))
    add(pool, payment(1))
    return payment(3), True


def _replace(pool: Pool) -> Offence:
    add(pool, payment(0))
    return payment(0, fee_cap_wei=FEE_CAP_WEI - 1), True


def _replace_blob(pool: Pool) -> Offence:
    add(pool, blobs(0))
    return blobs(0, fee_cap_wei=FEE_CAP_WEI + 1), True


def _blob_by_normal(pool: Pool) -> Offence:
    add(pool, blobs(0))
    return payment(0, fee_cap_wei=3 * FEE_CAP_WEI, tip_cap_wei=3 * TIP_CAP_WEI), True


def _type_conflict(pool: Pool) -> Offence:
    add(pool, blobs(0))
    return payment(1), True


def _underpriced(pool: Pool) -> Offence:
    if pool.dialect.client == "reth":
        return payment(0, fee_cap_wei=6, tip_cap_wei=1), True
    return _full(pool, is_local=False)


def _full(pool: Pool, *, is_local: bool = True) -> Offence:
    pool.settings.slots_max = 1
    add(pool, payment(0, sender=1))
    return payment(0), is_local


def _floor(pool: Pool) -> Offence:
    pool.settings.no_locals = True
    pool.settings.floor_wei = TIP_CAP_WEI
    add(pool, payment(0))
    pool.settings.floor_wei = FEE_CAP_WEI + 1
    return payment(1), True


def _below_base_fee(pool: Pool) -> Offence:
    pool.settings.takes_below_base_fee = False
    add(pool, payment(0, fee_cap_wei=10 * GWEI))
    return payment(1, fee_cap_wei=10 * GWEI - 1), True


def _blob_fee(pool: Pool) -> Offence:
    pool.settings.blob_base_fee_wei = 2 * GWEI
    add(pool, blobs(0, blob_fee_cap_wei=2 * GWEI))
    return blobs(1), True


def _pool_full(pool: Pool) -> Offence:
    if pool.dialect.client == "reth":
        return _full(pool)
    pool.settings.slots_max = 1
    pool.settings.has_throttle = True
    add(pool, payment(0, sender=1))
    return payment(0, tip_cap_wei=3 * GWEI), True


def _base_fee_full(pool: Pool) -> Offence:
    pool.settings.slots_max = 1
    add(pool, payment(0, sender=1, fee_cap_wei=9 * GWEI))
    return payment(0, fee_cap_wei=9 * GWEI), True


def _queued_full(pool: Pool) -> Offence:
    pool.settings.slots_max = 1
    add(pool, payment(1, sender=1))
    return payment(1), True


def _future_for_pending(pool: Pool) -> Offence:
    pool.settings.slots_max = 1
    add(pool, payment(0, sender=1))
    return payment(1, tip_cap_wei=3 * GWEI), True


def _account_limit(pool: Pool) -> Offence:
    pool.settings.account_max = 1
    if pool.dialect.client == "geth":
        add(pool, blobs(0))
        return blobs(1), True
    pool.settings.no_locals = True
    add(pool, payment(0))
    return payment(1), True


def _funds(pool: Pool) -> Offence:
    pool.accounts[address(0)] = Account(nonce=0, balance_wei=5)
    return payment(0), True


def _funds_queued(pool: Pool) -> Offence:
    cost = decode(payment(0)).cost_wei
    pool.accounts[address(0)] = Account(nonce=0, balance_wei=2 * cost - 1)
    add(pool, payment(0))
    return payment(1), True


def _cost_cap(pool: Pool) -> Offence:
    pool.settings.cost_cap_wei = ETHER
    add(pool, payment(0))
    return payment(1, fee_cap_wei=2 * ETHER), True


def _unprotected(pool: Pool) -> Offence:
    return legacy(0, chainId=None), True


def _in_flight(pool: Pool) -> Offence:
    delegated = Account(nonce=0, balance_wei=ETHER, is_delegated=True)
    pool.accounts[address(0)] = delegated
    add(pool, payment(0))
    return payment(1), True


def _out_of_order(pool: Pool) -> Offence:
    delegated = Account(nonce=0, balance_wei=ETHER, is_delegated=True)
    pool.accounts[address(0)] = delegated
    return payment(1), True


def _authority(pool: Pool) -> Offence:
    if pool.dialect.client == "erigon":
        add(pool, delegation(0, sender=2, authority=1, authority_nonce=0))
    add(pool, payment(0, sender=1))
    add(pool, payment(1, sender=1))
    return delegation(0, authority=1, authority_nonce=0), True


def _sender_code(pool: Pool) -> Offence:
    pool.accounts[address(0)] = Account(nonce=0, balance_wei=ETHER, is_contract=True)
    return payment(0), True


def _gas_cap(pool: Pool) -> Offence:
    pool.settings.gas_cap = 2**24
    add(pool, payment(0, gas=2**24))
    return payment(1, gas=2**24 + 1), True


def _one(make: Callable[[], str]) -> Callable[[Pool], Offence]:
    """A single transaction, which no pool of this client would take."""
    return lambda pool: (make(), True)


IN_POOL: Mapping[Refusal, Callable[[Pool], Offence]] = {
    Refusal.KNOWN: _known,
    Refusal.NONCE_LOW: _nonce_low,
    Refusal.NONCE_GAP: _nonce_gap,
    Refusal.NONCE_DISTANT: _nonce_distant,
    Refusal.NONCE_HIGH: _nonce_high,
    Refusal.REPLACE: _replace,
    Refusal.REPLACE_BLOB: _replace_blob,
    Refusal.BLOB_BY_NORMAL: _blob_by_normal,
    Refusal.TYPE_CONFLICT: _type_conflict,
    Refusal.UNDERPRICED: _underpriced,
    Refusal.FLOOR: _floor,
    Refusal.BELOW_BASE_FEE: _below_base_fee,
    Refusal.BLOB_FEE: _blob_fee,
    Refusal.POOL_FULL: _pool_full,
    Refusal.PENDING_FULL: _full,
    Refusal.BASE_FEE_FULL: _base_fee_full,
    Refusal.QUEUED_FULL: _queued_full,
    Refusal.FUTURE_FOR_PENDING: _future_for_pending,
    Refusal.ACCOUNT_LIMIT: _account_limit,
    Refusal.FUNDS: _funds,
    Refusal.FUNDS_QUEUED: _funds_queued,
    Refusal.COST_CAP: _cost_cap,
    Refusal.UNPROTECTED: _unprotected,
    Refusal.IN_FLIGHT: _in_flight,
    Refusal.OUT_OF_ORDER: _out_of_order,
    Refusal.AUTHORITY: _authority,
    Refusal.SENDER_CODE: _sender_code,
    Refusal.GAS_CAP: _gas_cap,
    Refusal.INTRINSIC_GAS: _one(lambda: payment(0, gas=20_999)),
    Refusal.FLOOR_GAS: _one(lambda: payment(0, gas=61_000, data="0x" + "11" * 1024)),
    Refusal.BLOCK_GAS: _one(lambda: payment(0, gas=30_000_001)),
    Refusal.TIP_ABOVE_CAP: _one(lambda: payment(0, tip_cap_wei=FEE_CAP_WEI + 1)),
    Refusal.OVERSIZED: _one(lambda: payment(0, gas=9_000_000, data="0x" + "00" * 131_072)),
    Refusal.CHAIN_ID: _one(lambda: payment(0, chainId=1)),
    Refusal.SIDECAR: _one(lambda: blobs(0, has_sidecar=False)),
}
"""What happens inside a pool, or to the bytes before they get there."""

AT_NODE = frozenset(
    {
        Refusal.NOT_SYNCED,
        Refusal.INITIAL_SYNC,
        Refusal.INVALID_SENDER,
        Refusal.UNDECODABLE,
        Refusal.INDEXING,
    }
)
"""What happens to a node, whatever its pool."""

ON_ORDER = frozenset({Refusal.DUPLICATE, Refusal.SIDECAR_FORMAT})
"""What needs a race or a proof, and comes only by `refuse_next`."""
