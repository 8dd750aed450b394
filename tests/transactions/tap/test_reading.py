"""What a request sends, in every spelling that some node would take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.transactions.tap.reading import (
    ENTRIES_MAX,
    Call,
    Reading,
    error_answer,
    id_key,
    is_harmless,
    read,
)

RAW = bytes.fromhex("02f86d") + bytes(range(1, 90))
OTHER = bytes.fromhex("f86c") + bytes(range(90, 1, -1))
HEX, OTHER_HEX = "0x" + RAW.hex(), "0x" + OTHER.hex()
SEND, SYNC, SIGN = "eth_sendRawTransaction", "eth_sendRawTransactionSync", "eth_sendTransaction"


def call(method: str = SEND, params: Any = (HEX,), **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params} | more


def dumped(message: Any) -> bytes:
    return json.dumps(message).encode()


def raws(body: bytes) -> list[bytes]:
    """What is journalled of a body, by the way that the tap goes."""
    return [] if is_harmless(body) else [raw for one in read(body).calls for raw in one.raws]


# -- plain sends -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (call(), Call(b"1", "raw", (RAW,))),
        (call(SYNC, [HEX, 5000]), Call(b"1", "sync", (RAW,))),
        (call(SIGN, [{"from": "0x1", "to": "0x2"}]), Call(b"1", "signed_by_node", ())),
        (call(id="a"), Call(b'"a"', "raw", (RAW,))),
        (call(id=None), Call(b"null", "raw", (RAW,))),
        (call(id=1.0), Call(b"1", "raw", (RAW,))),
        (call(params={"transaction": HEX}), Call(b"1", "raw", (RAW,))),
        (call(params={"n": 5, "transaction": HEX}), Call(b"1", "raw", (RAW,))),
        (call(params=HEX), Call(b"1", "raw", (RAW,))),
        (call(params=["0X" + RAW.hex().upper()]), Call(b"1", "raw", (RAW,))),
        (call(params=[RAW.hex()]), Call(b"1", "raw", (RAW,))),
        (call(params=[f" {HEX}\n"]), Call(b"1", "raw", (RAW,))),
        (call(params=["0x" + RAW.hex()[1:]]), Call(b"1", "raw", (RAW,))),
        (call(params=[list(RAW)]), Call(b"1", "raw", (RAW,))),
        (call(params=["0x1"]), Call(b"1", "raw", (b"\x01",))),
    ],
)
def test_send_in_any_accepted_form_is_read_exactly(message: Any, expected: Call) -> None:
    """Arrays, objects, digits with and without prefix, numbers: what nodes take, with its id."""
    assert not is_harmless(dumped(message))
    assert read(dumped(message)) == Reading((expected,))


def test_send_without_an_id_is_a_notification() -> None:
    """A node runs it and does not answer."""
    message = call()
    del message["id"]
    assert read(dumped(message)).calls == (Call(None, "raw", (RAW,)),)


@pytest.mark.parametrize(
    "params", [[], [""], ["0x"], [5], [None], ["0xzz"], [[256]], [[-1]], [[True]], {}, None, [[]]]
)
def test_send_of_nothing_is_left_to_the_node(params: Any) -> None:
    """What no node reads as bytes is no send: it is forwarded, and refused there."""
    assert raws(dumped(call(params=params))) == []


@pytest.mark.parametrize(
    "method",
    [
        "eth_call",
        "eth_sendRawTransactionConditional",
        "eth_sendPrivateTransaction",
        "eth_sendBundle",
        "eea_sendRawTransaction",
        "debug_decodeRawTransaction",
        "eth_sendRawTransactionX",
    ],
)
def test_method_that_means_more_or_less_than_a_send_is_none(method: str) -> None:
    """A private or a conditional transaction must not be sent in public by us."""
    assert raws(dumped(call(method))) == []
    assert read(dumped([call(method), call()])).raw_count == 1


def test_batch_is_read_call_by_call() -> None:
    """Only the sends of a batch are read, in its order, each with its id."""
    batch = [
        call("eth_call", [{"data": OTHER_HEX}], id=1),
        call(id=2),
        call(SIGN, [{}], id=3),
        call(SYNC, [OTHER_HEX], id="four"),
        call(id=5, params=["0x"]),
    ]
    assert read(dumped(batch)) == Reading(
        (
            Call(b"2", "raw", (RAW,)),
            Call(b"3", "signed_by_node", ()),
            Call(b'"four"', "sync", (OTHER,)),
        ),
        is_batch=True,
    )
    assert read(b"\r\n\t " + dumped(batch)).is_batch


# -- what need not be read -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        call("eth_call", [{"to": "0x1", "data": HEX}, "latest"]),
        [call("eth_getLogs", [{}]), call("eth_blockNumber", [])],
        call("txpool_content", []),
    ],
)
def test_usual_traffic_is_harmless(message: Any) -> None:
    """Nearly everything is let through after three searches."""
    assert is_harmless(dumped(message))


@pytest.mark.parametrize(
    "body", [b"", b"x", b"{", b"[]", b"null", b"\x00" * 100, b'{"method":"eth_call"']
)
def test_nonsense_without_a_method_is_harmless(body: bytes) -> None:
    """What names no send can be none, whatever it is."""
    assert is_harmless(body)
    assert read(body) == Reading()


def test_text_that_speaks_of_sending_is_no_send() -> None:
    """A method's name in a parameter, or an escape anywhere, costs a look and no more."""
    body = dumped(call("web3_sha3", ["eth_sendRawTransaction " + HEX, "\u00e9\u4e2d"]))
    assert not is_harmless(body)
    assert read(body) == Reading()


# -- hostile spelling ------------------------------------------------------------------------------


HOSTILE = {
    "method escaped": '{"id":1,"method":"eth_\\u0073endRawTransaction","params":["%s"]}',
    "method all escaped": '{"id":1,"method":"eth\\u005f\\u0073\\u0065ndRawTransaction",'
    '"params":["%s"]}',
    "key escaped": '{"id":1,"\\u006dethod":"eth_sendRawTransaction","params":["%s"]}',
    "prefix escaped": '{"id":1,"method":"eth_sendRawTransaction","params":["\\u0030x%s"]}',
    "last method wins": '{"id":1,"method":"eth_call","method":"eth_sendRawTransaction",'
    '"params":["%s"]}',
    "first method wins": '{"id":1,"method":"eth_sendRawTransaction","method":"eth_call",'
    '"params":["%s"]}',
    "duplicate in other letters": '{"id":1,"method":"eth_call","METHOD":"eth_sendRawTransaction",'
    '"params":["%s"]}',
    "duplicate escaped": '{"id":1,"method":"eth_call","metho\\u0064":"eth_sendRawTransaction",'
    '"params":["%s"]}',
    "keys in other letters": '{"ID":1,"Method":"eth_sendRawTransaction","Params":["%s"]}',
    "params in other letters": '{"id":1,"method":"eth_sendRawTransaction","PARAMS":["%s"]}',
    "params with a long s": '{"id":1,"method":"eth_sendRawTransaction","param\u017f":["%s"]}',
    "params twice": '{"id":1,"method":"eth_sendRawTransaction","params":["0x00"],"params":["%s"]}',
    "params twice, the first": '{"id":1,"method":"eth_sendRawTransaction","params":["%s"],'
    '"params":["0x00"]}',
    "decoy and long s": '{"id":1,"method":"eth_sendRawTransaction","params":["0x00"],'
    '"param\u017f":["%s"]}',
    "nothing and long s": '{"id":1,"method":"eth_sendRawTransaction","params":[],'
    '"param\u017f":["%s"]}',
    "garbage after": '{"id":1,"method":"eth_sendRawTransaction","params":["%s"]} x',
    "second document": '{"id":1,"method":"eth_call"}\n{"id":2,"method":"eth_sendRawTransaction",'
    '"params":["%s"]}',
    "comment": '{"id":1,/**/"method":"eth_sendRawTransaction","params":["%s"]}',
    "trailing comma": '{"id":1,"method":"eth_sendRawTransaction","params":["%s"],}',
    "single quotes": "{'id':1,'method':'eth_sendRawTransaction','params':['%s']}",
    "truncated": '{"id":1,"method":"eth_sendRawTransaction","params":["%s"',
    "byte order mark": '\ufeff{"id":1,"method":"eth_sendRawTransaction","params":["%s"]}',
    "lone surrogate": '{"id":"\\ud800","method":"eth_sendRawTransaction","params":["%s"]}',
    "not a number": '{"id":NaN,"method":"eth_sendRawTransaction","params":["%s"]}',
    "nested batch": '[[{"id":1,"method":"eth_sendRawTransaction","params":["%s"]}]]',
    "in an object": '{"x":{"id":1,"method":"eth_sendRawTransaction","params":["%s"]}}',
    "method is a list": '{"id":1,"method":["eth_sendRawTransaction"],"params":["%s"]}',
    "deep": '{"id":1,"method":"eth_sendRawTransaction","params":["%s"],"x":' + "[" * 9000,
    "deep and whole": '{"x":'
    + "[" * 9000
    + "]" * 9000
    + ',"id":1,"method":"eth_sendRawTransaction","params":["%s"]}',
    "white space": '\n\t {"id" : 1 ,"method"\n:\t"eth_sendRawTransaction" , "params" : [ "%s" ] } ',
    "method padded": '{"id":1,"method":" eth_sendRawTransaction ","params":["%s"]}',
    "method in other letters": '{"id":1,"method":"ETH_SENDRAWTRANSACTION","params":["%s"]}',
    "method with a joiner": '{"id":1,"method":"eth_send\u200dRawTransaction","params":["%s"]}',
    "in a query": '{"query":"mutation{sendRawTransaction(data:\\"%s\\")}"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_send_in_hostile_spelling_is_found(name: str) -> None:
    """Whatever some node may take for a send is journalled: twice read is no harm, missed is."""
    body = HOSTILE[name].replace("%s", HEX).encode()
    assert RAW in raws(body)


@pytest.mark.parametrize("name", HOSTILE)
def test_send_in_hostile_spelling_is_found_in_a_batch(name: str) -> None:
    """The same among other calls."""
    call_ = HOSTILE[name].replace("%s", HEX)
    body = f'[{{"id":7,"method":"eth_call","params":[]}},{call_}]'.encode()
    assert RAW in raws(body)


def test_send_with_bytes_that_are_no_text_is_found() -> None:
    """Go replaces them and goes on."""
    body = dumped(call(id="X")).replace(b"X", b"\xff\xfe")
    assert RAW in raws(body)
    assert RAW in raws(dumped(call(params=[HEX, "X"])).replace(b'"X"', b'"\xff"'))


def test_guess_takes_what_can_be_a_transaction_and_nothing_shorter() -> None:
    """A signature has 65 bytes: of an unclear body, shorter digits are quantities or addresses."""
    body = '{"method":"eth_sendRawTransaction","params":["%s"],"params":["0x1388"]'
    assert raws((body % ("0x" + "ab" * 64)).encode()) == []
    assert raws((body % ("0x" + "ab" * 65)).encode()) == [b"\xab" * 65]


def test_guess_keeps_its_id_and_says_that_it_is_one() -> None:
    """Where the call can be read but not what it means, its answer can still be found."""
    body = dumped(call(id=9)).replace(b'"method"', b'"method":"eth_call","method"')
    assert read(body).calls == (Call(b"9", "raw", (RAW,), is_certain=False),)
    assert read(b"x" + body).calls == (Call(None, "raw", (RAW,), is_certain=False),)
    assert read(body.replace(SEND.encode(), SYNC.encode())).calls[0].kind == "sync"


def test_guess_in_a_batch_keeps_to_its_call() -> None:
    """What another call of the batch carries is not journalled with it."""
    unclear = dumped(call(id=2)).replace(b'"params"', b'"params":[],"params"')
    body = b"[%s,%s]" % (dumped(call("eth_call", [OTHER_HEX])), unclear)
    assert raws(body) == [RAW]


def test_large_hostile_body_is_read_to_its_end() -> None:
    """Megabytes of escapes, brackets or digits come to an end: nothing is quadratic."""
    tail = dumped(call())
    for part in (b"\\u0047", b"[],", b'{"a":1},', b"0x" + b"ab" * 64 + b" ", b'"method":', b"["):
        many = part * (4_000_000 // len(part))
        assert raws(many + tail) == [RAW]
        assert raws(b"[" + many + tail + b"]") == [RAW]


def test_batch_of_more_calls_than_any_node_takes_is_guessed() -> None:
    """What is beyond reason is not looked at call by call, and no send in it is missed."""
    at_limit = [call("eth_call", [OTHER_HEX])] * (ENTRIES_MAX - 1) + [call()]
    assert read(dumped(at_limit)).calls == (Call(b"1", "raw", (RAW,)),)
    beyond = read(dumped([*at_limit, {}]))
    assert beyond == Reading((Call(None, "raw", (OTHER, RAW), is_certain=False),), is_batch=True)


ESCAPED = st.sampled_from((True, False))


@given(st.lists(ESCAPED, min_size=len(SEND), max_size=len(SEND)), st.binary(min_size=1))
def test_send_with_any_letters_escaped_is_found(escaped: list[bool], raw: bytes) -> None:
    """No choice of escapes hides a method."""
    method = "".join(
        f"\\u{ord(letter):04x}" if escape else letter
        for letter, escape in zip(SEND, escaped, strict=True)
    )
    body = f'{{"id":1,"method":"{method}","params":["0x{raw.hex()}"]}}'.encode()
    assert raws(body) == [raw]


@settings(max_examples=300)
@given(st.binary(), st.binary())
def test_reading_of_anything_never_raises(before: bytes, after: bytes) -> None:
    """No body breaks the tap."""
    for body in (before, before + b"sendRaw" + after, b"[" + before + b'"\\u0041' + after):
        is_harmless(body)
        read(body)
        json.loads(error_answer(body, "no"))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=200)
@given(JSON, JSON, JSON)
def test_harmless_is_only_what_reads_as_nothing(id_: Any, first: Any, more: Any) -> None:
    """The three searches let nothing through that the strict reading would find."""
    for method in (SEND, SYNC, SIGN, "eth_call"):
        body = dumped([more, call(method, [first, HEX], id=id_)])
        assert not (is_harmless(body) and read(body).calls)


# -- answers of ours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (dumped(call()), 1),
        (dumped(call(id="a")), "a"),
        (b'{"method":"x"}', None),
        (b"nonsense", None),
        (b"", None),
        (b"5", None),
        (dumped([call(id=1), call(id="b"), call(id=None)]), [1, "b", None]),
        (b'[{"id":3},{"method":"x"}]', [3]),
        (b'[{"method":"x"}]', None),
        (b"[5,{}]", [None]),
        (b"[]", None),
        (b"[{", None),
    ],
)
def test_error_answer_speaks_to_every_call_that_waits(body: bytes, ids: Any) -> None:
    """One error for each id; one with the id null where there is none."""
    answer = json.loads(error_answer(body, 'it is "broken"'))
    error = {"code": -32603, "message": 'it is "broken"'}
    if isinstance(ids, list):
        assert answer == [{"jsonrpc": "2.0", "id": id_, "error": error} for id_ in ids]
    else:
        assert answer == {"jsonrpc": "2.0", "id": ids, "error": error}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1", b"1.0"),
        (b'"a"', b'"\\u0061"'),
        (b'{"a": 1}', b'{"a":1}'),
        (b"1e3", b"1000"),
        (b"123456789012345678901234567890", b"123456789012345678901234567890"),
        (b"1e300", b"1e300"),
        (b'"\\ud800"', b'"\\ud800"'),
    ],
)
def test_id_has_one_spelling(one: bytes, other: bytes) -> None:
    """A node may write an id in other words than it got."""
    assert id_key(one) == id_key(other)
    assert id_key(one) is not None


def test_ids_that_differ_stay_apart() -> None:
    """A number is not its digits, null is not none."""
    keys = [id_key(raw) for raw in (b"1", b'"1"', b"null", b"", b"1.5", b"true")]
    assert len(set(keys)) == len(keys)
    assert id_key(b"") is None
