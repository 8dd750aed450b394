"""What people are told: a message of notices, as values and as text. Pure.

A notice is one finding's news; a message is what one channel is told at one moment. Both hold
finished words, so that a template, which an operator writes, needs no arithmetic. The default
texts are written here too; `docs/notifications.md` lists the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

Kind = Literal["opened", "changed", "closed", "reminder", "flapping", "settled"]
"""`settled` is the present level of what was flapping."""

NOTICES_MAX = 10
"""How many notices a message names; of the others only the number is told."""
ALSO_MAX = 5
"""How many consequences are named under their cause."""
TITLE_CHARACTERS_MAX = 200
BODY_CHARACTERS_MAX = 1_800
"""What the narrowest of the large services, Discord, takes in one message, less a title."""
NAMED_MAX = 3
"""How many findings a title names."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The news of one finding. Texts are empty where there is nothing to say."""

    kind: Kind
    check: str
    subject: str
    """`node:NAME`, `reference:NETWORK/NAME`, …"""
    who: str
    """The subject in words: `node local`."""
    network: str
    level: str
    """The level now: ok, unknown, degraded or failed."""
    before: str
    """The level that this channel was told of last; ok where it was told of none."""
    reason: str
    """A slug: stable, for machines."""
    summary: str
    measured: str = ""
    """`measured 9 blocks, limit 2 blocks`."""
    since: str = ""
    """When it left ok, UTC: `02:25:00 UTC`."""
    lasted: str = ""
    """How long that has been, or was: `3 min 12 s`."""
    remedy: str = ""
    """What to look at first."""
    url: str = ""
    """The page of the subject."""
    runbook_url: str = ""
    also: tuple[Notice, ...] = ()
    """What this one explains, and is told of only here."""

    @property
    def is_over(self) -> bool:
        return self.kind == "closed"


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is told at one moment."""

    at: str
    """When it was written, UTC."""
    level: str
    """The worst level of its notices."""
    notices: tuple[Notice, ...]
    """Worst first, at most `NOTICES_MAX`."""
    more: int = 0
    """How many notices there were beyond that."""
    dropped: int = 0
    """How many notices were lost since the last message, while the channel could not be reached."""
    url: str = ""
    """The status page."""

    @property
    def kind(self) -> Kind:
        """The kind of its first notice."""
        return self.notices[0].kind

    @property
    def title(self) -> str:
        """The first line as it is without a template."""
        return title_of(self)

    @property
    def text(self) -> str:
        """The text below the first line as it is without a template."""
        return text_of(self)


def headword(notice: Notice) -> str:
    """`FAILED`, `STILL FAILED`, `OK`, `FLAPPING`: what a reader sees first."""
    word = notice.level.upper()
    words = {"reminder": f"STILL {word}", "flapping": "FLAPPING"}
    return words.get(notice.kind, word)


def title_of(message: Message) -> str:
    """`FAILED node local: stall; OK node b: head; and 3 more`."""
    named: dict[str, list[str]] = {}
    for notice in message.notices[:NAMED_MAX]:
        named.setdefault(f"{headword(notice)} {notice.who}", []).append(notice.check)
    said = [f"{who}: {', '.join(checks)}" for who, checks in named.items()]
    more = len(message.notices) - NAMED_MAX + message.more
    if len(message.notices) > NAMED_MAX:
        said.append(f"and {more} more")
    elif message.more:
        said.append(f"and {message.more} more")
    return "; ".join(said)


def text_of(message: Message) -> str:
    """A paragraph a notice; what does not fit is counted."""
    paragraphs = [paragraph(notice) for notice in message.notices]
    tail = len("\n\n") + len(_last_words(message, len(paragraphs)))
    kept: list[str] = []
    used = tail
    for text in paragraphs:
        if kept and used + len("\n\n") + len(text) > BODY_CHARACTERS_MAX:
            break
        kept.append(cut(text, BODY_CHARACTERS_MAX - tail))
        used += len("\n\n") + len(text)
    last = _last_words(message, len(paragraphs) - len(kept))
    return "\n\n".join([*kept, *([last] if last else [])])


def _last_words(message: Message, unnamed: int) -> str:
    """What is said of what the text above does not name."""
    more = message.more + unnamed
    words = [f"… and {more} more: {message.url}".rstrip(": ")] if more else []
    if message.dropped:
        words.append(
            f"{message.dropped} older notices were lost while this channel could not be reached."
        )
    return "\n".join(words)


def paragraph(notice: Notice) -> str:
    """One finding's news, a fact a line."""
    lines = [f"{headword(notice)} {notice.who}: {notice.check} [{notice.network}]", notice.summary]
    facts = [notice.measured] if notice.measured else []
    if notice.kind in {"changed", "settled"}:
        facts.append(f"was {notice.before}")
    if notice.since:
        held = f"lasted {notice.lasted}, since" if notice.is_over else f"for {notice.lasted}, since"
        facts.append(f"{held} {notice.since}")
    if facts:
        lines.append("; ".join(facts))
    if notice.kind == "flapping":
        lines.append("It comes and goes: nothing more is told of it until it has settled.")
    if notice.remedy and notice.kind in {"opened", "flapping"}:
        lines.append(f"first look: {notice.remedy}")
    if notice.also:
        lines.append(f"also: {_also(notice.also)}")
    lines += [url for url in (notice.url, notice.runbook_url) if url and not notice.is_over]
    return "\n".join(lines)


def _also(notices: Sequence[Notice]) -> str:
    said = [f"{notice.check} of {notice.who} {notice.level}" for notice in notices[:ALSO_MAX]]
    if len(notices) > ALSO_MAX:
        said.append(f"and {len(notices) - ALSO_MAX} more")
    return ", ".join(said)


def cut(text: str, limit: int) -> str:
    """The text, at most so many characters long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


# -- templates -----------------------------------------------------------------------------------

_OPENED = Notice(
    kind="opened",
    check="stall",
    subject="node:local",
    who="node local",
    network="ethereum",
    level="failed",
    before="ok",
    reason="stalled",
    summary="stands at block 21000114 for 112.0 s, while the references moved 9 blocks",
    measured="measured 9 blocks, limit 2 blocks",
    since="02:25:00 UTC",
    lasted="1 min 52 s",
    remedy="If only this node stands: restart or re-peer it.",
    url="http://127.0.0.1:9845/node/local",
    runbook_url="http://127.0.0.1:9845/runbook/HeadwatchNodeStalled",
)
SAMPLE = Message(
    at="02:26:52 UTC",
    level="failed",
    notices=(replace(_OPENED, also=(replace(_OPENED, check="head"),)),),
    url="http://127.0.0.1:9845",
)
"""A message as the documentation shows it."""


def samples() -> Iterator[Message]:
    """Messages of every kind, with all that may be there and with none of it."""
    for kind in get_args(Kind):
        full = replace(_OPENED, kind=kind, also=(replace(_OPENED, check="head"),))
        bare = Notice(kind, "stall", "monitor", "monitor", "ethereum", "ok", "ok", "fine", "well")
        yield replace(SAMPLE, notices=(full, bare), more=2, dropped=1)
        yield Message(at="", level="ok", notices=(bare,))


@cache
def _environment() -> SandboxedEnvironment:
    """Jinja is imported by the first template: who has none does not pay for it."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # Messages are plain text: what would be escaped for HTML is escaped by whoever makes HTML.
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def render(text: str, message: Message) -> str:
    """A template filled in. Raises TemplateProblem where it cannot be."""
    from jinja2 import TemplateError

    try:
        return _environment().from_string(text).render(message=message)
    except (TemplateError, *_MISTAKES) as error:
        raise TemplateProblem(_problem(error)) from None


class TemplateProblem(ValueError):
    """What is wrong with a template, with its line."""


_MISTAKES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What an expression of an operator may raise, beside Jinja's own."""


def template_problem(text: str) -> str:
    """What is wrong with a template of a message, with its line; empty where nothing is.

    Words in branches that no sample reaches are looked at too, as far as their first part goes.
    """
    from jinja2 import TemplateSyntaxError, meta

    try:
        names = meta.find_undeclared_variables(_environment().parse(text))
    except TemplateSyntaxError as error:
        return _problem(error)
    unknown = sorted(names - {"message"})
    if unknown:
        line = _line_of(text, unknown[0])
        return f"line {line} of the template: nothing is called '{unknown[0]}', only 'message' is"
    try:
        for message in samples():
            render(text, message)
    except TemplateProblem as error:
        return str(error)
    return ""


def _problem(error: Exception) -> str:
    """Jinja's words with the template's line, and the words that there are where one is unknown."""
    # Imported here because only a mistake needs it.
    from difflib import get_close_matches

    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    said = str(error) or type(error).__name__
    for kind in (Message, Notice):
        said = said.replace(f"'{kind.__module__}.{kind.__qualname__} object'", kind.__name__)
        if said.startswith(f"{kind.__name__} has no attribute"):
            known = sorted({field.name for field in fields(kind)} | _properties(kind))
            near = get_close_matches(said.split("'")[1], known, 1)
            said += f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(known)}"
    return f"line {line or 1} of the template: {said}"


def _properties(kind: type) -> set[str]:
    return {name for name, value in vars(kind).items() if isinstance(value, property)}


def _line_of(text: str, word: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if word in line), 1)
