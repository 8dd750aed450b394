"""`headwatch status`: the state of a running sidecar, live in a terminal or as lines for scripts.

`feed` reads the sidecar over HTTP, `document` makes values of what it says, `screen` and `lines`
draw them (pure), `command` puts these together.
"""
