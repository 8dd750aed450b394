"""`headwatch profile`: what is printed is what is judged by."""

from __future__ import annotations

import json

import pytest

from monitor import cli
from monitor.commands.profiles import document, lines, table
from monitor.judge.drift import drift
from monitor.judge.profiles import PROFILES, Profile, policy

every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def test_list_has_a_line_for_each_profile(capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, and the profiles in the order of the table."""
    assert cli.main(["profile", "list"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["PROFILE", "CHAIN", "BLOCKS", "QUIET", "LAG", "FORK", "POLL"]
    assert [row.split()[0] for row in rows] == list(PROFILES)


def test_table_says_the_thresholds_in_columns() -> None:
    """Columns are aligned, whatever stands in them."""
    assert table([policy(PROFILES["ethereum"]), policy(PROFILES["dev"])]) == [
        "PROFILE   CHAIN  BLOCKS              QUIET  LAG       FORK      POLL",
        "ethereum  1      slots, one in 12 s  52 s   2 blocks  3 blocks  6 s",
        "dev       any    slots, one in 1 s   8 s    2 blocks  2 blocks  0.5 s",
    ]


def test_list_as_json_is_every_profile_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """What machines read of all is what they read of one."""
    assert cli.main(["profile", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["profiles"]
    assert [one["key"] for one in listed] == list(PROFILES)
    assert cli.main(["profile", "show", "dev", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == listed[0]


@every_profile
def test_show_says_thresholds_reasons_and_sources(
    profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that a threshold is derived from, and what is missing, can be read."""
    assert cli.main(["profile", "show", profile.key]) == 0
    text = capsys.readouterr().out
    rules = policy(profile)
    for words in (rules.lag_words, rules.stall_words, rules.fork_words):
        assert words in text
    assert f"warned of from {rules.reorg_blocks} blocks" in text
    assert text.count("<- network quiet") == 1
    assert text.count("drifted        by the last headers") == 1
    assert ("noticed on average after" in text) == (drift(profile) is not None)
    shown = text.splitlines()
    for source in profile.sources:
        assert f"  {source.note} ({source.where}, {source.date})" in shown
    for words in (*profile.assumed, *profile.unknown):
        assert f"  {words}" in shown


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ethereum", "< 0.01"),
        ("gnosis", "0.081"),
        ("ethereum-2018", "1"),
        ("kovan-2018", "none while a majority of its authorities seals"),
    ],
)
def test_show_says_how_many_false_alarms_a_month_are_expected(key: str, words: str) -> None:
    """The budget is one; steps between slots leave most of it unspent."""
    assert f"               false alarms a month: {words}" in lines(policy(PROFILES[key]))


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        (
            "bellecour",
            "bellecour@1: rota, one in 5 s, chain id 134",
            "genesis not known: the references are asked",
        ),
        (
            "dev",
            "dev@1: slots, one in 1 s, any chain id",
            "genesis not known: the references are asked",
        ),
    ],
)
def test_show_says_what_is_not_known_of_a_chain(key: str, first: str, second: str) -> None:
    """Nothing is invented where no source states it."""
    assert lines(policy(PROFILES[key]))[:2] == [first, second]


@every_profile
def test_document_holds_what_the_judges_use(profile: Profile) -> None:
    """Thresholds by the names they have elsewhere; budgets, or null where there is none."""
    rules = policy(profile)
    read = json.loads(json.dumps(document(rules)))
    assert read["thresholds"] == {
        "stall_seconds": rules.stall_seconds,
        "lag_blocks": rules.lag_blocks,
        "confirmations": rules.confirmations,
        "reorg_blocks": rules.reorg_blocks,
        "poll_seconds": rules.poll_seconds,
    }
    assert read["chain_id"] == profile.chain_id
    assert (read["budgets"]["stall_alarms_a_month"] is None) == (profile.model == "rota")
    assert (read["budgets"]["fork_p"] is None) == (profile.fork_rate is None)
    assert [source["where"] for source in read["sources"]] == [s.where for s in profile.sources]
    assert read["budgets"]["drift_days_an_alarm"] == 30
    falsely = read["budgets"]["drift_alarms_a_month"]
    assert (falsely is None) == ("none" in read["drift"])
    assert falsely is None or 0.3 < falsely <= 0.5 + 1e-9
    assert rules.stall_seconds in [row["seconds"] for row in read["silences"]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("polygn", "no chain profile 'polygn'; did you mean 'polygon'?"),
        ("zzz", "no chain profile 'zzz' (see `headwatch profile list`)"),
    ],
)
def test_show_of_an_unknown_name_is_a_usage_error(
    name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, with what may have been meant."""
    assert cli.main(["profile", "show", name]) == 2
    assert message in capsys.readouterr().err
