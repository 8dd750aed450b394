"""The Beacon API: what consensus clients answer, and what they answer instead."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor.rpc.beacon import FINALITY, GENESIS, SPEC, SYNCING, BeaconNode, Slots, Syncing
from monitor.rpc.errors import (
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
    Throttled,
)
from monitor.url import Url
from tests.rpc.consensus import ANSWERS, OLD_SYNCING, Consensus, Said, serving_consensus

KEY = "9aBcD3fGhIjKlMn0pQ"


@pytest.fixture
async def consensus() -> AsyncIterator[Consensus]:
    """A consensus client that is well."""
    async with serving_consensus(Consensus()) as server:
        yield server


@pytest.fixture
def beacon(consensus: Consensus, session: aiohttp.ClientSession) -> BeaconNode:
    """Our side of it, under an address with a key."""
    return BeaconNode(Url(f"{consensus.url}/{KEY}/"), session, deadline_seconds=5.0)


async def failure(beacon: BeaconNode) -> RpcError:
    """What asking for the state of sync raises."""
    with pytest.raises(RpcError) as caught:
        await beacon.syncing()
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("client", sorted(ANSWERS))
async def test_answers_of_each_client_are_read(
    consensus: Consensus, beacon: BeaconNode, client: str
) -> None:
    """Numbers are strings; what is beside them differs from client to client."""
    consensus.answers = dict(ANSWERS[client])
    assert await beacon.syncing() == Syncing(9_000_000, 1, False, False, False)
    assert (await beacon.version()).lower().startswith(client)
    assert await beacon.peers_count() == 56
    assert await beacon.finalized_epoch() == 281_247
    assert await beacon.slots() == Slots(1_606_824_023, 12.0, 32)
    assert all(path.startswith(f"/{KEY}/eth/v1/") for path in consensus.paths)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("", SYNCING),
        ("/", SYNCING),
        (f"/{KEY}/", f"/{KEY}{SYNCING}"),
        (f"?apikey={KEY}", f"{SYNCING}?apikey={KEY}"),
        (f"/?apikey={KEY}#there", f"{SYNCING}?apikey={KEY}"),
        (f"/a%2Fb/{KEY}?k=x%2By+z/&k=%3D", f"/a%2Fb/{KEY}{SYNCING}?k=x%2By+z/&k=%3D"),
    ],
    ids=["host", "slash", "path", "query", "fragment", "encoded"],
)
async def test_endpoint_lies_below_the_path_and_before_the_query(
    consensus: Consensus, session: aiohttp.ClientSession, address: str, written: str
) -> None:
    """A key in the path or in the query goes along, as it was written."""
    beacon = BeaconNode(Url(f"{consensus.url}{address}"), session)
    await beacon.syncing()
    assert consensus.written == [written]
    consensus.answers.clear()
    assert KEY not in str(await failure(beacon))


async def test_answer_of_an_old_client_leaves_open_what_it_does_not_say(
    consensus: Consensus, beacon: BeaconNode
) -> None:
    """Neither optimistic nor cut off was a thing before the merge: not said is not false."""
    consensus.answers[SYNCING] = Said(OLD_SYNCING)
    assert await beacon.syncing() == Syncing(9_000_000, 1, True, None, None)


@pytest.mark.parametrize(
    ("spec", "slots"),
    [
        ('{"data":{"SLOTS_PER_EPOCH":"16","SECONDS_PER_SLOT":"5"}}', 5.0),
        ('{"data":{"SLOTS_PER_EPOCH":"16","SLOT_DURATION_MS":"1500"}}', 1.5),
    ],
    ids=["seconds", "milliseconds"],
)
async def test_time_is_counted_as_the_chain_does(
    consensus: Consensus, beacon: BeaconNode, spec: str, slots: float
) -> None:
    """Gnosis has slots of five seconds; newer specifications name milliseconds."""
    consensus.answers[SPEC] = Said(spec)
    assert await beacon.slots() == Slots(1_606_824_023, slots, 16)


@pytest.mark.parametrize(
    "spec",
    [
        '{"data":{"SLOTS_PER_EPOCH":"16"}}',
        '{"data":{"SLOTS_PER_EPOCH":"16","SECONDS_PER_SLOT":"0"}}',
        '{"data":{"SLOTS_PER_EPOCH":"0","SECONDS_PER_SLOT":"5"}}',
    ],
)
async def test_time_without_a_length_is_malformed(
    consensus: Consensus, beacon: BeaconNode, spec: str
) -> None:
    """Nothing is divided by it."""
    consensus.answers[SPEC] = Said(spec)
    with pytest.raises(MalformedAnswer, match="no length"):
        await beacon.slots()


@pytest.mark.parametrize(
    ("at", "slot"), [(1_000.0, 0), (1_011.9, 0), (1_012.0, 1), (999.0, -1)], ids=str
)
def test_slot_begins_at_its_first_moment(at: float, slot: int) -> None:
    """Slot 0 begins at genesis."""
    assert Slots(1_000, 12.0, 32).at(at) == slot


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        (Said('{"code":404,"message":"NOT_FOUND"}', 404), MethodAbsent, "HTTP 404: NOT_FOUND"),
        (Said("404 page not found", 404), MethodAbsent, "HTTP 404"),
        (Said('{"code":501,"message":"Not implemented"}', 501), MethodAbsent, "Not implemented"),
        (Said('{"code":503,"message":"Beacon node is syncing"}', 503), CallRejected, "is syncing"),
        (Said('{"code":400,"message":""}', 400), CallRejected, "HTTP 400"),
        (Said("Too Many Requests", 429), Throttled, "HTTP 429"),
        (Said('{"message":"slow down"}', 429), Throttled, "HTTP 429: slow down"),
        (Said("<html>Bad Gateway</html>", 502), ConnectionRefused, "HTTP 502"),
        (Said("<html>"), MalformedAnswer, "malformed"),
        (Said('{"data":null}'), MalformedAnswer, "object"),
        (Said('{"data":{"head_slot":7}}'), MalformedAnswer, "str"),
        (Said('{"x":' + "[" * 50_000), MalformedAnswer, "recursion"),
        (Said(b'{"data": "\xff"}'), MalformedAnswer, ""),
        (Said(f'{{"message":"no {KEY}"}}', 400), CallRejected, "no ***"),
    ],
    ids=lambda value: "" if isinstance(value, type) else str(value)[:30],
)
async def test_answer_that_is_none_is_told_by_its_kind(
    consensus: Consensus, beacon: BeaconNode, said: Said, kind: type[RpcError], text: str
) -> None:
    """The standard's problems have a code and a message; gateways say what they like."""
    consensus.answers[SYNCING] = said
    error = await failure(beacon)
    assert type(error) is kind
    assert str(error).startswith(f"{SYNCING}: ")
    assert text in str(error)


async def test_answer_beyond_the_limit_is_malformed(
    consensus: Consensus, beacon: BeaconNode
) -> None:
    """No answer may fill the memory."""
    consensus.answers[SYNCING] = Said("x" * (beacon.body_bytes_max + 1))
    assert "larger than" in str(await failure(beacon))


async def test_client_that_is_gone_is_refused(consensus: Consensus, beacon: BeaconNode) -> None:
    """A port that is closed has words of its own."""
    await consensus.port.unplug()
    error = await failure(beacon)
    assert type(error) is ConnectionRefused
    assert "connection refused" in str(error)


async def test_client_that_is_silent_is_given_up(consensus: Consensus, beacon: BeaconNode) -> None:
    """Every question has a deadline."""
    consensus.silent.clear()
    beacon.deadline_seconds = 0.1
    error = await failure(beacon)
    assert type(error) is CallTimeout
    assert "no answer within 0.1 s" in str(error)
    consensus.silent.set()


async def test_questions_are_the_documented_ones(consensus: Consensus, beacon: BeaconNode) -> None:
    """JSON is asked for: some answer with SSZ where nothing is said."""
    await beacon.finalized_epoch()
    await beacon.slots()
    assert sorted(consensus.paths) == sorted(f"/{KEY}{path}" for path in (FINALITY, GENESIS, SPEC))
    assert set(consensus.accepted) == {"application/json"}
