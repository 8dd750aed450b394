"""What API, pages and terminal say of transactions: read from the journal, written as JSON.

Signed bytes that no one but the sender's own node has been given are worth something to whoever
sees them first. So what a transaction holds is shown to those who may give orders, and to others
only once it is public.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from monitor.model import Hash32, Level
from monitor.transactions.journal import AmbiguousError, JournalError, Listed, Reader
from monitor.transactions.orders import Ordered, OrderError
from monitor.transactions.reactions import TAKEN
from monitor.transactions.story import Story, as_json
from monitor.transactions.words import Presence, State

SCHEMA = "headwatch.transactions/1"
LIMIT, LIMIT_MAX = 100, 1000
FRESH_SECONDS = 60.0
BLOCKS_MISSED_MAX = 5
"""The journal is stale when it knows of no round for so many blocks, or `FRESH_SECONDS`."""
NONE_WATCHED = "no account is watched: name one under `transactions` in the configuration"
NAMES = "a hash, at least six digits of one, or ALIAS/NONCE"
PUBLIC_PRESENCE: tuple[Presence, ...] = ("pending", "queued", "mined")
"""With these a reference that is asked for a transaction says that it has it."""

_HASH = re.compile(r"0x[0-9a-fA-F]{6,64}")
_PLACE = re.compile(r"([^/]+)/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which slots are to be listed."""

    alias: str | None = None
    states: tuple[State, ...] = ()
    """Only these; none named is any."""
    has_closed: bool = False
    limit: int = LIMIT


@dataclass(frozen=True, slots=True)
class Moment:
    """When and of what it is asked, which the journal does not know."""

    now: float
    mode: str
    """Of `Snapshot.transactions_mode`, or `alone`: no sidecar runs."""
    networks: Mapping[str, float]
    """Networks whose accounts are watched, with the seconds between two of their blocks."""


def states_of(names: Iterable[str]) -> tuple[State, ...]:
    """The states of these names. Raises ValueError with one line."""
    found = []
    for name in names:
        try:
            found.append(State(name))
        except ValueError:
            message = f"state: found {name[:40]!r}, expected one of {', '.join(State)}"
            raise ValueError(message) from None
    return tuple(dict.fromkeys(found))


def listing(reader: Reader, wanted: Wanted, moment: Moment) -> dict[str, object]:
    """The list as a document: live ones first, the worst on top, then the newest closed ones.

    Raises OrderError where the journal cannot be read.
    """
    with _read():
        live = sorted(_slots(reader, wanted, is_closed=False), key=_order)
        closed = _slots(reader, wanted, is_closed=True) if wanted.has_closed else []
        beats = {beat.network: beat for beat in reader.beats()}
    found = [*live, *sorted(closed, key=lambda one: -(one.slot.closed_at or 0.0))]
    networks = []
    for name, interval_seconds in sorted(moment.networks.items()):
        beat = beats.get(name)
        age_seconds = None if beat is None else moment.now - beat.at
        most = max(FRESH_SECONDS, BLOCKS_MISSED_MAX * interval_seconds)
        networks.append(
            {
                "name": name,
                "number": None if beat is None else beat.number,
                "age_seconds": None if age_seconds is None else round(age_seconds, 3),
                "is_stale": age_seconds is None or age_seconds > most,
            }
        )
    return {
        "schema": SCHEMA,
        "at": moment.now,
        "mode": moment.mode,
        "level": max((_level(one) for one in live), default=Level.OK).word,
        "networks": networks,
        "transactions": [_listed_json(one) for one in found[: wanted.limit]],
        "left_out": max(0, len(found) - wanted.limit),
    }


def is_name(name: str) -> bool:
    """Whether it has the form of a hash, of the beginning of one, or of `ALIAS/NONCE`."""
    return bool(_HASH.fullmatch(name) or _PLACE.fullmatch(name))


def find(reader: Reader, name: str, network: str | None = None) -> Story:
    """The story of a hash, of the beginning of one, or of `ALIAS/NONCE`. Raises OrderError."""
    with _read():
        if not is_name(name):
            message = f"found {name[:80]!r}, expected {NAMES}"
            raise OrderError(message, "unknown")
        place = _PLACE.fullmatch(name)
        if place is not None:
            story = reader.story_of(place[1], int(place[2]), network=network)
        else:
            story = reader.story(name)
    if story is None:
        message = f"the journal has no transaction {name}"
        raise OrderError(message, "unknown")
    return story


def public(story: Story) -> frozenset[Hash32]:
    """The attempts that are no secret: a reference has them, or a block of the network."""
    attempts = story.slot.attempts
    found = {
        send.hash for send in story.sends if _is_reference(send.node) and send.reaction in TAKEN
    }
    found |= {hash_ for hash_, source in story.sources.items() if _is_reference(source)}
    found |= {
        one.hash
        for one in attempts
        for said in story.said
        if _is_reference(said.node)
        and any(f"{one.hash}: {word}" in said.said for word in PUBLIC_PRESENCE)
    }
    if story.consumer_hash is not None:
        found.add(story.consumer_hash)
    if story.slot.mined_number is not None and len(attempts) == 1:
        found.add(attempts[0].hash)
    return frozenset(found & {one.hash for one in attempts})


def veiled(story: Story) -> tuple[Story, tuple[Hash32, ...]]:
    """The story without what others may not see yet, and the attempts that this is left out of."""
    open_ = public(story)
    hidden = tuple(one.hash for one in story.slot.attempts if one.hash not in open_)
    attempts = tuple(
        one if one.hash in open_ else replace(one, transaction=None) for one in story.slot.attempts
    )
    shown = replace(
        story,
        slot=replace(story.slot, attempts=attempts),
        raw={hash_: raw for hash_, raw in story.raw.items() if hash_ in open_},
    )
    return shown, hidden


def story_json(story: Story, withheld: Sequence[Hash32] = ()) -> dict[str, object]:
    """The whole story. `withheld`: attempts of which it is not shown what they hold."""
    return {**as_json(story), "withheld": list(withheld)}


def ordered_json(ordered: Ordered) -> dict[str, object]:
    """What came of an order; amounts are decimal strings of wei."""
    document = asdict(ordered)
    for name in ("fee_cap_wei", "tip_cap_wei"):
        document[name] = None if document[name] is None else str(document[name])
    return {**document, "deliveries": list(document["deliveries"])}


@contextmanager
def _read() -> Iterator[None]:
    """What the journal cannot say, in the words of those who ask."""
    try:
        yield
    except AmbiguousError as error:
        raise OrderError(str(error), "refused") from None
    except JournalError as error:
        raise OrderError(str(error), "unavailable") from None


def _slots(reader: Reader, wanted: Wanted, *, is_closed: bool) -> list[Listed]:
    """Of live ones all that the journal shows at once: the worst may be the oldest."""
    limit = wanted.limit if is_closed else LIMIT_MAX
    return [
        one
        for state in wanted.states or (None,)
        for one in reader.slots(alias=wanted.alias, state=state, is_closed=is_closed, limit=limit)
    ]


def _order(one: Listed) -> tuple[int, str, str, int]:
    return (-_level(one), one.alias, one.network, one.slot.nonce)


def _level(one: Listed) -> Level:
    """What nobody has judged yet has only just come."""
    return Level.OK if one.level is None else one.level


def _is_reference(label: str) -> bool:
    """Labels of references are NETWORK/NAME; names of nodes hold no slash."""
    return "/" in label


def _listed_json(one: Listed) -> dict[str, object]:
    slot = one.slot
    newest = slot.newest
    return {
        "network": one.network,
        "alias": one.alias,
        "nonce": slot.nonce,
        "state": slot.state.value,
        "level": None if one.level is None else one.level.word,
        "since": slot.since,
        "first_seen_at": slot.first_seen_at,
        "hash": None if newest is None else newest.hash,
        "hashes": [attempt.hash for attempt in slot.attempts],
        "has_raw": slot.has_raw,
        "mined_number": slot.mined_number,
        "closed_at": slot.closed_at,
        "consumer_hash": one.consumer_hash,
        "summary": one.summary,
    }
