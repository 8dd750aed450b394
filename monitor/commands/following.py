"""Follows a transaction until its nonce is used in a final block."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from monitor.act.words import duration
from monitor.commands import FINDINGS, INCONCLUSIVE, PASS, UnseenError
from monitor.commands.transaction_access import Json, StoryPart, Told
from monitor.transactions.words import State

POLL_SECONDS = 2.0
OURS = frozenset({"cancel", "fill"})
"""Kinds of attempts that use the nonce and pay nobody."""
ENDINGS = {
    State.FINAL_OK: PASS,
    State.FINAL_REVERTED: FINDINGS,
    State.REPLACED_SAME: FINDINGS,
    State.REPLACED_OTHER: FINDINGS,
    State.CANCELLED: FINDINGS,
    State.LOST: FINDINGS,
}
"""What ends the waiting. Whether the payment of `replaced_same` succeeded, nobody has looked."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the waiting ended."""

    exit_code: int
    sentence: str
    document: Json
    """The story as it was seen last; empty where it never was."""


class Progress:
    """Says where it stands: on a terminal in one line that changes, elsewhere a line a change."""

    def __init__(self, out: TextIO, is_terminal: bool) -> None:  # noqa: FBT001 - as isatty has it
        self._out = out
        self._is_terminal = is_terminal
        self._said = ""

    def tell(self, words: str, waited_seconds: float) -> None:
        """The words of now; the same words are not said twice where they would stay."""
        if self._is_terminal:
            self._out.write(f"\r\x1b[K{words}, {duration(waited_seconds)}")
        elif words != self._said:
            self._out.write(f"{words}\n")
        self._said = words
        self._out.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._said:
            self._out.write("\n")
            self._out.flush()


def follow(
    look: Callable[[], Told[StoryPart]],
    seconds: float,
    progress: Progress,
    *,
    stopwatch: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Ending:
    """Look until the end, for so long. A sidecar that is away for a moment is waited for."""
    began = stopwatch()
    seen: Told[StoryPart] | None = None
    try:
        while True:
            waited = stopwatch() - began
            try:
                seen = look()
            except UnseenError as error:
                progress.tell(str(error), waited)
            else:
                story = seen.values
                summary = story.states[-1].summary if story.states else ""
                progress.tell(f"{story.state}: {summary}" if summary else story.state, waited)
                ending = _ending(seen)
                if ending is not None:
                    return ending
            if waited >= seconds:
                return _too_late(seen, waited)
            pause(min(POLL_SECONDS, seconds - waited))
    finally:
        progress.end()


def _ending(seen: Told[StoryPart]) -> Ending | None:
    story = seen.values
    try:
        code = ENDINGS.get(State(story.state))
    except ValueError:
        return None  # Of a newer sidecar: it is no end that we know.
    if code is None:
        return None
    consumer = next((a for a in story.attempts if a.hash == story.consumer_hash), None)
    if code == PASS and consumer is not None and consumer.kind in OURS:
        sentence = f"nonce {story.nonce} of {story.alias} was used by a {consumer.kind}"
        return Ending(FINDINGS, f"{sentence}: {consumer.hash}", seen.document)
    by = "" if story.consumer_hash is None else f" by {story.consumer_hash}"
    sentence = f"nonce {story.nonce} of {story.alias}: {story.state}{by}"
    return Ending(code, sentence, seen.document)


def _too_late(seen: Told[StoryPart] | None, waited_seconds: float) -> Ending:
    if seen is None:
        return Ending(INCONCLUSIVE, f"not seen within {duration(waited_seconds)}", {})
    state = seen.values.state
    sentence = f"not final after {duration(waited_seconds)}: {state}"
    return Ending(INCONCLUSIVE, sentence, seen.document)
