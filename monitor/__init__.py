"""headwatch: is this Ethereum node on the network's chain, from evidence and not from its word."""

__version__ = "0.1.0"
