"""version: is there a newer release of the node's client, or anything known against this one?

An old version is a warning and never a failure: a node that is on the network's chain and answers
rightly is not wrong. Whoever wants to hold it says so in a gate (`version.advisories_count.max ==
0`). Whether the version knows the network's next fork is another check's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.judge.release import Advisory, Feed, Release, Version, supports, version_of
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "version"
METHOD = "web3_clientVersion"
DAY_SECONDS = 86_400.0
NAMED_COUNT_MAX = 3
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """What a node runs, and what was known of its client then."""

    client: str
    """The whole `web3_clientVersion`."""
    feed: Feed | None
    """None: no feed of this client is configured."""
    at: float
    version: Version | None
    """None: none can be read in it."""
    newer: tuple[Release, ...] | None
    """The releases that are newer, the oldest first; None where that cannot be said."""
    advisories: tuple[Advisory, ...] | None
    """What is known against this version, the worst first; None where that cannot be said."""

    @property
    def behind_days(self) -> float | None:
        """For how long there has been a newer one; 0 where there is none."""
        if self.newer is None:
            return None
        first = min((release.at for release in self.newer), default=self.at)
        return max(0.0, (self.at - first) / DAY_SECONDS)


def seen_of(client: str, feed: Feed | None, at: float) -> VersionSeen:
    """What a node says it runs, compared with what is known: once, and not in every round."""
    version = version_of(client)
    newer: tuple[Release, ...] | None = None
    advisories: tuple[Advisory, ...] | None = None
    if feed is not None and version is not None and not isinstance(feed.releases, Unseen):
        found = [release for release in feed.releases if release.version > version]
        newer = tuple(sorted(found, key=lambda release: release.version))
    if feed is not None and not isinstance(feed.advisories, Unseen):
        against = [one for one in feed.advisories if one.check.is_in(client)]
        advisories = tuple(sorted(against, key=_badness))
    return VersionSeen(client, feed, at, version, newer, advisories)


def _badness(advisory: Advisory) -> int:
    word = advisory.severity.lower()
    return SEVERITIES.index(word) if word in SEVERITIES else -1


def _count(values: Sequence[object] | None) -> float | None:
    return None if values is None else float(len(values))


def _behind_seconds(seen: VersionSeen) -> float | None:
    days = seen.behind_days
    return None if days is None else days * DAY_SECONDS


OFFERS: tuple[Offer[VersionSeen], ...] = (
    Offer(
        "version.behind_releases",
        "releases",
        "Finished releases of its client that are newer than what the node runs",
        lambda seen: _count(seen.newer),
    ),
    Offer(
        "version.behind_seconds",
        "seconds",
        "For how long there has been a newer release of its client",
        _behind_seconds,
    ),
    Offer(
        "version.advisories_count",
        "advisories",
        "Known vulnerabilities of the version that the node runs",
        lambda seen: _count(seen.advisories),
    ),
)


def judge(
    history: Sequence[Observation[VersionSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: what is known against the version, else how far it is behind."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    level, reason, summary, evidence = _judged(seen)
    behind = _count(seen.newer)
    return (
        Finding(
            check=CHECK,
            subject=subject_of(newest.node),
            network=context.network,
            level=level,
            reason=reason,
            summary=summary,
            measured=behind,
            limit=None if seen.feed is None or behind is None else float(seen.feed.releases_max),
            unit="" if behind is None else "releases",
            evidence=(
                Evidence(newest.node, METHOD, seen.client, newest.at),
                *(Evidence(source, "feed", said, newest.at) for source, said in evidence),
            ),
        ),
    )


Judged = tuple[Level, str, str, tuple[tuple[str, str], ...]]
"""Level, reason, summary; and who else said what."""


def _judged(seen: VersionSeen) -> Judged:
    """What speaks against it first, the worst first; then what could not be seen."""
    feed, version, advisories = seen.feed, seen.version, seen.advisories
    if feed is None:
        summary = f"no feed of its client's releases is configured, which says {seen.client!r}"
        return (Level.UNKNOWN, "no_feed", summary, ())
    if advisories:
        said = tuple((f"advisories of {feed.client}", _words(one)) for one in advisories)
        named = ", ".join(f"{one.uid} ({one.severity})" for one in advisories[:NAMED_COUNT_MAX])
        more = len(advisories) - NAMED_COUNT_MAX
        named += f" and {more} more" if more > 0 else ""
        return (Level.DEGRADED, "vulnerable", f"known vulnerabilities: {named}", said)
    if version is None:
        summary = f"no version can be read in what it says: {seen.client!r}"
        return (Level.UNKNOWN, "unreadable", summary, ())
    if feed.supported and not supports(feed.supported)(version):
        summary = f"{version} is not supported any more: {feed.supported} is"
        return (Level.DEGRADED, "end_of_life", summary, ())
    for what, part in (("releases", feed.releases), ("advisories", feed.advisories)):
        if isinstance(part, Unseen):
            summary = f"the {what} of {feed.client} were not seen: {part.detail}"
            return (Level.UNKNOWN, "feed_unseen", summary, ())
    return _compared(feed, version, seen)


def _compared(feed: Feed, version: Version, seen: VersionSeen) -> Judged:
    newer, days = seen.newer or (), seen.behind_days or 0.0
    if not newer:
        return (Level.OK, "newest", f"{version}; no finished release of its client is newer", ())
    newest = newer[-1]
    said = ((f"releases of {feed.client}", f"{newest.name}, the newest of {len(newer)} newer"),)
    count = "1 release" if len(newer) == 1 else f"{len(newer)} releases"
    summary = f"{version} is {count} behind {newest.name}, and has been behind for {days:.0f} days"
    if len(newer) > feed.releases_max or days > feed.days_max:
        return (Level.DEGRADED, "behind", summary, said)
    return (Level.OK, "recent", summary, said)


def _words(advisory: Advisory) -> str:
    fixed = f", fixed in {advisory.fixed}" if advisory.fixed else ""
    return f"{advisory.uid}: {advisory.name} ({advisory.severity}{fixed})"
