"""The checks that follow from answers: each from what was said to one comparison. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.canary.comparison import Comparison, Line, Outcome
from monitor.canary.differences import Difference, is_breaking
from monitor.canary.latency import RATIO_MAX, Pace
from monitor.judge.seen import IdentitySeen
from monitor.model import Unseen

NO_CONFIG = frozenset({"unsupported", "rpc_error", "malformed"})
"""Reasons of an Unseen that are answers: the node was asked, and tells its forks to nobody."""
LINES_MAX = 10
"""A report names so many places of a check."""
FIELD_LINES_MAX = 3
"""The same of one field, which may differ in every row of every answer."""
NAMES_MAX = 3
SEEN_SHARE_MIN = 0.5
"""With fewer of the questions answered nothing is said."""
DAY_SECONDS = 86_400
DISK_DAYS_MIN = 14
"""A disk that is full sooner wants a decision before the candidate goes into service."""
DISK_SECONDS_MIN = 600.0
"""Databases write in heaves: a rate of less time than this says nothing of a day."""


def identity(baseline: IdentitySeen | Unseen, candidate: IdentitySeen | Unseen) -> Comparison:
    """Chain id and genesis; the versions are only told."""
    if isinstance(baseline, Unseen) or isinstance(candidate, Unseen):
        unseen = [
            f"the {name} was not seen ({seen.reason}: {seen.detail})"
            for name, seen in (("baseline", baseline), ("candidate", candidate))
            if isinstance(seen, Unseen)
        ]
        return Comparison("identity", "unknown", "unseen", "; ".join(unseen), asked=1)
    lines = (
        Line("eth_chainId", str(baseline.chain_id), str(candidate.chain_id)),
        Line("genesis", baseline.genesis_hash, candidate.genesis_hash),
        Line("web3_clientVersion", baseline.client_version, candidate.client_version),
    )
    if baseline.chain_id != candidate.chain_id:
        said = f"chain {candidate.chain_id}, the baseline serves chain {baseline.chain_id}"
        return Comparison("identity", "fail", "other_chain", said, lines, 1)
    if baseline.genesis_hash != candidate.genesis_hash:
        said = f"chain {candidate.chain_id} with another genesis block than the baseline's"
        return Comparison("identity", "fail", "other_genesis", said, lines, 1)
    mine, theirs = (
        one.client_version or "a client that names no version" for one in (baseline, candidate)
    )
    said = f"chain {candidate.chain_id}, {mine} and {theirs}"
    return Comparison("identity", "pass", "same_chain", said, lines, 1)


@dataclass(frozen=True, slots=True)
class Forks:
    """What a node says of its hard forks (EIP-7910, `eth_config`), in lower case."""

    current: str
    """The fork id (EIP-2124, EIP-6122) of the rules in force."""
    upcoming: str
    """That of the next rules; empty where none are scheduled."""
    last: str | None = None
    """That of the latest that are scheduled, empty likewise; None where the node does not tell."""


def upgrades(
    baseline: Forks | Unseen, candidate: Forks | Unseen, references: Mapping[str, Forks | Unseen]
) -> Comparison:
    """Current, next and last fork ids, against the baseline and whichever references say theirs."""
    asked = len(references) + 2
    for one in (candidate, baseline):
        if isinstance(one, Unseen) and one.reason not in NO_CONFIG:
            said = f"eth_config could not be read: {one.reason}, {one.detail}"
            return Comparison("upgrades", "unknown", "unseen", said, asked=asked)
    if isinstance(candidate, Unseen):
        if isinstance(baseline, Unseen):
            said = "neither node serves eth_config (EIP-7910): nothing is known, which is no pass"
            return Comparison("upgrades", "skipped", candidate.reason, said, asked=asked)
        if candidate.reason != "unsupported":
            said = f"the candidate's eth_config could not be read: {candidate.detail}"
            return Comparison("upgrades", "unknown", "unseen", said, asked=asked)
        said = "the candidate lacks eth_config (EIP-7910), by which the baseline tells its forks"
        lines = (Line("eth_config", "served", candidate.detail),)
        return Comparison("upgrades", "fail", "gone", said, lines, asked)
    others = {
        name: one
        for name, one in {"baseline": baseline, **references}.items()
        if not isinstance(one, Unseen)
    }
    if not others:
        said = "only the candidate serves eth_config (EIP-7910): there is nothing to compare it by"
        return Comparison("upgrades", "skipped", "nothing_to_compare", said, asked=asked)
    outcome, reason, said = _of_forks(candidate, others, references)
    return Comparison("upgrades", outcome, reason, said, _fork_lines(candidate, others), asked)


def _fork_lines(candidate: Forks, others: Mapping[str, Forks]) -> tuple[Line, ...]:
    return tuple(
        Line(f"{what} forkId, {name}", theirs or "none", mine or "none")
        for name, one in others.items()
        for what, theirs, mine in (
            ("current", one.current, candidate.current),
            ("next", one.upcoming, candidate.upcoming),
            ("last", one.last, candidate.last),
        )
        if theirs is not None and mine is not None
    )


def _of_forks(
    candidate: Forks, others: Mapping[str, Forks], references: Mapping[str, Forks | Unseen]
) -> tuple[Outcome, str, str]:
    """The outcome, its reason and the words for it.

    Whom most references stand against is outvoted, the baseline as well: then it only warns.
    """
    seen = [one for one in references.values() if isinstance(one, Forks)]
    warnings: list[tuple[str, str]] = []
    for name, one in others.items():
        trouble = _trouble(candidate, name, one)
        if trouble is None:
            continue
        reason, said, is_alike = trouble
        if reason == "other_last":
            warnings.append((reason, said))
        elif 2 * sum(map(is_alike, seen)) > len(references):
            warnings.append(("outvoted", f"{said}; most references have the candidate's"))
        else:
            return "fail", reason, said
    if not warnings and candidate.upcoming and not all(one.upcoming for one in others.values()):
        said = f"ready for fork {candidate.upcoming}, of which not all others know"
        warnings.append(("others_not_ready", said))
    if warnings:
        return ("warn", *warnings[0])
    following = candidate.upcoming or "none"
    return (
        "pass",
        "same_forks",
        f"fork {candidate.current}, next {following}, as the others have it",
    )


def _trouble(
    candidate: Forks, name: str, one: Forks
) -> tuple[str, str, Callable[[Forks], bool]] | None:
    """What is wrong by one other: the reason, the words, and who would be of the candidate's mind.

    Nobody is of its mind who only does not know of a fork either.
    """
    if one.current != candidate.current:
        said = f"the rules in force are fork {candidate.current}, by the {name} {one.current}"
        return "other_rules", said, lambda other: other.current == candidate.current
    if one.upcoming and one.upcoming != candidate.upcoming:
        mine = f"fork {candidate.upcoming}" if candidate.upcoming else "nothing"
        said = f"the next fork is {one.upcoming} by the {name}, and {mine} by the candidate"
        return "not_ready", said, lambda other: "" != other.upcoming == candidate.upcoming
    if one.last and candidate.last is not None and one.last != candidate.last:
        mine = f"fork {candidate.last}" if candidate.last else "nothing"
        said = f"the last fork is {one.last} by the {name}, and {mine} by the candidate"
        # Where the candidate's plan ends with the next fork and the other's goes on, it lacks some;
        # of two that go on, the ids do not tell which goes further.
        lacks = candidate.last in {"", candidate.upcoming}
        reason = "not_ready" if lacks else "other_last"
        return reason, said, lambda other: "" != other.last == candidate.last
    return None


def methods(gone: Mapping[str, str], served: int, asked: int) -> tuple[Comparison, ...]:
    """`gone` are methods that the baseline serves and the candidate does not, and what it said."""
    if not gone:
        said = f"all of the {served} methods that the baseline serves"
        return (Comparison("methods", "pass", "all_served", said, asked=asked),)
    return tuple(
        Comparison(
            "methods",
            "fail",
            "gone",
            f"{method} is gone: {words}",
            (Line(method, "served", words),),
            asked,
            f"method:{method}",
        )
        for method, words in gone.items()
    )


@dataclass(slots=True)
class Tally:
    """What came of the questions of one method."""

    asked: int = 0
    """Of those for which both have the method."""
    unseen: int = 0
    """Those to which the baseline gave no answer, so that there is nothing to compare."""
    found: list[tuple[str, tuple[Difference, ...]]] = field(default_factory=list)
    """What differed in every round, by question, as far as it is kept."""
    open: int = 0
    """Questions that differed, and were then not answered often enough to be certain."""
    more: int = 0
    """Questions that differed beyond what is kept, so that they were not asked again."""
    more_added: int = 0
    """The same of those in which the candidate's answer only had fields that are new."""

    @property
    def seen(self) -> int:
        """Those that could be compared."""
        return self.asked - self.unseen

    @property
    def is_breaking(self) -> bool:
        """Whether something is gone or has another value, in every round."""
        return any(is_breaking(found) for _, found in self.found)

    @property
    def unsettled(self) -> int:
        """Questions that differed, of which nobody can say whether they still do."""
        return self.open + self.more + (0 if self.found else self.more_added)


def answers(tallies: Mapping[str, Tally], passed_over: Mapping[str, int]) -> tuple[Comparison, ...]:
    """One for each method of which something is to be said, and one for all others.

    `passed_over` counts recorded requests that were not put, by reason.
    """
    asked = sum(tally.asked for tally in tallies.values())
    seen = sum(tally.seen for tally in tallies.values())
    compared = {name: tally for name, tally in sorted(tallies.items()) if tally.asked}
    left_out = [f"{count} {reason}" for reason, count in sorted(passed_over.items()) if count]
    notes = f"; not put: {', '.join(left_out)}" if left_out else ""
    notes += f"; {asked - seen} the baseline did not answer" if asked > seen else ""
    lacking = [name for name, tally in sorted(tallies.items()) if not tally.asked]
    notes += f"; not served by both: {named(lacking)}" if lacking else ""
    if not seen:
        said = f"none of {asked} questions was answered by the baseline{notes}"
        return (Comparison("answers", "unknown", "unseen", said, asked=asked),)
    told = [one for name, tally in compared.items() for one in _of_method(name, tally)]
    alike = len(compared) - len(told)
    said = f"{alike} of {len(compared)} methods answer alike, {asked} questions{notes}"
    if seen < SEEN_SHARE_MIN * asked:
        said = f"only {seen} of {asked} questions were answered by the baseline{notes}"
        return (*told, Comparison("answers", "unknown", "unseen", said, asked=asked))
    return (*told, Comparison("answers", "pass", "alike", said, asked=asked))


def named(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - NAMES_MAX
    return ", ".join(names[:NAMES_MAX]) + (f" and {more} more" if more > 0 else "")


def _of_method(method: str, tally: Tally) -> tuple[Comparison, ...]:
    """What is to be said of one method; nothing where it answers alike."""

    def told(outcome: Outcome, reason: str, said: str) -> tuple[Comparison, ...]:
        subject = f"method:{method}"
        return (Comparison("answers", outcome, reason, said, (), tally.asked, subject),)

    if tally.is_breaking or (tally.found and not tally.unsettled):
        return (_differs(method, tally),)
    if tally.unsettled:
        said = f"{method} differed in {tally.unsettled} of {tally.asked} answers"
        return told("unknown", "unsettled", f"{said}, and whether it still does was not seen")
    if not tally.seen:
        # What the node in service never answers, nobody misses: it is not the candidate's fault.
        said = f"{method} was not compared: the baseline answered none of {tally.asked} questions"
        return told("skipped", "baseline_silent", said)
    if tally.seen < SEEN_SHARE_MIN * tally.asked:
        said = f"{method}: the baseline answered only {tally.seen} of {tally.asked} questions"
        return told("unknown", "unseen", said)
    return ()


def _differs(method: str, tally: Tally) -> Comparison:
    breaking = [one for one in tally.found if is_breaking(one[1])]
    shown = breaking or tally.found
    lines: list[Line] = []
    told: Counter[str] = Counter()
    for words, one in ((words, one) for words, some in shown for one in some):
        told[_field(one.path)] += 1
        is_told = one.kind == "added" and bool(breaking)
        if told[_field(one.path)] <= FIELD_LINES_MAX and not is_told:
            what = f"{words}: {one.path or 'the answer'} {one.kind}"
            lines.append(Line(what, one.baseline, one.candidate))
    places = list(dict.fromkeys(_field(one.path) for _, some in shown for one in some))
    where = named([place or "the whole answer" for place in places])
    count = len(shown) + (tally.more if breaking else tally.more_added)
    verb = "differs" if breaking else "has fields that are new"
    said = f"{method} {verb} in {count} of {tally.asked} answers: {where}"
    return Comparison(
        "answers",
        "fail" if breaking else "warn",
        "changed" if breaking else "fields_added",
        said,
        tuple(lines[:LINES_MAX]),
        tally.asked,
        f"method:{method}",
    )


def _field(path: str) -> str:
    """A path without its indexes, under which the same difference in many rows is one."""
    parts = path.split("[")
    return "".join((parts[0], *(part.partition("]")[2] for part in parts[1:]))).removeprefix(".")


def latency(paces: Sequence[Pace], untimed: Sequence[str] = ()) -> Comparison:
    """Slower only where the interval of the ratio says so, and by what somebody notices.

    `untimed` are methods without any pair.
    """
    known = [one for one in paces if one.is_known]
    asked = sum(2 * one.pairs for one in paces)
    few = [*(one.method for one in paces if not one.is_known), *untimed]
    notes = f"; too few answers in time to say it of {named(few)}" if few else ""
    if not known:
        said = "too few calls were answered in time to compare"
        return Comparison("latency", "unknown", "too_few", said, asked=asked)
    ranked = sorted(known, key=lambda one: -one.lower)
    lines = tuple(
        Line(
            f"{one.method}, median of {one.pairs}, "
            f"ratio {one.ratio:.2f} ({one.lower:.2f} to {one.upper:.2f})",
            f"{1000 * one.baseline_seconds:.2f} ms",
            f"{1000 * one.candidate_seconds:.2f} ms",
        )
        for one in ranked[:LINES_MAX]
    )
    slower = [one for one in ranked if one.is_slower]
    if slower:
        worst = slower[0]
        said = (
            f"{len(slower)} of {len(known)} methods are slower, at worst {worst.method}: "
            f"{worst.ratio:.1f} times, surely more than {RATIO_MAX:g} times{notes}"
        )
        return Comparison("latency", "fail", "slower", said, lines, asked)
    worst = ranked[0]
    said = f"{len(known)} methods, at worst {worst.method}: {worst.ratio:.2f} times the baseline's"
    said += notes
    return Comparison("latency", "pass", "as_fast", said, lines, asked)


def disk(grown_bytes: int, seconds: float, free_bytes: int) -> Comparison:
    """Bytes a day from two readings, and how long the file system will take them."""
    if seconds < DISK_SECONDS_MIN:
        said = (
            f"{grown_bytes} bytes more in {seconds:.0f} s: too short to say anything of a day, "
            f"--for {DISK_SECONDS_MIN / 60:.0f}m is the least"
        )
        return Comparison("disk", "unknown", "too_short", said, asked=2)
    daily = grown_bytes * DAY_SECONDS / seconds
    lines = (Line("GB a day", "", f"{daily / 1e9:.2f}"),)
    said = f"{daily / 1e9:.2f} GB a day"
    if daily <= 0:
        return Comparison("disk", "pass", "not_growing", said, lines, 2)
    days = free_bytes / daily
    said += f", the disk is full in {days:.0f} days"
    if days < DISK_DAYS_MIN:
        return Comparison("disk", "warn", "full_soon", said, lines, 2)
    return Comparison("disk", "pass", "room", said, lines, 2)
