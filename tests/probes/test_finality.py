"""The tags of one moment, in the words of clients that have them, lost them or never had them."""

from __future__ import annotations

import pytest

from monitor.judge.profiles import DEV, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.judge.tags import FinalitySeen
from monitor.model import Head, Observation, Unseen
from monitor.probes import finality
from monitor.probes.asked import Asked, Panel
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent, RpcError
from monitor.rpc.node import Node
from tests.judge.builders import TIMEOUT, round_of, seen_head, witness
from tests.rpc.canned import Canned, Json, Refusal, always

NOW = 1000.0
ABSENT = round_of(*(witness(name, seen_head(100)) for name in "abc"))
TAGGED = round_of(*(witness(name, seen_head(100, final=64)) for name in "abc"))
UNKNOWN = round_of(*(witness(name, TIMEOUT) for name in "abc"))


def head_of(server: Canned, number: int) -> Head:
    raw = decode.header.decode(decode.encode(server.chain.block(number)))
    assert raw is not None
    return raw.head()


async def look(
    node: Node,
    context: Round,
    *,
    head: HeadSeen | Unseen | None = None,
    before: FinalitySeen | None = None,
) -> FinalitySeen:
    heads = [] if head is None else [Observation("n", "head", NOW, 0.0, head)]
    earlier = [] if before is None else [Observation("n", "finality", NOW - 9, 0.0, before)]
    asked: Asked[FinalitySeen] = Asked(
        node, Panel(()), context, policy(DEV), heads, earlier, lambda: NOW
    )
    return await finality.probe(asked)


async def test_finality_of_a_real_node_is_in_order(real: Node) -> None:
    """Anvil's `safe` is one epoch of four blocks behind, `finalized` two."""
    seen = await look(real, TAGGED)
    assert isinstance(seen.tags.safe, Head)
    assert seen.tags.finalized is not None
    numbers = (seen.tags.latest.number, seen.tags.safe.number, seen.tags.finalized.number)
    assert numbers == (20, 16, 12)


async def test_finality_costs_one_request_of_three_calls(server: Canned, node: Node) -> None:
    """In one batch, the lowest tag first, so that what is answered later has only moved up."""
    server.safe, server.finalized = 80, 60
    seen = await look(node, TAGGED)
    assert [call["params"][0] for call in server.calls] == ["finalized", "safe", "latest"]
    assert len(server.requests) == 1
    assert (seen.at, seen.theirs) == (NOW, 64)
    assert seen.behind is not None
    assert seen.behind.number == 64


async def test_finality_is_held_against_what_was_said_before(server: Canned, node: Node) -> None:
    """What it promised then is waited for now."""
    server.safe, server.finalized = 80, 64
    before = await look(node, TAGGED)
    server.finalized = 60
    seen = await look(node, TAGGED, before=before)
    assert seen.back is not None
    assert (seen.back.number, seen.back.since) == (64, NOW)


async def test_finality_is_compared_at_the_block_that_the_round_asked_for(
    server: Canned, node: Node
) -> None:
    """Where the tag has moved since, the references were asked for the block before."""
    server.safe, server.finalized = 80, 61
    known = head_of(server, 60)
    named = [head_of(server, 60)]
    context = round_of(*(witness(name, seen_head(100), asked=named) for name in "abc"))
    seen = await look(node, context, head=HeadSeen(head_of(server, 100), known))
    assert seen.compared is not None
    assert seen.compared.mine == known
    assert seen.compared.theirs == known.hash
    assert (await look(node, context, head=TIMEOUT)).compared is None


@pytest.mark.parametrize(
    ("safe", "final"),
    [
        (None, None),
        (Refusal("safe block not found", -32000), Refusal("finalized block not found", -32000)),
        (Refusal("Unknown block", -39001), Refusal("Unknown block", -39001)),
        (Refusal("invalid argument 0", -32602), Refusal("invalid argument 0", -32602)),
    ],
    ids=["null", "geth", "besu", "before-the-merge"],
)
@pytest.mark.parametrize("context", [ABSENT, UNKNOWN], ids=["nobody", "not-known"])
async def test_finality_of_a_chain_without_tags_is_not_supported(
    server: Canned, node: Node, safe: Json, final: Json, context: Round
) -> None:
    """Nothing to judge, and said so; it is no error."""
    server.safe, server.finalized = safe, final
    with pytest.raises(MethodAbsent, match="neither a safe nor a finalized"):
        await look(node, context)


async def test_finality_that_only_the_node_lacks_is_seen_as_missing(
    server: Canned, node: Node
) -> None:
    """Geth without its consensus client, while the references have theirs."""
    seen = await look(node, TAGGED)
    assert (seen.tags.finalized, seen.tags.safe) == (None, None)
    assert seen.behind is not None


async def test_safe_block_that_could_not_be_seen_hides_nothing_else(
    server: Canned, node: Node
) -> None:
    """One call of three that fails is written down as itself."""
    server.finalized, server.safe = 64, Refusal("daily request count exceeded", -32005)
    seen = await look(node, TAGGED)
    assert isinstance(seen.tags.safe, Unseen)
    assert seen.tags.finalized == head_of(server, 64)


async def test_finalized_block_that_could_not_be_seen_is_raised(server: Canned, node: Node) -> None:
    """Without it there is nothing to say."""
    server.finalized = Refusal("daily request count exceeded", -32005)
    with pytest.raises(CallRejected):
        await look(node, TAGGED)


async def test_latest_block_that_is_missing_or_refused_is_raised(
    server: Canned, node: Node
) -> None:
    """The other two answers do not stand alone."""
    server.answers = {"eth_getBlockByNumber": None}
    with pytest.raises(MalformedAnswer, match="no latest block"):
        await look(node, TAGGED)
    server.answers = {}
    server.respond = always("<html>502</html>", 502)
    with pytest.raises(RpcError):
        await look(node, TAGGED)


async def test_finality_of_the_references_is_known_without_a_question(
    server: Canned, node: Node
) -> None:
    """What a majority calls final, below the elected head; nothing where some were not seen."""
    node.label = "net/a"
    elected = seen_head(100)
    seen = await look(node, TAGGED, head=elected)
    assert (seen.tags.latest, seen.theirs) == (elected.head, 64)
    unsure = round_of(*(witness(name, HeadSeen(seen_head(100).head, TIMEOUT)) for name in "abc"))
    assert (await look(node, unsure, head=elected)).theirs is None
    assert server.calls == []


async def test_finality_of_references_without_tags_is_not_supported(node: Node) -> None:
    """A chain before the merge is judged by confirmations, elsewhere."""
    node.label = "net/a"
    with pytest.raises(MethodAbsent):
        await look(node, ABSENT, head=seen_head(100))
    with pytest.raises(MalformedAnswer):
        await look(node, TAGGED)
