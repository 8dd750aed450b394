"""A draft in words: what the notices of a message say. Pure."""

from __future__ import annotations

from urllib.parse import quote

from monitor.act.alerts import alert_of
from monitor.act.notify.digest import Draft, News
from monitor.act.words import clock_time, duration, measure, plain, subject_words
from monitor.checks import CHECKS
from monitor.model import Finding, Level
from monitor.notices import NOTICES_MAX, Message, Notice, cut

SUMMARY_CHARACTERS_MAX = 400
REMEDIES = {check.name: check.remedy for check in CHECKS}
_HARMLESS = str.maketrans({"@": "(at)", "<": "(", ">": ")"})
"""A node's own words may be meant to call everybody in a chat, or to be a link."""


def spoken(text: str) -> str:
    """A sentence that may hold somebody else's words, on one line, calling nobody."""
    return cut(plain(text).translate(_HARMLESS), SUMMARY_CHARACTERS_MAX)


def subject_url(page_url: str, subject: str) -> str:
    """The page of a node; of anything else, the status page."""
    kind, _, name = subject.partition(":")
    return f"{page_url}/node/{quote(name, safe='')}" if kind == "node" and page_url else page_url


def runbook_url(page_url: str, finding: Finding) -> str:
    """The runbook of the alert that tells of a finding; empty where there is none."""
    alert = alert_of(finding)
    return f"{page_url}/runbook/{alert.name}" if alert is not None and page_url else ""


def message_of(draft: Draft, *, page_url: str, now: float) -> Message:
    """The message of a draft."""
    notices = tuple(_notice(news, page_url, now) for news in draft.news[:NOTICES_MAX])
    return Message(
        at=clock_time(now, now),
        level=max(news.level for news in draft.news).word,
        notices=notices,
        more=len(draft.news) - len(notices),
        dropped=draft.dropped,
        url=page_url,
    )


def _notice(news: News, page_url: str, now: float) -> Notice:
    bad, over = news.bad, news.over
    shown = bad.newest if news.kind in {"reminder", "flapping"} else bad.finding
    ended_at = now
    if news.kind == "closed" and over is not None:
        shown, ended_at = over.finding, over.at
    level = shown.level if news.kind == "closed" else news.level
    return Notice(
        kind=news.kind,
        check=shown.check,
        subject=shown.subject,
        who=subject_words(shown.subject),
        network=shown.network,
        level=level.word,
        before=news.before.word,
        reason=shown.reason,
        summary=spoken(shown.summary),
        measured=measure(shown),
        since=clock_time(bad.opened_at, now),
        lasted=duration(max(0.0, ended_at - bad.opened_at)),
        remedy=REMEDIES.get(shown.check, ""),
        url=subject_url(page_url, shown.subject),
        runbook_url=runbook_url(page_url, bad.finding),
        also=tuple(_consequence(finding, level, page_url) for finding, level in news.also),
    )


def _consequence(finding: Finding, level: Level, page_url: str) -> Notice:
    """What is told only under its cause: no times, no remedy."""
    return Notice(
        kind="closed" if level == Level.OK else "opened",
        check=finding.check,
        subject=finding.subject,
        who=subject_words(finding.subject),
        network=finding.network,
        level=level.word,
        before=Level.OK.word,
        reason=finding.reason,
        summary=spoken(finding.summary),
        url=subject_url(page_url, finding.subject),
    )
