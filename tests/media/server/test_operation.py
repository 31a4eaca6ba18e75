"""What an operator sees: health, metrics, settings, a store that cannot be opened."""

import argparse
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from media.server.app import create_app
from media.server.config import Config, add_options, from_options
from media.server.store import Store, StoreError
from media.server.values import ConfigError
from tests.media.server.recording import RecordingPlane
from tests.media.server.service import Service, running


async def test_health_is_that_of_the_plane(service: Service) -> None:
    assert (await service.call(None, "GET", "/healthz")).json() == {"status": "ready"}
    service.plane.ready = False
    assert (await service.call(None, "GET", "/healthz")).status_code == 503


async def test_metrics(service: Service) -> None:
    path = await service.live()
    await service.connect("ben", path)
    await service.ok("cem", "POST", f"{path}/requests")
    await service.call("ana", "GET", "/spaces/nowhere")
    text = (await service.call(None, "GET", "/metrics")).text
    values = {
        (s.name, *sorted(s.labels.values())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }
    assert values["spaces_spaces", "live"] == 1
    assert values["spaces_participants",] == 1
    assert values["spaces_waiting_to_speak",] == 1
    assert values["spaces_media_sessions", "whep"] == 1
    assert values["spaces_http_requests_total", "/spaces/{space_id}", "404", "GET"] == 1
    assert values["spaces_http_request_seconds_count", "/spaces", "POST"] == 1
    assert values["process_resident_memory_bytes",] > 0


async def test_two_servers_do_not_add_up_and_the_relay_is_in(tmp_path: Path) -> None:
    def families() -> Iterator[Metric]:
        yield CounterMetricFamily("spaces_relay_packets_sent", "sent", value=7)

    async with running(tmp_path / "other"):
        app = create_app(Config(tmp_path), RecordingPlane(), metric_families=families)
        assert app.state.registry.get_sample_value("spaces_relay_packets_sent_total") == 7


def options(*arguments: str, **environ: str) -> Config:
    parser = argparse.ArgumentParser()
    add_options(parser, environ)
    return from_options(parser.parse_args(arguments), environ)


def test_flags_win_over_the_environment() -> None:
    assert options() == Config(Path("data"))
    environ = {
        "SPACES_HOST": "::1",
        "SPACES_PORT": "80",
        "SPACES_UDP_PORT": "81",
        "SPACES_DATA": "/d",
        "SPACES_PUBLIC_IP": "192.0.2.1, 192.0.2.2",
        "SPACES_DATABASE": "sqlite+aiosqlite://",
        "SPACES_POLICY": "2021-05",
    }
    config = options(**environ)
    assert (config.host, config.port, config.udp_port, config.data) == ("::1", 80, 81, Path("/d"))
    assert config.public_ips == ("192.0.2.1", "192.0.2.2")
    assert (config.database_url, config.policy) == ("sqlite+aiosqlite://", "2021-05")
    config = options("--port", "90", "--public-ip", "192.0.2.3", "--policy", "2020-12", **environ)
    assert (config.port, config.udp_port, config.public_ips) == (90, 81, ("192.0.2.3",))
    assert options("--port", "90").udp_port == 90


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--port", "http"), "--port is 'http'"),
        (("--port", "65536"), "--port"),
        (("--udp-port", "-1"), "--udp-port"),
        (("--policy", "1999"), "no policy '1999'"),
    ],
)
def test_settings_that_cannot_be(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        options(*arguments)


async def test_the_policy_of_the_server_is_that_of_new_spaces(tmp_path: Path) -> None:
    async with running(tmp_path, policy="2021-05") as service:
        refused = await service.call("ana", "POST", "/spaces", json={})
        assert refused.status_code == 403 and "600 followers" in refused.json()["detail"], (
            "who has no profile has 0"
        )
        await service.ok("ana", "POST", "/users", json={})
        await service.app.state.accounts.change("ana", followers_count=600)
        path = await service.live()
        assert (await service.ok("ana", "GET", path))["policy"] == "2021-05"
        assert (await service.ok("ana", "GET", f"{path}/participants"))["meta"]["free_seats"] == 11


@pytest.mark.parametrize("url", ["nonsense", "nosuch+driver://x", "sqlite://", "postgresql+nodriver://h/d"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        Store(url)


async def test_a_store_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "spaces.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"spaces\.db cannot be opened"):
        await Store(Config(tmp_path).database_url).open()
    with pytest.raises(StoreError, match="cannot be opened"):
        await Store(Config(tmp_path / "missing").database_url).open()


async def test_a_store_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = Store(Config(tmp_path).database_url)
    await store.open()
    await store.close()
    with sqlite3.connect(tmp_path / "spaces.db") as disk:
        disk.execute("UPDATE alembic_version SET version_num = '9999'")
    disk.close()
    with pytest.raises(StoreError, match="9999"):
        await Store(Config(tmp_path).database_url).open()


def test_the_server_loads_no_numpy() -> None:
    """Its start takes two seconds, and a compiler or a table library would double that."""
    heavy = "{'numpy', 'numba', 'scipy', 'av', 'ctranslate2'}"
    code = f"import sys; import media.server.app; sys.exit(' '.join({heavy} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
