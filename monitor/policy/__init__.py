"""The policy of a gate: rules about what was measured, parsed and judged without touching anything.

`units` reads quantities, `measures` is the table of what can be ruled on, `rules` reads a rule,
`samples` keeps what was measured, `evaluation` holds one against the other, and `presets` writes
the rules that a chain's own thresholds ask for. Nothing of a rule is ever run as a program.
"""
