"""The streams in the OpenAPI document: every event is there, and its example is what a server sends."""

from typing import Any

import pytest

from media.server.captions import schema as captions
from media.server.events import schema
from media.server.events.document import PERSON_EVENTS, SPACE_EVENTS
from tests.media.server.events.streaming import Streaming, events_of


@pytest.mark.parametrize(
    ("path", "events"), [("/spaces/{space_id}/events", SPACE_EVENTS), ("/users/me/events", PERSON_EVENTS)]
)
async def test_each_event_is_documented_with_an_example(
    service: Streaming, path: str, events: dict[str, Any]
) -> None:
    document = (await service.call(None, "GET", "/openapi.json")).json()
    answers = document["paths"][path]["get"]["responses"]
    assert {"200", "401", "403", "429"} <= set(answers)
    media = answers["200"]["content"]["text/event-stream"]
    assert [each["title"] for each in media["schema"]["oneOf"]] == list(events)
    assert "$ref" not in str(media)
    for name, data in events.items():
        [(number, sent, shown)] = events_of(media["examples"][name]["value"].encode())
        assert (sent, type(number)) == (name, int)
        assert type(data).model_validate(shown) == data
        assert name in (type(data).__doc__ or "")


def test_every_shape_of_data_is_in_one_of_the_streams() -> None:
    shapes = {each for of in (schema, captions) for name, each in vars(of).items() if name.endswith("Data")}
    assert shapes == {type(data) for data in [*SPACE_EVENTS.values(), *PERSON_EVENTS.values()]}
