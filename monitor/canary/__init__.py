"""The canary: may a new version of a node replace the one in service?

Both are asked the same, side by side, and twelve checks compare what they say. `run` plans; what
asks (`asking`, `identifying`, `consensus`, `answering`, `pacing`, `soaking`, `disk`, `sending`,
`restarting`) writes down, and the pure files judge: `rules` and `lags` against their limits,
`differences`, `header` and `latency` how two answers differ, `questions` and `traffic` what is
worth asking.
"""
