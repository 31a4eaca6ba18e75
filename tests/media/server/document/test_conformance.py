"""Everything that the OpenAPI document says, tried by schemathesis: right and wrong data at every operation.

Generated from a fixed seed, in this process, on an app that has a live Space and some people to be found. What is
added to the API is tried without another line here.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python import asgi

from media.server.app import create_app
from media.server.config import Config
from tests.media.server.recording import RecordingPlane

EXAMPLES = 2
"""Random requests at each operation, beside those that cover its schema and its examples."""
SETTINGS = {
    "seed": 4,
    "continue-on-failure": True,
    "max-stream-events": 1,
    "generation": {"max-examples": EXAMPLES, "database": "none"},
    "phases": {
        "coverage": {"unexpected-methods": ["PUT", "TRACE"], "generate-duplicate-query-parameters": False},
        "stateful": {"enabled": False},
    },
    "operations": [
        {
            # no schema says what SDP is, or a key on a curve
            "include-path-regex": "/(whip|whep|push-subscriptions)",
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    ],
    # oEmbed 1.0 asks for 501 where somebody wants another format than there is
    "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 501]}},
}


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def text(_: object, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class Lab:
    """An app with something in it, and the tokens of its people."""

    def __init__(self, data: Path) -> None:
        self.app = create_app(Config(data), RecordingPlane())
        tokens = self.app.state.tokens
        self.root = tokens.issue("root", admin=True, now=time.time())
        self.ana = tokens.issue("ana", now=time.time())
        with asgi.get_client(self.app) as self.client:
            for name in ("ana", "ben", "cem"):
                self._ok(self.root, "/users", {"id": name, "verified": True})
            self.space = self._ok(self.ana, "/spaces", {"title": "Launch", "speak_policy": "everyone"})["id"]
            self._ok(self.ana, f"/spaces/{self.space}/start", None)
        self.calls = 0
        self.tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    def _ok(self, token: str, path: str, body: Any) -> Any:
        response = self.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert response.ok, response.text
        return response.json()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("conformance"))


@pytest.mark.timeout(400)
def test_operations_are_as_described(lab: Lab) -> None:
    settings = SETTINGS | {"headers": {"Authorization": f"Bearer {lab.ana}"}}
    api = schemathesis.openapi.from_asgi("/openapi.json", lab.app, config=SchemathesisConfig.from_dict(settings))

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        """Send what the schema alone cannot say: ids of what is there, keys that did not come before."""
        lab.calls += 1
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if "space_id" in (case.path_parameters or {}) and lab.calls % 4:
            case.path_parameters["space_id"] = lab.space
        if "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = f"key-{lab.calls}"
        if isinstance(case.body, dict) and case.body.get("scheduled_start"):
            case.body["scheduled_start"] = lab.tomorrow
        (case.query or {}).pop("pagination_token", None)  # only what a list gave out is one

    wrong: list[str] = []
    tried: dict[str, int] = {}
    for event in from_schema(api).execute():
        if isinstance(event, events.ScenarioFinished):
            tried[event.label] = tried.get(event.label, 0) + len(event.recorder.cases)
            for checks in event.recorder.checks.values():
                for check in checks:
                    if check.failure_info is not None:
                        wrong.append(
                            f"{event.label}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                        )
        elif isinstance(event, events.NonFatalError):
            wrong.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    assert len(tried) == sum(len(path) for path in lab.app.openapi()["paths"].values())
    assert min(tried.values()) > 0
    assert not wrong, "\n\n".join(dict.fromkeys(wrong))
