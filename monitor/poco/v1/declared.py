"""Every event of the contracts, as Solidity declares it, with the first topic that it has.

`decoding.py` reads logs by these. A parameter keeps its name where the event's class has it, and
has none where nobody asks for it; types and order are the contracts' (`iexec-poco@1.1.17`:
IexecHub, Marketplace, WorkerPool; RLC). What moves nothing in a ledger has no class.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.poco.v1 import events as e
from monitor.poco.v1.events import Event


class Declared(NamedTuple):
    """One event that a contract can emit."""

    topic: str
    """Hex of the hash of its name and types (keccak256)."""
    solidity: str
    make: type[Event] | None


_OWNERSHIP: Final = Declared(
    "8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0",
    "OwnershipTransferred(address indexed, address indexed)",
    None,
)

HUB: Final = (
    Declared(
        "359f2105b31d71ee8e2315c3dc3427b3f7297dcc85dd3883d4554e67f1f22d00",
        "WorkOrderActivated(address woid, address indexed pool)",
        e.WorkOrderActivated,
    ),
    Declared(
        "b3cae8ec1c2754530963fb2e254826aae88dda74178f1a0c5656776941e604b8",
        "WorkOrderClaimed(address woid, address pool)",
        e.WorkOrderClaimed,
    ),
    Declared(
        "ed236d0a24cb7a32c76960696e44bac711b80ef76780688405dc96c2495b75f9",
        "WorkOrderCompleted(address woid, address pool)",
        e.WorkOrderCompleted,
    ),
    Declared(
        "03d3b6187bbe7d21aa3cf229e292ba41fa8bca6ec2128c0f1625178b8191cdc2",
        (
            "CreateApp(address indexed owner, address indexed app, string name, uint256 "
            "price, string)"
        ),
        e.CreateApp,
    ),
    Declared(
        "49413c774d3fe9c92f6ada69299963d9b4b1c13a1f2a95a019188e2c161ed143",
        (
            "CreateDataset(address indexed owner, address indexed dataset, string name, "
            "uint256 price, string)"
        ),
        e.CreateDataset,
    ),
    Declared(
        "3c29f4ff1e741e465a1ad9cc4c0b8e51c046c021ca9e77172d812ae667f566f8",
        "CreateWorkerPool(address indexed owner, address indexed pool, string description)",
        e.CreateWorkerPool,
    ),
    Declared(
        "62bf08360c9d561749c54eaf4f8bf8cb6c8b6f4f40607bcec39a8172e714d25c",
        "CreateCategory(uint256 category, string, string, uint256 clock)",
        e.CreateCategory,
    ),
    Declared(
        "d3548f8b6a2a11c4a35ef5a16dbf7142c9db5163c7d46e7f66482664277cff07",
        "WorkerPoolSubscription(address indexed pool, address worker)",
        e.WorkerPoolSubscription,
    ),
    Declared(
        "9644170e77fec17243f5fdc3519cba6d2162d1dda59af75508fd9a2005aeb784",
        "WorkerPoolUnsubscription(address indexed pool, address worker)",
        e.WorkerPoolUnsubscription,
    ),
    Declared(
        "5580db655b3146ef4d1fdba3305cf74dbc3f29126c7a3832533f84e00d149ee3",
        "WorkerPoolEviction(address indexed pool, address worker)",
        e.WorkerPoolEviction,
    ),
    Declared(
        "98b231d22df4a95e9d99b5d3f4d25fab5a821c22d7f517a522731c2892ed4535",
        "AccurateContribution(address woid, address indexed worker)",
        e.AccurateContribution,
    ),
    Declared(
        "d21e70eb7104cb6f403402b79fe1c088dc56b69ecb7474ae68a3e861a5a6d499",
        "FaultyContribution(address woid, address indexed worker)",
        e.FaultyContribution,
    ),
    Declared(
        "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c",
        "Deposit(address owner, uint256 amount)",
        e.Deposit,
    ),
    Declared(
        "884edad9ce6fa2440d8a54cc123490eb96d2768479d49ff9c7366125a9424364",
        "Withdraw(address owner, uint256 amount)",
        e.Withdraw,
    ),
    Declared(
        "619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9",
        "Reward(address user, uint256 amount)",
        e.Reward,
    ),
    Declared(
        "4051ba94e08bb094159fc38391422b4b8ccfd2b1f8919c0eb37bb042d4b9cd8e",
        "Seize(address user, uint256 amount)",
        e.Seize,
    ),
    _OWNERSHIP,
)
MARKETPLACE: Final = (
    Declared(
        "b0be9c5566c7b426b2e5378a75c24af27818f33e0b6aa5ea6208562c144c98f1",
        "MarketOrderCreated(uint256 index)",
        e.MarketOrderCreated,
    ),
    Declared(
        "9a05087bc2e92d4e31e031af3ffb9da7e4dffd4be5573811330541cc559315fe",
        "MarketOrderClosed(uint256 index)",
        e.MarketOrderClosed,
    ),
    Declared(
        "e15b7f1dd90867f2f9084033184322ae15a1572828d3d2a5a2dca5f6038332ba",
        "MarketOrderAskConsume(uint256 index, address requester)",
        e.MarketOrderAskConsume,
    ),
    Declared(
        "faa5bd626c00cd99117399c04259a0d49a005fdde47f67ed013a1f473a495870",
        (
            "WorkOrderCallbackProof(address indexed, address, address, address indexed, "
            "address indexed, string, string, string)"
        ),
        None,
    ),
    _OWNERSHIP,
)
POOL: Final = (
    Declared(
        "52bb55d3097463659f724f9b420d259719787a8563b48eb82368680999bfea07",
        f"WorkerPoolPolicyUpdate({', '.join(['uint256 ratio'] * 8)})",
        e.PolicyUpdate,
    ),
    Declared(
        "9c081174ce28e85a62530b1102b0df58428b8da5027e81fbb4984aa1dc033107",
        "WorkOrderActive(address indexed woid)",
        e.WorkOrderActive,
    ),
    Declared(
        "8d8d47a5d5034ce9c01a2308543fdaa83d60863e4b735b7d57361987cdc8ed94",
        "WorkOrderClaimed(address indexed woid)",
        e.PoolWorkOrderClaimed,
    ),
    Declared(
        "9cade22a92ceb705fefd1c03e9ac4dbbf787cd493ec63a9f2b078cbc859c0629",
        "AllowWorkerToContribute(address indexed woid, address indexed worker, uint256 score)",
        e.AllowWorker,
    ),
    Declared(
        "1593a9a000265660fd299c9f8c9bbacfeb4d428861542e6c44b68615324225d4",
        "Contribute(address indexed woid, address indexed worker, bytes32 resultHash)",
        e.Contribute,
    ),
    Declared(
        "a1b9f527f9799a46d54103401c99dc62f3744afe1d095a1c53620758dc38b286",
        "RevealConsensus(address indexed woid, bytes32 consensus)",
        e.RevealConsensus,
    ),
    Declared(
        "4f5df7005a83b6f11e90ead1268eb534656169a5034e8d239c763471294be3d5",
        "Reveal(address indexed woid, address indexed worker, bytes32 result)",
        e.Reveal,
    ),
    Declared(
        "631055693b4cbe13143279bc507432c42de858b6d04b3ba4e1ff3d2c88a7e52b",
        "Reopen(address indexed woid)",
        e.Reopen,
    ),
    Declared(
        "4bfecaabd22e1b95e9aa9eb161b19f645b3460e7533d5e0f6349faf8dc0a7244",
        "FinalizeWork(address indexed woid, string, string, string)",
        e.FinalizeWork,
    ),
    Declared(
        "67799bb3ec4a3491a0c1c4e6d02ec99927df7ba7fa268c216672c0c5ecc1e8f8",
        "WorkerSubscribe(address indexed)",
        None,
    ),
    Declared(
        "d08d61a9c25ada3385d23554bae10e5d15c9518d4bfd27571c190558f7030f6e",
        "WorkerUnsubscribe(address indexed)",
        None,
    ),
    Declared(
        "b22288215ec8cbd28148d7ffa053c6e6e23c62b58d0eb71a6387b59fad33a019",
        "WorkerEviction(address indexed)",
        None,
    ),
    _OWNERSHIP,
)
TOKEN: Final = (
    Declared(
        "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        "Transfer(address indexed from, address indexed, uint256 value)",
        e.TransferToHub,
    ),
    Declared(
        "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
        "Approval(address indexed, address indexed, uint256)",
        None,
    ),
    _OWNERSHIP,
)
