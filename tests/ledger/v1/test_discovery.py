"""From a hub's address to its contracts and its first block; and everything that is no hub."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monitor.lab.poco.accounts import named
from monitor.lab.poco.calls import call
from monitor.ledger.abi import Getter
from monitor.ledger.errors import CouldNotSee, NotAHub
from monitor.ledger.v1 import getters
from monitor.ledger.v1.discovery import ATTACHED, DEPLOYMENTS, chain_of, discover, first_block
from monitor.model import Address, Hash32
from tests.ledger.relay import PASS
from tests.ledger.scene import NO_HEADER, REVERTED, TWICE, UNMARSHAL, Scene, scene, words
from tests.ledger.v1.place import place
from tests.rpc.canned import Chain, Json, Refusal

HUB = Address("0x" + "aa" * 20)
PARTS = tuple(Address(f"0x{number:040x}") for number in range(0xB1, 0xB6))
"""Marketplace, token and the three registries of the canned hub."""
PRUNED = Refusal("missing trie node 1234 (path )", -32000)
MAINNET_HUB = Address("0x0d5ef019ca4c5cc413ee892ced89d7107c5f424d")


# -- real contracts ------------------------------------------------------------------------------


async def test_discover_on_the_real_contracts_finds_what_was_deployed(anvil_path: Path) -> None:
    """Every contract of the deployment, in a number of requests that does not depend on it."""
    async with place(anvil_path) as here:
        assert await discover(here.node, here.contracts.hub, await here.at()) == here.contracts
        assert len(here.relay.requests) == 5
        assert len(here.relay.calls) == 1 + 2 + 5 + 2 + 5


async def test_discover_on_a_node_without_hashes_finds_the_same(anvil_path: Path) -> None:
    """A node older than EIP-1898 is asked by the height, and for its hash before and after."""
    async with place(anvil_path) as here:
        here.relay.instead = lambda method, params: (
            UNMARSHAL if method == "eth_call" and isinstance(params[1], dict) else PASS
        )
        assert await discover(here.node, here.contracts.hub, await here.at()) == here.contracts
        assert len(here.relay.requests) <= 12


async def test_discover_at_a_block_before_the_hub_is_not_there(anvil_path: Path) -> None:
    """An address with code now and none then: deployed later, or the node lacks the state."""
    async with place(anvil_path) as here:
        at = await here.at(here.lab.deployment.first_block - 1)
        with pytest.raises(
            CouldNotSee, match=r"has code now and none at block 4: .*; ask"
        ) as caught:
            await discover(here.node, here.contracts.hub, at)
        assert caught.value.reason == "not_there"


async def test_discover_before_the_contracts_are_attached_is_no_hub_in_use(
    anvil_path: Path,
) -> None:
    """A hub between its creation and `attachContracts` has nothing to read."""
    async with place(anvil_path) as here:
        at = await here.at(here.lab.deployment.first_block)
        with pytest.raises(NotAHub, match=r"in use: its marketplace\(\) is not attached; check"):
            await discover(here.node, here.contracts.hub, at)


async def test_discover_of_any_other_contract_of_the_protocol_is_no_hub(anvil_path: Path) -> None:
    """Whoever names the token, the marketplace, a registry or a pool is told that it is no hub."""
    async with place(anvil_path, workers=2, orders=1) as here:
        at, hub = await here.at(), here.contracts.hub
        d = here.contracts
        others = (d.marketplace, d.token, d.app_hub, d.dataset_hub, d.worker_pool_hub)
        for address in (*others, *here.drop.pools, *here.drop.work_orders):
            with pytest.raises(NotAHub, match=f"^{address} is no IexecHub of iexec-poco@1.1.17: "):
                await discover(here.node, address, at)
        for nobody in (Address("0x" + "12" * 20), named(1, "somebody")):
            with pytest.raises(NotAHub, match=f"^{nobody} has no code at block {at.number} of"):
                await discover(here.node, nobody, at)
        assert await discover(here.node, hub, at) == d


async def test_discover_of_a_hub_with_the_registries_of_another_is_refused(
    anvil_path: Path,
) -> None:
    """A look-alike that names real registries is given away by whom they belong to."""
    async with place(anvil_path) as here:
        d = here.lab.deployment
        code = await here.lab.anvil.rpc("eth_getCode", d.hub, "latest")
        twin = Address("0x" + "dd" * 20)
        await here.lab.anvil.rpc("anvil_setCode", twin, code)
        for slot in range(16):
            word = await here.lab.anvil.rpc("eth_getStorageAt", d.hub, hex(slot), "latest")
            await here.lab.anvil.rpc("anvil_setStorageAt", twin, f"0x{slot:064x}", word)
        await d.blocks.mine([])
        with pytest.raises(NotAHub, match=f"{twin} is no IexecHub .*, belongs to {d.hub}; check"):
            await discover(here.node, twin, await here.at())


async def test_discover_on_a_pruned_node_is_inconclusive(anvil_path: Path) -> None:
    """A state that is gone says nothing of the hub; the remedy is an archive node."""
    async with place(anvil_path, label="alpha") as here:
        here.relay.instead = lambda method, params: PRUNED if method == "eth_call" else PASS
        with pytest.raises(CouldNotSee, match=r"^alpha: .*archive node") as caught:
            await discover(here.node, here.contracts.hub, await here.at(), pace=TWICE)
        assert caught.value.reason == "pruned"


async def test_discover_on_another_chain_names_both(anvil_path: Path) -> None:
    """The chain is looked at before anything else, whatever the address has there."""
    async with place(anvil_path) as here:
        at = await here.at()
        with pytest.raises(CouldNotSee, match="local serves chain 31337, not 1; check") as caught:
            await discover(here.node, here.contracts.hub, at, chain_id=1)
        assert caught.value.reason == "wrong_chain"
        assert len(here.relay.requests) == 1
        assert await discover(here.node, here.contracts.hub, at, chain_id=31337) == here.contracts


# -- what a hub must answer ----------------------------------------------------------------------


def stage(one: Scene) -> None:
    """Let the canned node have a hub and what belongs to it."""
    for getter, part in zip(ATTACHED, PARTS, strict=True):
        one.says(HUB, getter, returns=words(part))
    marketplace, token, *registries = PARTS
    one.says(marketplace, getters.ORDER_COUNT, returns=words(0))
    one.says(token, getters.BALANCE_OF, HUB, returns=words(0))
    for registry in registries:
        one.says(registry, getters.OWNER, returns=words(HUB))


async def test_discover_of_the_canned_hub_is_as_it_answers() -> None:
    """The contracts are in the order of `attachContracts`, whichever address is whose."""
    async with scene() as one:
        stage(one)
        found = await discover(one.node, HUB, one.at)
        assert (found.hub, found.marketplace, found.token) == (HUB, *PARTS[:2])
        assert (found.app_hub, found.dataset_hub, found.worker_pool_hub) == PARTS[2:]


NONSENSE: Mapping[str, tuple[Json, str]] = {
    "revert": (REVERTED, r"its \w+\(\) reverts"),
    "nothing": ("0x", "answered 0 bytes, not 32"),
    "short": ("0x" + "00" * 31, "answered 31 bytes, not 32"),
    "long": (words(1, 2), "answered 64 bytes, not 32"),
    "no address": (words(1 << 160), "is no address"),
    "zero": (words(0), r"in use: its \w+\(\) is not attached"),
}


@pytest.mark.parametrize("getter", ATTACHED, ids=lambda getter: getter.name)
@pytest.mark.parametrize(("answer", "why"), NONSENSE.values(), ids=NONSENSE)
async def test_discover_of_what_answers_otherwise_is_no_hub(
    getter: Getter, answer: Json, why: str
) -> None:
    """One getter that is not the hub's is enough, and the sentence says what it did."""
    async with scene() as one:
        stage(one)
        one.says(HUB, getter, returns=answer)
        with pytest.raises(NotAHub, match=f"^{HUB} is no IexecHub of .*{why}; check the address"):
            await discover(one.node, HUB, one.at)


CONSENTS: Mapping[str, tuple[Address, Getter, tuple[Address, ...]]] = {
    "marketplace": (PARTS[0], getters.ORDER_COUNT, ()),
    "token": (PARTS[1], getters.BALANCE_OF, (HUB,)),
    "apps": (PARTS[2], getters.OWNER, ()),
    "datasets": (PARTS[3], getters.OWNER, ()),
    "pools": (PARTS[4], getters.OWNER, ()),
}


@pytest.mark.parametrize(("to", "getter", "arguments"), CONSENTS.values(), ids=CONSENTS)
@pytest.mark.parametrize("answer", [REVERTED, "0x", words(1, 2)], ids=["revert", "none", "long"])
async def test_discover_of_parts_that_are_none_names_the_part(
    to: Address, getter: Getter, arguments: tuple[Address, ...], answer: Json
) -> None:
    """A hub whose marketplace is no marketplace is none; the contract at fault is named."""
    async with scene() as one:
        stage(one)
        one.says(to, getter, *arguments, returns=answer)
        with pytest.raises(NotAHub, match=f"{HUB} is no IexecHub of .*: {to}, which it names"):
            await discover(one.node, HUB, one.at)


@pytest.mark.parametrize("registry", PARTS[2:], ids=["apps", "datasets", "pools"])
async def test_discover_of_registries_of_another_hub_names_the_owner(registry: Address) -> None:
    """A registry belongs to one hub for good (`setImmutableOwnership`)."""
    async with scene() as one:
        stage(one)
        stranger = Address("0x" + "ee" * 20)
        one.says(registry, getters.OWNER, returns=words(stranger))
        with pytest.raises(NotAHub, match=f"{registry}, which it names, belongs to {stranger}"):
            await discover(one.node, HUB, one.at)


async def test_discover_of_code_that_answers_nothing_is_no_hub() -> None:
    """A contract whose fallback takes every call without a word has code, and is no hub."""
    async with scene() as one:
        one.canned.answers["eth_getCode"] = "0x6000"
        with pytest.raises(NotAHub, match=r"has code that answers .* with nothing; check"):
            await discover(one.node, HUB, one.at)


async def test_discover_on_the_mainnet_names_the_hub_that_is_known() -> None:
    """Where the protocol's hub is known the remedy is its address."""
    async with scene() as one:
        one.canned.chain_id = "0x1"
        one.canned.answers["eth_getCode"] = "0x"
        with pytest.raises(NotAHub, match=f"no code at block 90 of chain 1; .*it is {MAINNET_HUB}"):
            await discover(one.node, HUB, one.at)


async def test_chain_of_a_node_is_read_in_hex() -> None:
    """The chain id as a number, compared where one is expected."""
    async with scene() as one:
        one.canned.chain_id = "0x89"
        assert await chain_of(one.node) == await chain_of(one.node, 137) == 137
        with pytest.raises(CouldNotSee, match="local serves chain 137, not 138"):
            await chain_of(one.node, 138)


async def test_chain_of_more_than_a_chain_id_can_be_is_malformed() -> None:
    """The greatest of EIP-2294 is taken; one more is nonsense, which no store could keep."""
    async with scene() as one:
        one.canned.chain_id = hex(2**63 - 37)
        assert await chain_of(one.node) == 2**63 - 37
        one.canned.chain_id = hex(2**63 - 36)
        with pytest.raises(CouldNotSee, match="which no chain can have") as caught:
            await chain_of(one.node)
        assert caught.value.reason == "malformed"
        with pytest.raises(CouldNotSee, match=", not 137;") as caught:
            await chain_of(one.node, 137)
        assert caught.value.reason == "wrong_chain"


# -- the first block -----------------------------------------------------------------------------


def refusing(below: int, words_: Refusal) -> Callable[[str, list[Json]], Json]:
    """A node without the state of the blocks below a height."""

    def instead(method: str, params: list[Json]) -> Json:
        is_old = method == "eth_getCode" and int(params[1], 16) < below
        return words_ if is_old else PASS

    return instead


async def test_first_block_of_the_real_hub_is_that_of_its_creation(anvil_path: Path) -> None:
    """Found by halving: so many requests as the head has bits, and the proof."""
    async with place(anvil_path, workers=2, orders=1) as here:
        at = await here.at()
        found = await first_block(here.node, here.contracts.hub, at)
        assert found == here.lab.deployment.first_block
        assert len(here.relay.requests) <= math.ceil(math.log2(at.number + 1)) + 3


WITHOUT_STATE = {
    "pruned": PRUNED,
    "no header": NO_HEADER,
    "unknown words": Refusal("nope", -32000),
}


@pytest.mark.parametrize("refusal", WITHOUT_STATE.values(), ids=WITHOUT_STATE)
async def test_first_block_on_a_pruned_node_is_the_creation_or_the_genesis(
    anvil_path: Path, refusal: Refusal
) -> None:
    """Where the state of the creation is gone nothing is guessed: from 0 on nothing is missed."""
    async with place(anvil_path) as here:
        at, first = await here.at(), here.lab.deployment.first_block
        for below, expected in ((first - 1, first), (first, first), (first + 1, 0), (at.number, 0)):
            here.relay.instead = refusing(below, refusal)
            assert await first_block(here.node, here.contracts.hub, at, pace=TWICE) == expected


async def test_first_block_of_code_that_no_transaction_created_is_the_genesis(
    anvil_path: Path,
) -> None:
    """A contract made by a contract has no receipt of its own: where its code appears is no proof.

    Its first logs may lie in the same block, and that of a node without old state lies above.
    """
    async with place(anvil_path) as here:
        stranger = Address("0x" + "cc" * 20)
        await here.lab.anvil.rpc("anvil_setCode", stranger, "0x6000")
        await here.lab.deployment.blocks.mine(
            [call(here.lab.deployment.owner, here.contracts.hub, "deposit(uint256)", 0)]
        )
        assert await first_block(here.node, stranger, await here.at()) == 0


@pytest.mark.parametrize("refusal", [Refusal("Too many requests", 429), Refusal("", -32601)])
async def test_first_block_on_a_node_that_will_not_say_is_inconclusive(refusal: Refusal) -> None:
    """A node that is busy, or lacks the method, is not one without the state."""
    async with scene() as one:
        one.canned.answers["eth_getCode"] = refusal
        with pytest.raises(CouldNotSee):
            await first_block(one.node, HUB, one.at, pace=TWICE)


async def test_first_block_what_fails_for_the_moment_is_asked_again() -> None:
    """One busy answer among many does not end the search."""
    async with scene() as one:
        moods = iter([Refusal("Too many requests", 429)])
        one.canned.answers["eth_getCode"] = lambda params: next(moods, "0x6000")
        assert await first_block(one.node, HUB, one.at, pace=TWICE) == 0
        assert next(moods, None) is None


def mainnet(one: Scene, receipt: Json) -> None:
    """Let the canned node be the mainnet, with that receipt for the creation of its hub."""
    one.canned.chain_id = "0x1"
    one.canned.answers["eth_getTransactionReceipt"] = lambda params: (
        receipt if params == [DEPLOYMENTS[1, MAINNET_HUB]] else None
    )
    one.canned.answers["eth_getCode"] = "0x"


async def test_first_block_of_a_known_hub_is_one_look_at_its_receipt() -> None:
    """No state is needed where the transaction is known."""
    async with scene() as one:
        checksummed = "0x0D5EF019CA4c5cC413ee892CED89d7107C5f424D"
        mainnet(one, {"blockNumber": "0x32", "contractAddress": checksummed})
        assert await first_block(one.node, MAINNET_HUB, one.at) == 50
        assert one.canned.methods == ["eth_chainId", "eth_getTransactionReceipt"]


RECEIPTS = {
    "none": None,
    "of another": {"blockNumber": "0x32", "contractAddress": HUB},
    "of no creation": {"blockNumber": "0x32", "contractAddress": None},
    "above": {"blockNumber": "0x5b", "contractAddress": MAINNET_HUB},
}


@pytest.mark.parametrize("receipt", RECEIPTS.values(), ids=RECEIPTS)
async def test_first_block_of_a_known_hub_without_its_receipt_is_searched_for(
    receipt: Json,
) -> None:
    """A table in a package is no proof: what the chain does not confirm is not used."""
    async with scene(Chain(100)) as one:
        mainnet(one, receipt)
        assert await first_block(one.node, MAINNET_HUB, one.at) == 0
        assert "eth_getCode" in one.canned.methods


def test_deployments_are_hubs_in_lower_case_with_a_transaction_each() -> None:
    """Addresses are compared as they are written, so all are written alike."""
    for (chain_id, hub), transaction in DEPLOYMENTS.items():
        assert chain_id in {1, 3, 4, 42}
        assert hub == hub.lower()
        assert len(hub) == 42
        assert Hash32(transaction.lower()) == transaction
        assert len(transaction) == 66
