"""The JSON-RPC tap: a drop-in RPC URL that loses no transaction.

A program points its RPC URL here instead of at its node. Everything is passed on as it is, and
answered as the node answers: methods, batches, packed bodies, websockets with their subscriptions.
What sends a transaction is written into the journal first. The protocol of a send, and why:

1. Hash the bytes. Whose they are is found out later: recovering the sender takes milliseconds.
2. Journal them. An arrival is durable before a byte leaves; from here on it counts as sent, also
   when we are killed at once or the client leaves.
3. Forward the bytes as they came.
4. Read the answer. Where the node took it, or knew it, the answer goes out at once: an arrival
   without an outcome counts as sent. Where the node said that it failed, that is durable *before*
   the client is told: it may sign the payment again, so these bytes must never be sent by us.
   Where no answer came, that is written down too, and the client gets HTTP 502, with the words
   that the outcome is unknown; where there was no connection, it gets the same, and the words that
   nothing was sent, which is then a refusal.

Where the journal cannot be written, nothing of the request is forwarded, and every call of it is
told so. Where a *refusal* cannot be written, the client is not told it, but that the outcome is
unknown. What a node does not give for a send (a body that is no JSON-RPC, a coding that cannot be
read) is not passed on either: it might say that it failed. And where a body cannot be looked into
(another coding than gzip), it is refused: it might send.

A request's path and query are not passed on: whatever they are, the configured URL is asked, so
that nobody can ask a provider for more than that. `Location` is not passed back, which would lead a
client past the tap, nor a client's `Authorization` onward.

    reading     finds the sends in a request, however it is spelled (pure)
    judging     reads what an answer says of them (pure)
    packing     looks into gzip, within limits (pure); `looking` does it in a thread
    headers     which headers pass (pure)
    door        who may use the tap (pure)
    wording     what the tap itself says
    clerk       writes down before it leaves, and before it is told
    http        one request; `websocket` and `pair`: one websocket
    recording   writes down what only reads, for a replay
    tap         the port
"""

from __future__ import annotations

from monitor.transactions.tap.clerk import Ledger, Sent
from monitor.transactions.tap.http import TapLimits, open_session
from monitor.transactions.tap.tap import Tap

__all__ = ("Ledger", "Sent", "Tap", "TapLimits", "open_session")
