"""What can be done about what could not be seen, by reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.ranges import Meaning as OfLogs
from monitor.ledger.refusals import Meaning

BEHIND: Final = "behind"
"""A node lacks a block that others have, or that was asked for."""
FORKED: Final = "forked"
"""Two name different hashes at one height."""
AHEAD: Final = "ahead"
"""The node has a block that a majority of operators does not have yet."""
NO_QUORUM: Final = "no_quorum"
"""No hash, and no absence, has a majority."""
WRONG_CHAIN: Final = "wrong_chain"
"""A node serves another chain than the one that was meant."""
NOT_THERE: Final = "not_there"
"""An address has code now and none at the block that is read."""
NO_STATE: Final = "no_state"
"""A node answers as if there were nothing at a block that has something."""
BAD_LOGS: Final = "bad_logs"
"""Logs that none of the contracts can have made."""

ARCHIVE = "ask a node that keeps the state of that block (an archive node), or name a later block"
REMEDIES: Mapping[str, str] = {
    Meaning.REVERTED: "it may end calls at a limit of its own (geth: --rpc.gascap): raise it, or "
    "ask another node",
    Meaning.NO_BLOCK: "let the node catch up, or name a block that it has",
    Meaning.PRUNED: ARCHIVE,
    Meaning.BUSY: "try again later, or ask a node of your own",
    Meaning.UNSUPPORTED: "enable the module of that method on the node, or ask another node",
    Meaning.REFUSED: "the node's log may say why; ask another node",
    Meaning.TIMEOUT: "raise rpc.deadline_seconds, or ask a node nearer",
    Meaning.UNREACHABLE: "check that the node runs and that its URL is right",
    Meaning.BUDGET: "raise its calls_a_day, or try again after midnight UTC",
    Meaning.MALFORMED: "check that its URL leads to a node of this chain and to nothing between",
    BEHIND: "let the node catch up, or name a block that it has",
    FORKED: "try again once the reorg is over; a node that stays there has to be resynchronised",
    AHEAD: "name an earlier block, such as finalized, or try again once they have it",
    NO_QUORUM: "check the network's references, or name an earlier block, such as finalized",
    WRONG_CHAIN: "check the node's URL and the chain id of the network",
    NOT_THERE: ARCHIVE,
    NO_STATE: ARCHIVE,
    BAD_LOGS: "ask another node for them",
    OfLogs.TOO_WIDE: "it refuses the narrowest range there is: ask another node",
    OfLogs.TOO_MANY_ADDRESSES: "it refuses even one address: ask another node",
    OfLogs.BROKEN: "it may be too much for whoever stands between: ask the node itself, or another",
    OfLogs.FORBIDDEN: "check the URL, the key in it, and what your plan with the provider allows",
}


def unseen(reason: str, detail: str) -> CouldNotSee:
    """The error of a reason, with what can be done about it at the end."""
    return CouldNotSee(str(reason), f"{detail}; {REMEDIES[reason]}")
