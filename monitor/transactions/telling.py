"""What is decided of an account, as findings: the one language of metrics, alerts, page and gate.

One finding an account, which people are told of, and one for each of its transactions that is bad,
which names the account's in `because` and is shown under it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from monitor.model import (
    Evidence,
    Finding,
    Key,
    Level,
    account_subject,
    transaction_subject,
)
from monitor.transactions.words import AccountDecision, AccountRound, Decision, Slot

CHECK = "transactions"
TOLD_MAX = 20
"""The most bad transactions of one account that are findings of their own: the worst of them."""
EVIDENCE_MAX = 12


def findings_of(
    alias: str,
    network: str,
    slots: Mapping[int, Slot],
    decision: AccountDecision,
    round_: AccountRound,
) -> tuple[Finding, ...]:
    """The account's finding, then those of its bad transactions. `slots` are by nonce."""
    key: Key = (CHECK, account_subject(alias))
    as_of = None if round_.head is None else round_.head.stamp
    told = Finding(
        check=CHECK,
        subject=key[1],
        network=network,
        level=decision.level,
        reason=decision.reason,
        summary=decision.summary,
        measured=float(len(slots)),
        unit="transactions",
        as_of=as_of,
        evidence=decision.evidence[:EVIDENCE_MAX],
    )
    bad = sorted(
        (
            (slot, one)
            for slot in slots.values()
            if (one := decision.slots.get(slot.id)) is not None and one.level >= Level.DEGRADED
        ),
        key=lambda pair: (-pair[1].level, pair[0].nonce),
    )
    return (told, *(_of(slot, one, key, round_) for slot, one in bad[:TOLD_MAX] if slot.newest))


def _of(slot: Slot, decision: Decision, because: Key, round_: AccountRound) -> Finding:
    newest = slot.newest
    hash_ = "" if newest is None else newest.hash
    return Finding(
        check=CHECK,
        subject=transaction_subject(hash_),
        network=round_.network,
        level=decision.level,
        reason=decision.state.value,
        summary=f"nonce {slot.nonce}: {decision.summary}",
        measured=max(0.0, round_.at - slot.first_seen_at),
        unit="seconds",
        as_of=None if round_.head is None else round_.head.stamp,
        because=because,
        evidence=decision.evidence[:EVIDENCE_MAX],
    )


def trouble(alias: str, network: str, reason: str, summary: str, level: Level) -> Finding:
    """An account's finding when it could not be judged: the journal failed, or we did."""
    return Finding(
        check=CHECK,
        subject=account_subject(alias),
        network=network,
        level=level,
        reason=reason,
        summary=summary,
    )


def over(known: Iterable[Finding], told: Collection[str], at: float) -> tuple[Finding, ...]:
    """For transactions that were bad and are not any more: that they are well."""
    return tuple(
        Finding(
            check=CHECK,
            subject=finding.subject,
            network=finding.network,
            level=Level.OK,
            reason="over",
            summary="on its way, or done",
            because=finding.because,
            evidence=(Evidence("headwatch", "decide", "no longer among the bad ones", at),),
        )
        for finding in known
        if finding.subject.startswith("tx:") and finding.subject not in told
    )
