"""What the npm package `iexec-poco@1.1.17` knows of its contracts: their code and their ABI."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from monitor.lab.errors import LabError


class _Argument(msgspec.Struct):
    type: str


class _Entry(msgspec.Struct):
    type: str
    name: str = ""
    inputs: list[_Argument] = []


class _Artifact(msgspec.Struct):
    """An artifact of truffle; RLC's is of an older kind, with another name for its code."""

    abi: list[_Entry]
    bytecode: str = ""
    unlinked_binary: str = ""


def creation_code(folder: Path, name: str) -> bytes:
    """The code that creates the contract, without the arguments of its constructor."""
    artifact = _read(folder, name)
    digits = artifact.bytecode or artifact.unlinked_binary
    try:
        return bytes.fromhex(digits.removeprefix("0x"))
    except ValueError:
        message = f"{folder / name}.json holds code that is not hexadecimal: is it unlinked?"
        raise LabError(message) from None


def signatures(folder: Path, name: str, kind: str = "function") -> frozenset[str]:
    """The canonical signature of each function, or event, of the contract's own ABI."""
    return frozenset(
        f"{entry.name}({','.join(argument.type for argument in entry.inputs)})"
        for entry in _read(folder, name).abi
        if entry.type == kind
    )


@cache
def _read(folder: Path, name: str) -> _Artifact:
    path = folder / f"{name}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Artifact)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{path} is no artifact of iexec-poco: {error}"
        raise LabError(message) from error
