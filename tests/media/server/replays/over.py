"""Spaces that are over and can be heard again."""

from pathlib import Path
from typing import Any

from tests.media.server.evidence import Said, keep_evidence
from tests.media.server.service import Service

TALK: list[Said] = [("ana", 1_000, 31_000), ("ben", 31_500, 62_000), ("ana", 63_000, 80_000)]


async def over(service: Service, data: Path, said: list[Said] = TALK, **body: Any) -> str:
    """Make a Space of ana, with what was said in it, and end it; return the path of its replay."""
    path = await service.live(**({"is_available_for_replay": True} | body))
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/requests/ben/approve")
    await service.ok("ana", "POST", f"{path}/shared", json={"post_id": "7"})
    await keep_evidence(service, data, path, said)
    await service.ok("ana", "POST", f"{path}/end")
    await service.settle()
    await service.app.state.replays.sweep()
    return f"/2{path}/replay"


def slug(response: Any) -> str:
    return response.json()["type"].rpartition(":")[2]
