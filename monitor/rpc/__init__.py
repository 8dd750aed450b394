"""Talks JSON-RPC, and knows no other room but `model`.

errors        every way a call can fail, as one drawn tree
decode        strict: bytes in, frozen values out
connection    what goes wrong below HTTP, in words without an address
node          one endpoint over HTTP: calls of one loop tick in one batch, deadlines, limits
subscription  `newHeads` over a websocket, which only ever makes us earlier
"""
