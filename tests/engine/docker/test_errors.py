"""The engine's words become sentences; what is not understood stays as it is."""

from __future__ import annotations

import pytest
from msgspec import convert

from tui.engine.docker.answers import Machine, Message
from tui.engine.docker.api import Endpoint, parse_endpoint
from tui.engine.docker.errors import explain, gone, taken_port
from tui.engine.docker.owner import owner_of
from tui.engine.docker.replicas import moment
from tui.engine.docker.streams import event
from tui.engine.interface import EngineGone


@pytest.mark.parametrize(
    ("text", "port"),
    [
        (
            "Error response from daemon: driver failed programming external connectivity on endpoint x-1 (ab12): "
            "Bind for 127.0.0.1:8080 failed: port is already allocated",
            8080,
        ),
        ("Error starting userland proxy: listen tcp4 0.0.0.0:8888: bind: address already in use", 8888),
        (
            "failed to set up container networking: driver failed programming external connectivity on endpoint "
            "x (ab): failed to bind host port for 127.0.0.1:5555:172.18.0.2:80/tcp: address already in use",
            5555,
        ),
        ("Bind for :::7077 failed: port is already allocated", 7077),
        ("listen tcp [::1]:4040: bind: address already in use", 4040),
        (
            "Ports are not available: exposing port TCP 127.0.0.1:7077 -> 127.0.0.1:0: listen tcp "
            "127.0.0.1:7077: bind: address already in use",
            7077,
        ),
        ("Error: something else on 127.0.0.1:80", None),
    ],
)
def test_taken_port(text: str, port: int | None) -> None:
    assert taken_port([" Container x-1  Starting", text]) == port


def test_a_failure_keeps_the_tail_of_its_own_words() -> None:
    output = [
        " Container a-1  Creating",
        *(f"line {number}" for number in range(40)),
        " Container a-1  Error",
    ]
    text = str(explain("docker compose up", output, "here"))
    assert text.startswith("docker compose up failed: line 25")
    assert text.endswith("line 39")


def test_an_engine_that_does_not_answer() -> None:
    said = "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?"
    error = explain("docker compose up", [said], "unix:///x.sock (context default)")
    assert isinstance(error, EngineGone)
    assert "unix:///x.sock (context default)" in str(error) and "Start Docker Desktop" in str(error)
    assert "group `docker`" in str(gone("unix:///x.sock", "Permission denied"))


def test_docker_without_compose() -> None:
    for said in ("docker: 'compose' is not a docker command.", "unknown flag: --file"):
        assert "install the Compose plugin" in str(explain("docker compose up", [said], "here"))


def test_endpoint() -> None:
    inspected = '[{"Name": "colima", "Endpoints": {"docker": {"Host": "unix:///c.sock"}}}]'
    assert parse_endpoint(inspected) == Endpoint("colima", "unix:///c.sock")
    for broken in ("", "[]", "[1]", '[{"Name": "x", "Endpoints": {}}]'):
        with pytest.raises(EngineGone):
            parse_endpoint(broken)


def test_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 501)
    monkeypatch.setattr("os.getgid", lambda: 20)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.release", lambda: "6.1.0")
    assert owner_of(convert({"SecurityOptions": ["name=seccomp,profile=default"]}, Machine)) == (501, 20)
    assert owner_of(convert({"SecurityOptions": None}, Machine)) == (501, 20)
    assert owner_of(convert({"SecurityOptions": ["name=seccomp", "name=rootless"]}, Machine)) == (0, 0)
    assert owner_of(convert({"OperatingSystem": "Docker Desktop"}, Machine)) == (0, 0)
    monkeypatch.setattr("platform.release", lambda: "5.15.0-microsoft-standard-WSL2")
    assert owner_of(convert({"OperatingSystem": "Docker Desktop"}, Machine)) == (501, 20)
    monkeypatch.setattr("sys.platform", "darwin")
    assert owner_of(convert({"OperatingSystem": "Docker Desktop"}, Machine)) == (501, 20)


def test_moments() -> None:
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("") is None and moment("soon") is None
    for text in ("2026-01-31T12:00:00.123456789Z", "2026-01-31T14:00:00.1234567+02:00"):
        at = moment(text)
        assert at is not None and at.timestamp() == pytest.approx(1769860800.123456)


def test_events() -> None:
    labels = {"com.docker.compose.service": "a", "exitCode": "137"}
    message = {"Action": "die", "timeNano": 1_500_000_000, "Actor": {"ID": "x", "Attributes": labels}}
    found = event(convert(message, Message))
    assert found is not None
    assert (found.kind, found.service, found.replica_id, found.detail) == ("ended", "a", "x", "exit code 137")
    health = event(convert({**message, "Action": "health_status: unhealthy"}, Message))
    assert health is not None and (health.kind, health.detail) == ("health", "unhealthy")
    assert event(convert({**message, "Action": "exec_start: curl"}, Message)) is None
    foreign = {**labels, "com.docker.compose.oneoff": "True"}
    assert event(convert({**message, "Actor": {"ID": "x", "Attributes": foreign}}, Message)) is None
    run = {**foreign, "sparkdeck.run": "r"}
    assert event(convert({**message, "Actor": {"ID": "x", "Attributes": run}}, Message)) is not None
