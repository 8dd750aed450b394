"""What rules speak of, measured: from every round's findings and calls, from journal and ledgers.

A round's values are those of its findings, so that a rule and a check never measure two things by
one name. Stores are read where somebody asks, and are only as good as they are fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.checks import CHECKS
from monitor.config import Settings
from monitor.endpoint import Endpoint
from monitor.judge.offers import BY_CHECK as OFFERS_BY_CHECK
from monitor.model import (
    Finding,
    Key,
    Level,
    Unseen,
    ledger_subject,
    node_subject,
    reference_label,
    subject_of,
)
from monitor.policy import measures
from monitor.policy.measures import Measure, Subjects
from monitor.policy.rules import Rule
from monitor.policy.samples import Sample, Samples, Stored, Subject
from monitor.roster import rows_of
from monitor.rpc.errors import NO_ERRORS
from monitor.rpc.node import Node
from monitor.watch import Watch

FROM_FINDINGS: Mapping[tuple[str, bool], Measure] = {
    ("head", True): measures.HEAD_LAG,
    ("stall", True): measures.STALL_MISSED,
    ("stall", False): measures.STALL_QUIET,
    ("fork", True): measures.FORK_DEPTH,
    ("references", False): measures.REFERENCES_AGREEING,
}
"""Check, and whether it speaks of a node -> what the number in its finding is."""
JOURNAL_SUBJECT = "network:"


@dataclass(frozen=True, slots=True)
class Counted:
    """The calls of a node, and those that failed, since it was made."""

    node: Node
    calls: int
    errors: int


class Sampler:
    """Fills samples with what these rules speak of, and with nothing else."""

    def __init__(self, rules: Iterable[Rule], settings: Settings, now: float) -> None:
        self.samples = Samples()
        self._wanted = {rule.series: rule.measure for rule in rules}
        self._counted: dict[str, Counted] = {}
        self._taken: dict[Key, float] = {}
        """By probe and subject: when what was last taken of it was seen."""
        self.apply(settings, now)

    def apply(self, settings: Settings, now: float) -> None:
        """Watch what these settings name."""
        rows = rows_of(CHECKS, settings.checks)
        paces = {row.name: row.every_seconds for row in rows}
        self.samples.watch(
            [(series, measure.subjects) for series, measure in self._wanted.items()],
            subjects_of(settings),
            now,
            paces={s: paces[m.check] for s, m in self._wanted.items() if m.check in paces},
        )
        names = {node.name for node in settings.nodes}
        self._counted = {name: one for name, one in self._counted.items() if name in names}
        kept = {one.name for kind in subjects_of(settings).values() for one in kind}
        self._taken = {key: at for key, at in self._taken.items() if key[1] in kept}

    def rounded(self, watch: Watch, findings: Sequence[Finding], now: float) -> None:
        """Take a round's samples; before latencies are taken out of the nodes by others."""
        if not self._wanted:
            return
        for finding in findings:
            self._finding(watch, finding, now)
        for node in watch.nodes:
            self._calls(node, now)
        self._offers(watch, findings, now)

    def _offers(self, watch: Watch, findings: Sequence[Finding], now: float) -> None:
        """What the checks beside the required ones wrote down or measured, each answer once."""
        histories = [history for node in watch.nodes for history in node.surveys.values()]
        newest = [one for history in histories for one in history[-1:]]
        newest += () if watch.survey is None else watch.survey.newest
        known: set[Key] = set()
        for one in newest:
            subject = subject_of(one.node)
            if self._taken.get((one.check, subject)) == one.at:
                known.add((one.check, subject))
                continue
            self._taken[one.check, subject] = one.at
            for offer in () if isinstance(one.seen, Unseen) else OFFERS_BY_CHECK.get(one.check, ()):
                value = None if offer.read is None else offer.read(one.seen)
                if value is not None:
                    self.samples.add(offer.name, subject, Sample(now, value))
        for finding in findings:
            is_new = finding.key not in known and finding.level != Level.UNKNOWN
            for offer in OFFERS_BY_CHECK.get(finding.check, ()) if is_new else ():
                if offer.read is None and finding.measured is not None:
                    self.samples.add(offer.name, finding.subject, Sample(now, finding.measured))

    def _finding(self, watch: Watch, finding: Finding, now: float) -> None:
        subject, is_seen = finding.subject, finding.level != Level.UNKNOWN
        quorum = subject_of(reference_label(watch.name))
        is_node = subject.startswith(node_subject(""))
        if is_node and finding.check == "head":
            self.samples.add(measures.HEAD_UNSEEN.name, subject, Sample(now, float(not is_seen)))
        if is_node and finding.check == "identity" and is_seen:
            is_other = finding.level == Level.FAILED
            name = measures.IDENTITY_MISMATCH.name
            self.samples.add(name, subject, Sample(now, float(is_other)))
        measure = FROM_FINDINGS.get((finding.check, is_node))
        is_ours = is_node or subject == quorum
        if measure is not None and is_ours and is_seen and finding.measured is not None:
            self.samples.add(measure.name, subject, Sample(now, finding.measured))

    def _calls(self, endpoint: Endpoint, now: float) -> None:
        subject, node = node_subject(endpoint.name), endpoint.node
        for _, seconds in node.latencies:
            self.samples.add(measures.RPC_LATENCY.name, subject, Sample(now, seconds))
        errors = sum(n for reason, n in node.errors_total.items() if reason not in NO_ERRORS)
        counted = Counted(node, node.calls_total, errors)
        before = self._counted.get(endpoint.name)
        if before is None or before.node is not node:
            before = Counted(node, 0, 0)
        self._counted[endpoint.name] = counted
        failed = float(counted.errors - before.errors)
        calls = float(counted.calls - before.calls)
        self.samples.add(measures.RPC_ERROR_RATIO.name, subject, Sample(now, failed, calls))
        self.samples.add(measures.RPC_ERRORS.name, subject, Sample(now, failed))


def read_stores(
    rules: Iterable[Rule], settings: Settings, directory: Path, now: float
) -> tuple[Stored, ...]:
    """What journal and ledgers hold, as far as a rule speaks of it. Reads files."""
    asked = [rule for rule in rules if rule.measure.kind == "stored"]
    wanted = {rule.series: rule.measure for rule in asked}
    ages: dict[str, float] = {}
    for rule in asked:
        age = rule.options.max_age_seconds or 0.0
        ages[rule.measure.subjects] = max(age, ages.get(rule.measure.subjects, 0.0))
    kinds = {measure.subjects for measure in wanted.values()}
    found: list[Stored] = []
    if "journal" in kinds:
        for subject in subjects_of(settings).get("journal", ()):
            found += _of_journal(wanted, directory, subject, now, ages["journal"])
    if "ledger" in kinds and settings.ledgers:
        found += _of_ledgers(settings, directory, now, ages["ledger"])
    return tuple(found)


def _of_journal(
    wanted: Mapping[str, Measure],
    directory: Path,
    subject: Subject,
    now: float,
    max_age_seconds: float,
) -> Iterator[Stored]:
    # Imported here because most rules speak of nodes alone.
    from monitor.transactions import reckoning
    from monitor.transactions.journal import JOURNAL_NAME, JournalError, Reader

    why, found, at = "", {}, now
    try:
        reader = Reader(directory / JOURNAL_NAME)
        beat = next((b for b in reader.beats() if b.network == subject.network), None)
        limit = max(max_age_seconds, reckoning.MAX_AGE_SECONDS)
        at = now if beat is None else beat.at
        if beat is None or now - beat.at > limit:
            age = "never" if beat is None else f"{now - beat.at:.0f} s ago"
            why = f"the journal was last written {age}: is the sidecar running?"
        else:
            found = reckoning.of_network(reader, subject.network, now)
    except JournalError as error:
        why = f"the journal could not be read: {error}"
    for path, measure in wanted.items():
        if measure.subjects != "journal":
            continue
        one = found.get(path)
        value = None if one is None else one.value
        if value is None and not why and measure is measures.OLDEST_WAITING:
            value = 0.0  # Where nobody waits, nobody has waited for long.
        at_least = one is not None and one.is_lower_bound
        sample = None if value is None else Sample(at, value, is_at_least=at_least)
        yield Stored(path, subject.name, sample, why or "there was none within the last day")


def _of_ledgers(
    settings: Settings, directory: Path, now: float, max_age_seconds: float
) -> Iterator[Stored]:
    # Imported here because most rules speak of nodes alone.
    from monitor.ledger import last

    limit = max(max_age_seconds, last.MAX_AGE_SECONDS)
    for finding in last.findings(directory, settings.ledgers, now, limit):
        at = max((evidence.at for evidence in finding.evidence), default=now)
        sample = None if finding.measured is None else Sample(at, finding.measured)
        yield Stored(last.DIFFERENCES, finding.subject, sample, finding.summary)


def subjects_of(settings: Settings) -> Mapping[Subjects, tuple[Subject, ...]]:
    """Everything that is measured where these settings are in force."""
    nodes = settings.nodes
    networks = tuple(dict.fromkeys(node.network for node in nodes))
    journals = dict.fromkeys(account.network or "" for account in settings.transactions.accounts)
    return {
        "node": tuple(Subject(node_subject(node.name), node.network) for node in nodes),
        "quorum": tuple(Subject(subject_of(reference_label(n)), n) for n in networks),
        "journal": tuple(Subject(f"{JOURNAL_SUBJECT}{name}", name) for name in journals),
        "ledger": tuple(Subject(ledger_subject(x.name), x.network or "") for x in settings.ledgers),
    }
