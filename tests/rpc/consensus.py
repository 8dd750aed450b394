"""A consensus client that says what the standard Beacon API documents, each in its own words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from monitor.lab.port import Port
from monitor.rpc.beacon import FINALITY, GENESIS, PEER_COUNT, SPEC, SYNCING, VERSION


class Said(NamedTuple):
    """An answer, as it goes over the wire."""

    body: str | bytes
    status: int = 200


GENESIS_TIME = 1_606_824_023
SYNCED = (
    '{"data":{"is_syncing":false,"is_optimistic":false,"el_offline":false,'
    '"head_slot":"9000000","sync_distance":"1"}}'
)
OLD_SYNCING = '{"data":{"head_slot":"9000000","sync_distance":"1","is_syncing":true}}'
"""As clients answered before the merge."""
FINAL = (
    '{"version":"deneb","execution_optimistic":false,"finalized":false,"data":{'
    '"previous_justified":{"epoch":"281248","root":"0x' + "11" * 32 + '"},'
    '"current_justified":{"epoch":"281248","root":"0x' + "22" * 32 + '"},'
    '"finalized":{"epoch":"281247","root":"0x' + "33" * 32 + '"}}}'
)
BEGUN = (
    '{"data":{"genesis_time":"1606824023","genesis_validators_root":"0x' + "44" * 32 + '",'
    '"genesis_fork_version":"0x00000000"}}'
)
PEERS = '{"data":{"disconnected":"12","connecting":"34","connected":"56","disconnecting":"5"}}'
SPECIFICATION = (
    '{"data":{"CONFIG_NAME":"mainnet","SECONDS_PER_SLOT":"12","SLOTS_PER_EPOCH":"32",'
    '"DEPOSIT_CHAIN_ID":"1","BLOB_SCHEDULE":[]}}'
)


def _client(version: str, **other: str) -> Mapping[str, Said]:
    bodies = {
        SYNCING: SYNCED,
        VERSION: f'{{"data":{{"version":"{version}"}}}}',
        PEER_COUNT: PEERS,
        FINALITY: FINAL,
        GENESIS: BEGUN,
        SPEC: SPECIFICATION,
    }
    return {path: Said(other.get(path.rpartition("/")[2], body)) for path, body in bodies.items()}


ANSWERS: Mapping[str, Mapping[str, Said]] = {
    "lighthouse": _client("Lighthouse/v5.3.0-d6ba8c3/x86_64-linux"),
    # Prysm writes its fields in the order of its structs, and an epoch's state without a version.
    "prysm": _client(
        "Prysm/v5.1.0 (linux amd64)",
        syncing='{"data":{"head_slot":"9000000","sync_distance":"1","is_syncing":false,'
        '"is_optimistic":false,"el_offline":false}}',
        finality_checkpoints=FINAL.replace('"version":"deneb",', ""),
    ),
    # Teku says how its answer was encoded and adds spaces; Nimbus has fields of its own.
    "teku": _client(
        "teku/v24.10.3/linux-x86_64/-eclipseadoptium-openjdk64bitservervm-java-21",
        syncing=SYNCED.replace(",", ", "),
    ),
    "nimbus": _client(
        "Nimbus/v24.11.0-e7d6d6-stateofus",
        syncing=SYNCED.replace('"1"}}', '"1"},"meta":{}}'),
    ),
}
"""By the client: what each path answers."""


@dataclass(slots=True)
class Consensus:
    """A server of the Beacon API; it writes down what it was asked."""

    answers: dict[str, Said] = field(default_factory=lambda: dict(ANSWERS["lighthouse"]))
    paths: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    """Paths and queries as they came, not decoded."""
    accepted: list[str] = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, no answer comes."""
    port: Port = field(init=False)

    def __post_init__(self) -> None:
        self.port = Port(self._serve)
        self.silent.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}"

    def says(self, *, head_slot: int, sync_distance: int = 0, **words: bool) -> None:
        """Be somewhere else on the chain."""
        flags = {"is_syncing": False, "is_optimistic": False, "el_offline": False} | words
        told = "".join(f',"{name}":{str(is_so).lower()}' for name, is_so in flags.items())
        body = f'{{"data":{{"head_slot":"{head_slot}","sync_distance":"{sync_distance}"{told}}}}}'
        self.answers[SYNCING] = Said(body)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.paths.append(request.path)
        self.written.append(request.raw_path)
        self.accepted.append(request.headers.get("Accept", ""))
        await self.silent.wait()
        path = request.path[request.path.index("/eth/") :]
        said = self.answers.get(path, Said('{"code":404,"message":"NOT_FOUND"}', 404))
        body = said.body.encode() if isinstance(said.body, str) else said.body
        headers = {"Content-Type": "application/json"}
        return web.Response(body=body, status=said.status, headers=headers)


@asynccontextmanager
async def serving_consensus(server: Consensus) -> AsyncIterator[Consensus]:
    """Let it listen."""
    await server.port.open()
    try:
        yield server
    finally:
        server.silent.set()
        await server.port.close()
