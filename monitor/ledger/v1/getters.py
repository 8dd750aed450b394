"""The constant functions that are read, as `iexec-poco@1.1.17` has them (`build/contracts/*.json`).

Their names are the contracts' own: `rlc()` is the token, `m_contributionHistory()` is one pair for
the whole hub and no mapping.
"""

from __future__ import annotations

from monitor.ledger.abi import Getter

# -- IexecHub ------------------------------------------------------------------------------------

MARKETPLACE = Getter("marketplace()", bytes.fromhex("abc8c7af"), 1)
RLC = Getter("rlc()", bytes.fromhex("b017c036"), 1)
APP_HUB = Getter("appHub()", bytes.fromhex("234a0ee7"), 1)
DATASET_HUB = Getter("datasetHub()", bytes.fromhex("bc04d77b"), 1)
WORKER_POOL_HUB = Getter("workerPoolHub()", bytes.fromhex("6e885bd7"), 1)
CHECK_BALANCE = Getter("checkBalance(address)", bytes.fromhex("5f515226"), 2)
"""(stake, locked), nRLC."""
SCORES = Getter("m_scores(address)", bytes.fromhex("69e99b5c"), 1)
CONTRIBUTION_HISTORY = Getter("m_contributionHistory()", bytes.fromhex("10793b50"), 2)
"""(success, failed) of everybody together."""

# -- Marketplace ---------------------------------------------------------------------------------

ORDER_COUNT = Getter("m_orderCount()", bytes.fromhex("69c7c180"), 1)
MARKET_ORDER = Getter("getMarketOrder(uint256)", bytes.fromhex("eb3721be"), 8)
"""(direction, category, trust, value, volume, remaining, workerpool, workerpoolOwner)."""

# -- WorkerPool ----------------------------------------------------------------------------------

SUBSCRIPTION_LOCK = Getter("m_subscriptionLockStakePolicy()", bytes.fromhex("e2d36ef5"), 1)
CONSENSUS = Getter("m_consensus(address)", bytes.fromhex("1f1e7406"), 9)
"""(poolReward, stakeAmount, consensus, revealDate, revealCounter, consensusTimeout, winnerCount,
workerpoolOwner, schedulerRewardRatioPolicy)."""
CONTRIBUTION = Getter("getContribution(address,address)", bytes.fromhex("126eac43"), 6)
"""(status, resultHash, resultSign, enclaveChallenge, score, weight) of (work order, worker)."""
CONTRIBUTION_EXISTS = Getter("existingContribution(address,address)", bytes.fromhex("40f03605"), 1)

# -- WorkOrder -----------------------------------------------------------------------------------

APP = Getter("m_app()", bytes.fromhex("6946f692"), 1)
DATASET = Getter("m_dataset()", bytes.fromhex("71a599ca"), 1)
STATUS = Getter("m_status()", bytes.fromhex("e329c478"), 1)

# -- OwnableOZ, RLC ------------------------------------------------------------------------------

OWNER = Getter("m_owner()", bytes.fromhex("deff41c1"), 1)
"""Of the three hubs of apps, datasets and pools: the IexecHub (`setImmutableOwnership`)."""
BALANCE_OF = Getter("balanceOf(address)", bytes.fromhex("70a08231"), 1)
