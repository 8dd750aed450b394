"""What a refusal of `eth_getLogs` means: the words of clients and providers, as data. Pure.

One code, -32005, stands for "too many results", "too many blocks" and "too many requests" alike,
and a provider's code for any of them changes from year to year; the texts are what tells them
apart. They are compared as lower-case substrings, first row first. What no row knows is taken for
too wide a range: a narrower one costs a few calls and ends at a single block, where it is said.

Sources: execution-apis tests/eth_getLogs; go-ethereum eth/filters/api.go, rpc/errors.go and PR
33163; erigon PRs 19721 and 22014; Nethermind PR 1183, pathfinder PR 943 (its words for a block it
lacks); Besu RpcErrorType.java; reth issue 23810; INFURA/infura issue 237, omni/bridge-monitor issue
24; Alchemy: bancor webapp issue 523, dank_mids issue 772, signup-sequencer issue 274; QuickNode:
arbitrum-sdk issue 609, mud issue 1522; Ankr: ponder issue 1940, moonbeam PR 3250; BSC: bsc issue
113, tokenbridge issue 538; Tenderly: boba_legacy issue 827; scroll go-ethereum PR 529, hyperindex
issue 605, cdk-erigon PR 1706; ponder's tests against Cloudflare, Chainstack, BlockPI, 1RPC, Blast,
Coinbase, PublicNode, thirdweb, llamarpc and the public nodes of Base, Optimism and Arbitrum.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
)


class Meaning(enum.StrEnum):
    """What a refusal says of the request; the value is the slug of the reason, where it ends so."""

    TOO_WIDE = "range_refused"
    """Too many blocks, logs, bytes or seconds: a narrower range may pass."""
    TOO_MANY_ADDRESSES = "addresses_refused"
    THROTTLED = "busy"
    """The same request passes later."""
    BROKEN = "broken"
    """It broke off: for once, or because the request was too much for whoever stands between."""
    UNREACHABLE = "refused"
    """Nobody was there to be asked."""
    BEHIND = "no_block"
    """It lacks a block of the range; of several nodes behind one address another may have it."""
    PRUNED = "pruned"
    """It had the logs once."""
    SPENT = "budget"
    """Today's calls are spent, ours or the provider's."""
    FORBIDDEN = "forbidden"
    """It does not answer us, whatever we ask."""
    UNSUPPORTED = "unsupported"
    UNRECOGNISED = "rpc_error"
    """No row knows the words."""


NARROWED = frozenset({Meaning.TOO_WIDE, Meaning.BROKEN, Meaning.UNRECOGNISED})
"""What is asked again with fewer blocks at once."""


class Row(NamedTuple):
    """One row: whose text contains this, lower case with single spaces, says that."""

    meaning: Meaning
    text: str
    who: str
    """Separated by spaces."""


class Refusal(NamedTuple):
    """A refusal, understood."""

    meaning: Meaning
    blocks: int | None = None
    """So many blocks at once would pass, as it says."""
    is_limit: bool = False
    """Whether that is so everywhere, and not just for these blocks."""
    silence_seconds: float = 0.0
    """It asks not to be asked for so long."""


def _rows(meaning: Meaning, *rows: tuple[str, str]) -> tuple[Row, ...]:
    return tuple(Row(meaning, text, who) for text, who in rows)


ROWS: tuple[Row, ...] = (
    # What holds the words of another row comes before that row.
    *_rows(
        Meaning.SPENT,
        ("daily request count exceeded", "infura"),
        ("monthly capacity limit exceeded", "alchemy"),
        ("daily limit", "getblock"),
        ("quota", "providers"),
    ),
    *_rows(
        Meaning.TOO_MANY_ADDRESSES,
        ("addresses or topics per search position", "geth erigon"),
        ("exceed max addresses", "geth"),
        ("too many addresses", "providers"),
    ),
    *_rows(
        Meaning.THROTTLED,
        ("rate limit", "chainstack ankr 1rpc llamarpc"),
        ("request rate limited", "infura"),
        ("too many requests", "providers"),
        ("compute units per second", "alchemy"),
        ("credits limited to", "quicknode"),
        ("requests per second", "providers"),
        ("request limit reached", "quicknode"),
        ("/second", "quicknode: 50/second request limit"),
    ),
    *_rows(
        Meaning.PRUNED,
        ("pruned", "geth with 4444, reth, nethermind"),
        ("history unavailable", "geth"),
        ("history expired", "nethermind"),
        ("history has expired", "providers"),
    ),
    *_rows(
        Meaning.BEHIND,
        ("beyond current head", "execution-apis geth reth"),
        ("in the future", "nethermind"),
        ("could not be found", "nethermind"),
        ("unknown block", "geth erigon besu"),
        ("header not found", "geth"),
        ("block not found", "besu erigon"),
        ("after last accepted block", "avalanchego"),
    ),
    *_rows(
        Meaning.TOO_WIDE,
        ("query returned more than", "infura thirdweb aurora zkevm"),
        ("query exceeds max", "reth hyperliquid llamarpc: results, block range"),
        ("query returns too many logs", "erigon"),
        ("block range exceeds", "erigon"),
        ("narrow your filter", "erigon"),
        ("maximum block range", "bsc geth publicnode nodereal"),
        ("block range is too", "ankr frontier optimism: wide, large"),
        ("block range too", "base candle cdk-erigon: large, high, wide"),
        ("block range is larger", "morph"),
        ("block range is bigger", "scroll"),
        ("block range limit", "chainstack geth"),
        ("block range greater than", "geth"),
        ("blocks distance", "ankr"),
        ("log response size exceeded", "alchemy"),
        ("this block range should work", "alchemy"),
        ("requests with up to a", "alchemy"),
        ("getlogs is limited to", "quicknode 1rpc blast blockpi"),
        ("ranges over", "drpc"),
        ("exceeds limit of", "infura arbitrum: range, logs matched by query"),
        ("exceeds the range allowed", "blast"),
        ("than range limit", "tenderly"),
        ("max range:", "cloudflare cdk-erigon"),
        ("limit the query to at most", "coinbase"),
        ("range exceeds maximum", "besu"),
        ("too many logs", "nethermind"),
        ("too many results", "providers"),
        ("too many blocks", "providers"),
        ("response size", "1rpc alchemy"),
        ("response too large", "geth optimism"),
        ("response is too big", "reth jsonrpsee"),
        ("your block range", "alchemy: consider reducing"),
        ("reduce the block range", "providers"),
        ("smaller block range", "providers"),
        ("timed out", "geth llamarpc"),
        ("timeout", "alchemy nethermind geth: query timeout exceeded, enabled timeout"),
        ("deadline exceeded", "geth"),
        ("query duration", "infura"),
        ("limit exceeded", "bsc, of what it is not said"),
    ),
    *_rows(
        Meaning.FORBIDDEN,
        ("unauthorized", "providers"),
        ("api key", "providers"),
        ("forbidden", "providers"),
        ("access denied", "providers"),
        ("not authorized", "providers"),
        ("project id", "infura"),
    ),
)

_NUMBER = r"(\d[\d,.]*)"
LIMITS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"limited to (?:a |0 ?- ?)?{_NUMBER}",  # quicknode, 1rpc, blast, blockpi
        rf"up to a {_NUMBER} block range",  # alchemy
        rf"(?:max|maximum) block range:? (?:= )?{_NUMBER}",  # bsc, publicnode, hyperliquid, morph
        rf"\(maximum {_NUMBER}\)",  # frontier
        rf"blocks distance: {_NUMBER}",  # ankr
        rf"max range: {_NUMBER}",  # cloudflare, cdk-erigon
        rf"ranges over {_NUMBER} blocks",  # drpc
        rf"range \d+ exceeds limit of {_NUMBER}",  # infura
        rf"than range limit {_NUMBER}",  # tenderly
        rf"for your plan \(\d+ > {_NUMBER}\)",  # blast
        rf"at most {_NUMBER} blocks",  # coinbase
        rf"narrow your filter: {_NUMBER}",  # erigon, of blocks and of logs alike
    )
)
"""What says how many blocks are allowed."""
SUGGESTIONS = (
    re.compile(r"range \[?0x([0-9a-f]+), ?0x([0-9a-f]+)\]"),  # infura, thirdweb
    re.compile(r"should work: \[0x([0-9a-f]+), ?0x([0-9a-f]+)\]"),  # alchemy
)
DECIMAL_SUGGESTION = re.compile(r"retry with the range (\d+)-(\d+)")
"""reth's."""
HTTP_STATUS = re.compile(r"HTTP (\d{3})")
SILENCE = re.compile(r"(\d+(?:\.\d+)?) s (?:left|of silence)")
"""Of `rpc/node`, after a Retry-After."""
HTTP_TOO_WIDE = frozenset({408, 413, 504, 522, 524})
"""Too long a body, or too long a wait; the last two are Cloudflare's."""
HTTP_THROTTLED = frozenset({429, 503})
HTTP_FORBIDDEN = frozenset({401, 402, 403, 404, 405})
BROKEN_OFF = ("closed", "reset", "broke off", "broken pipe")
"""Of `wire.connection_text`: there was a connection."""


def refusal_of(error: RpcError) -> Refusal:
    """What a failed `eth_getLogs` means."""
    match error:
        case BudgetSpent():
            return Refusal(Meaning.SPENT)
        case CallTimeout():
            return Refusal(Meaning.TOO_WIDE)
        case MalformedAnswer():
            # Larger than the limit, or cut off by whoever found it too large.
            return Refusal(Meaning.TOO_WIDE)
        case ConnectionRefused():
            return _refusal_of_http(str(error))
        case CallRejected():
            return _refusal_of_words(error)
        case _:
            return Refusal(Meaning.UNRECOGNISED)


def _refusal_of_http(text: str) -> Refusal:
    silence = SILENCE.search(text)
    seconds = float(silence[1]) if silence else 0.0
    found = HTTP_STATUS.search(text)
    status = int(found[1]) if found else 0
    if seconds or status in HTTP_THROTTLED or text.startswith("throttled"):
        return Refusal(Meaning.THROTTLED, silence_seconds=seconds)
    if status in HTTP_TOO_WIDE:
        return Refusal(Meaning.TOO_WIDE)
    if status in HTTP_FORBIDDEN:
        return Refusal(Meaning.FORBIDDEN)
    is_broken = bool(status) or any(word in text for word in BROKEN_OFF)
    return Refusal(Meaning.BROKEN if is_broken else Meaning.UNREACHABLE)


def _refusal_of_words(error: CallRejected) -> Refusal:
    text = " ".join(str(error).lower().split())
    unknown = Meaning.UNSUPPORTED if isinstance(error, MethodAbsent) else Meaning.UNRECOGNISED
    meaning = next((row.meaning for row in ROWS if row.text in text), unknown)
    if meaning != Meaning.TOO_WIDE:
        return Refusal(meaning)
    limit = next((found[1] for each in LIMITS if (found := each.search(text))), "")
    blocks = int(limit.replace(",", "").replace(".", "") or 0)
    return Refusal(meaning, blocks, is_limit=True) if blocks else Refusal(meaning, _suggested(text))


def _suggested(text: str) -> int | None:
    """How many blocks the range has that it says would pass; None where it says none."""
    radix = 16
    found = next((hit for each in SUGGESTIONS if (hit := each.search(text))), None)
    if found is None:
        radix, found = 10, DECIMAL_SUGGESTION.search(text)
    if found is None:
        return None
    blocks = int(found[2], radix) - int(found[1], radix) + 1
    return blocks if blocks > 0 else None
