"""Proof of Contribution as a readable specification: events in, a ledger out. Pure.

Each protocol version is a room of its own (`v1`: the contracts of 2018). Standard library and
`model` only; whole numbers only, in nRLC (10^-9 RLC); nothing here asks a node anything.
`difference.py` is what all versions say of a ledger that is not what its rules say.
"""
