"""What headwatch costs, as ratios to named peers that are measured in the same run.

`python -m benchmarks` runs all of them, `python -m benchmarks NAME` one. Nothing here asserts a
time: a figure is printed beside its peer and its target, and docs/performance.md holds a reading.
"""
