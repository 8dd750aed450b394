"""What a channel is told and when: tables, and whatever a fleet may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.act.notify.digest import Digest, Draft, Rules
from monitor.act.notify.standing import Standing, follow
from monitor.model import Action, Finding, Key, Level
from tests.act.notify.stage import NODE, World, finding

OK, UNKNOWN, DEGRADED, FAILED = Level
STALL, HEAD = ("stall", NODE), ("head", NODE)
RULES = Rules(group_seconds=10.0, reminder_seconds=0.0, flap_edges_max=3, flap_seconds=100.0)


@dataclass
class Talk:
    """A channel over time: what happens, and what it is told."""

    rules: Rules = RULES
    world: World = field(default_factory=World)
    now: float = 1000.0
    is_up: bool = True
    told: list[tuple[str, str, Level, Level]] = field(default_factory=list)
    """(kind, check, level before, level)."""
    drafts: list[Draft] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    standing: Standing = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digest = Digest(self.rules)

    def happens(self, *findings: Finding) -> None:
        """These are so from now on."""
        self._tell(self.world.put(*findings, now=self.now))

    def becomes(self, check: str, *levels: Level) -> None:
        for level in levels:
            self.happens(finding(check, level=level))

    def _tell(self, actions: Sequence[Action]) -> None:
        verdict = self.world.verdict(self.now)
        self.standing, edges = follow(self.standing, actions, verdict)
        self.held += self.digest.note(edges, self.world.silenced, self.now)
        self.digest.refresh(self.standing, self.world.silenced, self.now)
        if not self.is_up:
            self.digest.drop(self.now)

    def passes(self, seconds: float, step: float = 1.0) -> None:
        """Time goes by, with a beat each second."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            self._tell(())
            if self.is_up and self.digest.is_due(self.now):
                self._send()

    def _send(self) -> None:
        draft = self.digest.draft(self.now)
        assert draft is not None, "it was due and there was nothing to tell"
        self.digest.commit(draft)
        self.digest.refresh(self.standing, self.world.silenced, self.now)
        self.drafts.append(draft)
        self.told += [(n.kind, n.key[0], n.before, n.level) for n in draft.news]


def test_opening_changing_and_closing_are_told_once_each() -> None:
    """The three edges, in their order, each after the time in which edges are collected."""
    talk = Talk()
    for level in (UNKNOWN, FAILED, OK):
        talk.becomes("stall", level)
        talk.passes(9.5)
        seen = len(talk.told)
        talk.passes(60)
        assert len(talk.told) == seen + 1
    assert talk.told == [
        ("opened", "stall", OK, UNKNOWN),
        ("changed", "stall", UNKNOWN, FAILED),
        ("closed", "stall", FAILED, OK),
    ]


def test_burst_becomes_one_message_with_the_worst_first() -> None:
    """Edges that come together are told together."""
    talk = Talk()
    talk.happens(*(finding("head", f"node:{n}", UNKNOWN) for n in range(5)))
    talk.passes(5)
    talk.happens(finding("stall", "node:9", FAILED))
    talk.passes(60)
    assert len(talk.drafts) == 1
    assert [news.level for news in talk.drafts[0].news] == [FAILED] + [UNKNOWN] * 5


def test_what_is_over_before_it_is_told_is_not_told() -> None:
    """Neither its opening nor its closing."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.passes(9)
    talk.becomes("stall", OK)
    talk.passes(300)
    assert talk.told == []


@pytest.mark.parametrize(
    ("rules", "levels", "told"),
    [
        (Rules(level=FAILED), (DEGRADED, OK), []),
        (Rules(level=FAILED), (UNKNOWN, FAILED), ["opened"]),
        (Rules(level=FAILED), (FAILED, DEGRADED, OK), ["opened", "closed"]),
        (Rules(level=DEGRADED), (UNKNOWN, DEGRADED, FAILED), ["opened", "changed"]),
        (Rules(networks=frozenset({"other"})), (FAILED, OK), []),
        (Rules(networks=frozenset({"ethereum"})), (FAILED, OK), ["opened", "closed"]),
        (Rules(is_closing_told=False), (FAILED, OK, FAILED), ["opened", "opened"]),
    ],
)
def test_filters_tell_only_what_the_channel_sees(
    rules: Rules, levels: Sequence[Level], told: list[str]
) -> None:
    """For a channel, a level below its own is as good as none."""
    talk = Talk(rules)
    for level in levels:
        talk.becomes("stall", level)
        talk.passes(200)
    assert [kind for kind, *_ in talk.told] == told


def test_consequence_is_told_under_its_cause_only() -> None:
    """A cause that is told names what it explains; that is not told by itself, nor its end."""
    talk = Talk()
    talk.happens(finding("stall"), finding("head", because=STALL))
    talk.passes(60)
    assert [(n.key, [f.check for f, _ in n.also]) for n in talk.drafts[0].news] == [
        (STALL, ["head"])
    ]
    talk.happens(finding("stall", level=OK), finding("head", level=OK))
    talk.passes(60)
    assert talk.told == [("opened", "stall", OK, FAILED), ("closed", "stall", FAILED, OK)]


def test_consequence_that_outlives_its_cause_is_told_then() -> None:
    """Nothing explains it any more, so that it is news."""
    talk = Talk()
    talk.happens(finding("stall"), finding("head", because=STALL))
    talk.passes(60)
    talk.happens(finding("stall", level=OK), finding("head"))
    talk.passes(60)
    assert talk.told[1:] == [("opened", "head", OK, FAILED), ("closed", "stall", FAILED, OK)]
    assert len(talk.drafts) == 2


def test_finding_told_before_its_cause_closes_under_it() -> None:
    """It was told of, so its end is told: as a part of the cause's."""
    talk = Talk()
    talk.happens(finding("head"))
    talk.passes(30)
    talk.happens(finding("stall"), finding("head", because=STALL))
    talk.passes(30)
    talk.happens(finding("stall", level=OK), finding("head", level=OK))
    talk.passes(30)
    assert [kind for kind, *_ in talk.told] == ["opened", "opened", "closed"]
    closing = talk.drafts[-1].news[0]
    assert (closing.key, [(f.check, level) for f, level in closing.also]) == (STALL, [("head", OK)])
    assert talk.drafts[-1].after == {STALL: None, HEAD: None}


def test_causes_in_a_circle_are_told_all_the_same() -> None:
    """Two findings that name each other hide nothing."""
    talk = Talk()
    talk.happens(finding("stall", because=HEAD), finding("head", because=STALL))
    talk.passes(30)
    assert sorted(check for _, check, *_ in talk.told) == ["head", "stall"]


def test_flapping_is_told_once_and_then_held_until_it_is_quiet() -> None:
    """Then how it stands is told, once, and every edge in between was counted."""
    talk = Talk()
    for _ in range(10):
        talk.becomes("stall", FAILED)
        talk.passes(12)
        talk.becomes("stall", OK)
        talk.passes(12)
    assert [kind for kind, *_ in talk.told] == ["opened", "closed", "opened", "flapping"]
    assert talk.held == {"flapping": 16}
    talk.becomes("stall", FAILED)
    talk.passes(111)
    assert [kind for kind, *_ in talk.told[4:]] == ["settled"]
    talk.becomes("stall", OK)
    talk.passes(300)
    assert [kind for kind, *_ in talk.told[5:]] == ["closed"]


def test_reminder_of_what_still_flaps_says_so() -> None:
    """Held is not forgotten."""
    talk = Talk(Rules(group_seconds=0.0, reminder_seconds=60.0, flap_edges_max=2, flap_seconds=90))
    for _ in range(20):
        talk.becomes("stall", FAILED, OK)
        talk.passes(10)
    assert [kind for kind, *_ in talk.told] == ["flapping"] * 4


def test_channel_that_came_later_is_told_no_end_of_what_it_never_heard() -> None:
    """Its first edge may be a closing."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.digest = Digest(RULES)
    talk.becomes("stall", OK)
    talk.passes(100)
    assert talk.told == []


def test_flapping_that_ends_well_is_closed() -> None:
    """Who was told of flapping is told that it is over."""
    talk = Talk()
    for _ in range(3):
        talk.becomes("stall", FAILED, OK)
    talk.passes(60)
    assert talk.told == [("flapping", "stall", OK, FAILED)]
    talk.passes(100)
    assert talk.told[1:] == [("closed", "stall", FAILED, OK)]


def test_reminder_names_all_that_is_open_in_one_message() -> None:
    """Every so often, from when it was told last."""
    talk = Talk(Rules(reminder_seconds=600.0))
    talk.becomes("stall", FAILED)
    talk.passes(300)
    talk.becomes("fork", FAILED)
    talk.passes(320)
    assert [kind for kind, *_ in talk.told] == ["opened", "opened", "reminder", "reminder"]
    assert len(talk.drafts) == 3
    talk.passes(601)
    assert len(talk.drafts) == 4
    talk.becomes("stall", OK)
    talk.becomes("fork", OK)
    talk.passes(5000)
    assert len(talk.drafts) == 5


def test_maintenance_holds_edges_and_tells_what_is_left_at_its_end() -> None:
    """What opened and closed in it is never told; what is open when it ends is told then."""
    talk = Talk()
    talk.world.silent = {NODE}
    talk.becomes("fork", FAILED, OK)
    talk.becomes("stall", FAILED)
    talk.passes(1000)
    assert talk.told == []
    assert talk.held == {"maintenance": 3}
    talk.world.silent = set()
    talk.passes(11)
    assert talk.told == [("opened", "stall", OK, FAILED)]


@pytest.mark.parametrize(("end", "told"), [(OK, ["closed"]), (FAILED, []), (UNKNOWN, ["changed"])])
def test_maintenance_over_something_open_tells_the_difference_at_its_end(
    end: Level, told: list[str]
) -> None:
    """A window that begins is no end of anything, and none of its reminders is sent."""
    talk = Talk(Rules(reminder_seconds=1000.0))
    talk.becomes("stall", FAILED)
    talk.passes(60)
    talk.world.silent = {NODE}
    talk.becomes("stall", end)
    talk.passes(900)
    assert len(talk.told) == 1
    talk.world.silent = set()
    talk.passes(20)
    assert [kind for kind, *_ in talk.told[1:]] == told


def test_channel_out_of_reach_gets_one_message_of_how_things_stand() -> None:
    """What came and went meanwhile is no news, and nothing is told twice."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.passes(30)
    talk.is_up = False
    talk.becomes("stall", OK)
    talk.becomes("head", FAILED)
    talk.passes(100)
    talk.becomes("head", OK)
    talk.becomes("fork", UNKNOWN)
    talk.passes(100)
    talk.becomes("fork", FAILED)
    talk.passes(100)
    talk.is_up = True
    talk.passes(100)
    assert len(talk.drafts) == 2
    assert talk.told[1:] == [("opened", "fork", OK, FAILED), ("closed", "stall", FAILED, OK)]


def test_queue_beyond_its_limit_loses_the_oldest_and_says_so() -> None:
    """The end of what was lost is not told either: nobody heard of it."""
    talk = Talk(Rules(waiting_max=2, reminder_seconds=0.0))
    talk.is_up = False
    for index in range(5):
        talk.happens(finding("stall", f"node:{index}"))
        talk.passes(15)
    assert talk.digest.waiting == 2
    talk.is_up = True
    talk.passes(15)
    assert [news.key[1] for news in talk.drafts[0].news] == ["node:3", "node:4"]
    assert talk.drafts[0].dropped == 3
    talk.happens(*(finding("stall", f"node:{index}", OK) for index in range(5)))
    talk.passes(15)
    assert [news.key[1] for news in talk.drafts[1].news] == ["node:3", "node:4"]
    assert talk.drafts[1].dropped == 0


def test_queue_beyond_its_limit_keeps_the_ends_of_what_was_told() -> None:
    """An end that is lost would leave people with a trouble that is none any more."""
    talk = Talk(Rules(waiting_max=1))
    talk.happens(*(finding("stall", f"node:{index}") for index in range(3)))
    talk.passes(15)
    talk.is_up = False
    talk.happens(*(finding("stall", f"node:{index}", OK) for index in range(3)))
    talk.passes(15)
    talk.is_up = True
    talk.passes(15)
    assert [news.kind for news in talk.drafts[1].news] == ["closed"] * 3


def test_dropped_finding_that_changes_is_told_as_new() -> None:
    """Who never heard of it is not told of a change."""
    talk = Talk(Rules(waiting_max=1))
    talk.is_up = False
    talk.becomes("stall", UNKNOWN)
    talk.passes(15)
    talk.becomes("fork", UNKNOWN)
    talk.passes(15)
    talk.is_up = True
    talk.passes(15)
    talk.becomes("stall", FAILED)
    talk.passes(15)
    assert talk.told == [("opened", "fork", OK, UNKNOWN), ("opened", "stall", OK, FAILED)]


def test_finding_of_what_is_no_longer_watched_is_closed() -> None:
    """A reload that takes a node away ends what was told of it."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.passes(30)
    talk.world.findings.clear()
    talk.passes(30)
    assert [kind for kind, *_ in talk.told] == ["opened", "closed"]
    over = talk.drafts[1].news[0].over
    assert over is not None
    assert over.finding.reason == "forgotten"


def test_edge_while_a_message_is_under_way_is_told_by_the_next_one() -> None:
    """What is delivered is what was written, and not what has become of it since."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.now += 10
    draft = talk.digest.draft(talk.now)
    assert draft is not None
    talk.becomes("stall", OK)
    talk.digest.commit(draft)
    talk.passes(30)
    assert talk.told == [("closed", "stall", FAILED, OK)]


def test_accusation_that_is_not_confirmed_is_not_told() -> None:
    """A verdict shows it as UNKNOWN before the fold draws an edge."""
    talk = Talk()
    talk.world.findings[STALL] = finding("stall", level=UNKNOWN, reason="confirming")
    talk.passes(100)
    assert talk.told == []


def test_clock_set_back_delays_nothing_by_more_than_the_collecting_time() -> None:
    """An hour that comes twice is no hour of silence."""
    talk = Talk()
    talk.becomes("stall", FAILED)
    talk.now -= 3600
    talk.passes(15)
    assert [kind for kind, *_ in talk.told] == ["opened"]


def test_clock_set_back_holds_what_flapped_no_longer_than_what_flaps_now() -> None:
    """A clock that was a day ahead for a moment must not silence a day."""
    talk = Talk()
    for _ in range(3):
        talk.becomes("stall", FAILED, OK)
    talk.becomes("stall", FAILED)
    talk.passes(15)
    assert [kind for kind, *_ in talk.told] == ["flapping"]
    talk.now -= 86_400
    talk.passes(RULES.flap_seconds + 15)
    assert [kind for kind, *_ in talk.told] == ["flapping", "settled"]


def test_clock_set_back_reminds_in_the_time_that_was_asked_for() -> None:
    """The time since it was told last cannot be longer than what has passed since."""
    talk = Talk(replace(RULES, reminder_seconds=600.0))
    talk.becomes("stall", FAILED)
    talk.passes(15)
    talk.now -= 86_400
    talk.passes(620)
    assert [kind for kind, *_ in talk.told] == ["opened", "reminder"]


# -- whatever a fleet may do ---------------------------------------------------------------------

CHECKS = ("head", "stall", "fork")
LEVELS = st.sampled_from(list(Level))
STEPS = st.one_of(
    st.tuples(st.just("level"), st.sampled_from(CHECKS), LEVELS),
    st.tuples(st.just("flap"), st.sampled_from(CHECKS), LEVELS),
    st.tuples(st.just("cause"), st.sampled_from(CHECKS), st.sampled_from((*CHECKS, None))),
    st.tuples(st.just("wait"), st.sampled_from((1.0, 7.0, 30.0, 120.0)), st.none()),
    st.tuples(st.just("up"), st.booleans(), st.none()),
    st.tuples(st.just("silence"), st.booleans(), st.none()),
)
CHANNELS = st.builds(
    Rules,
    level=st.sampled_from((UNKNOWN, DEGRADED, FAILED)),
    reminder_seconds=st.sampled_from((0.0, 50.0)),
    group_seconds=st.sampled_from((0.0, 10.0)),
    flap_edges_max=st.sampled_from((2, 4)),
    flap_seconds=st.just(100.0),
    waiting_max=st.sampled_from((1, 100)),
)


def play(talk: Talk, steps: Sequence[tuple[str, object, object]]) -> None:
    for what, first, second in steps:
        if what == "wait":
            talk.passes(float(str(first)), step=3.0)
        elif what == "up":
            talk.is_up = bool(first)
        elif what == "silence":
            talk.world.silent = {NODE} if first else set()
        elif what == "flap" and isinstance(second, Level):
            talk.becomes(str(first), *((FAILED, OK) * 3), second)
        else:
            key = (str(first), NODE)
            old = talk.world.findings.get(key)
            level = second if isinstance(second, Level) else old.level if old else OK
            because = old.because if old else None
            if what == "cause":
                because = (str(second), NODE) if second else None
            because = because if level != OK else None
            talk.happens(finding(key[0], level=level, because=because))


@given(CHANNELS, st.lists(STEPS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_openings_and_closings_take_turns_and_the_end_is_true(
    rules: Rules, steps: list[tuple[str, object, object]]
) -> None:
    """Per key: no closing without an opening, no second opening; and the last word is the truth."""
    talk = Talk(rules)
    play(talk, steps)
    talk.is_up, talk.world.silent = True, set()
    for key in list(talk.world.findings):
        talk.happens(finding(key[0], level=talk.world.findings[key].level))
    talk.passes(250, step=3.0)
    is_open: dict[Key, Level | None] = {}
    for draft in talk.drafts:
        folded = [f.key for n in draft.news for f, level in n.also if not level]
        for key in folded:
            assert is_open.pop(key) is not None
        for news in draft.news:
            before = is_open.get(news.key)
            if news.kind == "closed":
                assert is_open.pop(news.key) is not None
                continue
            if news.kind == "opened":
                assert before is None
            elif news.kind in {"changed", "settled"}:
                assert before is not None
            is_open[news.key] = news.level
    truth = {key: bad.level for key, bad in talk.standing.items() if rules.shown(bad.finding) != OK}
    lost = {key for key in truth if key not in is_open}
    if rules.waiting_max > 1 or rules.reminder_seconds:
        assert not lost
    if rules.waiting_max > 1:
        assert is_open == truth


@given(st.lists(st.tuples(st.sampled_from((1.0, 5.0, 11.0)), LEVELS), max_size=120))
@settings(max_examples=100, deadline=None)
def test_whatever_flaps_messages_are_bounded(steps: list[tuple[float, Level]]) -> None:
    """In any time of counting, at most as many messages as edges are allowed, and two."""
    talk = Talk(RULES)
    sent: list[float] = []
    for seconds, level in steps:
        talk.becomes("stall", level)
        before = len(talk.drafts)
        talk.passes(seconds)
        sent += [talk.now] * (len(talk.drafts) - before)
    for at in sent:
        window = [t for t in sent if at <= t < at + RULES.flap_seconds]
        assert len(window) <= RULES.flap_edges_max + 2
