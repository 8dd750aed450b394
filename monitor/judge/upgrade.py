"""upgrade: will the node go along with the next upgrade of the chain, and has it with the last?

`eth_config` (EIP-7910) tells which rules a node follows now and which it will follow next. A node
that has not heard of the next upgrade leaves the chain at that second, by itself and without an
error; until then every other answer of it is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.answer import Answer, agreed, parts_of, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "upgrade"
METHOD = "eth_config"
HORIZON_SECONDS = 7 * 86_400
"""Clients are released weeks ahead: who has not upgraded a week before must be told loudly."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The rules from one moment on."""

    activation_time: int
    """Seconds since the Unix epoch; 0 at genesis."""
    fork_id: str
    """EIP-6122, `FORK_HASH`: it sums up every fork until this one."""
    chain_id: int
    blob_schedule: tuple[int, int, int] | None
    """Target, maximum and the update fraction of the fee; None before Cancun."""
    precompiles: frozenset[str]
    """Addresses: names are written in more than one way."""
    system_contracts: frozenset[str]

    @property
    def schedule(self) -> tuple[int, str, tuple[int, int, int] | None]:
        """What parts chains when it differs."""
        return (self.activation_time, self.fork_id, self.blob_schedule)


@dataclass(frozen=True, slots=True)
class Config:
    """What a node says that it follows."""

    current: Fork
    next: Fork | None
    """None: it knows of no later one."""


@dataclass(frozen=True, slots=True)
class UpgradeSeen:
    """A node's configuration, and the references'."""

    config: Config
    head_timestamp: int | None
    """Of the node's head, seen before it was asked; None where it was not."""
    seconds: float | None
    """From the answer to the activation of what it knows as next, below 0 once it has passed."""
    answers: tuple[Answer[Config], ...]


OFFERS: tuple[Offer[UpgradeSeen], ...] = (
    Offer(
        "upgrade.next_seconds",
        "seconds",
        "Until the next upgrade that the node knows of",
        lambda seen: seen.seconds,
    ),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What comes of one comparison."""

    level: Level
    reason: str
    summary: str
    measured: float | None = None


def judge(
    history: Sequence[Observation[UpgradeSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the time until the next upgrade, where there is one.

    FAILED: the node follows other rules than the majority, or is going to within a week. DEGRADED:
    the same later than that, or with only one reference; it tells other precompiles or system
    contracts; or an upgrade that it knows of has passed and it has not changed. OK, `uncompared`:
    so many references do not have the method that no majority can. UNKNOWN: they disagree, or
    could not be seen.
    """
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    said = (
        _current(seen, context)
        or _due(seen, newest.at, policy)
        or _next(seen, context, now)
        or _settings(seen, context)
        or _well(seen, context)
    )
    level = min(said.level, Level.DEGRADED) if context.operators == 1 else said.level
    return (
        Finding(
            check=CHECK,
            subject=subject_of(newest.node),
            network=context.network,
            level=level,
            reason=said.reason,
            summary=said.summary,
            measured=said.measured,
            limit=None if said.measured is None else float(HORIZON_SECONDS),
            unit="seconds",
            evidence=(Evidence(newest.node, METHOD, _words(seen.config), newest.at),),
        ),
    )


def _current(seen: UpgradeSeen, context: Round) -> _Said | None:
    """Whether it follows other rules than the majority, now."""
    mine, theirs = seen.config.current.fork_id, _majority_fork(seen, context)
    if theirs is None or theirs == mine or _is_crossing(seen, context):
        return None
    return _Said(
        Level.FAILED, "other_fork", f"it follows fork {mine}, the references follow {theirs}"
    )


def _majority_fork(seen: UpgradeSeen, context: Round) -> str | None:
    return agreed(parts_of(seen.answers, lambda one: one.current.fork_id), context.need)


def _is_crossing(seen: UpgradeSeen, context: Round) -> bool:
    """Whether one of the two sides has reached the moment of an upgrade that both know of.

    A node whose head has reached it and which follows the old rules is not on its way.
    """
    mine, theirs = seen.config, _majority_fork(seen, context)
    if mine.next is not None and mine.next.fork_id == theirs:
        return not _has_passed(seen, mine.next)
    upcoming = agreed(
        parts_of(seen.answers, lambda one: one.next.fork_id if one.next else ""), context.need
    )
    return upcoming == mine.current.fork_id


def _has_passed(seen: UpgradeSeen, fork: Fork) -> bool:
    return seen.head_timestamp is not None and seen.head_timestamp >= fork.activation_time


def _due(seen: UpgradeSeen, at: float, policy: Policy) -> _Said | None:
    """Whether an upgrade that it knows of has passed, by its own head or by our clock."""
    fork = seen.config.next
    if fork is None or fork.fork_id == seen.config.current.fork_id:
        return None
    late_seconds = at - fork.activation_time
    if not _has_passed(seen, fork) and late_seconds < policy.stall_seconds:
        return None
    words = (
        f"the upgrade to {fork.fork_id} was due {late_seconds:.0f} s ago, and it has not changed"
    )
    return _Said(Level.DEGRADED, "due", words, -late_seconds)


def _next(seen: UpgradeSeen, context: Round, now: float) -> _Said | None:
    """Whether it is going to part from the majority."""
    theirs = agreed(
        parts_of(seen.answers, lambda one: (one.next.schedule if one.next else None,)),
        context.need,
    )
    mine = seen.config.next
    if theirs is None or theirs == (mine.schedule if mine else None,):
        return None
    if _is_crossing(seen, context):
        return _Said(Level.OK, "crossing", "an upgrade is being made")
    (upcoming,) = theirs
    if upcoming is None:
        assert mine is not None, "they differ"
        seconds = mine.activation_time - now
        words = (
            f"it knows of an upgrade to {mine.fork_id} in {_span(seconds)}, the references do not"
        )
        return _Said(Level.DEGRADED, "next_differs", words, seconds)
    activation_time, fork_id, _ = upcoming
    reason = "next_unknown" if mine is None else "next_differs"
    first = activation_time if mine is None else min(activation_time, mine.activation_time)
    seconds = first - now
    level = Level.FAILED if seconds <= HORIZON_SECONDS else Level.DEGRADED
    known = "knows of none" if mine is None else f"knows of {_fork_words(mine)}"
    words = f"the references upgrade to {fork_id} at {activation_time}, and it {known}"
    return _Said(level, reason, f"{words}: {_span(seconds)} are left", seconds)


def _settings(seen: UpgradeSeen, context: Round) -> _Said | None:
    """Whether what it tells of the same forks differs otherwise."""
    mine = seen.config
    currents = parts_of(seen.answers, lambda one: _setting(one.current))
    theirs = agreed(currents, context.need)
    if theirs is not None and theirs != _setting(mine.current):
        words = f"of the current rules it tells other {_differing(_setting(mine.current), theirs)}"
        return _Said(Level.DEGRADED, "current_differs", words)
    if mine.next is None:
        return None
    nexts = parts_of(seen.answers, lambda one: _setting(one.next) if one.next else NO_SETTING)
    upcoming = agreed(nexts, context.need)
    if upcoming is not None and upcoming != _setting(mine.next):
        words = f"of the next rules it tells other {_differing(_setting(mine.next), upcoming)}"
        return _Said(Level.DEGRADED, "next_differs", words)
    return None


Setting = tuple[int, tuple[int, int, int] | None, frozenset[str], frozenset[str]]
SETTING_WORDS = ("chain id", "blob schedule", "precompiles", "system contracts")
NO_SETTING: Setting = (0, None, frozenset(), frozenset())


def _setting(fork: Fork) -> Setting:
    return (fork.chain_id, fork.blob_schedule, fork.precompiles, fork.system_contracts)


def _differing(mine: Setting, theirs: Setting) -> str:
    return ", ".join(
        word for word, own, other in zip(SETTING_WORDS, mine, theirs, strict=True) if own != other
    )


def _well(seen: UpgradeSeen, context: Round) -> _Said:
    """Nothing speaks against it: because they agree, or because nobody is there to."""
    upcoming = agreed(
        parts_of(seen.answers, lambda one: (one.next.schedule if one.next else None,)),
        context.need,
    )
    if _majority_fork(seen, context) is not None and upcoming is not None:
        return _Said(Level.OK, "same_schedule", _words(seen.config), seen.seconds)
    lacking = {one.operator for one in seen.answers if _is_lacking(one)}
    lacking -= {one.operator for one in seen.answers if not _is_lacking(one)}
    if context.operators - len(lacking) < context.need:
        words = f"{_words(seen.config)}; too few references have the method to compare it"
        return _Said(Level.OK, "uncompared", words, seen.seconds)
    return _Said(Level.UNKNOWN, "no_quorum", "no majority of the references tells one schedule")


def _is_lacking(answer: Answer[Config]) -> bool:
    return isinstance(answer.seen, Unseen) and answer.seen.reason == "unsupported"


def _words(config: Config) -> str:
    upcoming = "no next one" if config.next is None else f"next {_fork_words(config.next)}"
    return f"fork {config.current.fork_id}, {upcoming}"


def _fork_words(fork: Fork) -> str:
    return f"{fork.fork_id} at {fork.activation_time}"


def _span(seconds: float) -> str:
    """A time as people say it: days from two on, else hours, else minutes."""
    for unit, size in (("days", 86_400), ("hours", 3600)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds) / 60:.0f} minutes"
