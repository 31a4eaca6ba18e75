"""The rules of a server and of single Spaces: chosen by whoever runs the service, shown to everyone."""

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from media.server.config import Config, ConfigError, add_options, from_options
from media.server.policies import PolicyOut
from media.space.policy import Policy
from tests.media.server.service import Service, running

PILOT = {"name": "pilot", "base": "2021-05", "speaker_seats": 2, "followers_to_host": 0}


def options(policy: Path) -> Config:
    parser = argparse.ArgumentParser()
    add_options(parser, {})
    return from_options(parser.parse_args(["--policy", str(policy)]), {})


async def test_a_file_with_rules_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "pilot.toml"
    file.write_text('name = "pilot"\nbase = "2021-05"\nspeaker_seats = 2\nfollowers_to_host = 0\n')
    config = options(file)
    async with running(tmp_path, policy=config.policy, policies=config.policies) as service:
        listed = (await service.ok("ben", "GET", "/policies"))["data"]
        assert [(p["name"], p["default"]) for p in listed] == [
            *(("2020-12", False), ("2021-05", False), ("2021-08", False)),
            ("pilot", True),
        ]
        assert await service.ok("ben", "GET", "/policies/pilot") == listed[-1]
        assert (listed[-1]["speaker_seats"], listed[-1]["schedule_window"]) == (2, 14 * 86_400)
        path = await service.live()
        assert (await service.ok("ana", "GET", path))["policy"] == "pilot"
        assert (await service.ok("ana", "GET", f"{path}/participants"))["meta"]["free_seats"] == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'name = "pilot"\nseats = 3\n', "there is no 'seats'"),
        (b"name = pilot\n", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_holds_no_rules(tmp_path: Path, text: bytes | None, says: str) -> None:
    file = tmp_path / "rules.toml"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(ConfigError, match=says):
        options(file)


@pytest.mark.parametrize(("policy", "seats"), [("2021-05", 11), (PILOT, 2)])
async def test_an_admin_chooses_the_rules_of_a_space(service: Service, policy: object, seats: int) -> None:
    made = await service.ok("root", "POST", "/spaces", json={"policy": policy})
    assert made["policy"] == (policy if isinstance(policy, str) else "pilot")
    assert (await service.ok("ben", "GET", f"/spaces/{made['id']}/participants"))["meta"]["free_seats"] == seats
    refused = await service.call("ana", "POST", "/spaces", json={"policy": policy})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:spaces-lab:problem:not-admin")


@pytest.mark.parametrize("policy", ["1999", {"name": "pilot", "seats": 3}, {}, 7, ["2021-05"]])
async def test_rules_that_cannot_be(service: Service, policy: object) -> None:
    response = await service.call("root", "POST", "/spaces", json={"policy": policy})
    assert response.status_code == 422, response.text
    assert "policy" in response.json()["detail"].lower()


def test_every_rule_is_shown() -> None:
    assert set(PolicyOut.model_fields) == {field.name for field in fields(Policy)} | {"default"}


async def test_a_policy_that_does_not_exist(service: Service) -> None:
    response = await service.call("ana", "GET", "/policies/1999")
    assert (response.status_code, response.json()["type"]) == (404, "urn:spaces-lab:problem:unknown-policy")
    assert (await service.call(None, "GET", "/policies")).status_code == 401
