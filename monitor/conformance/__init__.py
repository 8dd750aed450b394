"""Test vectors of execution-apis, put to a node.

`vectors` reads them, `compare` holds an answer against what is expected, `masking` hides keys that
it echoes, `outcome` says what comes of a file and of all of them: pure. `finding` finds the files,
`run` asks.
"""
