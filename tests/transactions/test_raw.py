"""Signed bytes: what is accepted is what nodes accept, and what is rebuilt is what was signed."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lab.anvil import Anvil
from monitor.model import Address, Hash32
from monitor.transactions import raw, rlp
from monitor.transactions.raw import CURVE_ORDER, RawError
from monitor.transactions.words import Transaction
from tests.transactions import signing
from tests.transactions.signing import (
    BLOB,
    CHAIN_ID,
    GWEI,
    KINDS,
    SENDER,
    STRANGER,
    TO,
    Signed,
    shown,
    sign,
    wrapped,
    wrapped_cells,
)

SELF = SENDER.address.lower()
GENERATOR = (
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)
"""Of secp256k1 (SEC 2, section 2.4.1)."""


def signed(kind: str = "dynamic", **more: Any) -> Signed:
    return sign(KINDS[kind](**more))


# -- decoding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_transaction_of_every_kind_is_decoded(kind: str) -> None:
    """Every field is what was given to eth_account; sender and hash are what it says."""
    fields = KINDS[kind](nonce=7)
    done = sign(fields)
    cap: Any = fields.get("maxFeePerGas", fields.get("gasPrice"))
    assert raw.decode(done.raw) == Transaction(
        hash=Hash32(done.hash),
        type=fields.get("type", 0),
        chain_id=fields.get("chainId"),
        sender=Address(SELF),
        nonce=7,
        to=fields["to"].lower() if fields["to"] else None,
        value_wei=fields["value"],
        gas=fields["gas"],
        fee_cap_wei=cap,
        tip_cap_wei=fields.get("maxPriorityFeePerGas", cap),
        blob_fee_cap_wei=None,
        data=bytes.fromhex(fields["data"][2:]),
        blob_count=0,
        authorizations=1 if kind == "set_code" else 0,
    )


@pytest.mark.parametrize("count", [1, 2, 6])
def test_blob_transaction_is_the_same_in_all_three_forms(count: int) -> None:
    """Alone, with EIP-4844's sidecar, with EIP-7594's: one hash, that of it alone."""
    done = sign(signing.blob(count=count))
    plain = raw.decode(done.raw)
    assert (plain.hash, plain.sender, plain.type) == (done.hash, SELF, 3)
    assert (plain.blob_count, plain.blob_fee_cap_wei) == (count, GWEI)
    for form in (wrapped(done.raw, count), wrapped_cells(done.raw, count)):
        assert raw.decode(form) == plain
        assert raw.transaction_hash(form) == done.hash


@settings(deadline=None)
@given(
    kind=st.sampled_from([name for name in KINDS if "creation" not in name]),
    chain_id=st.integers(1, 2**62),
    nonce=st.integers(0, 2**64 - 2),
    value=st.integers(0, 2**256 - 1),
    gas=st.integers(0, 2**64 - 1),
    price=st.integers(1, 2**256 - 1),
    data=st.binary(max_size=300),
    to=st.binary(min_size=20, max_size=20),
)
def test_transaction_with_any_fields_is_decoded_and_rebuilt(
    kind: str, price: int, **more: Any
) -> None:
    """The largest numbers and the odd inputs as well."""
    if kind == "unprotected":
        del more["chain_id"]
    else:
        more["chainId"] = more.pop("chain_id")
    more |= {"data": "0x" + more["data"].hex(), "to": "0x" + more["to"].hex()}
    plain = kind in {"legacy", "unprotected", "listed"}
    prices = {"gasPrice": price} if plain else {"maxFeePerGas": price, "maxPriorityFeePerGas": 0}
    # eth_account wants its checksum, which the reference implementation of it has.
    more["to"] = to_checksum_address(more["to"])
    fields = KINDS[kind](**more, **prices)
    done = sign(fields)
    transaction = raw.decode(done.raw)
    assert (transaction.sender, transaction.hash) == (SELF, done.hash)
    assert (transaction.nonce, transaction.gas) == (more["nonce"], more["gas"])
    assert (transaction.value_wei, transaction.fee_cap_wei) == (more["value"], price)
    assert transaction.chain_id == more.get("chainId")
    assert raw.rebuild(shown(fields, done)) == done.raw


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "there are no bytes"),
        (b"\x02", "RLP: cut off"),
        (b"\x02\xc0", "the transaction: 0 items where 12 should be"),
        (b"\xc0", "the transaction: 0 items where 9 should be"),
        (b"\x02\x80", "the transaction: bytes where a list should be"),
        (b"\x03\x80", "the transaction: bytes where a list should be"),
        (b"\x00\xc0", "begins with 00, which is no type"),
        (b"\x05\xc0", "begins with 05, which is no type"),
        (b"\x7e\xc0", "begins with 7e, which is no type"),
        (b"\x80", "begins with 80, which is no type"),
        (b"\xb8\x70" + b"\x02" * 112, "begins with b8, which is no type"),
        (b"\xbf", "begins with bf, which is no type"),
        (b"\xff", "RLP: cut off within a length"),
        (b"\xc0" * 131_073, "131073 bytes, where pools take up to 131072"),
        (b"\x02" * 131_073, "131073 bytes, where pools take up to 131072"),
        (b"\x03" * 1_048_577, "1048577 bytes, where pools take up to 1048576"),
        (b"\xc0" * 131_072, "RLP: 131071 bytes follow the end"),
        (b"\x03" * 1_048_576, "RLP: 1048574 bytes follow the end"),
        (b"\x02" + b"\xf9\xff\xff" * 40_000, "RLP: "),
        (bytes.fromhex("c6c5c4c3c2c1c0"), "RLP: lists in more than 5 lists"),
    ],
)
def test_bytes_that_are_no_transaction_are_refused(given: bytes, words: str) -> None:
    """Nothing, too much, garbage and nests of lists: one line that repeats none of it."""
    with pytest.raises(RawError, match=words) as caught:
        raw.decode(given)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


def test_bytes_up_to_the_limit_are_a_transaction() -> None:
    """The longest that pools take, and no byte more."""
    around = len(signed(data="0x" + "11" * 70_000).raw) - 70_000
    fits = signed(data="0x" + "11" * (raw.RAW_BYTES_MAX - around))
    assert len(fits.raw) == raw.RAW_BYTES_MAX
    assert raw.decode(fits.raw).hash == fits.hash
    with pytest.raises(RawError, match="131073 bytes"):
        raw.decode(signed(data="0x" + "11" * (raw.RAW_BYTES_MAX - around + 1)).raw)


def resigned(
    done: Signed, *, r: int | None = None, s: int | None = None, v: int | None = None
) -> bytes:
    """The same transaction with another signature under it."""
    kind = done.raw[:1] if done.raw[0] < 0x80 else b""
    items: Any = rlp.decode(done.raw[len(kind) :])
    for place, number in ((-3, v), (-2, r), (-1, s)):
        if number is not None:
            items[place] = rlp.encode_number(number)
    return kind + rlp.encode(items)


@pytest.mark.parametrize("kind", ["legacy", "unprotected", "dynamic"])
def test_signature_in_the_upper_half_is_refused(kind: str) -> None:
    """Its twin recovers the same sender, and is another hash that no node takes (EIP-2)."""
    done = signed(kind)
    flipped = done.v ^ 1 if kind == "dynamic" else done.v + (1 if done.v % 2 else -1)
    with pytest.raises(RawError, match="upper half"):
        raw.decode(resigned(done, s=CURVE_ORDER - done.s, v=flipped))


@pytest.mark.parametrize("name", ["r", "s"])
@pytest.mark.parametrize("number", [0, CURVE_ORDER, 2**256 - 1])
def test_signature_outside_the_curves_order_is_refused(name: str, number: int) -> None:
    """Zero, and everything from the order on."""
    numbers: Any = {name: number}
    with pytest.raises(RawError, match="zero or beyond the curve's order"):
        raw.decode(resigned(signed(), **numbers))


def test_signature_with_s_at_the_middle_is_looked_at() -> None:
    """The last s that is allowed leads to some other sender, the next one to a refusal."""
    middle = CURVE_ORDER // 2
    assert raw.decode(resigned(signed(), s=middle)).sender != SELF
    with pytest.raises(RawError, match="upper half"):
        raw.decode(resigned(signed(), s=middle + 1))


def test_signature_that_no_point_belongs_to_is_refused() -> None:
    """5 is no x on secp256k1."""
    with pytest.raises(RawError, match="the signature is nobody's"):
        raw.decode(resigned(signed(), r=5))


def test_signature_made_to_recover_the_point_at_infinity_is_refused() -> None:
    """R = G and s = z make r⁻¹(sR - zG) zero: nobody's key, and so nobody's address."""
    unsigned = raw.unsigned_of(signed().raw)
    z = int.from_bytes(unsigned.signing_hash(), "big") % CURVE_ORDER
    y_parity, s = GENERATOR[1] % 2, z
    if s > CURVE_ORDER // 2:
        y_parity, s = 1 - y_parity, CURVE_ORDER - s
    with pytest.raises(RawError, match="the signature is nobody's"):
        raw.decode(unsigned.signed(y_parity, GENERATOR[0], s))


@pytest.mark.parametrize(
    ("kind", "v", "words"),
    [
        ("dynamic", 2, "yParity is 2, neither 0 nor 1"),
        ("dynamic", 27, "yParity is 27, neither 0 nor 1"),
        ("legacy", 0, "v is 0, neither 27, 28 nor 35"),
        ("legacy", 1, "v is 1, neither 27, 28 nor 35"),
        ("legacy", 26, "v is 26, neither 27, 28 nor 35"),
        ("legacy", 29, "v is 29, neither 27, 28 nor 35"),
        ("legacy", 34, "v is 34, neither 27, 28 nor 35"),
        ("legacy", 35, "chain id 0, which is none"),
        ("legacy", 36, "chain id 0, which is none"),
        ("legacy", 35 + 2 * 2**64, "chain id 18446744073709551616, which is none"),
    ],
)
def test_signature_with_a_parity_of_another_form_is_refused(kind: str, v: int, words: str) -> None:
    """0 or 1 of the typed, 27, 28 or 35 and above of the legacy ones."""
    with pytest.raises(RawError, match=words):
        raw.decode(resigned(signed(kind), v=v))


def test_legacy_v_of_another_chain_is_another_sender() -> None:
    """The chain id is in what was signed: changed afterwards, it is somebody else's."""
    done = signed("legacy")
    other = raw.decode(resigned(done, v=done.v + 2))
    assert other.chain_id == CHAIN_ID + 1
    assert other.sender != SELF


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([[], [], []], "blobs: 0 items where 1 should be"),
        ([[BLOB, BLOB], [signing.COMMITMENT], [bytes(48)]], "blobs: 2 items where 1"),
        ([[BLOB], [], [bytes(48)]], "commitments: 0 items where 1"),
        ([[BLOB], [signing.COMMITMENT], []], "proofs: 0 items where 1"),
        ([[BLOB], [signing.COMMITMENT], [bytes(48)] * 128], "proofs: 128 items where 1"),
        ([[BLOB[1:]], [signing.COMMITMENT], [bytes(48)]], "a blob: 131071 bytes where 131072"),
        ([[BLOB], [signing.COMMITMENT[1:]], [bytes(48)]], "a commitment: 47 bytes where 48"),
        ([[BLOB], [signing.COMMITMENT], [bytes(47)]], "a proof: 47 bytes where 48"),
        ([[BLOB], [bytes(48)], [bytes(48)]], "a commitment is not that of"),
        ([b"", [signing.COMMITMENT], [bytes(48)]], "blobs: bytes where a list should be"),
        ([b"\x01", [BLOB], [signing.COMMITMENT], [bytes(48)]], "proofs: 1 items where 128"),
        ([b"", [BLOB], [signing.COMMITMENT], [bytes(48)] * 128], "version of the sidecar is not 1"),
        ([b"\x02", [BLOB], [signing.COMMITMENT], [bytes(48)] * 128], "the sidecar is not 1"),
        ([[], [BLOB], [signing.COMMITMENT], [bytes(48)] * 128], "the sidecar is not 1"),
        ([], "the transaction: 1 items where 14"),
        ([b""] * 5, "the transaction: 6 items where 14"),
    ],
)
def test_blob_sidecar_of_another_form_is_refused(parts: list[Any], words: str) -> None:
    """As many and as long as the signed hashes say, and of a version that is known."""
    body = rlp.decode(sign(signing.blob()).raw[1:])
    with pytest.raises(RawError, match=words):
        raw.decode(b"\x03" + rlp.encode([body, *parts]))


def test_other_types_have_no_sidecar() -> None:
    """A wrapper around anything else is nothing."""
    body = rlp.decode(signed().raw[1:])
    with pytest.raises(RawError, match="4 items where 12 should be"):
        raw.decode(b"\x02" + rlp.encode([body, [], [], []]))


ONE_OF_EACH = {kind: signed(kind).raw for kind in KINDS} | {"blob": sign(signing.blob()).raw}


@settings(deadline=None, max_examples=300)
@given(kind=st.sampled_from(sorted(ONE_OF_EACH)), chance=st.data())
def test_bytes_with_any_byte_changed_are_refused_or_another_transaction(
    kind: str, chance: st.DataObject
) -> None:
    """Another hash, and never the same sender with the same payment under another signature."""
    before = ONE_OF_EACH[kind]
    place = chance.draw(st.integers(0, len(before) - 1))
    byte = chance.draw(st.integers(0, 255).filter(lambda value: value != before[place]))
    after = before[:place] + bytes([byte]) + before[place + 1 :]
    try:
        changed = raw.decode(after)
    except RawError:
        return
    assert changed.hash != raw.decode(before).hash
    assert changed.sender != SELF


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "01", "02", "03", "04", "f8c8", "02f8c8"]))
def test_bytes_of_any_kind_are_decoded_or_refused_and_nothing_else(tail: bytes, head: str) -> None:
    """Whatever comes, it ends as a transaction or as a RawError."""
    given_ = bytes.fromhex(head) + tail
    for read in (raw.decode, raw.transaction_hash, raw.unsigned_of):
        try:
            read(given_)
        except RawError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - most of them end here


# -- hash, hex, verify ---------------------------------------------------------------------------


def test_hash_of_what_is_not_decoded_is_that_of_its_bytes() -> None:
    """A node names by it what it refuses, of a type that is not known here as well."""
    keccak_of_c0 = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
    assert raw.transaction_hash(b"\xc0") == keccak_of_c0
    assert raw.transaction_hash(b"\x7e" + b"\x01" * 40).startswith("0x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "there are no bytes"),
        (b"\x02" * 131_073, "131073 bytes"),
        (b"\x03\xff", "RLP: cut off"),
        (b"\x03\x80", "bytes where a list should be"),
    ],
)
def test_hash_of_what_has_none_is_refused(given: bytes, words: str) -> None:
    """Nothing, too much, and a blob transaction that cannot be told from its sidecar."""
    with pytest.raises(RawError, match=words):
        raw.transaction_hash(given)


@pytest.mark.parametrize(
    "given",
    [None, 5, b"0x00", "", "0x", "0x0", "00", "0X00", "0x0g", "0x00\n", " 0x00", "0x00" * 2],
)
def test_hex_that_is_none_is_refused(given: object) -> None:
    """At least one byte, `0x` before it, and nothing around it."""
    with pytest.raises(RawError, match="not 0x and pairs"):
        raw.from_hex(given)


def test_hex_is_read_up_to_the_limit() -> None:
    """Either case; more than pools take is not even read."""
    assert raw.from_hex("0x00aBff") == b"\x00\xab\xff"
    assert len(raw.from_hex("0x" + "00" * raw.BLOB_RAW_BYTES_MAX)) == raw.BLOB_RAW_BYTES_MAX
    with pytest.raises(RawError, match="more than 1048576 bytes"):
        raw.from_hex("0x" + "00" * (raw.BLOB_RAW_BYTES_MAX + 1))


def test_verify_takes_what_is_as_expected() -> None:
    """In either case of its digits; what is not given is not compared."""
    done = signed()
    plain = raw.decode(done.raw)
    assert raw.verify(done.raw) == plain
    assert plain == raw.verify(
        done.raw, expected_hash=done.hash.upper().replace("X", "x"), sender=SENDER.address
    )
    assert raw.verify(done.raw, chain_id=CHAIN_ID) == plain
    assert raw.verify(signed("unprotected").raw, chain_id=5).chain_id is None


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"expected_hash": "0x" + "1" * 64}, "its hash is 0x.{64}, not 0x1{64}"),
        ({"sender": STRANGER.address}, f"it was signed by {SELF}, not by {STRANGER.address}"),
        ({"chain_id": 1}, "it is for chain 31337, not 1"),
    ],
)
def test_verify_names_what_is_different(expected: Any, words: str) -> None:
    """Both values that disagree."""
    with pytest.raises(RawError, match=words):
        raw.verify(signed().raw, **expected)


# -- rebuilding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_object_with_any_changed_field_is_refused(kind: str) -> None:
    """Everything that was signed, and what the object says of it: hash, sender, type and chain."""
    fields = KINDS[kind]()
    whole = shown(fields, sign(fields))
    assert raw.rebuild(whole) == sign(fields).raw
    unsigned = {"blockHash", "blockNumber", "transactionIndex"}
    if fields.get("type", 0) in {2, 4}:
        unsigned.add("gasPrice")
    changed = {
        name: [other(value) for other in OTHERS[type(value)]]
        for name, value in whole.items()
        if name not in unsigned
    }
    for name, values in changed.items():
        for value in values:
            with pytest.raises(RawError):
                raw.rebuild(whole | {name: value})
    for name in changed.keys() - {"yParity", "v", "to", "type", "chainId"}:
        with pytest.raises(RawError):
            raw.rebuild({key: value for key, value in whole.items() if key != name})


OTHERS: dict[type, list[Any]] = {
    str: [
        lambda text: text[:-1] + f"{int(text[-1:].replace('x', '0'), 16) ^ 1:x}",
        lambda text: text + "01",
        lambda text: "0x" + "0" * (len(text) - 2) + "3",
        lambda text: 5,
    ],
    list: [
        lambda entries: [*entries, {"address": TO, "storageKeys": []}],
        lambda entries: {},
        lambda entries: entries[1:] if entries else None,
    ],
    type(None): [lambda nothing: TO],
}
"""Other values in the place of one, each of which must be noticed."""


def test_object_of_another_sender_is_named_with_both() -> None:
    """The sender that the signature recovers, and the one that the object claims."""
    fields = signing.dynamic()
    forged = shown(fields, sign(fields)) | {"from": STRANGER.address.lower()}
    with pytest.raises(RawError, match=f"signed by {SELF}, not by {STRANGER.address.lower()}"):
        raw.rebuild(forged)


def test_object_of_another_hash_is_refused() -> None:
    """Whatever was changed on the way, it is not what was sent."""
    fields = signing.dynamic()
    with pytest.raises(RawError, match="its hash is"):
        raw.rebuild(shown(fields, sign(fields)) | {"value": "0x6"})


def test_object_of_a_blob_transaction_is_refused() -> None:
    """It comes without its sidecar, without which no pool takes it."""
    fields = signing.blob()
    written = shown(fields, sign(fields))
    written["blobVersionedHashes"] = fields["blobVersionedHashes"]
    with pytest.raises(RawError, match="without its blobs"):
        raw.rebuild(written)


# -- what is to be signed anew -------------------------------------------------------------------


def test_unsigned_of_a_blob_transaction_is_refused() -> None:
    """With its sidecar or without."""
    body = sign(signing.blob()).raw
    for form in (body, wrapped(body)):
        with pytest.raises(RawError, match="blob transactions cannot be re-signed here"):
            raw.unsigned_of(form)


def test_unsigned_of_an_unprotected_transaction_needs_a_chain() -> None:
    """Nothing is signed that is valid on every chain."""
    done = signed("unprotected")
    with pytest.raises(RawError, match="names no chain"):
        raw.unsigned_of(done.raw)
    assert raw.unsigned_of(done.raw, chain_id=CHAIN_ID) == raw.unsigned_of(signed("legacy").raw)


def test_unsigned_of_a_transaction_for_another_chain_is_refused() -> None:
    """A replacement stays where the first one was."""
    done = signed()
    assert raw.unsigned_of(done.raw, chain_id=CHAIN_ID) == raw.unsigned_of(done.raw)
    with pytest.raises(RawError, match="it is for chain 31337, not 1"):
        raw.unsigned_of(done.raw, chain_id=1)


def test_unsigned_has_every_field_of_the_transaction() -> None:
    """What both name is the same in both."""
    done = signed("set_code")
    unsigned, transaction = raw.unsigned_of(done.raw), raw.decode(done.raw)
    for each in fields_of(transaction):
        if each.name not in {"hash", "sender", "blob_count", "authorizations"}:
            assert getattr(unsigned, each.name) == getattr(transaction, each.name), each.name
    assert len(unsigned.authorizations) == transaction.authorizations


# -- a real node ---------------------------------------------------------------------------------


async def test_object_of_a_real_node_is_rebuilt_pending_and_mined(anvil: Anvil) -> None:
    """Every kind, from the pool's listing, by its hash and out of a block: the node's own bytes."""
    sent = [sign(make(nonce=nonce)) for nonce, make in enumerate(KINDS.values())]
    for done in sent:
        assert await anvil.rpc("eth_sendRawTransaction", "0x" + done.raw.hex()) == done.hash
    pool = (await anvil.rpc("txpool_content"))["pending"]
    (pooled,) = pool.values()
    listed = {each["hash"]: each for each in pooled.values()}
    for done in sent:
        written = raw.from_hex(await anvil.rpc("eth_getRawTransactionByHash", done.hash))
        shown_ = await anvil.rpc("eth_getTransactionByHash", done.hash)
        assert written == done.raw == raw.rebuild(shown_) == raw.rebuild(listed[done.hash])
    await anvil.rpc("anvil_mine", "0x1")
    block = await anvil.rpc("eth_getBlockByNumber", "latest", True)
    assert [raw.rebuild(each) for each in block["transactions"]] == [done.raw for done in sent]
    for done in sent:
        mined = await anvil.rpc("eth_getTransactionByHash", done.hash)
        assert mined["blockNumber"] == block["number"]
        assert raw.rebuild(mined) == done.raw


@pytest.mark.parametrize("form", [wrapped, wrapped_cells])
async def test_blob_transaction_of_a_real_node_is_decoded(anvil: Anvil, form: Any) -> None:
    """The node takes what is accepted here, names it by the same hash, and hands it back whole."""
    proof, cells = signing.proofs()
    done = sign(signing.blob())
    whole = form(done.raw, 1, proof if form is wrapped else cells)
    expected = raw.decode(whole)
    assert await anvil.rpc("eth_sendRawTransaction", "0x" + whole.hex()) == expected.hash
    pooled = raw.from_hex(await anvil.rpc("eth_getRawTransactionByHash", expected.hash))
    assert pooled == whole
    with pytest.raises(RawError, match="without its blobs"):
        raw.rebuild(await anvil.rpc("eth_getTransactionByHash", expected.hash))
