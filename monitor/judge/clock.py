"""clock: do the host's clock and ours run with the references', and is no block of the future?

By our own clock heads are aged and lags told in seconds; by the host's a client discards discovery
packets (devp2p, discovery v4: go-ethereum lets them expire after 20 s and warns from a drift of
10 s on) and a consensus client drops gossip (consensus-specs, p2p interface:
MAXIMUM_GOSSIP_CLOCK_DISPARITY, half a second). HTTP tells whole seconds, of whoever answers: a
gateway in front of a node has a clock of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from monitor.judge.answer import Word, spoken, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Finding, Level, Observation, Unseen

CHECK = "clock"
METHOD = "HTTP Date"
RESOLUTION_SECONDS = 1.0
"""Of a `Date` (RFC 9110, section 6.6.1)."""
OWN_SECONDS_MAX = 2.0
AGREEING_SECONDS = 2.0
"""References whose clocks lie this close to their median say the same."""
SKEW_SECONDS_MAX = 5.0
"""A fourth of the time in which discovery packets expire; tenfold what gossip allows."""
FUTURE_SECONDS_MAX = 15.0
"""go-ethereum refused blocks further ahead (`allowedFutureBlockTimeSeconds`)."""


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """What is known of clocks, in seconds that they are ahead; each None where it is not known."""

    skew_seconds: float | None
    """The host's that answers for the node, of ours. Of the references together: None."""
    own_skew_seconds: float | None
    """The references', by their median, of ours: where it is above zero ours is slow."""
    head_ahead_seconds: float | None
    """The timestamp of the head, of ours."""

    @property
    def corrected_skew_seconds(self) -> float | None:
        """The host's clock, of the references'."""
        if self.skew_seconds is None or self.own_skew_seconds is None:
            return None
        return self.skew_seconds - self.own_skew_seconds

    @property
    def future_seconds(self) -> float | None:
        """How far the head's timestamp lies in the future, by the references' clocks if known."""
        if self.head_ahead_seconds is None:
            return None
        return self.head_ahead_seconds - (self.own_skew_seconds or 0.0)


OFFERS: tuple[Offer[ClockSeen], ...] = (
    Offer(
        "clock.skew_seconds",
        "seconds",
        "How far the clock of the node's host is ahead of the references', by HTTP dates",
        lambda seen: seen.corrected_skew_seconds,
    ),
    Offer(
        "clock.own_skew_seconds",
        "seconds",
        "How far the references' clocks are ahead of headwatch's own, by HTTP dates",
        lambda seen: seen.own_skew_seconds,
        subjects="quorum",
    ),
)


def own_skew(skews: Sequence[tuple[str, float]], need: int) -> float | None:
    """By how much the references' clocks are ahead of ours; (operator, seconds) of each.

    An operator is one voice, the median of its references. None where not at least `need` of them
    lie close to the median of all.
    """
    by_operator: dict[str, list[float]] = {}
    for operator, seconds in skews:
        by_operator.setdefault(operator, []).append(seconds)
    voices = [median(each) for each in by_operator.values()]
    if not voices:
        return None
    middle = median(voices)
    close = sum(abs(voice - middle) <= AGREEING_SECONDS for voice in voices)
    return middle if close >= need else None


def judge(
    history: Sequence[Observation[ClockSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: of a node its host's clock and its head, of the references ours and theirs."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    seen = newest.seen
    word = _of_references(seen) if "/" in newest.node else _of_node(seen)
    return (spoken(CHECK, newest, context, METHOD, word, _said(seen)),)


def _of_node(seen: ClockSeen) -> Word:
    skew = seen.corrected_skew_seconds
    if skew is not None and abs(skew) >= SKEW_SECONDS_MAX:
        summary = f"the clock of its host is {_words(skew)} the references'"
        return Word(Level.DEGRADED, "skewed", summary, skew, SKEW_SECONDS_MAX, "seconds")
    return _future(seen) or Word(
        Level.OK, "in_step", _in_step(skew, "host"), skew, SKEW_SECONDS_MAX, "seconds"
    )


def _of_references(seen: ClockSeen) -> Word:
    own = seen.own_skew_seconds
    limit = OWN_SECONDS_MAX + RESOLUTION_SECONDS
    if own is not None and abs(own) > limit:
        summary = (
            f"headwatch's own clock is {_words(-own)} the references': every age and every lag in "
            "seconds is wrong by that"
        )
        return Word(Level.DEGRADED, "own_clock", summary, own, limit, "seconds")
    return _future(seen) or Word(
        Level.OK, "in_step", _in_step(own, "monitor"), own, limit, "seconds"
    )


def _future(seen: ClockSeen) -> Word | None:
    future = seen.future_seconds
    if future is None or future <= FUTURE_SECONDS_MAX:
        return None
    summary = f"the timestamp of the head lies {future:.3g} s in the future"
    return Word(Level.DEGRADED, "future_head", summary, future, FUTURE_SECONDS_MAX, "seconds")


def _in_step(skew: float | None, whose: str) -> str:
    if skew is None:
        return f"no dates to compare the clock of the {whose} by; the head is not of the future"
    return f"the clock of the {whose} is within {abs(skew):.1f} s of the references'"


def _words(skew: float) -> str:
    return f"{abs(skew):.3g} s {'ahead of' if skew > 0 else 'behind'}"


def _said(seen: ClockSeen) -> str:
    pairs = (
        ("host", seen.skew_seconds),
        ("references", seen.own_skew_seconds),
        ("head", seen.head_ahead_seconds),
    )
    return ", ".join(f"{name} {value:+.1f} s" for name, value in pairs if value is not None)
