"""A draft in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.notify.digest import Draft, News, Told
from monitor.act.notify.standing import Bad
from monitor.act.notify.wording import (
    SUMMARY_CHARACTERS_MAX,
    message_of,
    runbook_url,
    spoken,
    subject_url,
)
from monitor.checks import CHECKS
from monitor.model import Level
from monitor.notices import NOTICES_MAX, Message
from tests.act.notify.stage import NODE, edge, finding

OK, UNKNOWN, DEGRADED, FAILED = Level
NOW = 1_795_000_000.0
PAGE = "http://127.0.0.1:9845"


def news(kind: str = "opened", **more: object) -> News:
    """News of a stall that is two minutes old."""
    made = finding(measured=9.0, limit=2.0, unit="blocks")
    bad = Bad(made, NOW - 120, replace(made, measured=12.0, summary="newer"))
    plain = News("opened", made.key, bad, OK, None, Told(bad, NOW))
    return replace(plain, kind=kind, **more)  # type: ignore[arg-type]


def message(*told: News) -> Message:
    return message_of(Draft(told, {}, 0), page_url=PAGE, now=NOW)


def test_opening_speaks_of_the_edge_and_a_reminder_of_now() -> None:
    """The numbers are those of the moment that is told of."""
    (opened,) = message(news()).notices
    assert (opened.summary, opened.measured) == (
        "stall is failed",
        "measured 9 blocks, limit 2 blocks",
    )
    (reminder,) = message(news("reminder")).notices
    assert (reminder.summary, reminder.lasted) == ("newer", "2 min")


def test_closing_speaks_of_what_ended_it() -> None:
    """Its length ends at the edge, and not when the message goes out."""
    over = edge(finding(level=OK), FAILED, NOW - 60)
    (closed,) = message(news("closed", over=over, before=FAILED)).notices
    assert (closed.level, closed.before, closed.lasted) == ("ok", "failed", "1 min")
    assert closed.summary == "stall is ok"


def test_closing_for_a_channel_of_failures_says_what_is_left() -> None:
    """Below the channel's level is not well."""
    over = edge(finding(level=DEGRADED), FAILED, NOW)
    shown = message(news("closed", over=over, before=FAILED))
    assert shown.title == "DEGRADED node local: stall"


def test_consequences_are_named_with_their_level() -> None:
    """Under their cause."""
    (notice,) = message(news(also=((finding("head"), FAILED),))).notices
    assert [(also.check, also.level) for also in notice.also] == [("head", "failed")]


def test_message_names_so_many_and_counts_the_others() -> None:
    """A fleet that goes down is one message of bounded length."""
    shown = message(*[news() for _ in range(NOTICES_MAX + 12)])
    assert (len(shown.notices), shown.more) == (NOTICES_MAX, 12)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_has_its_first_look(check: object) -> None:
    """The remedy is that of the table of checks."""
    name, remedy = check.name, check.remedy  # type: ignore[attr-defined]
    made = finding(name)
    (notice,) = message(news(bad=Bad(made, NOW, made))).notices
    assert notice.remedy == remedy


@pytest.mark.parametrize(
    ("subject", "url"),
    [
        (NODE, f"{PAGE}/node/local"),
        ("node:a/b c", f"{PAGE}/node/a%2Fb%20c"),
        ("reference:ethereum/a", PAGE),
        ("monitor", PAGE),
    ],
)
def test_link_leads_to_the_node_or_to_the_status_page(subject: str, url: str) -> None:
    """Only nodes have a page of their own."""
    assert subject_url(PAGE, subject) == url
    assert subject_url("", subject) == ""


def test_runbook_is_that_of_the_alert() -> None:
    """What no alert tells of has none."""
    assert runbook_url(PAGE, finding()) == f"{PAGE}/runbook/HeadwatchNodeStalled"
    assert runbook_url(PAGE, finding("no such check")) == ""


def test_words_of_a_node_call_nobody() -> None:
    """A client's name may hold what a chat takes for an order, or a terminal for one."""
    said = spoken("@everyone <!channel> \x1b[31mred\nline")
    assert not {"@", "<", ">", "\x1b", "\n"} & set(said)
    assert len(spoken("x" * 10_000)) == SUMMARY_CHARACTERS_MAX
