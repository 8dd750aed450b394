"""People who are told by one apprise URL: what is due becomes a message, and goes out in turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from monitor.act.notify.digest import Digest, Draft, Rules
from monitor.act.notify.service import Service, in_thread, kind_of
from monitor.act.notify.standing import Standing
from monitor.act.notify.tally import Tally
from monitor.act.notify.turns import Turns
from monitor.act.notify.wording import message_of
from monitor.act.words import plain
from monitor.config.settings import Alerting, Channel
from monitor.model import Action, Finding, Level
from monitor.notices import (
    BODY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Message,
    TemplateProblem,
    cut,
    render,
)

log = logging.getLogger("headwatch")
Silenced = Callable[[Finding], bool]
PATIENCE_SECONDS = 120.0
"""Beyond the deadline; then an attempt is given up, although its thread cannot be ended."""
HELD_MAX = 4
"""Threads that a service may hold at once: no attempt is made while it holds so many."""


def rules_of(channel: Channel, alerting: Alerting) -> Rules:
    """What a configured channel is told, and how often."""
    return Rules(
        level=Level[channel.level.upper()],
        networks=frozenset(channel.networks),
        is_closing_told=channel.closed,
        reminder_seconds=channel.reminder_seconds,
        group_seconds=alerting.group_seconds,
        flap_edges_max=alerting.flap_edges_max,
        flap_seconds=alerting.flap_seconds,
        waiting_max=alerting.queue_messages_max,
    )


@dataclass(slots=True)
class Mouth:
    """One channel: its memory, its service, and the one message that is under way."""

    settings: Channel
    service: Service
    digest: Digest
    tally: Tally
    turns: Turns
    clock: Callable[[], float]
    deadline_seconds: float
    page_url: str
    patience_seconds: float = PATIENCE_SECONDS
    held: set[asyncio.Future[str]] = field(default_factory=set)
    """Attempts that were given up and have not ended."""

    def note(self, actions: Iterable[Action], silenced: Silenced) -> None:
        """Count edges, and those that are held back."""
        for reason, count in self.digest.note(actions, silenced, self.clock()).items():
            self.tally.held(reason, count)

    def refresh(self, standing: Standing, silenced: Silenced) -> None:
        """Compare what stands with what was told."""
        now = self.clock()
        self.digest.refresh(standing, silenced, now)
        if self.turns.is_failing and not self.turns.is_busy:
            lost = self.digest.drop(now)
            self.tally.dropped(lost, "too many wait while it cannot be told")
        self.tally.queued(self.digest.waiting)

    def beat(self) -> None:
        """Send what is due, if nothing is under way."""
        now = self.clock()
        if not self.turns.may_begin() or len(self.held) >= HELD_MAX:
            return
        if not self.digest.is_due(now):
            return
        draft = self.digest.draft(now)
        if draft is not None:
            self.turns.begin(self._tell(draft))

    @property
    def waiting(self) -> int:
        """How many notices are still to be told."""
        return self.digest.waiting

    async def flush(self) -> None:
        """Send once more what waits, due or not, whatever pause there was."""
        draft = self.digest.draft(self.clock()) if self.waiting else None
        if draft is not None:
            await self._tell(draft)

    async def _tell(self, draft: Draft) -> None:
        """One attempt. One that takes too long is a failure, and a success if it ends as one.

        One that does not end at all is given up: then people may be told twice.
        """
        message = message_of(draft, page_url=self.page_url, now=self.clock())
        title, body = filled(self.settings, message)
        sending = in_thread(partial(self.service.send, title, body, kind_of(message)))
        done, _ = await asyncio.wait({sending}, timeout=self.deadline_seconds)
        if not done:
            self.tally.failed(f"no answer within {self.deadline_seconds:g} s")
            late, _ = await asyncio.wait({sending}, timeout=self.patience_seconds)
            if not late:
                self.held.add(sending)
                sending.add_done_callback(self.held.discard)
                self.turns.failed()
                return
        problem = sending.result()
        if not problem:
            self.digest.commit(draft)
            self.turns.succeeded()
            self.tally.sent(self.clock())
            self.tally.queued(self.digest.waiting)
            return
        if done:
            self.tally.failed(problem)
        self.turns.failed()

    def renewed(self, settings: Channel, alerting: Alerting, page_url: str) -> None:
        """The same people under changed rules: what they were told stays told."""
        self.settings = settings
        self.digest.rules = rules_of(settings, alerting)
        self.deadline_seconds = alerting.deadline_seconds
        self.page_url = page_url


def filled(channel: Channel, message: Message) -> tuple[str, str]:
    """First line and text; the default where a template fails on what no sample has."""
    title = _filled(channel.name, "title", channel.title, message) or message.title
    body = _filled(channel.name, "body", channel.body, message) or message.text
    return cut(plain(title), TITLE_CHARACTERS_MAX), cut(body, BODY_CHARACTERS_MAX)


def _filled(channel: str, name: str, template: str | None, message: Message) -> str:
    if template is None:
        return ""
    try:
        return render(template, message).strip()
    except TemplateProblem as error:
        log.warning("%s: the template %s cannot be filled in: %s", channel, name, error)
        return ""
