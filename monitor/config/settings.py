"""The settings: every field with its unit, its limits and its default.

`Settings` is what the rest of headwatch reads. `File` is the same as a user may write it, with the
shorthand of a single node. The text under a field is its documentation: the JSON schema and the
reference page are made from it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from monitor.config.checks import CheckSettings
from monitor.config.gates import Gate
from monitor.config.kinds import (
    ChannelUrl,
    Cron,
    FilePath,
    Flag,
    Hash,
    HttpUrl,
    LabelName,
    Listen,
    Model,
    Name,
    Operator,
    ReferenceName,
    Seconds,
    Sentence,
    Template,
    Timezone,
    WebsocketUrl,
    Word,
    expects,
)
from monitor.config.ledgers import Ledger
from monitor.config.releases import ReleaseFeed
from monitor.config.transactions import Transactions

BY_NAME, INLINE = "<name>", "<inline>"
"""Tags of the two ways to write a node's network; they occur in no path shown to a user."""


EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  # read, not listened on


class Http(Model):
    """The server of metrics, health, API and status page."""

    listen: Listen = "127.0.0.1:9845"
    """Where to listen: HOST:PORT or [IPV6]:PORT; port 0 lets the system choose."""
    reload: Flag = False
    """Whether POST /-/reload is served; SIGHUP always reloads."""
    token_file: FilePath | None = None
    """The file that holds the bearer token asked of requests that change something."""
    eip2159: Flag = False
    """Whether /metrics has the names of EIP-2159 as well, such as `ethereum_blockchain_height`."""

    @property
    def address(self) -> tuple[str, int]:
        """Host, without the brackets of IPv6, and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def local_url(self) -> str:
        """Where programs on this machine reach it, also where it listens on every address."""
        host, _, port = self.listen.rpartition(":")
        return f"http://{EVERYWHERE.get(host, host)}:{port}"


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
    """The name of a chain profile, as `headwatch profile list` shows it: ethereum, gnosis, …"""
    interval_seconds: (
        Annotated[
            float,
            Field(gt=0, le=86_400),
            expects("expected a number of seconds above 0 and up to 86400"),
        ]
        | None
    ) = None
    """The time between two blocks, in seconds; the profile's where not given."""
    speed: Annotated[
        float,
        Field(gt=0, le=1000),
        expects("expected a number of times above 0 and up to 1000"),
    ] = 1.0
    """Rehearsals: how many times as fast as its chain it goes; every time is divided by it."""
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
    beacon: HttpUrl | None = None
    """The Beacon API of its consensus client, http:// or https://; without it none is asked."""


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


class Alertmanager(Model):
    """An Alertmanager that findings are posted to (API v2), beside or without Prometheus."""

    name: Name
    """A name, unique among all that is told; it becomes a metric label."""
    url: HttpUrl
    """Its address, without /api/v2; only host and port of it are ever shown."""
    resolve_timeout_seconds: Annotated[float, Seconds(15, 86_400)] = 300.0
    """How long an alert lives that is not posted again; it is posted three times as often."""
    labels: dict[LabelName, Sentence] = Field(default_factory=dict)
    """Labels that every alert gets, for the routes of the Alertmanager."""
    token_file: FilePath | None = None
    """The file that holds a bearer token, read anew for every message."""


class Channel(Model):
    """People who are told by apprise: needs the extra `headwatch[notify]`."""

    name: Name
    """A name, unique among all that is told; it becomes a metric label."""
    url: ChannelUrl
    """An apprise URL: slack://…, tgram://…, mailto://…, json://…; never shown."""
    level: Annotated[
        Literal["unknown", "degraded", "failed"],
        expects("expected unknown, degraded or failed"),
    ] = "unknown"
    """The least bad level that is told: unknown, degraded or failed."""
    networks: tuple[Name, ...] = ()
    """Only of these networks. Default: of all."""
    reminder_seconds: Annotated[float, Seconds(0, 604_800)] = 14_400.0
    """How often what is still open is told again, in seconds; 0 for never."""
    closed: Flag = True
    """Whether the end of a finding is told as well."""
    title: Template | None = None
    """A jinja2 template of the message's first line; its words are in docs/notifications.md."""
    body: Template | None = None
    """A jinja2 template of the message; its words are in docs/notifications.md."""


class Heartbeat(Model):
    """An address that is fetched as long as headwatch lives, and misses it when it does not."""

    name: Name
    """A name, unique among all that is told; it becomes a metric label."""
    url: HttpUrl
    """What is fetched with GET; only host and port of it are ever shown."""
    interval_seconds: Annotated[float, Seconds(5, 86_400)] = 60.0
    """How often, in seconds; the receiver should wait for two of them."""


class Alerting(Model):
    """Who is told of findings, and how."""

    external_url: HttpUrl | None = None
    """Where people reach the status page: messages link to it. Default: http.listen."""
    alertmanagers: tuple[Alertmanager, ...] = ()
    """Alertmanagers that findings are posted to."""
    channels: tuple[Channel, ...] = ()
    """People without Prometheus, told by apprise."""
    heartbeats: tuple[Heartbeat, ...] = ()
    """Addresses that are fetched as long as headwatch lives: dead man's switches."""
    group_seconds: Annotated[float, Seconds(0, 600)] = 10.0
    """How long edges are collected, so that a burst becomes one message, in seconds."""
    flap_edges_max: Annotated[
        int, Field(ge=2, le=1000), expects("expected a whole number of edges from 2 to 1000")
    ] = 6
    """A finding with more edges than this within flap_seconds is flapping: told once, then held."""
    flap_seconds: Annotated[float, Seconds(10, 86_400)] = 900.0
    """The time in which edges are counted, in seconds."""
    queue_messages_max: Annotated[
        int, Field(ge=1, le=10_000), expects("expected a whole number of notices from 1 to 10000")
    ] = 100
    """The most notices that wait for one channel; the oldest are dropped, and counted."""
    deadline_seconds: Annotated[float, Seconds(0.1, 120)] = 10.0
    """How long one attempt to tell may take, in seconds."""


class MaintenanceWindow(Model):
    """Times that come again, in which people are not told; measured is as ever."""

    name: Name
    """A unique name."""
    cron: Cron
    """When it begins: minute, hour, day of month, month, day of week."""
    duration_seconds: Annotated[float, Seconds(60, 604_800)]
    """How long it lasts, in seconds."""
    timezone: Timezone = "UTC"
    """The zone of cron, as in the tz database: UTC, Europe/Paris, …"""
    networks: tuple[Name, ...] = ()
    """Only what belongs to these networks. Default, with no nodes either: everything."""
    nodes: tuple[Name, ...] = ()
    """Only these nodes."""
    reason: Sentence
    """Why, for whoever looks at the page meanwhile."""


class History(Model):
    """What is remembered of the past, in `history.sqlite` below `data_dir`."""

    retention_days: Annotated[
        float,
        Field(ge=1, le=3650),
        expects("expected a number of days from 1 to 3650"),
    ] = 30.0
    """How long incidents and hourly bars are kept, in days."""
    bytes_max: Annotated[
        int,
        Field(ge=1_048_576, le=1_099_511_627_776),
        expects("expected a whole number of bytes from 1048576 to 1099511627776"),
    ] = 268_435_456
    """The largest the file may grow, in bytes; the oldest goes first."""


class _Common(Model):
    data_dir: FilePath | None = None
    """The directory of what must outlive a restart. Default: the system's usual place."""
    http: Http = Field(default_factory=Http)
    """The server of metrics, health, API and status page."""
    rpc: Rpc = Field(default_factory=Rpc)
    """The limits of every JSON-RPC call."""
    networks: dict[Name, Network] = Field(default_factory=dict)
    """The chains by name, with their references, which are asked once for all their nodes."""
    checks: dict[Name, CheckSettings] = Field(default_factory=dict)
    """The checks beside the required ones, by name, where they are to be made otherwise."""
    alerting: Alerting = Field(default_factory=Alerting)
    """Who is told of findings, and how."""
    maintenance: tuple[MaintenanceWindow, ...] = ()
    """Times that come again, in which people are not told."""
    history: History = Field(default_factory=History)
    """What is remembered of the past."""
    transactions: Transactions = Field(default_factory=Transactions)
    """Whose transactions are watched, and what may be done for them."""
    releases: tuple[ReleaseFeed, ...] = ()
    """Where the releases and advisories of clients are read, for the check `version`."""
    ledgers: tuple[Ledger, ...] = ()
    """The ledgers that are recomputed and compared; needs the extra `headwatch[ledger]`."""
    gate: dict[Name, Gate] = Field(default_factory=dict)
    """Gates by name: rules about what is measured, for pipelines."""


class Settings(_Common):
    """Everything configured, shorthand resolved: every node's network is in `networks`."""

    nodes: tuple[NodeSettings, ...]
    """The nodes to watch."""


class File(_Common):
    """headwatch.yaml: the configuration of headwatch."""

    nodes: tuple[FileNode, ...]
    """The nodes to watch; at least one."""
