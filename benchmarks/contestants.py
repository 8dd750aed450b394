"""Who is measured: web3.py, our client, our whole path. All ask the same questions.

A contestant is an async context manager that is given URLs and yields one turn: a function that
makes some node-polls and says how many. Two sets of questions: `round`, what a round of ours asks
of a node, and `six`, what a dashboard classically asks: height, latest block, syncing, peers,
version, pool. anvil knows no `net_peerCount`, so `net_listening` stands for it.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.act.answers import GZIP_LEVEL
from monitor.act.collector import registry_of, render
from monitor.config.settings import Network, NodeSettings, ProfileRef, ReferenceSettings, Settings
from monitor.garbage import tune_collector
from monitor.probes import head, identity
from monitor.rpc import decode
from monitor.rpc.node import Node
from monitor.sidecar import Sidecar
from monitor.url import Url
from monitor.wire import open_session

if TYPE_CHECKING:
    from web3 import AsyncWeb3

Turn = Callable[[], Awaitable[int]]
Contestant = Callable[[Sequence[str]], AbstractAsyncContextManager[Turn]]

NETWORK = "chain"
OPERATORS = ("one", "two", "three")
POLL_SECONDS = 1
SCRAPE_SECONDS = 15
ROUNDS_A_SCRAPE = SCRAPE_SECONDS // POLL_SECONDS


class PoolStatus(msgspec.Struct):
    """`txpool_status` (geth's txpool namespace)."""

    pending: str
    queued: str


FLAG: msgspec.json.Decoder[bool] = msgspec.json.Decoder(bool)
SYNCING: msgspec.json.Decoder[bool | dict[str, str]] = msgspec.json.Decoder(bool | dict[str, str])
POOL: msgspec.json.Decoder[PoolStatus] = msgspec.json.Decoder(PoolStatus)


# -- web3.py -------------------------------------------------------------------------------------


@asynccontextmanager
async def _web3(url: str) -> AsyncIterator[AsyncWeb3[Any]]:
    from web3 import AsyncHTTPProvider, AsyncWeb3

    provider = AsyncHTTPProvider(url)
    try:
        yield AsyncWeb3(provider)
    finally:
        await provider.disconnect()


@asynccontextmanager
async def web3_round(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """web3.py, the five questions of a round one after the other."""
    async with _web3(urls[-1]) as web3:

        async def turn() -> int:
            await web3.eth.get_block("latest")
            await web3.eth.get_block("finalized")
            await web3.eth.chain_id
            await web3.eth.get_block(0)
            await web3.client_version
            return 1

        yield turn


@asynccontextmanager
async def web3_batch_round(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """The same, four of them in a batch: the version cannot be batched."""
    async with _web3(urls[-1]) as web3:

        async def turn() -> int:
            async with web3.batch_requests() as batch:
                batch.add(web3.eth.get_block("latest"))
                batch.add(web3.eth.get_block("finalized"))
                batch.add(web3.eth.chain_id)
                batch.add(web3.eth.get_block(0))
                await batch.async_execute()
            await web3.client_version
            return 1

        yield turn


@asynccontextmanager
async def web3_six(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """web3.py, the six classical questions one after the other."""
    async with _web3(urls[-1]) as web3:

        async def turn() -> int:
            await web3.eth.block_number
            await web3.eth.get_block("latest")
            await web3.eth.syncing
            await web3.net.listening
            await web3.client_version
            await web3.geth.txpool.status()
            return 1

        yield turn


@asynccontextmanager
async def web3_batch_six(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """The same, four of them in a batch: neither the version nor the pool's status can be."""
    async with _web3(urls[-1]) as web3:

        async def turn() -> int:
            async with web3.batch_requests() as batch:
                batch.add(web3.eth.block_number)
                batch.add(web3.eth.get_block("latest"))
                batch.add(web3.eth.syncing)
                batch.add(web3.net.listening)
                await batch.async_execute()
            await web3.client_version
            await web3.geth.txpool.status()
            return 1

        yield turn


# -- our client ----------------------------------------------------------------------------------


@asynccontextmanager
async def _node(url: str) -> AsyncIterator[Node]:
    async with open_session() as session:
        node = Node("node", Url(url), session, clock=asyncio.get_running_loop().time)
        yield node
        await node.close()


@asynccontextmanager
async def client_round(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """Our client and decoders alone: the two probes that ask in every round, in one batch."""
    async with _node(urls[-1]) as node:

        async def turn() -> int:
            await asyncio.gather(head.probe(node), identity.probe(node))
            return 1

        yield turn


@asynccontextmanager
async def client_six(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """Our client alone: the six classical questions in one batch."""
    async with _node(urls[-1]) as node:

        async def turn() -> int:
            await asyncio.gather(
                node.ask("eth_blockNumber", (), decode.quantity),
                node.ask("eth_getBlockByNumber", ("latest", False), decode.header),
                node.ask("eth_syncing", (), SYNCING),
                node.ask("net_listening", (), FLAG),
                node.ask("web3_clientVersion", (), decode.text),
                node.ask("txpool_status", (), POOL),
            )
            return 1

        yield turn


# -- our whole path ------------------------------------------------------------------------------


def settings_of(urls: Sequence[str]) -> Settings:
    """One network: the first three URLs are its references, each by another operator."""
    profile = ProfileRef(profile="dev", interval_seconds=2.0 * POLL_SECONDS)
    references = tuple(
        ReferenceSettings(name=name, url=Url(url), operator=name)
        for name, url in zip(OPERATORS, urls, strict=False)
    )
    nodes = tuple(
        NodeSettings(name=f"node-{index}", network=NETWORK, url=Url(url))
        for index, url in enumerate(urls[len(OPERATORS) :])
    )
    network = Network(profile=profile, references=references)
    return Settings(networks={NETWORK: network}, nodes=nodes)


@asynccontextmanager
async def _path(urls: Sequence[str], *, draws: bool) -> AsyncIterator[Turn]:
    tune_collector()  # As `headwatch run` does.
    async with Sidecar(settings_of(urls)) as sidecar:
        (watch,) = sidecar.watches.values()
        rounds = 0

        async def turn() -> int:
            nonlocal rounds
            rounds += 1
            await sidecar.round(watch)
            if draws and rounds % ROUNDS_A_SCRAPE == 0:
                draw(sidecar)
            return len(watch.nodes)

        yield turn
        if rounds and sidecar.verdict.word != "pass":
            bad = next(f for f in sidecar.verdict.findings if f.level)
            message = f"the path measured something else: {bad.subject} {bad.check}: {bad.summary}"
            raise RuntimeError(message)


def draw(sidecar: Sidecar) -> bytes:
    """What the server does for one scrape: the page, and the same page packed."""
    page, _ = render(registry_of(sidecar.snapshot(), sidecar.instruments), "")
    gzip.compress(page, GZIP_LEVEL)
    return page


@asynccontextmanager
async def path(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """A round of the sidecar: ask, decode, elect, judge, fold; the references' share included."""
    async with _path(urls, draws=False) as turn:
        yield turn


@asynccontextmanager
async def path_export(urls: Sequence[str]) -> AsyncIterator[Turn]:
    """The same with a metrics page drawn as often as a scraper asks: every fifteenth round."""
    async with _path(urls, draws=True) as turn:
        yield turn


CONTESTANTS: dict[str, Contestant] = {
    "web3-round": web3_round,
    "web3-batch-round": web3_batch_round,
    "client-round": client_round,
    "web3-six": web3_six,
    "web3-batch-six": web3_batch_six,
    "client-six": client_six,
    "path": path,
    "path-export": path_export,
}
