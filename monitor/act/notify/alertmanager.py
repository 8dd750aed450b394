"""Findings posted to an Alertmanager's API v2, again and again, until it knows that they are over.

The contract of `POST /api/v2/alerts`: identical labels are the same alert, one that is not posted
again ends at its `endsAt`, and a 400 names alerts that will never be taken, while the valid ones of
the same post were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from monitor.act.notify.board import Board, Labels, Sheet
from monitor.act.notify.exchange import Answer, Request, send
from monitor.act.notify.standing import Standing
from monitor.act.notify.tally import Tally
from monitor.act.notify.turns import Turns
from monitor.config.settings import Alertmanager
from monitor.model import Finding

POSTS_A_LIFE = 3
"""How often an alert is posted in the time that it lives without being posted again."""
REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers to what was posted, which trying again would not change."""


@dataclass(slots=True)
class Pusher:
    """One Alertmanager, and what it should know."""

    settings: Alertmanager
    tally: Tally
    turns: Turns
    clock: Callable[[], float]
    deadline_seconds: float
    board: Board
    _is_changed: bool = False
    _posted_at: float | None = None
    """When it last took everything."""

    def refresh(self, standing: Standing, silenced: Callable[[Finding], bool]) -> None:
        """Put on the board what stands now."""
        now = self.clock()
        self._is_changed |= self.board.refresh(standing, silenced, now)
        self.tally.queued(self.board.waiting)

    def beat(self, session: aiohttp.ClientSession) -> None:
        """Post if something changed, or if it is time to post all again."""
        if self.turns.may_begin() and self._is_due() and not self.board.is_empty:
            self.turns.begin(self._post(session))

    def _is_due(self) -> bool:
        if self._is_changed or self.turns.is_failing or self._posted_at is None:
            return True
        every = self.settings.resolve_timeout_seconds / POSTS_A_LIFE
        return not 0 <= self.clock() - self._posted_at < every

    @property
    def waiting(self) -> int:
        """How many alerts it has yet to hear of, or of whose end."""
        return self.board.waiting

    async def flush(self, session: aiohttp.ClientSession) -> None:
        """Post once more what it does not know yet, whatever pause there was."""
        if self.waiting:
            await self._post(session)

    async def _post(self, session: aiohttp.ClientSession) -> None:
        """Post the board. Of what is refused, halves are tried, until the culprits stand alone."""
        self._is_changed = False
        sheet = self.board.sheet(self.clock())
        waiting: list[Sequence[Labels]] = [tuple(sheet.alerts)]
        refused: list[str] = []
        while waiting:
            part = waiting.pop()
            answer = await self._exchange(session, sheet, part)
            if answer.is_accepted:
                self.board.accepted(sheet, part)
            elif answer.status not in REFUSED:
                if not answer.is_reached:
                    self.board.unreached(sheet, [*part, *(each for p in waiting for each in p)])
                self._failed(answer)
                return
            elif len(part) == 1:
                self.board.refused(part[0])
                refused.append(answer.problem)
            else:
                middle = len(part) // 2
                waiting += [part[:middle], part[middle:]]
        self._posted_at = self.clock()
        self.turns.succeeded()
        self.tally.dropped(len(refused), refused[0] if refused else "")
        if len(refused) < len(sheet.alerts):
            self.tally.sent(self._posted_at)
        self.tally.queued(self.board.waiting)

    async def _exchange(
        self, session: aiohttp.ClientSession, sheet: Sheet, part: Sequence[Labels]
    ) -> Answer:
        body = json.dumps([sheet.alerts[labels] for labels in part]).encode()
        request = Request(
            self.settings.url,
            path=("api", "v2", "alerts"),
            body=body,
            token_file=self.settings.token_file,
        )
        return await send(session, request, deadline_seconds=self.deadline_seconds)

    def _failed(self, answer: Answer) -> None:
        self.turns.failed()
        self.tally.failed(answer.problem)
        self.tally.queued(self.board.waiting)
