"""Tags of one moment, earlier ones and the references': what is waited for, and since when."""

from __future__ import annotations

import pytest

from monitor.judge.quorum import Round
from monitor.judge.tags import Compared, FinalitySeen, Tags, Wait, compared, held_against
from monitor.model import BlockNumber, Head, Unseen
from tests.judge.builders import (
    NOW,
    TIMEOUT,
    TIP,
    block,
    hash_of,
    round_of,
    run,
    said,
    seen_head,
    witness,
)

FINAL = TIP - 64


def refs(final: int = FINAL) -> Round:
    """Three that name this block final, and their links."""
    asked = [block(n) for n in range(TIP - 100, TIP - 5)]
    newest = said(seen_head(TIP, final=final))
    return round_of(*(witness(n, [*run(TIP - 1), newest], asked=asked) for n in "abc"))


def look(
    before: FinalitySeen | None,
    final: int | Head | None,
    *,
    theirs: int | None = FINAL,
    safe: int | Unseen | None = TIP - 32,
    at: float = NOW,
    context: Round | None = None,
) -> FinalitySeen:
    """What a node names now, where the references call `theirs` final."""
    mine = block(final) if isinstance(final, int) else final
    tags = Tags(block(TIP), block(safe) if isinstance(safe, int) else safe, mine)
    round_ = context or refs()
    number = None if theirs is None else BlockNumber(theirs)
    seen = FinalitySeen(at, tags, number, compared((mine,), round_))
    return held_against(before, seen, round_)


def test_compared_is_the_first_block_at_whose_height_the_references_agree() -> None:
    """None, a height nobody names, and one that they do."""
    assert compared((None,), refs()) is None
    assert compared((block(3),), refs()) is None
    mine = block(FINAL, "mine")
    found = compared((None, block(3), mine), refs())
    assert found == Compared(mine, hash_of(FINAL), ())


def test_compared_names_who_has_the_node_s_block() -> None:
    """One of three that stands with the node is no majority, and worth naming."""
    asked, other = [block(FINAL)], [block(FINAL, "mine")]
    context = round_of(
        witness("a", run(TIP), asked=asked),
        witness("b", run(TIP), asked=asked),
        witness("c", run(TIP), asked=other),
    )
    found = compared((block(FINAL, "mine"),), context)
    assert found is not None
    assert found.allies == ("op-c",)


def test_node_that_names_what_the_references_name_waits_for_nothing() -> None:
    """All is level, and what it said is a promise from now on."""
    seen = look(None, FINAL)
    assert (seen.behind, seen.ahead, seen.back, seen.back_safe) == (None, None, None, None)
    assert seen.promised == block(FINAL)
    assert seen.promised_safe == block(TIP - 32)
    assert seen.is_confirmed
    assert not seen.is_refuted


def test_node_behind_waits_since_the_oldest_block_that_it_owes() -> None:
    """Whatever the steps: while it owes the first, more makes it no younger; once it has, it is."""
    seen = look(None, FINAL - 32)
    assert seen.behind == Wait(BlockNumber(FINAL), NOW)
    seen = look(seen, FINAL - 32, theirs=FINAL + 32, at=NOW + 10)
    assert seen.behind == Wait(BlockNumber(FINAL), NOW)
    assert seen.waited(seen.behind) == 10
    seen = look(seen, FINAL, theirs=FINAL + 32, at=NOW + 20)
    assert seen.behind == Wait(BlockNumber(FINAL + 32), NOW + 20)
    seen = look(seen, FINAL + 32, theirs=FINAL + 32, at=NOW + 30)
    assert seen.behind is None
    assert seen.waited(seen.behind) == 0


def test_node_behind_references_that_went_back_waits_anew() -> None:
    """What is no longer called final is not owed."""
    seen = look(look(None, FINAL - 64), FINAL - 64, theirs=FINAL - 32, at=NOW + 5)
    assert seen.behind == Wait(BlockNumber(FINAL - 32), NOW + 5)


def test_node_without_a_final_block_owes_the_references_theirs() -> None:
    """A client that lost its consensus client names none; before any network does, none is owed."""
    seen = look(None, None)
    assert seen.behind == Wait(BlockNumber(FINAL), NOW)
    assert look(None, None, theirs=None).behind is None


def test_node_ahead_waits_until_the_references_have_what_it_named() -> None:
    """A step that it heard of first is soon theirs; a made-up one is not."""
    seen = look(None, FINAL + 20)
    assert seen.ahead == Wait(BlockNumber(FINAL + 20), NOW)
    assert seen.promised is None
    seen = look(seen, FINAL + 21, at=NOW + 12)
    assert seen.ahead == Wait(BlockNumber(FINAL + 20), NOW)
    assert look(seen, FINAL + 21, theirs=FINAL + 32, at=NOW + 24).ahead is None
    assert look(seen, FINAL + 21, theirs=None, at=NOW + 24).ahead is None


def test_node_that_goes_back_waits_until_it_has_what_it_promised() -> None:
    """The promise is the highest that the references called final as well."""
    seen = look(look(None, FINAL), FINAL - 8, at=NOW + 1)
    assert seen.back == Wait(BlockNumber(FINAL), NOW + 1)
    seen = look(seen, FINAL - 7, at=NOW + 2)
    assert seen.back == Wait(BlockNumber(FINAL), NOW + 1)
    assert look(seen, FINAL, at=NOW + 3).back is None


def test_node_that_went_back_from_what_nobody_called_final_has_broken_no_promise() -> None:
    """A height made up once must not stand against the truth for ever."""
    seen = look(look(None, FINAL + 1_000_000), FINAL, at=NOW + 1)
    assert (seen.back, seen.ahead) == (None, None)


def test_node_without_a_final_block_has_not_gone_back() -> None:
    """It names none, which is no other block; that it owes one is said otherwise."""
    seen = look(look(None, FINAL), None, at=NOW + 1)
    assert seen.back is None
    assert seen.promised == block(FINAL)


def test_promises_are_forgotten_while_the_references_are_not_known() -> None:
    """Without them what was made up could not be told from what was final."""
    assert look(look(None, FINAL), FINAL, theirs=None).promised is None
    alone = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    assert look(look(None, FINAL), FINAL, context=alone).promised_safe is None


def test_block_that_the_references_do_not_have_is_no_promise() -> None:
    """What is refuted may be taken back."""
    seen = look(None, block(FINAL, "mine"))
    assert seen.is_refuted
    assert seen.promised is None


@pytest.mark.parametrize(("is_named", "is_replaced"), [(True, False), (False, True)])
def test_node_that_names_another_block_of_a_promised_height_is_told_apart(
    *, is_named: bool, is_replaced: bool
) -> None:
    """Where the references have its new block, they have replaced it too, and it is promised."""
    before = look(None, FINAL)
    asked = [block(FINAL, "new")] if is_named else []
    context = round_of(*(witness(n, run(TIP), asked=asked) for n in "abc"))
    seen = look(before, block(FINAL, "new"), context=context)
    assert seen.is_replaced is is_replaced
    assert seen.promised == block(FINAL, "new" if is_named else "main")


def test_safe_block_that_goes_back_is_waited_for_and_one_unseen_is_not() -> None:
    """An answer that did not come says nothing."""
    before = look(None, FINAL)
    seen = look(before, FINAL, safe=TIP - 40, at=NOW + 1)
    assert seen.back_safe == Wait(BlockNumber(TIP - 32), NOW + 1)
    assert look(before, FINAL, safe=TIMEOUT).back_safe is None
    assert look(before, FINAL, safe=None).back_safe is not None


def test_safe_block_above_the_references_head_is_no_promise() -> None:
    """It is above what can be checked."""
    assert look(None, FINAL, safe=TIP + 5).promised_safe is None
