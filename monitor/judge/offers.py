"""Every number that the checks beside the required ones offer, by check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.judge import (
    bad_blocks,
    beacon,
    clock,
    finality,
    logs,
    peers,
    profile,
    reorg,
    retention,
    rpc,
    state,
    subscription,
    sync,
    txpool,
    upgrade,
    version,
)
from monitor.judge.offer import Offer

OFFERS: tuple[Offer[Any], ...] = (
    *reorg.OFFERS,
    *finality.OFFERS,
    *profile.OFFERS,
    *sync.OFFERS,
    *peers.OFFERS,
    *txpool.OFFERS,
    *bad_blocks.OFFERS,
    *state.OFFERS,
    *logs.OFFERS,
    *retention.OFFERS,
    *upgrade.OFFERS,
    *rpc.OFFERS,
    *subscription.OFFERS,
    *clock.OFFERS,
    *beacon.OFFERS,
    *version.OFFERS,
)

OPTIONAL_CHECKS: tuple[str, ...] = tuple(dict.fromkeys(offer.check for offer in OFFERS))
"""The names of the checks that a verdict can do without, in the order of the table."""


def _by_check() -> Mapping[str, tuple[Offer[Any], ...]]:
    return {
        check: tuple(offer for offer in OFFERS if offer.check == check) for check in OPTIONAL_CHECKS
    }


BY_CHECK = _by_check()
