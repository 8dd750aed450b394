"""Transaction objects of JSON-RPC, as they are and as hostile endpoints make them."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.transactions import objects
from monitor.transactions.objects import Claim
from monitor.transactions.unsigned import RawError
from tests.transactions import signing
from tests.transactions.signing import CHAIN_ID, KINDS, SENDER, Fields, shown, sign


def made(kind: str = "dynamic", **more: Any) -> Fields:
    fields = KINDS[kind](**more)
    return shown(fields, sign(fields))


@pytest.mark.parametrize("kind", KINDS)
def test_object_of_every_kind_becomes_its_bytes(kind: str) -> None:
    """Those that eth_account has signed."""
    fields = KINDS[kind]()
    signed = sign(fields)
    assert objects.encoded(shown(fields, signed)) == signed.raw


@pytest.mark.parametrize("kind", ["dynamic", "set_code"])
def test_object_says_its_caps_and_not_what_was_paid(kind: str) -> None:
    """`gasPrice` of a mined one is the effective price, whatever it is."""
    plain, odd = made(kind), made(kind)
    odd["gasPrice"] = "no number at all"
    assert objects.encoded(odd) == objects.encoded(plain)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda o: o.pop("type"), "legacy"),
        (lambda o: o.update(type=None), "legacy"),
        (lambda o: o.update(nonce="0x000"), "dynamic"),
        (lambda o: o.pop("v"), "dynamic"),
        (lambda o: o.pop("yParity"), "dynamic"),
        (lambda o: o.update(yParity=None), "dynamic"),
        (lambda o: o.update(data=o["input"]), "dynamic"),
        (lambda o: o.update(data=o.pop("input")), "dynamic"),
        (lambda o: o.pop("to"), "creation"),
        (lambda o: o.update(to=""), "creation"),
        (lambda o: o.update(to="0x"), "creation"),
        (lambda o: o.update(r="0x" + o["r"][2:].zfill(64)), "dynamic"),
        (lambda o: o.update(to=signing.TO), "dynamic"),
        (
            lambda o: o["authorizationList"][0].update(v=o["authorizationList"][0]["yParity"]),
            "set_code",
        ),
        (lambda o: o.pop("blockHash"), "dynamic"),
    ],
)
def test_object_in_another_dialect_becomes_the_same_bytes(change: Any, kind: str) -> None:
    """Clients differ in what they leave out, pad, repeat and write in capitals."""
    fields = made(kind)
    before = objects.encoded(fields)
    change(fields)
    assert objects.encoded(fields) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda o: o.clear(), "there is no nonce"),
        (lambda o: o.update(type="0x3"), "a blob transaction's object is without its blobs"),
        (lambda o: o.update(type="0x5"), "type 5 are not known"),
        (lambda o: o.update(type="0x7e"), "type 126 are not known"),
        (lambda o: o.update(type=2), "type: expected a quantity, found 2"),
        (lambda o: o.update(type="2"), "type: expected a quantity, found '2'"),
        (lambda o: o.pop("nonce"), "there is no nonce"),
        (lambda o: o.update(nonce=None), "there is no nonce"),
        (lambda o: o.update(nonce=True), "nonce: expected a quantity, found True"),
        (lambda o: o.update(nonce=1.5), "nonce: expected a quantity, found float"),
        (lambda o: o.update(nonce={"a": "secret"}), "nonce: expected a quantity, found dict"),
        (lambda o: o.update(nonce="0x"), "nonce: expected a quantity"),
        (lambda o: o.update(nonce="0x1\n"), r"nonce: expected a quantity, found '0x1\\n'"),
        (lambda o: o.update(nonce="-0x1"), "nonce: expected a quantity"),
        (lambda o: o.update(nonce="0x" + "1" * 65), "nonce: expected a quantity, found '0x1{36}…"),
        (lambda o: o.update(nonce="0x\u0661"), "nonce: expected a quantity"),
        (lambda o: o.pop("maxFeePerGas"), "there is no maxFeePerGas"),
        (lambda o: o.pop("chainId"), "there is no chainId"),
        (lambda o: o.update(to="0x" + "1" * 39), "to: expected 20 hexadecimal bytes"),
        (lambda o: o.update(to="0x" + "1" * 42), "to: expected 20 hexadecimal bytes"),
        (lambda o: o.update(to=["0x"]), "to: expected 20 hexadecimal bytes, found list"),
        (lambda o: o.update(to=False), "to: expected 20 hexadecimal bytes, found False"),
        (lambda o: o.update(to=0), "to: expected 20 hexadecimal bytes, found 0"),
        (lambda o: o.pop("input"), "there is no data"),
        (lambda o: o.update(input="0x1"), "input: expected hexadecimal bytes"),
        (lambda o: o.update(input="deadbeef"), "input: expected hexadecimal bytes"),
        (lambda o: o.update(input="0x" + "00" * 131_073), "input: expected hexadecimal bytes"),
        (lambda o: o.update(data="0x"), "input and data differ"),
        (lambda o: o.pop("accessList"), "there is no accessList"),
        (lambda o: o.update(accessList={}), "accessList: expected a list"),
        (lambda o: o.update(accessList="[]"), "accessList: expected a list"),
        (lambda o: o.update(accessList=[1]), "accessList: expected a list of objects"),
        (lambda o: o.update(accessList=[{}] * 8193), "accessList: expected a list of up to 8192"),
        (lambda o: o.update(accessList=[{"storageKeys": []}]), "there is no address"),
        (lambda o: o.update(accessList=[{"address": signing.TO}]), "there is no storageKeys"),
        (
            lambda o: o.update(accessList=[{"address": signing.TO, "storageKeys": ["0x01"]}]),
            "storageKeys: expected 32 hexadecimal bytes",
        ),
        (
            lambda o: o.update(accessList=[{"address": "0x01", "storageKeys": []}]),
            "accessList: address: expected 20 hexadecimal bytes",
        ),
        (lambda o: o.update(r="0x0", s="0x0", v="0x0", yParity="0x0"), "its signature is zero"),
        (lambda o: o.update(r="0x0"), "its signature is zero"),
        (lambda o: o.update(s="0x" + "0" * 64), "its signature is zero"),
        (lambda o: o.pop("r"), "there is no r"),
        (lambda o: o.update(v=hex(1 - int(o["v"], 16))), "yParity and v differ"),
        (lambda o: o.update(v="0x1b"), "yParity and v differ"),
        (lambda o: (o.pop("v"), o.pop("yParity")), "neither yParity nor v"),
    ],
)
def test_object_that_is_none_is_refused(change: Any, words: str) -> None:
    """Missing, of another kind, too long, zeroed: the field is named, on one line."""
    fields = made()
    change(fields)
    with pytest.raises(RawError, match=words) as caught:
        objects.encoded(fields)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda o: o.pop("authorizationList"), "there is no authorizationList"),
        (lambda o: o.update(authorizationList=[None]), "expected a list of objects"),
        (lambda o: o["authorizationList"][0].pop("chainId"), "there is no chainId"),
        (lambda o: o["authorizationList"][0].pop("yParity"), "neither yParity nor v"),
        (lambda o: o["authorizationList"][0].update(v="0x7"), "yParity and v differ"),
        (lambda o: o["authorizationList"][0].update(address="0x"), "address: expected 20"),
        (lambda o: o["authorizationList"][0].update(nonce=0), "nonce: expected a quantity"),
    ],
)
def test_object_with_authorizations_that_are_none_is_refused(change: Any, words: str) -> None:
    """EIP-7702's list is read as strictly as the rest."""
    fields = made("set_code")
    change(fields)
    with pytest.raises(RawError, match=words):
        objects.encoded(fields)


def test_object_without_a_price_is_refused_where_it_has_one() -> None:
    """Types 0 and 1 sign their gasPrice."""
    for kind in ("legacy", "listed"):
        fields = made(kind)
        del fields["gasPrice"]
        with pytest.raises(RawError, match="there is no gasPrice"):
            objects.encoded(fields)
    fields = made("legacy")
    del fields["v"]
    with pytest.raises(RawError, match="there is no v"):
        objects.encoded(fields)


def test_object_claims_are_read_in_lower_case() -> None:
    """Hash and sender, and the chain where it is named."""
    fields = made()
    fields["hash"] = "0x" + fields["hash"][2:].upper()
    fields["from"] = SENDER.address
    assert objects.claim_of(fields) == Claim(
        hash=fields["hash"].lower(), sender=SENDER.address.lower(), chain_id=CHAIN_ID
    )
    assert objects.claim_of(made("unprotected")).chain_id is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("hash", None, "there is no hash"),
        ("hash", "0x12", "hash: expected 32 hexadecimal bytes"),
        ("hash", 12, "hash: expected 32 hexadecimal bytes, found 12"),
        ("from", None, "there is no from"),
        ("from", "0x" + "g" * 40, "from: expected 20 hexadecimal bytes"),
        ("chainId", "1", "chainId: expected a quantity"),
    ],
)
def test_object_with_a_claim_of_another_form_is_refused(name: str, value: Any, words: str) -> None:
    """Without a hash and a sender to compare with, nothing is believed."""
    with pytest.raises(RawError, match=words):
        objects.claim_of(made() | {name: value})


def test_object_at_the_limits_is_still_one() -> None:
    """The longest input, the longest list, the longest value that is shown whole."""
    assert len(objects.encoded(made() | {"input": "0x" + "11" * 131_072})) > 131_072
    entries = [{"address": signing.TO, "storageKeys": []}] * objects.LIST_MAX
    assert len(objects.encoded(made() | {"accessList": entries})) > objects.LIST_MAX
    text = "x" * (objects.SHOWN_MAX - 2)
    with pytest.raises(RawError, match=f"found '{text}'$"):
        objects.encoded(made() | {"nonce": text})
    with pytest.raises(RawError, match=f"found '{text}…$"):
        objects.encoded(made() | {"nonce": f"x{text}"})
