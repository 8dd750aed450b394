"""Contracts made of words: what they call, what they answer, and what they say."""

from __future__ import annotations

import pytest

from monitor.lab.errors import LabError
from monitor.lab.poco.accounts import named
from monitor.lab.poco.blocks import Blocks, Tx
from monitor.lab.poco.calls import selector
from monitor.lab.poco.puppets import Claim, assemble, at_once, crier, puppet, told
from monitor.model import Address

ME = named(0, "me")
M_OWNER = selector("m_owner()")
TOPICS = tuple(bytes([one]) * 32 for one in range(1, 5))
ECHO = assemble("CALLDATASIZE 0x00 0x00 CALLDATACOPY CALLDATASIZE 0x00 LOG0 STOP")
"""Logs what it is called with."""
REFUSING = assemble("0x00 0x00 REVERT")


async def _made(blocks: Blocks, creation: bytes) -> Address:
    (receipt,) = await blocks.mine([Tx(ME, None, creation)])
    assert receipt.contract is not None
    return receipt.contract


async def _deployed(blocks: Blocks, runtime: bytes) -> Address:
    size = len(runtime)
    return await _made(
        blocks, assemble(f"={size} @end 0x00 CODECOPY ={size} 0x00 RETURN") + runtime
    )


def test_assemble_gives_the_evms_own_bytes() -> None:
    """Opcodes, pushes as wide as written, and places of two bytes."""
    assert assemble("0x00 0x1234 ADD here: @here JUMP @end STOP").hex() == (
        "6000611234015b6100065661000f00"
    )
    assert assemble("=258").hex() == "6300000102"


@pytest.mark.parametrize(
    ("source", "complaint"), [("NOPE", "NOPE is no word"), ("@nowhere JUMP", "nowhere")]
)
def test_assemble_of_unknown_words_is_refused(source: str, complaint: str) -> None:
    """A misspelt opcode, and a place that is nowhere."""
    with pytest.raises(LabError, match=complaint):
        assemble(source)


async def test_puppet_makes_its_calls_in_order(blocks: Blocks) -> None:
    """Several calls of different lengths, none at all included, in one transaction."""
    echo = await _deployed(blocks, ECHO)
    doll = await _made(blocks, puppet())
    sent = [b"first", b"", b"x" * 100, b"last"]
    (receipt,) = await blocks.mine([at_once(ME, doll, [Tx(doll, echo, one) for one in sent])])
    assert [log.data for log in receipt.logs] == sent


@pytest.mark.parametrize("may_fail", [True, False])
async def test_puppet_call_that_fails_undoes_all_unless_it_may(
    blocks: Blocks, may_fail: bool
) -> None:
    """Swallowed, it leaves the calls before and after it; else there is nothing left."""
    echo, wall = await _deployed(blocks, ECHO), await _deployed(blocks, REFUSING)
    doll = await _made(blocks, puppet())
    calls = [
        Tx(doll, echo, b"before"),
        Tx(doll, wall, b"refused", reverts=may_fail),
        Tx(doll, echo, b"after"),
    ]
    made = at_once(ME, doll, calls)._replace(reverts=not may_fail)
    (receipt,) = await blocks.mine([made])
    assert [log.data for log in receipt.logs] == ([b"before", b"after"] if may_fail else [])


async def test_puppet_answers_who_owns_it(blocks: Blocks) -> None:
    """Itself, or whom it was told."""
    own = await _made(blocks, puppet())
    other = await _made(blocks, puppet(owner=ME))
    for doll, owner in ((own, own), (other, ME)):
        assert (await blocks.call(doll, M_OWNER)).hex() == "00" * 12 + owner[2:]


@pytest.mark.parametrize("reentries", [0, 1, 2])
async def test_puppet_asked_makes_calls_first_so_many_times(blocks: Blocks, reentries: int) -> None:
    """The first questions have a consequence, the later ones only an answer."""
    echo = await _deployed(blocks, ECHO)
    script = [Tx(ME, echo, b"asked"), Tx(ME, echo, b"again")]
    doll = await _made(blocks, puppet(script=script, reentries=reentries))
    questions = [Tx(ME, doll, M_OWNER) for _ in range(3)]
    receipts = await blocks.mine(questions)
    assert [[log.data for log in one.logs] for one in receipts] == [
        [b"asked", b"again"] if asked < reentries else [] for asked in range(3)
    ]
    assert (await blocks.call(doll, M_OWNER)).hex() == "00" * 12 + doll[2:]


def test_told_of_a_creation_is_refused() -> None:
    """There is nobody to call."""
    with pytest.raises(LabError, match="creates no contracts"):
        told([Tx(ME, None, b"")])


async def test_crier_says_everything_as_told(blocks: Blocks) -> None:
    """From no topic to four, with and without data; an empty contract stays behind."""
    claims = [Claim(TOPICS[:count], bytes([count]) * 33 * count) for count in range(5)]
    (receipt,) = await blocks.mine([Tx(ME, None, crier(claims))])
    assert [(log.topics, log.data) for log in receipt.logs] == claims
    assert receipt.contract is not None
    assert await blocks.anvil.rpc("eth_getCode", receipt.contract, "latest") == "0x"
