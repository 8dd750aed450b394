"""The ledger of the PoCo: logs in, the rules replayed, what the contracts store compared.

- `logs.py`, `fetching.py`, `store/`: logs asked for in ranges, validated, kept on disk.
- `abi.py`, `calls.py`, `pinning.py`: the contracts' getters, asked at one believed block.
- `sync.py`, `reconcile.py`: bring the store up to a block; compare at it, report.
- `confirming.py`: what differs is asked for again, of the node and of a reference.
- `exporting.py`, `explaining.py`: movements as a file; an account or a work order in words.
- `report.py`, `words.py`: what came out, as JSON and for a person; amounts in words.
- `airdropping.py`: the transfers of a distribution, for `poco/airdrop`.
- `kernels/`, `drivers/`: the same rules over columns, for whoever has histories of millions; called
  from Python (`drivers.predict`), by no command.
- `child.py`: a reconciliation as a process of its own, for the sidecar.
- `v1/`: what is of the contracts of 2018: discovery, reads, the explanations.
- `errors.py`: every way to end without a verdict.

The rules themselves are in `monitor/poco`, and pure.
"""
