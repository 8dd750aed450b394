"""`headwatch status`: reads a running sidecar and shows it, as a screen, as lines or as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.commands import EXIT_CODES, INCONCLUSIVE, INTERRUPTED, PASS, USAGE, OutputError
from monitor.status.document import (
    DocumentError,
    Json,
    NoNodeError,
    State,
    narrowed,
    read_json,
    state_of,
)
from monitor.status.feed import Lost, LostError, Pace, Place, open_feed
from monitor.status.lines import changed_lines, first_lines, lost_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

WIDTH = 160
"""Columns of what is not a terminal."""
KEYS = "q or Ctrl-C ends it"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be shown, and how."""

    place: Place
    as_json: bool
    node: str | None
    colour: bool
    pace: Pace


def status_command(
    *,
    url: str,
    token: str | None = None,
    as_json: bool,
    once: bool,
    node: str | None,
    colour: bool,
    pace: Pace | None = None,
) -> int:
    """Show the sidecar at `url`, whose `/api/v1/` routes are asked; the exit code.

    `once`: the verdict's exit code, 3 when it cannot be seen. Otherwise until the end that the
    operator makes: 0 after q, 130 after Ctrl-C. 2: no such node, or a URL that is none.
    """
    try:
        place = Place(url, token)
    except ValueError as error:
        return _refused(f"--url: {error}")
    wish = Wish(place, as_json=as_json, node=node, colour=colour, pace=pace or Pace())
    try:
        if once:
            return asyncio.run(_once(wish))
        if as_json or not _is_screen():
            return asyncio.run(_stream(wish))
        return asyncio.run(_live(wish))
    except NoNodeError as error:
        return _refused(f"--node: {error}")


def _refused(text: str) -> int:
    _note(text)
    return USAGE


def _is_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _note(line: str) -> None:
    sys.stderr.write(f"headwatch: {line}\n")
    sys.stderr.flush()


def _say(text: str) -> None:
    """A line on stdout, at once. Raises BrokenPipeError and OutputError."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror) from None


def _read(body: bytes, node: str | None) -> tuple[Json, State]:
    """The document, and its values. Raises DocumentError and NoNodeError."""
    document = read_json(body)
    if node is not None:
        document = narrowed(document, node)
    return document, state_of(document)


async def _once(wish: Wish) -> int:
    try:
        async with open_feed(wish.place, wish.pace) as feed:
            body = await feed.state()
        document, state = _read(body, wish.node)
    except (LostError, DocumentError) as error:
        _note(f"the sidecar at {wish.place.origin} cannot be read: {error}")
        return INCONCLUSIVE
    if wish.as_json:
        _say(json.dumps(document))
    else:
        _print_screen(state, colour=wish.colour)
    return EXIT_CODES[state.verdict]


def _print_screen(state: State, *, colour: bool) -> None:
    from monitor.status.screen import Frame, screen

    is_terminal = sys.stdout.isatty()
    console = _console(colour=colour, width=None if is_terminal else WIDTH)
    with console.capture() as capture:
        console.print(screen(state, Frame(console.width)), highlight=False)
    _say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _console(*, colour: bool, width: int | None = None) -> Console:
    """Without colour there are no escape sequences at all, whatever the environment asks for."""
    from rich.console import Console

    return Console(color_system="auto" if colour else None, width=width, markup=False, emoji=False)


async def _news(wish: Wish) -> AsyncGenerator[tuple[Json, State] | Lost, None]:
    """What was read, as it changes; a document that cannot be read is a lost connection too."""
    unread = 0
    async with open_feed(wish.place, wish.pace) as feed, aclosing(feed.follow()) as following:
        async for news in following:
            if isinstance(news, Lost):
                yield news
                continue
            try:
                read = _read(news, wish.node)
            except DocumentError as error:
                unread += 1
                yield Lost(unread, str(error))
                await asyncio.sleep(wish.pace.retry_max)
            else:
                unread = 0
                yield read


async def _stream(wish: Wish) -> int:
    """One line a document, or one a change; what is lost is said on stderr."""
    before: State | None = None
    async with aclosing(_news(wish)) as following:
        async for news in following:
            if isinstance(news, Lost):
                _note(lost_line(news, wish.place.origin))
                continue
            document, state = news
            if wish.as_json:
                _say(json.dumps(document))
            else:
                lines = first_lines(state) if before is None else changed_lines(before, state)
                for line in lines:
                    _say(line)
            before = state
    return PASS


@dataclass(slots=True)
class Shown:
    """What the screen is drawn from."""

    origin: str
    clock: Callable[[], float]
    state: State | None = None
    came_at: float = 0.0
    lost: Lost | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    exit_code: int = PASS

    def take(self, news: tuple[Json, State] | Lost) -> None:
        """The newest state, or that there is none and the last one is old."""
        if isinstance(news, Lost):
            self.lost = news
        else:
            self.state, self.came_at, self.lost = news[1], self.clock(), None

    def end(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.ended.set()

    def draw(self, live: Live) -> None:
        """All of it, anew: called for news, and when the terminal has another size."""
        from monitor.status.screen import Frame, screen, waiting

        frame = Frame(
            live.console.width,
            live.console.height,
            self.lost,
            self.clock() - self.came_at,
            f"{self.origin}; {KEYS}",
        )
        state = self.state
        picture = waiting(self.lost, frame) if state is None else screen(state, frame)
        live.update(picture, refresh=True)


async def _live(wish: Wish, clock: Callable[[], float] = time.monotonic) -> int:
    """The screen, until it is ended."""
    from rich.live import Live

    shown = Shown(wish.place.origin, clock)
    console = _console(colour=wish.colour)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        async with _keys(shown, lambda: shown.draw(live)):
            shown.draw(live)
            watching = asyncio.create_task(_watch(wish, shown, live))
            ending = asyncio.create_task(shown.ended.wait())
            await asyncio.wait({watching, ending}, return_when=asyncio.FIRST_COMPLETED)
            for task in (watching, ending):
                task.cancel()
            await asyncio.wait({watching, ending})
            if not watching.cancelled():
                watching.result()
    return shown.exit_code


async def _watch(wish: Wish, shown: Shown, live: Live) -> None:
    async with aclosing(_news(wish)) as following:
        async for news in following:
            shown.take(news)
            shown.draw(live)


@asynccontextmanager
async def _keys(shown: Shown, redraw: Callable[[], None]) -> AsyncIterator[None]:
    """Listens for q, Ctrl-C, an end from outside, and another size of the terminal."""
    import termios
    import tty

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, shown.end, INTERRUPTED)
    loop.add_signal_handler(signal.SIGTERM, shown.end, INTERRUPTED)
    loop.add_signal_handler(signal.SIGWINCH, redraw)
    descriptor = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    before = None if descriptor is None else termios.tcgetattr(descriptor)

    def pressed() -> None:
        keys = os.read(descriptor or 0, 64)
        if not keys or b"q" in keys.lower():
            shown.end(PASS)

    if descriptor is not None:
        tty.setcbreak(descriptor)
        loop.add_reader(descriptor, pressed)
    try:
        yield
    finally:
        if descriptor is not None and before is not None:
            loop.remove_reader(descriptor)
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGWINCH):
            loop.remove_signal_handler(number)
