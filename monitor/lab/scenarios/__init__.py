"""The table of scenarios: a fault, the findings it must raise, the gate's exit code, the healing.

A scenario passes when exactly its findings open, and those that name one of them in `because`, and
all of them close again after the healing. One file is one theme.
"""

from __future__ import annotations

from monitor.lab.scenarios.answers_checks import ANSWERS
from monitor.lab.scenarios.chain import CHAIN
from monitor.lab.scenarios.client_checks import CLIENT_SCENARIOS
from monitor.lab.scenarios.finality import FINALITY
from monitor.lab.scenarios.processes import PROCESSES
from monitor.lab.scenarios.references import REFERENCES
from monitor.lab.scenarios.reorgs import REORGS
from monitor.lab.scenarios.row import LOCAL_SUBJECT, NETWORK, PAYER_ALIAS, QUORUM_SUBJECT, Scenario
from monitor.lab.scenarios.transport import TRANSPORT
from monitor.lab.scenarios.transport_checks import TRANSPORT_CHECKS

__all__ = [
    "BY_NAME",
    "LOCAL_SUBJECT",
    "NETWORK",
    "PAYER_ALIAS",
    "QUORUM_SUBJECT",
    "SCENARIOS",
    "Scenario",
]

SCENARIOS: tuple[Scenario, ...] = (
    *CHAIN,
    *REORGS,
    *FINALITY,
    *REFERENCES,
    *TRANSPORT,
    *TRANSPORT_CHECKS,
    *PROCESSES,
    *CLIENT_SCENARIOS,
    *ANSWERS,
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
