"""What the tap itself says."""

from __future__ import annotations

import json

from monitor.transactions.tap.wording import ours, problem


def test_problem_is_json_rpc_that_says_whose_it_is() -> None:
    """A client library shows the message; it must be plain that the node did not say it."""
    response = problem(502, "no", b'[{"id":1},{"id":2}]')
    assert (response.status, response.content_type) == (502, "application/json")
    assert response.headers["Server"] == "headwatch"
    assert isinstance(response.body, bytes)
    said = json.loads(response.body)
    assert [one["id"] for one in said] == [1, 2]
    assert {one["error"]["message"] for one in said} == {"headwatch tap: no"} == {ours("no")}
