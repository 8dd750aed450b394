"""The settings: every field with its unit, its limits and its default.

`Settings` is what the rest of headwatch reads. `File` is the same as a user may write it, with the
shorthand of a single node. The text under a field is its documentation: the JSON schema and the
reference page are made from it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from monitor.config.kinds import (
    FilePath,
    Flag,
    Hash,
    HttpUrl,
    Listen,
    Name,
    Operator,
    ReferenceName,
    WebsocketUrl,
    Word,
    expects,
)

BY_NAME, INLINE = "<name>", "<inline>"
"""Tags of the two ways to write a node's network; they occur in no path shown to a user."""


class Model(BaseModel):
    """Frozen, and strict: nothing unknown is accepted and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Http(Model):
    """The server of metrics, health, API and status page."""

    listen: Listen = "127.0.0.1:9845"
    """Where to listen: HOST:PORT or [IPV6]:PORT; port 0 lets the system choose."""
    reload: Flag = False
    """Whether POST /-/reload is served; SIGHUP always reloads."""
    token_file: FilePath | None = None
    """The file that holds the bearer token asked of requests that change something."""

    @property
    def address(self) -> tuple[str, int]:
        """Host, without the brackets of IPv6, and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Rpc(Model):
    """The limits of every JSON-RPC call."""

    deadline_seconds: Annotated[
        float,
        Field(ge=0.1, le=120),
        expects("expected a number of seconds from 0.1 to 120"),
    ] = 5.0
    """How long one call may take, from connecting to the last byte, in seconds."""
    body_bytes_max: Annotated[
        int,
        Field(ge=65_536, le=1_073_741_824),
        expects("expected a whole number of bytes from 65536 to 1073741824"),
    ] = 8_388_608
    """The largest answer that is read, in bytes; a larger one counts as malformed."""
    batch_calls_max: Annotated[
        int, Field(ge=1, le=1000), expects("expected a whole number of calls from 1 to 1000")
    ] = 100
    """The most calls sent in one JSON-RPC batch; 1 sends each call alone."""


class ProfileRef(Model):
    """A chain profile, with the numbers in which this network differs from it."""

    profile: Annotated[str, expects("expected the name of a chain profile")]
    """The name of a chain profile: dev, ethereum, ethereum-2018, …"""
    interval_seconds: (
        Annotated[
            float,
            Field(gt=0, le=86_400),
            expects("expected a number of seconds above 0 and up to 86400"),
        ]
        | None
    ) = None
    """The time between two blocks, in seconds; the profile's where not given."""
    chain_id: (
        Annotated[
            int,
            Field(ge=1, le=9_223_372_036_854_775_771),
            expects("expected a chain id: a whole number from 1"),
        ]
        | None
    ) = None
    """The chain id (EIP-155) the nodes must report; the profile's where not given."""
    genesis_hash: Hash | None = None
    """The hash of block 0 the nodes must report; the profile's where not given."""


def _named(value: object) -> object:
    return {"profile": value} if isinstance(value, str) else value


def _way(value: object) -> str:
    return INLINE if isinstance(value, dict | ProfileRef) else BY_NAME


Profile = Annotated[ProfileRef, BeforeValidator(_named, json_schema_input_type=Name | ProfileRef)]


class ReferenceSettings(Model):
    """An endpoint to compare with: it is asked little, and believed only by majority."""

    name: ReferenceName
    """A name, unique in its network; it becomes a metric label. `quorum` is reserved."""
    url: HttpUrl
    """The JSON-RPC endpoint, http:// or https://; only host and port of it are ever shown."""
    operator: Operator = Field(default_factory=lambda known: known["url"].origin)
    """Who runs it: each operator has one vote. Default: the host and port of `url`."""
    client: Word | None = None
    """The client it runs, one lower-case word: geth, nethermind, besu, erigon, reth, …"""
    calls_a_day: (
        Annotated[
            int,
            Field(ge=1, le=1_000_000_000),
            expects("expected a whole number of calls from 1 to 1000000000"),
        ]
        | None
    ) = None
    """The most calls a day (UTC) it may be sent. Default: the profile's, 50000 on public chains."""


class Network(Model):
    """A chain, and the references that say where its head is."""

    profile: Profile
    """The chain profile its thresholds come from: a name, or a mapping that starts with one."""
    references: tuple[ReferenceSettings, ...] = ()
    """The endpoints to compare with; at least one, and three operators for high confidence."""


class _Watched(Model):
    name: Name
    """A unique name; it becomes a metric label."""
    url: HttpUrl
    """The JSON-RPC endpoint, http:// or https://; only host and port of it are ever shown."""
    websocket: WebsocketUrl | None = None
    """The endpoint of subscriptions, ws:// or wss://; without it new heads are polled."""


class NodeSettings(_Watched):
    """A node to watch."""

    network: Name
    """The name of its network."""


class FileNode(_Watched):
    """A node to watch, as it may be written."""

    network: Annotated[
        Annotated[Name, Tag(BY_NAME)] | Annotated[ProfileRef, Tag(INLINE)], Discriminator(_way)
    ]
    """A name under `networks`; with `references` here, a chain profile: by name or a mapping."""
    references: tuple[ReferenceSettings, ...] = ()
    """Shorthand for one node: the references of a network that this node has for itself."""


class _Common(Model):
    data_dir: FilePath | None = None
    """The directory of what must outlive a restart. Default: the system's usual place."""
    http: Http = Field(default_factory=Http)
    """The server of metrics, health, API and status page."""
    rpc: Rpc = Field(default_factory=Rpc)
    """The limits of every JSON-RPC call."""
    networks: dict[Name, Network] = Field(default_factory=dict)
    """The chains by name, with their references, which are asked once for all their nodes."""


class Settings(_Common):
    """Everything configured, shorthand resolved: every node's network is in `networks`."""

    nodes: tuple[NodeSettings, ...]
    """The nodes to watch."""


class File(_Common):
    """headwatch.yaml: the configuration of headwatch."""

    nodes: tuple[FileNode, ...]
    """The nodes to watch; at least one."""
