"""The chains of July 2018, when the first workerdrops were held: their profiles, with sources."""

from __future__ import annotations

from monitor.judge.chain_profile import Profile, Source
from monitor.judge.chains import MAINNET_GENESIS
from monitor.model import Hash32

_FORKS_OF_MAINNET = Source(
    "the profile ethereum-2018",
    "2018",
    "reorgs of this network were not counted: those of mainnet that year are assumed",
)

ETHEREUM_2018 = Profile(
    key="ethereum-2018",
    version=1,
    model="poisson",
    interval_seconds=14.55,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    fork_rate=0.17,
    fork_ratio=0.025,
    chain_id=1,
    genesis_hash=MAINNET_GENESIS,
    assumed=("arrival_seconds", "skew_seconds", "fork_rate"),
    unknown=("the mean interval of July 2018 itself", "the uncles of July 2018 itself"),
    sources=(
        Source(
            "github.com/mloporchio/EthereumSkipIndex",
            "2022",
            "mean interval 14.55 s over 2015-2022; the value of July 2018 itself was not found",
        ),
        Source(
            "ethereum.stackexchange.com 62000",
            "2018",
            "reorg depth 1 : depth 2 = 6526 : 164, that is 2.5 %",
        ),
        Source(
            "en.bit.news",
            "2019-02",
            "uncles 2,000 a day (January 2018) to 250 (February 2019); 17 % of blocks is assumed",
        ),
    ),
)

ROPSTEN_2018 = Profile(
    key="ropsten-2018",
    version=1,
    model="poisson",
    interval_seconds=30.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    silence_seconds=7200.0,
    fork_rate=0.17,
    fork_ratio=0.025,
    chain_id=3,
    genesis_hash=Hash32("0x41941023680923e0fe4d74a34bdac8141f2540e3ae90623718e47d66d1ca4a2d"),
    assumed=("arrival_seconds", "skew_seconds", "fork_rate", "fork_ratio"),
    unknown=("how often blocks were replaced", "how deep the fork of 13 October 2018 went"),
    sources=(
        Source("kauri.io 101", "2018", "a block in 15-30 s; the slower end is taken"),
        Source(
            "ethereum-magicians.org 1598",
            "2018-10-13",
            "no block for two hours at height 4.23 million, and three branches: hash power was "
            "lent to it and taken away again",
        ),
        _FORKS_OF_MAINNET,
        Source(
            "go-ethereum v1.8.12 params/config.go",
            "2018-07",
            "TestnetChainConfig and TestnetGenesisHash: chain id and genesis",
        ),
    ),
)

KOVAN_2018 = Profile(
    key="kovan-2018",
    version=1,
    model="rota",
    interval_seconds=4.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    authorities=9,
    fork_rate=None,
    chain_id=42,
    genesis_hash=Hash32("0xa3c565fc15c7478862d50ccd6561e3c06b24cc509bf388941c25ea985ce32cb9"),
    assumed=("arrival_seconds", "skew_seconds", "reorg_usual_blocks"),
    unknown=("how often blocks were replaced",),
    sources=(
        Source(
            "parity-ethereum ethcore/res/ethereum/kovan.json",
            "2018",
            "Aura with a step of 4 s, 9 validators, network id 0x2A",
        ),
        Source("web3.js 1.0, getNetworkType", "2018", "the genesis and the id of kovan"),
    ),
)

RINKEBY_2018 = Profile(
    key="rinkeby-2018",
    version=1,
    model="rota",
    interval_seconds=15.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    authorities=3,
    fork_rate=None,
    chain_id=4,
    genesis_hash=Hash32("0x6341fd3daf94b748c72ced5a5b26028f2474f5f00d824504e4fa37a75767e177"),
    assumed=("arrival_seconds", "skew_seconds"),
    unknown=(
        "how many signers were voted in by July 2018: the 3 of the genesis are taken",
        "how often blocks were replaced",
    ),
    sources=(
        Source("EIP-225", "2017-03", "Clique: signers in turns; a period of 15 s"),
        Source(
            "go-ethereum v1.8.12 core/genesis.go",
            "2018-07",
            "DefaultRinkebyGenesisBlock: 3 signers in its extra-data",
        ),
        Source(
            "go-ethereum v1.8.12 params/config.go",
            "2018-07",
            "RinkebyChainConfig and RinkebyGenesisHash: chain id and genesis",
        ),
        Source("kauri.io 101", "2018", "sealing out of turn: reorgs of depth 1 are usual"),
    ),
)
