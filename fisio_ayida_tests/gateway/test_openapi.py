"""The page of the API: complete, with examples, true, and readable without the internet."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fisio_ayida.events.registry import routes
from fisio_ayida_tests.gateway.running import BEARER, KEY, Running

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip


SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_nothing_that_the_page_allows_breaks_the_gateway(gateway: Running) -> None:
    api = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    operations = [found.ok() for found in api.get_all_operations()]

    def tried(case: Case) -> None:
        if "event_key" in (case.path_parameters or {}):
            case.path_parameters["event_key"] = KEY
        case.headers["authorization"] = BEARER["authorization"]
        case.call_and_validate(checks=CHECKS)

    # A gateway that nobody works behind would answer 503 to a strict question.
    gateway.beat()
    for operation in operations:
        # The batch routes differ in little.
        share = settings(SETTINGS, max_examples=6 if "/batch/" in operation.path else 30)
        share(given(case=operation.as_strategy())(tried))()
    assert len(operations) == len(routes()) + 4
    asked = Counter(line["status"] for line in gateway.lines() if line["msg"] == "request")
    assert asked[200] > 20 and asked[202] > 20 and asked[400] > 5


@pytest.fixture
def page(gateway: Running) -> dict[str, Any]:
    found: dict[str, Any] = gateway.client.get("/openapi.json").json()
    return found


def test_every_route_is_described(page: dict[str, Any]) -> None:
    assert set(page["paths"]) == {
        "/e/{event_key}", "/api/events/{event_id}", "/healthz", "/readyz",
        *(f"/api/batch/{route}" for route in routes()),
    }  # fmt: skip


def test_every_route_has_words_and_an_example(page: dict[str, Any]) -> None:
    for path, methods in page["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            (success,) = (answer for code, answer in operation["responses"].items() if code.startswith("2"))
            (name,) = success["content"].values()
            shape = page["components"]["schemas"][name["schema"]["$ref"].rsplit("/", 1)[1]]
            assert shape["example"], path
            for code, answer in operation["responses"].items():
                for media in answer.get("content", {}).values():
                    assert code.startswith("2") or media["schema"]["example"], (path, code)
            if "requestBody" in operation:
                media = operation["requestBody"]["content"]["application/json"]
                assert "example" in media or media["examples"], path


def test_each_example_of_a_request_is_taken(gateway: Running, page: dict[str, Any]) -> None:
    bodies = page["paths"]["/e/{event_key}"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for example in bodies.values():
        assert gateway.send(example["value"]).status_code == 200
    for route in routes():
        media = page["paths"][f"/api/batch/{route}"]["post"]["requestBody"]["content"]["application/json"]
        assert gateway.batch(route, media["example"]).status_code == 202


def test_a_route_says_which_secret_it_wants(page: dict[str, Any]) -> None:
    secured = {
        path for path, methods in page["paths"].items() for each in methods.values() if each.get("security")
    }
    assert secured == {path for path in page["paths"] if path.startswith("/api/")}


def test_the_page_fetches_nothing_from_elsewhere(gateway: Running) -> None:
    page = gateway.client.get("/docs")
    assert page.status_code == 200
    fetched = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
    assert len(fetched) >= 4
    for each in fetched:
        assert each.startswith("/"), each
        assert gateway.client.get(each).status_code == 200, each
    assert '"validatorUrl": null' in page.text
    assert gateway.client.get("/redoc").status_code == 404
