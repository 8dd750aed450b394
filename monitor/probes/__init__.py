"""One file per check: ask and write down, never judge.

A probe is one function, `async (node, ...) -> Seen`. It may raise RpcError, which the loop writes
down as `Unseen`; it never catches one to return a value that was not seen.
"""
