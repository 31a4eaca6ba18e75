"""The rules of a server and of single Spaces: chosen by whoever runs the service, shown to everyone."""

import argparse
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media.server.config import Config, add_options, from_options
from media.server.policies import PolicyOut
from media.server.values import ConfigError
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
        (b'name = "pilot"\n# more\nseats = 3\n', r"rules\.toml, line 3: .*there is no 'seats'"),
        (b'speaker_seats = 4\nname = "2021-08"\n', r"rules\.toml, line 2: .*name is that of a preset"),
        (b'name = "x"\nbase = "1999"\n', r"rules\.toml, line 2: .*base is '1999'"),
        (b'name = "x"\npins = 2\n "grace" = -1.0\n', r"rules\.toml, line 3: .*grace is -1\.0"),
        (b'name = "x"\n[policy]\npins = 2\n', r"rules\.toml, line 2: .*there is no 'policy'"),
        (b"pins = 2\n", r"rules\.toml: A policy needs a name"),
        (b"name = pilot\n", "is no TOML: .*line 1"),
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
    assert (await service.ok("root", "GET", f"/spaces/{made['id']}/participants"))["meta"]["free_seats"] == seats
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


async def test_an_admin_chooses_other_rules_for_a_space_of_somebody_else(service: Service) -> None:
    start = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    made = await service.ok("ana", "POST", "/spaces", json={"topic_ids": ["a", "b"], "scheduled_start": start})
    path = f"/spaces/{made['id']}"
    shown = await service.ok("root", "PUT", f"{path}/policy", json={"policy": PILOT | {"base": "2021-08"}})
    assert (shown["name"], shown["speaker_seats"], shown["default"]) == ("pilot", 2, False)
    assert await service.ok("ben", "GET", f"{path}/policy") == shown, "rules of one Space are shown, too"
    assert (await service.ok("ben", "GET", path))["policy"] == "pilot"
    refusals = [
        ("ana", {"policy": "2020-12"}, 403, "Only an admin"),
        ("root", {"policy": "1999"}, 422, "no policy '1999'"),
        ("root", {"policy": "2021-05"}, 403, "600 followers"),
        ("root", {"policy": "2020-12"}, 403, "Nothing can be scheduled"),
        ("root", {"policy": {"name": "near", "schedule_window": 86_400}}, 403, "1 days ahead"),
        ("root", {"policy": {"name": "terse", "topics": 1}}, 422, "1 topics"),
    ]
    for name, body, status, says in refusals:
        refused = await service.call(name, "PUT", f"{path}/policy", json=body)
        assert (refused.status_code, says in refused.json()["detail"]) == (status, True), refused.text
    assert await service.ok("ben", "GET", f"{path}/policy") == shown
    await service.ok("ana", "POST", f"{path}/start")
    late = await service.call("root", "PUT", f"{path}/policy", json={"policy": "2021-08"})
    assert late.status_code == 409


async def test_rules_chosen_for_a_space_outlive_the_process(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        made = await first.ok("ana", "POST", "/spaces", json={})
        shown = await first.ok(
            "root", "PUT", f"/spaces/{made['id']}/policy", json={"policy": {"name": "x", "pins": 2}}
        )
    async with running(tmp_path) as second:
        assert await second.ok("ana", "GET", f"/spaces/{made['id']}/policy") == shown
