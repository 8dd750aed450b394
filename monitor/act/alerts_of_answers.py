"""The alerts of the checks of its answers: state, logs, how far back, the next upgrade. Pure."""

from __future__ import annotations

from monitor.act.rules import NODE, Alert, finding
from monitor.model import Level

ANSWERS_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeStateDiffers",
        check="state",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} says wrong balances or nonces",
        description="At a block that everybody has, it says something of an account that is "
        "neither proven nor what the references say. What is paid by its word may be paid twice.",
    ),
    finding(
        "HeadwatchNodeStateDoubtful",
        check="state",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} and its one reference know different states",
        description="At a block that both have they say different things of an account. With one "
        "reference it cannot be said for certain which is wrong.",
    ),
    finding(
        "HeadwatchNodeLogsDiffer",
        check="logs",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} tells wrong logs or receipts",
        description="Of a block that everybody has it tells other logs or receipts than the "
        "references. Whoever counts by them counts wrong.",
    ),
    finding(
        "HeadwatchNodeLogsDoubtful",
        check="logs",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} tells logs that do not fit the block",
        description="Its logs or receipts are not those of the block's header, and no majority of "
        "references says what they should be; or there is only one reference.",
    ),
    finding(
        "HeadwatchNodeRetentionShrunk",
        check="retention",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"Node {NODE} answers for few blocks",
        description="It serves states, blocks, receipts or logs of less than half the blocks that "
        "it did, or of fewer than the chain may still take back.",
    ),
    finding(
        "HeadwatchNodeUpgradeMissing",
        check="upgrade",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} will leave the chain at the next upgrade, or has",
        description="It follows other rules than the references, or it will within a week: it does "
        "not know of the upgrade, or knows of another.",
    ),
    finding(
        "HeadwatchNodeUpgradeDoubtful",
        check="upgrade",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"Node {NODE} tells of upgrades otherwise than the references",
        description="An upgrade is more than a week ahead and it does not know of it, or one was "
        "due and it has not changed, or it tells other contracts of the same rules.",
    ),
)
