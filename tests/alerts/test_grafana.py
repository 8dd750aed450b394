"""Grafana's alert provisioning: its own models read it, and its rules are Prometheus' rules.

There is no Grafana server here, so its import is not tested. What each field is named in such a
file is Grafana's `pkg/services/provisioning/alerting/rules_types.go`; what a converted rule looks
like is its `pkg/services/ngalert/prom`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.models import alerting
from ruamel.yaml import YAML

from alerts.files import grafana_uid
from monitor.act.alerts import ALERTS, BY_NAME

FILE = Path(__file__).parents[2] / "alerts" / "grafana.alerts.yml"
DOCUMENT: Any = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
RULES: dict[str, Any] = {
    rule["title"]: rule for group in DOCUMENT["groups"] for rule in group["rules"]
}
FIELDS = {
    *("uid", "title", "condition", "data", "noDataState", "execErrState", "for", "keepFiringFor"),
    *("missing_series_evals_to_resolve", "labels", "annotations", "isPaused"),
}
API_NAMES = {
    "keepFiringFor": "keep_firing_for",
    "missing_series_evals_to_resolve": "missingSeriesEvalsToResolve",
}
"""Two fields are named otherwise by the API, which the models are of."""


def test_file_has_the_groups_of_the_rules_in_one_folder() -> None:
    """Version, groups, folder and interval are there; every alert is in it once."""
    assert set(DOCUMENT) == {"apiVersion", "groups"}
    assert DOCUMENT["apiVersion"] == 1
    for group in DOCUMENT["groups"]:
        assert set(group) == {"orgId", "name", "folder", "interval", "rules"}
        assert group["folder"] == "headwatch"
        assert group["interval"] == "30s"
    assert set(RULES) == set(BY_NAME)
    assert sum(len(group["rules"]) for group in DOCUMENT["groups"]) == len(ALERTS)


@pytest.mark.parametrize("name", RULES)
def test_rule_is_read_back_by_grafanas_models(name: str) -> None:
    """No field is lost or unknown: what the models write again is what was read."""
    rule = RULES[name]
    assert set(rule) <= FIELDS
    sent = {API_NAMES.get(field, field): value for field, value in rule.items()}
    model = alerting.Rule.from_json(sent)
    again = model.to_json()
    assert {field: again[field] for field in sent if field != "data"} == {
        field: value for field, value in sent.items() if field != "data"
    }
    for query, before in zip(model.data, rule["data"], strict=True):
        assert query.ref_id == before["refId"]
        assert query.datasource_uid == before["datasourceUid"]
        assert query.query_type == before.get("queryType")


@pytest.mark.parametrize("name", RULES)
def test_rule_means_what_prometheus_rule_means(name: str) -> None:
    """The query, any number, above zero; silence is health, and ends with the series."""
    rule, alert = RULES[name], BY_NAME[name]
    query, maths, threshold = rule["data"]
    assert query["model"] == {
        "refId": "query",
        "expr": alert.expr,
        "instant": True,
        "range": False,
    }
    assert query["relativeTimeRange"] == {"from": 600, "to": 0}
    assert maths["model"]["expression"] == "is_number($query) || is_nan($query) || is_inf($query)"
    assert threshold["model"]["expression"] == maths["refId"] == "prometheus_math"
    assert threshold["model"]["conditions"] == [{"evaluator": {"type": "gt", "params": [0]}}]
    assert rule["condition"] == threshold["refId"] == "threshold"
    assert (rule["noDataState"], rule["execErrState"]) == ("OK", "Error")
    assert rule["missing_series_evals_to_resolve"] == 1
    assert rule["labels"] == {"severity": alert.severity}
    for step in (maths, threshold):
        assert step["datasourceUid"] == step["model"]["datasource"]["uid"] == "__expr__"
        assert step["queryType"] == step["model"]["type"]


def test_uids_are_stable_unique_and_short_enough() -> None:
    """A rule keeps its history when its words change; Grafana takes 40 characters."""
    uids = [rule["uid"] for rule in RULES.values()]
    assert len(set(uids)) == len(ALERTS)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)
    assert grafana_uid("HeadwatchNodeUnseen") == "headwatch-node-unseen"


def test_placeholder_of_the_data_source_is_the_only_thing_that_is_filled_in() -> None:
    """Grafana puts variables into a file when it loads it, and must find no other there."""
    text = FILE.read_text(encoding="utf-8")
    data_sources = re.findall(r"datasourceUid: (\S+)", text)
    assert set(data_sources) == {"$HEADWATCH_DATASOURCE_UID", "__expr__"}
    assert "${" not in text
    for rule in RULES.values():
        for field in ("uid", "title", "for", "condition"):
            assert "$" not in rule[field]
        words = " ".join(rule["annotations"].values())
        # A number there is a text; its value has another name.
        assert not re.search(r"\$value\b", words)
        assert set(re.findall(r"\$\w+", words)) <= {"$labels", "$values"}
