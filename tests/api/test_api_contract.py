"""The OpenAPI document differs from the recorded contract only by additions."""

import copy
from typing import Any

import pytest

from tests.api.openapi_contract import breaches, contract, recorded

REPAIR = "POST /api/executions/{execution_id}/steps/{step}/skip"


def test_nothing_was_removed_from_the_api_or_changed(shared: Any) -> None:
    assert breaches(recorded(), contract(shared.app.openapi())) == []


def test_the_contract_holds_what_callers_rely_on() -> None:
    was = recorded()
    assert len(was["operations"]) > 40
    assert was["operations"][REPAIR]["body_required"] is True
    assert breaches(was, was) == []


def lacks_operation(now: Any) -> None:
    del now["operations"][REPAIR]


def lacks_parameter(now: Any) -> None:
    del now["operations"]["GET /api/executions"]["parameters"]["query status"]


def requires_parameter(now: Any) -> None:
    now["operations"]["GET /api/executions"]["parameters"]["query status"]["required"] = True


def lacks_value(now: Any) -> None:
    now["operations"]["GET /api/executions"]["parameters"]["query order"]["shape"]["enum"].remove("oldest")


def lacks_status(now: Any) -> None:
    del now["operations"][REPAIR]["answers"]["404"]


def lacks_media_type(now: Any) -> None:
    del now["operations"]["POST /api/processes"]["body"]["application/yaml"]


def lacks_field(now: Any) -> None:
    del now["shapes"]["ExecutionDetail"]["fields"]["status"]


def retypes_field(now: Any) -> None:
    now["shapes"]["ExecutionDetail"]["fields"]["version"]["type"] = "string"


def answers_without(now: Any) -> None:
    now["shapes"]["ExecutionDetail"]["required"].remove("status")


def requires_field(now: Any) -> None:
    body = now["operations"]["POST /api/executions/{execution_id}/cancel"]["body"]["application/json"]
    now["shapes"][body["ref"]]["required"] = ["reason"]


def requires_body(now: Any) -> None:
    now["operations"]["POST /api/executions/{execution_id}/cancel"]["body_required"] = True


def allows_less(now: Any) -> None:
    body = now["operations"][REPAIR]["body"]["application/json"]
    now["shapes"][body["ref"]]["fields"]["reason"]["maxLength"] = 100


@pytest.mark.parametrize(
    "change",
    [
        lacks_operation,
        lacks_parameter,
        requires_parameter,
        lacks_value,
        lacks_status,
        lacks_media_type,
        lacks_field,
        retypes_field,
        answers_without,
        requires_field,
        requires_body,
        allows_less,
    ],
)
def test_each_kind_of_breach_is_found(change: Any) -> None:
    now = copy.deepcopy(recorded())
    change(now)
    assert breaches(recorded(), now) != []


def test_additions_are_no_breach() -> None:
    now = copy.deepcopy(recorded())
    now["operations"]["POST /api/nothing-yet"] = now["operations"][REPAIR]
    now["operations"]["GET /api/executions"]["parameters"]["query of"] = {
        "required": False,
        "shape": {"type": "string"},
    }
    now["operations"]["GET /api/executions"]["parameters"]["query order"]["shape"]["enum"].append("by chance")
    now["shapes"]["ExecutionDetail"]["fields"]["label"] = {"type": "string"}
    body = now["operations"][REPAIR]["body"]["application/json"]
    now["shapes"][body["ref"]]["fields"]["note"] = {"type": "string"}
    assert breaches(recorded(), now) == []
