"""What may be done for an account: a policy of the configuration, in base units. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may be done for an account, and when: a policy of the configuration, in base units."""

    rebroadcast: bool = True
    resend: bool = True
    replace: bool = False
    cancel: bool = False
    fill: bool = False
    propose: bool = True
    propagate_blocks: int = 2
    """A pending transaction must be known to a reference after so many blocks."""
    dropped_rounds: int = 3
    taken_rounds: int = 3
    bump_after_seconds: float = 300.0
    cancel_after_seconds: float | None = None
    """From which age it is cancelled instead of replaced; None: never by itself."""
    stuck_after_seconds: float = 1800.0
    rebroadcast_seconds: float = 60.0
    """Between the first two rebroadcasts; doubled with each, up to `rebroadcast_seconds_max`."""
    rebroadcast_seconds_max: float = 600.0
    actions_an_hour_max: int = 20
    """Sends for one slot within an hour, all endpoints together counted once."""
    bumps_max: int = 6
    bump_blocks_min: int = 3
    """Blocks between two bumps."""
    bump_percent: int = 10
    """At least; blobs take 100."""
    fee_cap_max_wei: int | None = None
    """Never more for a unit of gas; without it nothing is signed."""
    market_multiple_max: int = 5
    """Never more than so many times 2 × base fee + tip of the market, above `fee_floor_wei`."""
    fee_floor_wei: int = 10**9
    cost_max_wei: int | None = None
    """Never more for the gas of one transaction, at its cap."""
    budget_a_day_wei: int | None = None
    """Never more a day (UTC) for the gas of all that is signed for this account, at their caps."""
    revert_alert_blocks: int = 3
    """From which depth a revert is told."""
