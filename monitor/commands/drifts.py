"""What change of a chain is noticed, after how long, and how often it is said falsely."""

from __future__ import annotations

from monitor.commands.silences import number
from monitor.judge.chain_profile import Profile
from monitor.judge.drift import Drift, drift, why_none

BAR_COLUMNS = 20
ROWS = 3
HALF = 0.5
"""slots: the largest share of them empty that is shown (Holesky, February 2025)."""


def changes(looked_for: Drift) -> tuple[float, ...]:
    """The change that is looked for, and larger ones."""
    shifted, profile = looked_for.shifted, looked_for.profile
    if profile.model == "poisson":
        return (shifted, 2 * looked_for.healthy, 3 * looked_for.healthy)
    if profile.model == "rota":
        authorities = profile.authorities or 1
        down = range(round(shifted * authorities), authorities)
        return tuple(count / authorities for count in down)[:ROWS]
    return (shifted, *(share for share in (2 * shifted, HALF) if shifted < share <= HALF))


def document(profile: Profile) -> dict[str, object]:
    """The running sum, for machines; where there is none, why."""
    looked_for = drift(profile)
    if looked_for is None:
        return {"none": why_none(profile)}
    return {
        "threshold": looked_for.threshold,
        "healthy": looked_for.healthy,
        "shifted": looked_for.shifted,
        "budget_days": looked_for.budget_days,
        "delays": [
            {
                "value": value,
                "blocks": looked_for.delay_blocks(value),
                "seconds": looked_for.delay_seconds(value),
            }
            for value in changes(looked_for)
        ],
    }


def threshold(profile: Profile) -> list[str]:
    """The threshold with its reason, and its false alarms; or why there is none."""
    looked_for = drift(profile)
    if looked_for is None:
        return [f"drifted        by the last headers; no running sum: {why_none(profile)}"]
    return [
        f"drifted        by the last headers, or {looked_for.words}",
        f"               false alarms a month: {number(looked_for.alarms_a_month)}",
    ]


def plot(profile: Profile) -> list[str]:
    """After how long a change is noticed: a line for each size of it, and none without a sum."""
    looked_for = drift(profile)
    if looked_for is None:
        return []
    turns = "turns" if profile.model == "rota" else "blocks"
    drawn = ["", f"from {looked_for.value_words(looked_for.healthy)}, noticed on average after"]
    most = looked_for.delay_blocks(looked_for.shifted)
    for value in changes(looked_for):
        blocks = looked_for.delay_blocks(value)
        minutes = looked_for.delay_seconds(value) / 60
        bar = "#" * max(1, round(BAR_COLUMNS * blocks / most))
        words = looked_for.value_words(value)
        drawn.append(f"  {words:<22} {blocks:>4.0f} {turns:<6} {minutes:>5.1f} min  {bar}")
    return drawn
