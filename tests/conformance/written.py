"""Vectors as execution-apis write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.conformance.vectors import Vector

REFUSED = {"code": -32602, "message": "whatever a client says"}


def asks(method: str, *params: Any) -> str:
    """The line of a request."""
    return ">> " + json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def answers(result: Any) -> str:
    """The line of an answer."""
    return "<< " + json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})


def refuses(code: int, message: str = "whatever a client says") -> str:
    """The line of an answer that is an error."""
    error = {"code": code, "message": message}
    return "<< " + json.dumps({"jsonrpc": "2.0", "id": 1, "error": error})


def write(folder: Path, name: str, *lines: str) -> Path:
    """A vector at `METHOD/NAME` below a folder."""
    path = folder / f"{name}.io"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_head(folder: Path, head: str) -> None:
    """The call that makes a block the head of a client."""
    fork = dict.fromkeys(("headBlockHash", "safeBlockHash", "finalizedBlockHash"), head)
    call = {
        "jsonrpc": "2.0",
        "id": "fcu1",
        "method": "engine_forkchoiceUpdatedV3",
        "params": [fork, None],
    }
    (folder / "headfcu.json").write_text(json.dumps(call, indent=2), encoding="utf-8")


def rendered(vector: Vector) -> bytes:
    """The file of a vector."""
    lines = [f"// {note}" for note in vector.notes]
    for trip in vector.trips:
        call = f'{{"jsonrpc":"2.0","id":7,"method":{json.dumps(trip.method)},"params":'
        lines.append(f">> {call}{trip.params.decode()}}}")
        said = trip.expected
        if said.result is None:
            lines.append(refuses(said.code or 0))
        else:
            lines.append(f'<< {{"jsonrpc":"2.0","id":7,"result":{said.result.decode()}}}')
    return "".join(f"{line}\n" for line in lines).encode()
