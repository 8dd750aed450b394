"""The fold: when a level opens, changes, closes and is forgotten, and what explains what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.verdict import (
    BY_THE_WAY,
    EMPTY,
    ENTER_COUNT,
    EXIT_COUNT,
    REQUIRED,
    STALE_SECONDS,
    WITHOUT_REFERENCE,
    Held,
    Memory,
    decides,
    fold,
    forget,
    is_on_network,
    reference_of,
    verdict_of,
    without_passed,
)
from monitor.model import Action, Finding, Key, Level
from tests.act import snapshots
from tests.judge.builders import NOW, QUORUM_SUBJECT, finding

OK, UNKNOWN, DEGRADED, FAILED = Level.OK, Level.UNKNOWN, Level.DEGRADED, Level.FAILED
LETTERS = {"o": OK, "u": UNKNOWN, "d": DEGRADED, "f": FAILED}
KEY: Key = ("head", "node:local")


class Story:
    """Rounds folded one after the other, six seconds apart."""

    def __init__(self) -> None:
        self.memory: Memory = EMPTY
        self.now = NOW
        self.actions: list[Action] = []
        self.verdict = verdict_of((), NOW)

    def tell(self, *findings: Finding) -> tuple[Action, ...]:
        self.now += 6
        self.memory, self.verdict, actions = fold(self.memory, findings, self.now)
        self.actions += actions
        return actions

    def levels(self, proposals: str) -> str:
        """The level shown after each of these proposals, in the same letters."""
        shown = ""
        for letter in proposals:
            self.tell(finding(LETTERS[letter]))
            shown += self.memory[KEY].finding.level.word[0]
        return shown

    @property
    def edges(self) -> str:
        return " ".join(
            f"{a.kind} {a.before.word[0]}{a.finding.level.word[0]}" for a in self.actions
        )


@pytest.mark.parametrize(
    ("proposals", "shown", "edges"),
    [
        ("o", "o", ""),
        ("oooo", "oooo", ""),
        # Blindness is believed at once, an accusation on the second word.
        ("u", "u", "opened ou"),
        ("f", "u", ""),
        ("ff", "uf", "opened of"),
        ("fd", "ud", "opened od"),
        ("fo", "uo", ""),
        ("fu", "uu", "opened ou"),
        ("d", "u", ""),
        ("dd", "ud", "opened od"),
        # Opening takes two.
        ("of", "oo", ""),
        ("off", "oof", "opened of"),
        ("ou", "oo", ""),
        ("ouu", "oou", "opened ou"),
        ("ofd", "ood", "opened od"),
        # Closing takes three.
        ("offoo", "oofff", "opened of"),
        ("offooo", "oofffo", "opened of closed fo"),
        ("uooo", "uuuo", "opened ou closed uo"),
        # From one bad level to another takes two.
        ("offd", "ooff", "opened of"),
        ("offdd", "ooffd", "opened of changed fd"),
        ("offuu", "ooffu", "opened of changed fu"),
        ("offou", "ooffu", "opened of changed fu"),
        # The counter decays by one and does not reset.
        ("offoof", "ooffff", "opened of"),
        ("offoofoo", "oofffffo", "opened of closed fo"),
        ("offofofofo", "ooffffffff", "opened of"),
        ("ofofofofof", "oooooooooo", ""),
        ("offofoo", "oofffff", "opened of"),
        ("offofooo", "oofffffo", "opened of closed fo"),
    ],
)
def test_fold_of_proposals_shows_levels_and_tells_edges(
    proposals: str, shown: str, edges: str
) -> None:
    """Each row: what was proposed, what is shown after each, and what is told."""
    story = Story()
    assert story.levels(proposals) == shown
    assert story.edges == edges


def test_fold_counts_are_those_of_the_documentation() -> None:
    """Opens when it was proposed in two rounds, closes after three good ones."""
    assert (ENTER_COUNT, EXIT_COUNT) == (2, 3)


def test_first_accusation_is_shown_as_unknown_until_confirmed() -> None:
    """It is neither health nor failure, it says so, and it makes the verdict inconclusive."""
    story = Story()
    story.tell(finding(FAILED))
    shown = story.memory[KEY].finding
    assert (shown.level, shown.reason) == (UNKNOWN, "confirming")
    assert shown.summary.startswith("seen once, to be confirmed: ")
    words = [story.verdict.word]
    story.tell(finding(FAILED))
    assert story.memory[KEY].finding.reason == "slug"
    assert [*words, story.verdict.word] == ["inconclusive", "fail"]


def test_held_level_shows_the_newest_numbers_and_says_what_is_proposed() -> None:
    """A level that is being left keeps its reason and its since, with fresh evidence."""
    story = Story()
    story.levels("off")
    since = story.memory[KEY].finding.since
    assert since == story.now
    story.tell(replace(finding(OK, reason="fine"), measured=7.0))
    held = story.memory[KEY].finding
    assert (held.level, held.reason, held.since, held.measured) == (FAILED, "slug", since, 7.0)
    assert held.summary == "recovering: head is ok"
    story.tell(finding(DEGRADED))
    assert story.memory[KEY].finding.level == DEGRADED
    story.tell(finding(FAILED))
    assert story.memory[KEY].finding.summary == "confirming: head is failed"


def test_level_that_lasts_keeps_its_since() -> None:
    """Since is when the level was entered, not when it was last confirmed."""
    story = Story()
    story.levels("off")
    entered = story.now
    story.levels("ff")
    assert story.memory[KEY].finding.since == entered
    story.levels("ooo")
    assert story.memory[KEY].finding.since == story.now


@pytest.mark.parametrize(
    ("silence", "level"),
    [(STALE_SECONDS - 0.1, OK), (STALE_SECONDS, OK), (STALE_SECONDS + 0.1, UNKNOWN)],
)
def test_level_that_is_not_confirmed_becomes_unknown(silence: float, level: Level) -> None:
    """A minute without a proposal, and nothing is known any more; it is told as an edge."""
    memory, _, _ = fold(EMPTY, [finding(OK)], 1000.0)
    memory, verdict, actions = fold(memory, (), 1000.0 + silence)
    assert memory[KEY].finding.level == level
    assert [a.kind for a in actions] == (["opened"] if level == UNKNOWN else [])
    assert verdict.word == ("inconclusive" if level == UNKNOWN else "pass")


def test_stale_level_is_told_once_and_recovers_as_any_other() -> None:
    """The sentence keeps the age of the first telling; three good rounds close it."""
    story = Story()
    story.levels("off")
    story.now += STALE_SECONDS
    story.tell()
    stale = story.memory[KEY].finding
    assert (stale.level, stale.reason) == (UNKNOWN, "stale")
    assert stale.summary == "not judged for 66 s; last: head is failed"
    story.now += 10 * STALE_SECONDS
    assert story.tell() == ()
    assert story.memory[KEY].finding == stale
    assert story.levels("ooo") == "uuo"
    assert story.edges == "opened of changed fu closed uo"


def test_unconfirmed_accusation_that_goes_stale_is_unknown_and_told() -> None:
    """Said once and never again: not healthy, not failed."""
    story = Story()
    story.tell(finding(FAILED))
    story.now += STALE_SECONDS
    (action,) = story.tell()
    assert (action.kind, action.before, action.finding.reason) == ("opened", OK, "stale")


def test_forget_keeps_only_configured_subjects() -> None:
    """What is no longer watched is no longer known."""
    story = Story()
    story.tell(finding(OK), finding(OK, subject="node:gone"), finding(OK, check="fork"))
    kept = forget(story.memory, ["node:local"])
    assert set(kept) == {KEY, ("fork", "node:local")}
    assert forget(kept, []) == {}


@pytest.mark.parametrize(
    ("told", "edges"),
    [
        ("o", []),
        ("d", []),  # It was never told, for it was never confirmed.
        ("dd", [("closed", DEGRADED)]),
        ("u", [("closed", UNKNOWN)]),
    ],
)
def test_fold_of_what_is_judged_no_more_forgets_it_and_closes_what_was_told(
    told: str, edges: list[tuple[str, Level]]
) -> None:
    """Nothing is left to become stale, and nobody waits for the end of what was opened."""
    story = Story()
    story.tell(finding(OK, check="fork"))
    story.levels(told)
    memory, verdict, actions = fold(story.memory, (), story.now, {KEY, ("peers", "node:local")})
    assert set(memory) == {("fork", "node:local")}
    assert [f.check for f in verdict.findings] == ["fork"]
    assert [(action.kind, action.before) for action in actions] == edges
    for action in actions:
        assert (action.key, action.finding.level, action.finding.reason) == (KEY, OK, "ended")
        assert action.finding.because is None
    assert fold(memory, (), story.now, {KEY})[2] == ()


def test_fold_of_one_network_leaves_the_others_as_they_are() -> None:
    """Keys that a round does not name keep their level and stay in the verdict."""
    story = Story()
    other = finding(FAILED, subject="node:other", network="elsewhere")
    story.tell(other)
    story.tell(other)
    assert story.tell(finding(OK)) == ()
    assert [(f.network, f.level) for f in story.verdict.findings] == [
        ("elsewhere", FAILED),
        ("net", OK),
    ]


# -- any story -----------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["head", "fork"]), st.sampled_from(list(Level))),
        st.sampled_from([1.0, 6.0, 59.0, 61.0]),
    ),
    max_size=40,
)


@dataclass
class Promises:
    """What was proposed and told of each key so far, and whether the fold kept its word."""

    told: dict[Key, Level] = field(default_factory=dict)
    proposed: dict[Key, list[Level]] = field(default_factory=dict)
    heard_at: dict[Key, float] = field(default_factory=dict)

    def note(self, findings: Sequence[Finding], now: float) -> None:
        for one in findings:
            self.proposed.setdefault(one.key, []).append(one.level)
            self.heard_at[one.key] = now

    def check_action(self, action: Action) -> None:
        """Opened leaves OK, closed comes back to it, changed does neither; nothing is skipped."""
        before, after = self.told.get(action.key, OK), action.finding.level
        assert action.before == before != after
        kinds = {(True, False): "opened", (False, True): "closed", (False, False): "changed"}
        assert action.kind == kinds[before == OK, after == OK]
        self.told[action.key] = after

    def check_held(self, key: Key, held: Held, now: float) -> None:
        """Good and bad news both arrive, and what is shown is what was told."""
        shown, levels = held.finding.level, self.proposed[key]
        assert shown == (self.told.get(key, OK) if held.settled else UNKNOWN)
        if now - self.heard_at[key] > STALE_SECONDS:
            assert shown == UNKNOWN
            levels.clear()
        elif levels[-EXIT_COUNT:] == [OK] * EXIT_COUNT:
            assert shown == OK
        elif levels[-ENTER_COUNT:] == [FAILED] * ENTER_COUNT:
            assert shown == FAILED
        elif len(levels) > 1 and OK not in levels[-ENTER_COUNT:]:
            assert shown != OK


@given(steps)
def test_fold_of_any_story_keeps_its_promises(
    story: Sequence[tuple[dict[str, Level], float]],
) -> None:
    """Edges alternate and add up; good and bad news both arrive; not knowing is never healthy."""
    memory, now = EMPTY, NOW
    promises = Promises()
    for proposals, pause in story:
        now += pause
        findings = [finding(level, check=check) for check, level in proposals.items()]
        memory, verdict, actions = fold(memory, findings, now)
        promises.note(findings, now)
        assert len({action.key for action in actions}) == len(actions)
        for action in actions:
            promises.check_action(action)
        for key, held in memory.items():
            promises.check_held(key, held, now)
        levels = [held.finding.level for held in memory.values()]
        assert verdict.level == max(levels, default=UNKNOWN)
        assert {f.key for f in verdict.findings} == set(memory)
        assert verdict.word != "pass" or UNKNOWN not in levels


# -- what explains what --------------------------------------------------------------------------

QUORUM: Key = ("references", QUORUM_SUBJECT)
LOCAL = "node:local"


def explained(*findings: Finding) -> dict[Key, Key | None]:
    """The cause of each bad finding once all of these are held."""
    story = Story()
    story.tell(*(replace(f, level=OK) for f in findings))
    story.tell(*findings)
    story.tell(*findings)
    return {k: h.finding.because for k, h in story.memory.items() if h.finding.level != OK}


def node(check: str, level: Level, reason: str = "slug") -> Finding:
    return finding(level, check=check, reason=reason)


@pytest.mark.parametrize("root", ["identity", "fork", "stall", "head"])
@pytest.mark.parametrize("level", [DEGRADED, FAILED])
def test_cause_of_an_optional_check_is_whatever_is_wrong_with_the_chain_of_the_node(
    root: str, level: Level
) -> None:
    """A lag explains what a required check does not owe to it."""
    assert explained(node(root, level), node("peers", DEGRADED), node("logs", UNKNOWN)) == {
        (root, LOCAL): None,
        ("peers", LOCAL): (root, LOCAL),
        ("logs", LOCAL): (root, LOCAL),
    }


def test_cause_of_an_optional_check_that_sees_nothing_is_the_head_that_is_not_seen() -> None:
    """What was seen in spite of it stands by itself, and the head by none of them."""
    found = explained(node("head", UNKNOWN), node("peers", DEGRADED), node("logs", UNKNOWN))
    assert found == {
        ("head", LOCAL): None,
        ("peers", LOCAL): None,
        ("logs", LOCAL): ("head", LOCAL),
    }


def test_cause_of_a_required_check_is_no_lag() -> None:
    """A fork is deeper than a lag, whatever came first."""
    found = explained(node("head", FAILED), node("fork", FAILED))
    assert found == {("head", LOCAL): ("fork", LOCAL), ("fork", LOCAL): None}


def test_cause_of_an_unreachable_node_is_its_head() -> None:
    """Whatever else could not be seen of it follows; a reference beside it does not."""
    blind = [node(c, UNKNOWN, "refused") for c in ("identity", "head", "stall", "fork")]
    reference = finding(UNKNOWN, check="references", subject="reference:net/a", reason="refused")
    assert explained(*blind, reference) == {
        ("head", LOCAL): None,
        **dict.fromkeys([(c, LOCAL) for c in ("identity", "stall", "fork")], ("head", LOCAL)),
        ("references", "reference:net/a"): None,
    }


@pytest.mark.parametrize("reason", sorted(WITHOUT_REFERENCE))
def test_cause_of_what_could_not_be_compared_is_the_quorum(reason: str) -> None:
    """References without a majority explain every comparison that was not made, of every node."""
    quorum = finding(UNKNOWN, check="references", subject=QUORUM_SUBJECT, reason="split")
    trail = finding(UNKNOWN, check="stall", subject=QUORUM_SUBJECT, reason=reason)
    blind = [node(c, UNKNOWN, reason) for c in ("identity", "head", "stall", "fork")]
    causes = explained(quorum, trail, *blind)
    assert causes.pop(QUORUM) is None
    assert set(causes.values()) == {QUORUM}
    assert len(causes) == 5


def test_cause_of_two_troubles_at_once_is_each_its_own() -> None:
    """A node that does not answer is not explained by references that do not agree."""
    quorum = finding(UNKNOWN, check="references", subject=QUORUM_SUBJECT, reason="too_few")
    blind = [node(c, UNKNOWN, "timeout") for c in ("head", "stall")]
    assert explained(quorum, *blind) == {
        QUORUM: None,
        ("head", LOCAL): None,
        ("stall", LOCAL): ("head", LOCAL),
    }


def test_cause_of_an_unseen_hash_beside_a_quorum_is_its_own() -> None:
    """With a majority to compare with, what could not be seen is the node's own matter."""
    assert explained(node("fork", UNKNOWN, "hash_unseen")) == {("fork", LOCAL): None}
    blind = [node("head", UNKNOWN, "timeout"), node("fork", UNKNOWN, "hash_unseen")]
    assert explained(*blind)["fork", LOCAL] == ("head", LOCAL)


def test_cause_behind_a_cause_is_named_itself() -> None:
    """What follows from an unseen head that follows from the quorum follows from the quorum."""
    quorum = finding(UNKNOWN, check="references", subject=QUORUM_SUBJECT, reason="split")
    findings = [quorum, node("head", UNKNOWN, "no_quorum"), node("stall", UNKNOWN, "odd")]
    assert explained(*findings)["stall", LOCAL] == QUORUM


@pytest.mark.parametrize("level", [DEGRADED, FAILED])
@pytest.mark.parametrize(
    ("root", "follows", "stands"),
    [
        ("identity", ("fork", "stall", "head"), ()),
        ("fork", ("stall", "head"), ("identity",)),
        ("stall", ("head",), ("identity", "fork")),
        ("head", (), ("identity", "fork", "stall")),
    ],
)
def test_cause_of_what_is_wrong_with_a_node_is_the_deepest(
    level: Level, root: str, follows: Sequence[str], stands: Sequence[str]
) -> None:
    """Another chain explains a fork, a fork a stall, a stall a lag; never the other way round."""
    for other in (*follows, *stands):
        causes = explained(node(root, level), node(other, FAILED))
        assert causes[other, LOCAL] == ((root, LOCAL) if other in follows else None)
        assert causes[root, LOCAL] == (None if other in follows else (other, LOCAL))


@pytest.mark.parametrize("check", BY_THE_WAY)
def test_cause_of_failing_calls_to_a_node_that_is_gone_is_its_head(check: str) -> None:
    """It is one trouble: that no call is answered, and that the head is not seen."""
    causes = explained(node("head", UNKNOWN, "refused"), node(check, DEGRADED, "errors"))
    assert causes == {("head", LOCAL): None, (check, LOCAL): ("head", LOCAL)}


@pytest.mark.parametrize("check", BY_THE_WAY)
@pytest.mark.parametrize("reason", sorted(WITHOUT_REFERENCE))
def test_cause_of_failing_calls_is_not_that_nobody_knows_the_head(check: str, reason: str) -> None:
    """A node that answers and cannot be compared is no reason for its calls to fail."""
    causes = explained(node("head", UNKNOWN, reason), node(check, DEGRADED, "errors"))
    assert causes[check, LOCAL] is None


@pytest.mark.parametrize("level", [DEGRADED, FAILED], ids=lambda level: level.word)
def test_cause_of_a_wrong_answer_of_a_node_that_is_gone_is_not_its_silence(level: Level) -> None:
    """Only what is said of the way to it follows from its silence."""
    causes = explained(node("head", UNKNOWN, "refused"), node("peers", level))
    assert causes["peers", LOCAL] is None
    assert explained(node("rpc", level))["rpc", LOCAL] is None


def test_cause_that_could_only_not_be_seen_explains_no_failure() -> None:
    """An unknown chain is no reason for a node to lag."""
    causes = explained(node("identity", UNKNOWN, "no_identity"), node("head", FAILED))
    assert causes["head", LOCAL] is None


def test_cause_of_another_node_explains_nothing() -> None:
    """Each node has its own troubles."""
    stall = finding(FAILED, check="stall", subject="node:other")
    assert explained(stall, node("head", FAILED))["head", LOCAL] is None


def test_cause_that_heals_first_is_no_longer_named() -> None:
    """A finding that outlives its cause stands for itself."""
    story = Story()
    bad = [node("stall", FAILED), node("head", FAILED)]
    story.tell(*bad)
    story.tell(*bad)
    assert story.memory["head", LOCAL].finding.because == ("stall", LOCAL)
    for _ in range(EXIT_COUNT):
        story.tell(node("stall", OK), node("head", FAILED))
    assert story.memory["head", LOCAL].finding.because is None


# -- the verdict ---------------------------------------------------------------------------------

SINGLE = "reference:net/a"


@pytest.mark.parametrize(
    ("findings", "word", "strict"),
    [
        ([], "inconclusive", "inconclusive"),
        ([finding(OK)], "pass", "pass"),
        ([finding(DEGRADED)], "pass", "fail"),
        ([finding(FAILED)], "fail", "fail"),
        ([finding(UNKNOWN)], "inconclusive", "inconclusive"),
        ([finding(FAILED), finding(UNKNOWN, check="fork")], "fail", "fail"),
        ([finding(DEGRADED), finding(UNKNOWN, check="fork")], "inconclusive", "fail"),
        ([finding(OK), finding(UNKNOWN, check="peers")], "pass", "pass"),
        ([finding(OK), finding(FAILED, check="peers")], "fail", "fail"),
        (
            [finding(OK), finding(UNKNOWN, check="references", subject=SINGLE)],
            "pass",
            "pass",
        ),
        (
            [finding(OK), finding(UNKNOWN, check="references", subject=QUORUM_SUBJECT)],
            "inconclusive",
            "inconclusive",
        ),
    ],
)
def test_verdict_of_findings_is_the_gate_s_word(
    findings: Sequence[Finding], word: str, strict: str
) -> None:
    """Failed fails, required blindness or nothing at all is inconclusive, the rest passes."""
    assert verdict_of(findings, NOW).word == word
    assert verdict_of(findings, NOW, strict=True).word == strict
    worst = max((f.level for f in findings), default=UNKNOWN)
    assert verdict_of(findings, NOW).level == worst


@pytest.mark.parametrize("check", [*REQUIRED, "peers"])
def test_finding_decides_when_it_is_required_and_no_single_reference_s(check: str) -> None:
    """One reference that does not answer makes nothing inconclusive: the quorum does."""
    for subject, counts in ((LOCAL, True), (QUORUM_SUBJECT, True), (SINGLE, False)):
        one = finding(UNKNOWN, check=check, subject=subject)
        assert decides(one) is (counts and check in REQUIRED)


def test_verdict_lists_findings_in_order_and_what_was_skipped() -> None:
    """By network, subject and check, so that two pages of one state are the same."""
    names = [("b", "node:x", "head"), ("a", "node:z", "stall"), ("a", "node:z", "fork")]
    findings = [finding(OK, network=n, subject=s, check=c) for n, s, c in names]
    verdict = verdict_of(findings, NOW, [("peers", LOCAL)])
    assert [(f.network, f.subject, f.check) for f in verdict.findings] == sorted(names)
    assert verdict.skipped == (("peers", LOCAL),)
    assert verdict.at == NOW


def test_reference_of_an_old_round_is_none() -> None:
    """Nothing is compared with what was believed a minute ago."""
    (network,) = snapshots.healthy().networks
    assert reference_of(network, snapshots.NOW) is not None
    assert reference_of(network, snapshots.NOW + STALE_SECONDS) is None
    assert reference_of(replace(network, round_at=None), snapshots.NOW) is None


TX: Key = ("transactions", "tx:0xaa")
ACCOUNT: Key = ("transactions", "account:scheduler")


def _of(key: Key, level: Level, because: Key | None = None) -> Finding:
    return replace(finding(level), check=key[0], subject=key[1], because=because)


def test_transaction_keeps_the_account_its_judge_has_named() -> None:
    """Its cause is its account's finding, also while that is well, and nobody overwrites it."""
    story = Story()
    for _ in range(ENTER_COUNT):
        story.tell(_of(ACCOUNT, OK), _of(TX, DEGRADED, because=ACCOUNT))
    assert story.memory[TX].finding.because == ACCOUNT
    assert story.memory[TX].finding.level == DEGRADED


def test_transaction_that_is_well_again_is_forgotten_and_nothing_else() -> None:
    """Only once it is certain: subjects without number must not pile up, edges must be told."""
    story = Story()
    for _ in range(ENTER_COUNT):
        story.tell(_of(ACCOUNT, DEGRADED), _of(TX, DEGRADED, because=ACCOUNT))
    assert set(without_passed(story.memory)) == {ACCOUNT, TX}
    for count in range(EXIT_COUNT):
        assert TX in without_passed(story.memory), count
        story.tell(_of(ACCOUNT, OK), _of(TX, OK, because=ACCOUNT))
    assert story.actions[-1].kind == "closed"
    assert set(without_passed(story.memory)) == {ACCOUNT}


NODE_FOUR = ("identity", "head", "stall", "fork")


def test_node_is_on_its_network_when_all_four_say_so_and_nothing_speaks_against_it() -> None:
    """One bad check, and it is not; one that is unknown or contested, and nobody knows."""
    story = Story()
    subject = KEY[1]

    def tell(**levels: Level) -> bool | None:
        story.tell(*(_of((check, subject), levels.get(check, OK)) for check in NODE_FOUR))
        return is_on_network(story.memory, subject)

    assert is_on_network(story.memory, subject) is None
    assert tell() is True
    assert tell(fork=FAILED) is None
    assert tell(fork=FAILED) is False
    for _ in range(EXIT_COUNT):
        settled = tell()
    assert settled is True
    assert tell(head=UNKNOWN) is None
    assert tell(head=UNKNOWN) is None
    assert is_on_network(story.memory, "node:other") is None
