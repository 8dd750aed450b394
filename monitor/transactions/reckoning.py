"""What the journal says to somebody who was not there: a gate's findings, and measured values.

Read-only, and only as good as it is fresh: a journal whose writer has not written down a round for
`max_age_seconds` says nothing of now, and the answer is UNKNOWN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.config.transactions import Account
from monitor.model import Evidence, Finding, Level, account_subject
from monitor.transactions.inclusion import quantile
from monitor.transactions.journal import Beat, Inclusion, JournalError, Listed, Reader
from monitor.transactions.telling import CHECK
from monitor.transactions.words import State

MAX_AGE_SECONDS = 60.0
WINDOW_SECONDS = 86_400.0
"""Over which inclusion is measured."""
LISTED_MAX = 10_000
IN_BLOCK = (State.MINED, State.REVERTED, State.LOCAL_LAG)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured value, under the path by which rules name it."""

    name: str
    value: float | None
    """None where there is nothing to measure."""
    unit: str
    is_lower_bound: bool = False
    """Whether a transaction that is still waiting counts in it: it is at least this much."""


def measures(
    live: Sequence[Listed], closed: Iterable[Listed], inclusions: Sequence[Inclusion], now: float
) -> dict[str, Measure]:
    """`transactions.…`: what rules may be written about. `closed` are those of the window."""
    waiting = [one for one in live if one.slot.state not in IN_BLOCK]
    states = Counter(one.slot.state for one in live)
    ended = Counter(one.slot.state for one in closed)
    ages = [now - one.slot.first_seen_at for one in waiting]
    local = states[State.LOCAL_ONLY] + states[State.LOCAL_DESYNC] + states[State.LOCAL_FORK]
    counts = {
        "live": len(live),
        "waiting": len(waiting),
        "lost": states[State.LOST],
        "dropped": states[State.DROPPED],
        "local_only": local,
        "reverted": states[State.REVERTED] + ended[State.FINAL_REVERTED],
        "replaced_by_others": ended[State.REPLACED_OTHER],
        "failed": sum(one.level is Level.FAILED for one in live),
        "degraded": sum(one.level is Level.DEGRADED for one in live),
    }
    found = [
        Measure(f"transactions.{name}.count", float(count), "transactions")
        for name, count in counts.items()
    ]
    oldest = max(ages, default=None)
    found.append(Measure("transactions.oldest_waiting_seconds.max", oldest, "seconds"))
    found += inclusion_measures(inclusions, now)
    return {measure.name: measure for measure in found}


def inclusion_measures(inclusions: Sequence[Inclusion], now: float) -> Iterable[Measure]:
    """Quantiles of the time into a block; who still waits counts as so far."""
    mined = [
        max(0.0, one.mined_at - one.first_seen_at) for one in inclusions if one.mined_at is not None
    ]
    waiting = [max(0.0, now - one.first_seen_at) for one in inclusions if one.mined_at is None]
    for percent in (50, 95, 99):
        found = quantile(mined, waiting, percent=percent)
        yield Measure(
            f"transactions.inclusion_seconds.p{percent}",
            None if found is None else found.seconds,
            "seconds",
            is_lower_bound=found is not None and found.is_at_least,
        )


def of_network(reader: Reader, network: str, now: float) -> dict[str, Measure]:
    """All measures of a network's accounts together. Raises JournalError."""
    live = reader.slots(network=network, is_closed=False, limit=LISTED_MAX)
    since = now - WINDOW_SECONDS
    closed = [
        one
        for one in reader.slots(network=network, is_closed=True, limit=LISTED_MAX)
        if (one.slot.closed_at or 0.0) >= since
    ]
    return measures(live, closed, reader.inclusions(network, since), now)


def findings(
    reader: Reader,
    accounts: Iterable[Account],
    now: float,
    max_age_seconds: float = MAX_AGE_SECONDS,
) -> tuple[Finding, ...]:
    """One finding an account, from the journal alone: for a gate, which is not there all day."""
    accounts = tuple(accounts)
    try:
        beats = {beat.network: beat for beat in reader.beats()}
        live = {
            account.alias: reader.slots(
                network=account.network, alias=account.alias, is_closed=False, limit=LISTED_MAX
            )
            for account in accounts
        }
    except JournalError as error:
        return tuple(
            _unknown(account, "no_journal", f"the journal could not be read: {error}", now)
            for account in accounts
        )
    return tuple(
        _finding(account, live[account.alias], beats, now, max_age_seconds) for account in accounts
    )


def _finding(
    account: Account,
    live: Sequence[Listed],
    beats: Mapping[str, Beat],
    now: float,
    max_age_seconds: float,
) -> Finding:
    beat = beats.get(account.network or "")
    if beat is None or now - beat.at > max_age_seconds:
        age = "never" if beat is None else f"{now - beat.at:.0f} s ago"
        text = f"the journal was last written {age}: is the sidecar running?"
        return _unknown(account, "stale_journal", text, now)
    worst = max(live, key=lambda one: (one.level or Level.OK, -one.slot.nonce), default=None)
    level = Level.OK if worst is None or worst.level is None else worst.level
    summary = f"{len(live)} transactions on their way"
    if worst is not None and level > Level.OK:
        summary = f"nonce {worst.slot.nonce}: {worst.summary}"
    said = ", ".join(
        f"{count} {state.value}"
        for state, count in sorted(Counter(one.slot.state for one in live).items())
    )
    return Finding(
        check=CHECK,
        subject=account_subject(account.alias),
        network=account.network or "",
        level=level,
        reason="on_their_way" if worst is None or not level else worst.slot.state.value,
        summary=summary,
        measured=float(len(live)),
        unit="transactions",
        evidence=(Evidence("journal", "slots", said or "none is live", beat.at),),
    )


def _unknown(account: Account, reason: str, summary: str, now: float) -> Finding:
    return Finding(
        check=CHECK,
        subject=account_subject(account.alias),
        network=account.network or "",
        level=Level.UNKNOWN,
        reason=reason,
        summary=summary,
        evidence=(Evidence("journal", "beats", summary, now),),
    )
