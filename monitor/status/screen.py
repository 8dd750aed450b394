"""The screen of `headwatch status`: a state in, something that rich can draw out. Pure.

What is wrong comes first, and everything is bounded by the height: worst first, then "and n more".
Texts go in as `Text`, never as markup, so that a node's words are words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.styled import Styled
from rich.table import Table
from rich.text import Text

from monitor.act.words import clock_time, duration, subject_words
from monitor.model import Level, VerdictWord, short
from monitor.status.document import EndpointState, FindingState, LevelWord, NetworkState, State
from monitor.status.feed import Lost

STYLES: dict[LevelWord, str] = {
    "ok": "green",
    "unknown": "magenta",
    "degraded": "yellow",
    "failed": "bold red",
}
VERDICTS: dict[VerdictWord, str] = {
    "pass": "bold black on green",
    "inconclusive": "bold black on yellow",
    "fail": "bold white on red",
}
LOST = "bold black on yellow"
OLD = "dim"
WIDE_COLUMNS = 110
"""From here on the client's version is shown, and half a hash."""
NAME_CHARACTERS_MAX = 24
HEIGHT_DIGITS_MAX = 12
SECTION_LINES = 2
"""An empty line and the head of a table."""
FINDING_LINES = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the state: the size of the screen, and how the connection fares."""

    width: int
    height: int | None = None
    """In lines; None: as long as it needs to be."""
    lost: Lost | None = None
    old_seconds: float = 0.0
    """Since the state came; shown when the connection is lost."""
    footer: str = ""


def screen(state: State, frame: Frame) -> RenderableType:
    """Everything, cut to the frame's height."""
    head = [*_lost_lines(state, frame), *_verdict_lines(state, is_old=frame.lost is not None)]
    foot = [Text(frame.footer, style=OLD)] if frame.footer else []
    room = _Room(None if frame.height is None else frame.height - len(head) - len(foot))
    parts: list[RenderableType] = []
    parts += _networks(state, room.take(len(state.networks), share=4, fixed=SECTION_LINES))
    causes = _causes(state)
    parts += _findings(state, causes, room.take(len(causes), share=2, lines=FINDING_LINES))
    nodes = sorted(state.nodes, key=lambda node: (-node.severity, node.name))
    others = sorted(state.references, key=lambda each: -each.severity)
    # A line is kept to say that there are references as well.
    rows = room.take(len(nodes), fixed=SECTION_LINES + (1 if others else 0))
    parts += _endpoints("NODE", nodes, frame, rows)
    room.give(1 if others and rows else 0)
    parts += _endpoints("REFERENCE", others, frame, room.take(len(others), fixed=SECTION_LINES))
    body = Group(*parts)
    return Group(*head, Styled(body, OLD) if frame.lost is not None else body, *foot)


def waiting(lost: Lost | None, frame: Frame) -> RenderableType:
    """Before the first state came."""
    if lost is None:
        return Text("connecting …", style=OLD)
    text = f" NO CONNECTION, trying again ({lost.attempt}): {lost.reason} "
    return Group(_line(text, LOST), _line(frame.footer, OLD))


class _Room:
    """The lines that are left."""

    def __init__(self, lines: int | None) -> None:
        self._lines = lines

    def take(self, rows: int, *, share: int = 1, lines: int = 1, fixed: int = 1) -> int | None:
        """How many of these rows may be drawn, in a section of so many lines beside them.

        A section gets at most one `share`-th of what is left. One that may not draw all of its
        rows needs one more line to say how many are left out: 0 is that line alone. None: there
        is not even room for that.
        """
        if self._lines is None or not rows:
            return rows or None
        room = self._lines // share - fixed
        fitting = rows if room >= rows * lines else max(0, room - 1) // lines
        needed = fixed + fitting * lines + (fitting < rows) if fitting else 1
        if needed > self._lines:
            return None
        self._lines -= needed
        return fitting

    def give(self, lines: int) -> None:
        """Back what was kept."""
        if self._lines is not None:
            self._lines += lines


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis", end="\n")


def _more(count: int, what: str) -> list[RenderableType]:
    return [_line(f"and {count} more {what}", OLD)] if count > 0 else []


def _lost_lines(state: State, frame: Frame) -> list[Text]:
    if frame.lost is None:
        return []
    lost = frame.lost
    return [
        _line(f" CONNECTION LOST, trying again ({lost.attempt}): {lost.reason} ", LOST),
        _line(
            f"What follows is OLD: the last state, of {clock_time(state.now, state.now)}, "
            f"{duration(frame.old_seconds)} ago.",
            "bold",
        ),
    ]


def _verdict_lines(state: State, *, is_old: bool) -> list[Text]:
    """The verdict as a badge; of an old state it is said what it was."""
    if is_old:
        first = _line(f"was {state.verdict.upper()}: {state.headline}", OLD)
    else:
        first = Text.assemble(
            (f" {state.verdict.upper()} ", VERDICTS[state.verdict]),
            (f"  {state.headline}", "bold"),
            no_wrap=True,
            overflow="ellipsis",
        )
    since = ""
    if state.since is not None:
        at = state.since.timestamp()
        since = f"since {clock_time(at, state.now)}, for {duration(state.now - at)}; "
    second = f"{since}as of {clock_time(state.now, state.now)}; headwatch {state.version}"
    lines = [first, _line(second, OLD)]
    active = [window for window in state.windows if window.active]
    if active:
        until = clock_time(active[0].ends_at.timestamp(), state.now)
        what = ", ".join((*active[0].networks, *active[0].nodes)) or "everything"
        more = f"; and {len(active) - 1} more" if len(active) > 1 else ""
        why = f" ({active[0].reason})" if active[0].reason else ""
        lines.append(_line(f"maintenance of {what} until {until}{why}{more}", "yellow"))
    return lines


def _table(*columns: tuple[str, str]) -> Table:
    """A table without lines; each column is (name, `left` or `right`), the last takes the rest."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True, header_style=OLD)
    for number, (name, side) in enumerate(columns, 1):
        table.add_column(
            name,
            justify="right" if side == "right" else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if number == len(columns) else None,
        )
    return table


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _height(number: int | None) -> str:
    return "–" if number is None else _cut(str(number), HEIGHT_DIGITS_MAX)


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else _cut(duration(seconds), HEIGHT_DIGITS_MAX)


def _signed(value: int | None) -> str:
    """With its sign, since ahead is not behind; 0 has none."""
    return "–" if value is None else _cut(f"{value:+d}" if value else "0", HEIGHT_DIGITS_MAX)


def _networks(state: State, count: int | None) -> list[RenderableType]:
    if not count:
        return [] if count is None else _more(len(state.networks), "networks")
    table = _table(("NETWORK", "left"), ("BLOCK", "right"), ("AGE", "right"), ("REFERENCES", ""))
    for network in state.networks[:count]:
        name = _cut(network.name, NAME_CHARACTERS_MAX)
        row = (name, _height(network.head), _age(network.age_seconds), _agreement(network))
        table.add_row(*map(Text, row))
    return [Text(), table, *_more(len(state.networks) - count, "networks")]


def _agreement(network: NetworkState) -> str:
    if network.operators is not None:
        return (
            f"{len(network.voters)} of {network.operators} operators agree, "
            f"confidence {network.confidence}; {network.profile}"
        )
    if not network.rounds:
        return f"waiting for the first round; {network.profile}"
    return f"no head of the references can be believed now; {network.profile}"


def _causes(state: State) -> list[tuple[FindingState, int]]:
    """What is not ok and has no cause among the others, worst first; and how much follows."""
    bad = {(f.check, f.subject): f for f in state.findings if f.level != "ok"}
    follows = dict.fromkeys(bad, 0)
    causes = []
    for finding in bad.values():
        because = finding.because
        if because is not None and (because.check, because.subject) in follows:
            follows[because.check, because.subject] += 1
        else:
            causes.append(finding)
    # A circle of causes has no first: then all of them are told.
    causes = causes or list(bad.values())
    causes.sort(key=lambda finding: -Level[finding.level.upper()])
    return [(finding, follows[finding.check, finding.subject]) for finding in causes]


def _findings(
    state: State, causes: Sequence[tuple[FindingState, int]], count: int | None
) -> list[RenderableType]:
    if not count:
        return [] if count is None else _more(len(causes), "findings")
    parts: list[RenderableType] = [Text()]
    for finding, follows in causes[:count]:
        since = ""
        if finding.since is not None:
            since = f", for {duration(state.now - finding.since.timestamp())}"
        more = f"; {follows} more follow{'s' * (follows == 1)} from it" if follows else ""
        parts += [
            Text.assemble(
                (f"{finding.level:<10}", STYLES[finding.level]),
                (f"{finding.check}  {subject_words(finding.subject)}", "bold"),
                f"{since}{more}",
                no_wrap=True,
                overflow="ellipsis",
            ),
            _line(f"{'':<10}{finding.summary}"),
        ]
    return [*parts, *_more(len(causes) - count, "findings")]


def _endpoints(
    title: str, endpoints: Sequence[EndpointState], frame: Frame, count: int | None
) -> list[RenderableType]:
    """A table of nodes or of references; the columns are those that the width allows."""
    what = f"{title.lower()}s"
    if not count:
        return [] if count is None else _more(len(endpoints), what)
    is_wide = frame.width >= WIDE_COLUMNS
    names = [(title, "left"), ("LEVEL", "left"), ("BLOCK", "right"), ("LAG", "right")]
    names += [("AGE", "right")]
    if is_wide:
        names += [("HASH", "left"), ("CLIENT", "left")]
    table = _table(*names, ("NOT OK", "left"))
    for each in endpoints[:count]:
        cells = [
            Text(_cut(each.name, NAME_CHARACTERS_MAX)),
            Text(each.level, style=STYLES[each.level]),
            Text(_height(each.head)),
            Text(_signed(each.lag_blocks)),
            Text(_age(each.age_seconds)),
        ]
        if is_wide:
            client = _cut(each.client, NAME_CHARACTERS_MAX)
            cells += [Text(short(each.hash) if each.hash else "–", style=OLD), Text(client)]
        table.add_row(*cells, Text(_note(each)))
    return [Text(), table, *_more(len(endpoints) - count, what)]


def _note(each: EndpointState) -> str:
    """The checks that are not ok, why there is no head, and whether it is under maintenance."""
    notes = [", ".join(each.bad_checks)] if each.bad_checks else []
    if not each.checks:
        notes.append("not judged yet")
    if each.unseen is not None:
        notes.append(each.unseen.detail)
    if each.silenced:
        notes.append("under maintenance")
    return "; ".join(notes)
