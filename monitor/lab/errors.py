"""What the lab raises."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do what was asked: a tool is missing, a node died, two hashes differ."""


class LabRpcError(LabError):
    """A node of the lab answered a call with an error object (JSON-RPC 2.0, section 5.1)."""

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: error {code}: {message}")
        self.method = method
        self.code = code
        self.message = message
