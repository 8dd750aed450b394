"""Contracts that no compiler made: they make several calls at once, or pose as something else.

They are written in the EVM's own words and assembled here, so no bytecode has to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from monitor.lab.errors import LabError
from monitor.lab.poco.blocks import Tx
from monitor.model import Address

_OPCODES: Final = (
    {"STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "EQ": 0x14, "ISZERO": 0x15}
    | {"AND": 0x16, "OR": 0x17, "SHR": 0x1C, "ADDRESS": 0x30, "CALLDATASIZE": 0x36}
    | {"CALLDATACOPY": 0x37, "CODECOPY": 0x39, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52}
    | {"SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5A}
    | {f"DUP{one}": 0x7F + one for one in range(1, 17)}
    | {f"SWAP{one}": 0x8F + one for one in range(1, 17)}
    | {f"LOG{one}": 0xA0 + one for one in range(5)}
    | {"CALL": 0xF1, "RETURN": 0xF3, "REVERT": 0xFD}
)
_PUSH1, _JUMPDEST = 0x60, 0x5B
_LENGTH_BYTES = 8
_FLAG_BYTES = 4

# Memory from 0 holds a script; the stack holds where it ends and, on top, where we are. Each call
# is a word (4 bytes: may it fail; 8 bytes: length of its calldata; 20 bytes: to whom) and calldata.
_RUNTIME = """
    CALLDATASIZE 0x04 EQ @asked JUMPI
    CALLDATASIZE 0x00 0x00 CALLDATACOPY CALLDATASIZE 0x00 @loop JUMP
asked:
    0x00 SLOAD DUP1 ISZERO @answer JUMPI
    0x01 SWAP1 SUB 0x00 SSTORE
    ={length} @end 0x00 CODECOPY ={length} 0x00
loop:
    DUP2 DUP2 LT ISZERO @answer JUMPI
    DUP1 MLOAD DUP1 0xa0 SHR 0xffffffffffffffff AND
    0x00 0x00 DUP3 DUP6 0x20 ADD 0x00 DUP7 GAS CALL
    DUP3 0xe0 SHR OR ISZERO @fail JUMPI
    SWAP1 POP ADD 0x20 ADD @loop JUMP
answer:
    {owner} 0x00 MSTORE 0x20 0x00 RETURN
fail:
    0x00 0x00 REVERT
"""


def assemble(source: str) -> bytes:
    """Code of these words: opcodes, `0x..` and `=N` to push, `name:` to jump to, `@name` its place.

    `@end` is where the code ends. Raises LabError for a word that is none of these.
    """
    code = bytearray()
    places: dict[str, int] = {}
    wanted: list[tuple[int, str]] = []
    for word in source.split():
        if word.endswith(":"):
            places[word[:-1]] = len(code)
            code.append(_JUMPDEST)
        elif word.startswith("@"):
            code += _push(bytes(2))
            wanted.append((len(code) - 2, word[1:]))
        elif word.startswith("="):
            code += _push(int(word[1:]).to_bytes(4, "big"))
        elif word.startswith("0x"):
            code += _push(bytes.fromhex(word[2:]))
        elif word in _OPCODES:
            code.append(_OPCODES[word])
        else:
            message = f"{word} is no word of the EVM"
            raise LabError(message)
    places["end"] = len(code)
    for at, name in wanted:
        if name not in places:
            message = f"nothing is called {name}"
            raise LabError(message)
        code[at : at + 2] = places[name].to_bytes(2, "big")
    return bytes(code)


def puppet(*, owner: Address | None = None, script: Sequence[Tx] = (), reentries: int = 0) -> bytes:
    """Creation code of a contract that makes whatever calls it is told to, by whomever.

    To `m_owner()`, and to every other call of 4 bytes, it answers `owner`, or itself; the first
    `reentries` times it makes the calls of `script` before it answers.
    """
    calls = told(script)
    asked = _RUNTIME.format(length=len(calls), owner=owner or "ADDRESS")
    runtime = assemble(asked) + calls
    creation = assemble(
        f"={reentries} 0x00 SSTORE ={len(runtime)} @end 0x00 CODECOPY ={len(runtime)} 0x00 RETURN"
    )
    return creation + runtime


def told(calls: Sequence[Tx]) -> bytes:
    """Calldata for a puppet: these calls, in this order; one that `reverts` may fail.

    Raises LabError for a call to nobody.
    """
    script = bytearray()
    for one in calls:
        if one.to is None:
            message = "a puppet creates no contracts"
            raise LabError(message)
        script += int(one.reverts).to_bytes(_FLAG_BYTES, "big")
        script += len(one.data).to_bytes(_LENGTH_BYTES, "big")
        script += bytes.fromhex(one.to[2:]) + one.data
    return bytes(script)


def at_once(sender: Address, contract: Address, calls: Sequence[Tx]) -> Tx:
    """One transaction in which a puppet makes these calls."""
    return Tx(sender, contract, told(calls))


class Claim(NamedTuple):
    """A log that somebody writes without the right to."""

    topics: tuple[bytes, ...]
    data: bytes


def crier(claims: Sequence[Claim]) -> bytes:
    """Creation code that emits these logs and leaves an empty contract behind."""
    words = []
    tail = b""
    for claim in claims:
        size = len(claim.data)
        words.append(f"={size} @end ={len(tail)} ADD 0x00 CODECOPY")
        words += [f"0x{topic.hex()}" for topic in reversed(claim.topics)]
        words.append(f"={size} 0x00 LOG{len(claim.topics)}")
        tail += claim.data
    return assemble(" ".join((*words, "STOP"))) + tail


def _push(value: bytes) -> bytes:
    return bytes([_PUSH1 + len(value) - 1]) + value
