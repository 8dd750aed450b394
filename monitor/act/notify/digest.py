"""What one channel is told, and when: the difference between what is and what it was told. Pure.

Nothing is queued but that difference. What opened and closed again before it could be told is no
difference any more, a channel that was out of reach gets one message of how things stand, and
nothing is told twice. A key is frozen, and nothing is told of it, while a maintenance window
silences it and while another finding that the channel sees explains it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.act.notify.standing import Bad, Standing, cause_of
from monitor.model import Action, Finding, Key, Level
from monitor.notices import Kind

Silenced = Callable[[Finding], bool]
"""Whether a maintenance window keeps people from being told of a finding now."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel is told of, and how often."""

    level: Level = Level.UNKNOWN
    """The least bad level."""
    networks: frozenset[str] = frozenset()
    """Only these; empty for all."""
    is_closing_told: bool = True
    reminder_seconds: float = 14_400.0
    """0 for never."""
    group_seconds: float = 10.0
    flap_edges_max: int = 6
    flap_seconds: float = 900.0
    waiting_max: int = 100
    """How many notices wait for a channel that cannot be reached; the oldest are dropped."""

    def shown(self, finding: Finding) -> Level:
        """The level that the channel sees: OK for what it is not told of."""
        if self.networks and finding.network not in self.networks:
            return Level.OK
        return finding.level if finding.level >= self.level else Level.OK

    def shown_before(self, action: Action) -> Level:
        """The level that the channel saw before this edge."""
        if self.networks and action.finding.network not in self.networks:
            return Level.OK
        return action.before if action.before >= self.level else Level.OK


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told of a key last."""

    bad: Bad
    at: float
    is_flapping: bool = False
    is_heard: bool = True
    """False: it was dropped, so that its end must not be told either."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told of one key."""

    kind: Kind
    key: Key
    bad: Bad
    """What stands, or stood last."""
    before: Level
    """As told last; OK where nothing was."""
    over: Action | None
    """The edge that ended it, where it is over."""
    after: Told | None
    """What will have been told once it is delivered."""
    also: tuple[tuple[Finding, Level], ...] = ()
    """What this explains, with its level now."""

    @property
    def level(self) -> Level:
        return Level.OK if self.kind == "closed" else self.bad.level


@dataclass(frozen=True, slots=True)
class Draft:
    """One message: the news of those that nothing else in it explains, worst first."""

    news: tuple[News, ...]
    after: Mapping[Key, Told | None]
    dropped: int
    """How many notices were lost before it."""


@dataclass(slots=True)
class _Entry:
    """What is remembered of one key."""

    bad: Bad
    """What stands, or stood last."""
    told: Told | None = None
    edges: deque[float] = field(default_factory=deque)
    """When the level that the channel sees changed, as far as flapping counts it."""
    over: Action | None = None
    is_flapping: bool = False
    is_frozen: bool = False
    wanted: Level | None = None
    """The level that should be told; None while it is flapping."""
    pending_since: float | None = None

    @property
    def is_open(self) -> bool:
        return self.told is not None and self.pending_since is None and not self.is_frozen

    def agrees(self) -> bool:
        """Whether the channel knows what it should."""
        if self.told is None:
            return self.wanted == Level.OK
        if self.told.is_flapping or self.is_flapping:
            return self.told.is_flapping and self.is_flapping
        return self.wanted == self.told.bad.level

    def heed(self, now: float) -> None:
        """Nothing was later than now: what seems so was before the clock was set back."""
        if self.edges and max(self.edges) > now:
            self.edges = deque(min(each, now) for each in self.edges)
        if self.told is not None and self.told.at > now:
            self.told = replace(self.told, at=now)


@dataclass(slots=True)
class Digest:
    """One channel's memory. Times are those of the caller's clock."""

    rules: Rules
    dropped: int = 0
    """Notices lost since the last message that was delivered."""
    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _visible: dict[Key, Bad] = field(default_factory=dict)

    # -- what happens ----------------------------------------------------------------------------

    def note(self, actions: Iterable[Action], silenced: Silenced, now: float) -> Counter[str]:
        """Count edges against flapping; how many nobody is told of, by reason."""
        held: Counter[str] = Counter()
        for action in actions:
            level = self.rules.shown(action.finding)
            if level == self.rules.shown_before(action):
                continue
            entry = self._entries.get(action.key)
            if entry is None:
                was = action.finding
                if level == Level.OK:
                    was = replace(was, level=action.before)
                entry = self._entry(action.key, Bad(was, action.at, was))
            if level == Level.OK:
                entry.over = action
            if silenced(action.finding):
                held["maintenance"] += 1
                continue
            if entry.is_flapping:
                held["flapping"] += 1
            self._count(entry, now)
        return held

    def refresh(self, standing: Standing, silenced: Silenced, now: float) -> None:
        """Compare what stands with what was told."""
        rules = self.rules
        self._visible = {
            key: bad
            for key, bad in standing.items()
            if rules.shown(bad.finding) != Level.OK and not silenced(bad.finding)
        }
        for key, bad in self._visible.items():
            self._entry(key, bad).bad = bad
        for key, entry in list(self._entries.items()):
            entry.heed(now)
            self._settle(entry, now)
            entry.is_frozen = self._is_frozen(key, entry, standing, silenced)
            self._compare(key, entry, now)
            is_idle = entry.told is None and entry.pending_since is None and not entry.edges
            if is_idle and key not in self._visible and not entry.is_frozen:
                del self._entries[key]

    def _entry(self, key: Key, bad: Bad) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(bad)
        return entry

    def _count(self, entry: _Entry, now: float) -> None:
        entry.heed(now)
        entry.edges.append(now)
        while len(entry.edges) > self.rules.flap_edges_max + 1:
            entry.edges.popleft()
        is_full = len(entry.edges) > self.rules.flap_edges_max
        if is_full and now - entry.edges[0] <= self.rules.flap_seconds:
            entry.is_flapping = True

    def _settle(self, entry: _Entry, now: float) -> None:
        """Flapping ends when it was quiet for long enough; older edges count no more."""
        if not entry.edges or now - entry.edges[-1] < self.rules.flap_seconds:
            return
        entry.edges.clear()
        entry.is_flapping = False

    def _is_frozen(self, key: Key, entry: _Entry, standing: Standing, silenced: Silenced) -> bool:
        if key in self._visible:
            return cause_of(self._visible[key].finding, self._visible) is not None
        return silenced((standing.get(key) or entry.bad).finding)

    def _compare(self, key: Key, entry: _Entry, now: float) -> None:
        """Whether something is to be told of this key, and since when."""
        bad = self._visible.get(key)
        if entry.is_frozen:
            entry.pending_since = None
            return
        entry.wanted = Level.OK if bad is None else bad.level
        if entry.is_flapping:
            entry.wanted = None
        told = entry.told
        if told is not None and not entry.agrees():
            # Its opening was never heard, or its closing is not to be: there is nothing to take
            # back.
            is_over = entry.wanted == Level.OK and not self.rules.is_closing_told
            if is_over or not told.is_heard:
                entry.told = None
        if entry.agrees():
            entry.pending_since = None
        else:
            entry.pending_since = min(now, entry.pending_since or now)

    # -- what is told ----------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many notices are still to be told."""
        return sum(entry.pending_since is not None for entry in self._entries.values())

    def is_due(self, now: float) -> bool:
        """Whether a message should go out now."""
        pending = [e.pending_since for e in self._entries.values() if e.pending_since is not None]
        if pending and now - min(pending) >= self.rules.group_seconds:
            return True
        return self._is_reminder_due(now)

    def _is_reminder_due(self, now: float) -> bool:
        every = self.rules.reminder_seconds
        return every > 0 and any(
            entry.is_open and entry.told is not None and now - entry.told.at >= every
            for entry in self._entries.values()
        )

    def draft(self, now: float) -> Draft | None:
        """Everything that is to be told, whether it is due or not; None for nothing.

        A reminder names all that is still open, so that they come together.
        """
        is_reminder = self._is_reminder_due(now)
        items: dict[Key, tuple[float, News]] = {}
        for key, entry in self._entries.items():
            if entry.pending_since is not None:
                items[key] = (entry.pending_since, self._news(key, entry, now))
            elif is_reminder and entry.is_open and entry.told is not None:
                items[key] = (now, self._reminder(key, entry.told, now))
        if not items:
            return None
        ordered = [news for _, news in sorted(items.values(), key=lambda item: item[0])]
        after = {news.key: news.after for news in ordered}
        roots = sorted(self._folded(ordered), key=lambda news: -news.level)
        return Draft(tuple(roots), after, self.dropped)

    def _news(self, key: Key, entry: _Entry, now: float) -> News:
        told, bad = entry.told, entry.bad
        before = Level.OK if told is None else told.bad.level
        if entry.is_flapping:
            return News("flapping", key, bad, before, None, Told(bad, now, is_flapping=True))
        if entry.wanted == Level.OK:
            return News("closed", key, bad, before, entry.over, None)
        kind: Kind = "opened"
        if told is not None:
            kind = "settled" if told.is_flapping else "changed"
        return News(kind, key, bad, before, None, Told(bad, now))

    def _reminder(self, key: Key, told: Told, now: float) -> News:
        bad = self._visible.get(key, told.bad)
        after = Told(bad, now, is_flapping=told.is_flapping)
        kind: Kind = "flapping" if told.is_flapping else "reminder"
        return News(kind, key, bad, told.bad.level, None, after)

    def _folded(self, ordered: Sequence[News]) -> list[News]:
        """The news that nothing else in the message explains, each with what it explains."""
        news = {each.key: each for each in ordered}
        over = {key: each.bad for key, each in news.items() if each.kind == "closed"}
        also: dict[Key, list[tuple[Finding, Level]]] = {}
        folded: set[Key] = set()
        for key, bad in over.items():
            cause = cause_of(bad.finding, over)
            if cause is not None:
                also.setdefault(cause, []).append((bad.finding, Level.OK))
                folded.add(key)
        for key, bad in self._visible.items():
            cause = cause_of(bad.finding, self._visible)
            if cause is not None and cause in news and cause not in over and key not in news:
                also.setdefault(cause, []).append((bad.finding, bad.level))
        return [
            News(n.kind, n.key, n.bad, n.before, n.over, n.after, tuple(also.get(n.key, ())))
            for n in ordered
            if n.key not in folded
        ]

    # -- what became of it -----------------------------------------------------------------------

    def commit(self, draft: Draft) -> None:
        """The message was delivered."""
        for key, told in draft.after.items():
            if told is not None:
                self._entry(key, told.bad)
            entry = self._entries.get(key)
            if entry is not None:
                entry.told, entry.pending_since = told, None
        self.dropped -= draft.dropped

    def drop(self, now: float) -> int:
        """Of what waits for a channel out of reach, lose the oldest beyond the limit; how many.

        Only openings are lost: what people were told of stays theirs to be told the end of.
        """
        waiting = [e for e in self._entries.values() if e.pending_since is not None]
        waiting.sort(key=lambda entry: entry.pending_since or 0.0)
        openings = [entry for entry in waiting if entry.told is None]
        lost = openings[: max(0, len(waiting) - self.rules.waiting_max)]
        for entry in lost:
            entry.pending_since = None
            entry.told = Told(entry.bad, now, is_flapping=entry.is_flapping, is_heard=False)
        self.dropped += len(lost)
        return len(lost)
