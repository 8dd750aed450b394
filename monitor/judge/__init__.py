"""Pure: what was seen becomes findings. No clock, no IO, no room but `model`.

quorum    every reference's answers -> the one head and hash that are believed, or why none is
profiles  the statistics of each chain -> thresholds at a stated false-alarm budget
seen      what the probes write down
identity, head, stall, fork, references   one check each: `judge(history, context, policy, now)`
verdict   the fold: findings -> memory, verdict and the edges worth telling
"""
