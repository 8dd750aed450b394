"""Signers that speak the documented calls, honest and otherwise; eth_account holds their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import is_checksum_address

from monitor.model import Address
from monitor.transactions.raw import unsigned_of
from monitor.transactions.unsigned import Unsigned
from tests.rpc.canned import Json, Refusal
from tests.transactions import signing
from tests.transactions.signing import CHAIN_ID, GWEI, KINDS, SENDER, Fields, sign

SELF = Address(SENDER.address.lower())
OTHER = Address(signing.STRANGER.address.lower())

Tamper = Callable[[Fields], object]
"""What changes the fields before they are signed."""

TAMPERED: dict[str, tuple[Tamper, str]] = {
    "another chain": (lambda fields: fields.update(chainId=1), "chain 1, not 31337"),
    "a later nonce": (lambda fields: fields.update(nonce="0x8"), "nonce 8, not 7"),
    "an earlier nonce": (lambda fields: fields.update(nonce="0x6"), "nonce 6, not 7"),
    "less gas": (lambda fields: fields.update(gas="0x5208"), "gas 21000, not 30000"),
    "more gas": (lambda fields: fields.update(gas="0x7531"), "gas 30001, not 30000"),
    "another recipient": (
        lambda fields: fields.update(to=SENDER.address),
        f"recipient {SELF}, not {signing.TO.lower()}",
    ),
    "no recipient": (lambda fields: fields.update(to=b""), "recipient None, not 0x"),
    "another value": (lambda fields: fields.update(value="0x6"), "value in wei 6, not 5"),
    "another input": (lambda fields: fields.update(data="0xdeadbeee"), "another input"),
    "no input": (lambda fields: fields.update(data="0x"), "another input"),
}
"""Name -> how a payment is changed on the way, and what is said of it."""


def asked(kind: str = "dynamic", **more: Any) -> Unsigned:
    """What is to be signed: a transaction of this kind at nonce 7."""
    fields = KINDS[kind](nonce=7, **{"data": "0xdeadbeef", **more})
    return unsigned_of(sign(fields).raw, chain_id=CHAIN_ID)


def untouched(fields: Fields) -> None:
    """Sign what was asked for."""


def web3signer(
    signer: LocalAccount = SENDER, tamper: Tamper = untouched, chain_id: int = CHAIN_ID
) -> Callable[[list[Json]], Json]:
    """`eth_signTransaction` as Web3Signer answers it: only the fields that it knows are signed."""

    def answer(params: list[Json]) -> Json:
        (given,) = params
        if given["from"].lower() != signer.address.lower():
            return Refusal("No unlocked account matches the Sender", -32000)
        names = ["nonce", "gas", "value", "data"]
        if "maxFeePerGas" in given and "maxPriorityFeePerGas" in given:
            names += ["maxFeePerGas", "maxPriorityFeePerGas"]
        else:
            names += ["gasPrice"]
        fields = {name: given[name] for name in names}
        fields |= {"chainId": chain_id, "to": given.get("to", b"")}
        tamper(fields)
        return "0x" + sign(fields, signer).raw.hex()

    return answer


def clef(
    signer: LocalAccount = SENDER, tamper: Tamper = untouched, chain_id: int = CHAIN_ID
) -> Callable[[list[Json]], Json]:
    """`account_signTransaction` as Clef answers it, with its warnings taken for refusals."""

    def answer(params: list[Json]) -> Json:
        (given,) = params
        for name in ("from", "to"):
            if name in given and not is_checksum_address(given[name]):
                return Refusal("validation failed: Invalid checksum on recipient address", -32000)
        if int(given["chainId"], 16) != chain_id:
            text = "requested chainid does not match the configuration of the signer"
            return Refusal(text, -32000)
        names = ["nonce", "gas", "value", "data", "chainId"]
        if "accessList" in given:
            names += ["accessList"]
        has_caps = "maxFeePerGas" in given
        names += ["maxFeePerGas", "maxPriorityFeePerGas"] if has_caps else ["gasPrice"]
        fields = {name: given[name] for name in names} | {"to": given.get("to", b"")}
        if "accessList" in given:
            fields["type"] = 2 if has_caps else 1
        tamper(fields)
        signed = sign(fields, signer)
        return {"raw": "0x" + signed.raw.hex(), "tx": {"hash": signed.hash, "nonce": "0x7"}}

    return answer


def priced(unsigned: Unsigned) -> Unsigned:
    """With the fees that a replacement has."""
    return unsigned.with_fees(fee_cap_wei=9 * GWEI, tip_cap_wei=2 * GWEI)


def body(method: str, params: Mapping[str, Any]) -> Json:
    """The whole body of a request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": [dict(params)]}
