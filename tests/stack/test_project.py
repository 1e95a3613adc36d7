"""Compose projects as docker compose prints them, and as it never should."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.stack.errors import ProjectError
from tui.stack.model import Mount, Port, Project, Service
from tui.stack.project import parse_project, scale_obstacle

Captured = Callable[[str], Project]


def service(**entry: Any) -> Service:
    return parse_project({"name": "p", "services": {"a": entry}}).services["a"]


def test_flight_delay(captured: Captured) -> None:
    project = captured("flight-delay")
    assert project.name == "flight-delay"
    assert len(project.services) == 9
    assert project.networks == ("spark-network",)
    master = project.services["spark-master"]
    assert master.built and master.has_health_check and master.replicas == 1
    assert master.command[:2] == ("spark-class", "org.apache.spark.deploy.master.Master")
    assert Port(8080, 8080, "127.0.0.1") in master.ports
    assert [port.published for port in project.services["jupyter"].ports] == [8888, *range(4040, 4051)]
    assert project.services["spark-worker-extra"].profiles == ("extra",)
    assert project.services["spark-worker-1"].depends_on == {"spark-master": "service_healthy"}
    assert project.host_path("spark-submit", "/data/2024/a.csv") == Path("/stack/work/data/2024/a.csv")
    assert project.host_path("mlflow", "/data") is None


def test_replicas_of_spark_cluster(captured: Captured) -> None:
    assert captured("spark-cluster").services["spark-worker"].replicas == 3


def test_rarer_shapes(captured: Captured) -> None:
    project = captured("mixed")
    db, migrate, web, quiet = (project.services[name] for name in ("db", "migrate", "web", "quiet"))
    assert project.volumes == ("db",)
    # `config` writes $$ for each $; null is a variable that the caller has not set.
    assert db.environment == {"POSTGRES_PASSWORD": "pa$$word"}
    assert db.mounts == (
        Mount("volume", "db", "/var/lib/postgresql/data"),
        Mount("volume", "", "/var/tmp"),
        Mount("tmpfs", "", "/run"),
        Mount("bind", "/stack/conf$x", "/conf", read_only=True),
    )
    assert (db.command, db.entrypoint, db.restart, db.has_health_check) == ((), (), "unless-stopped", True)
    assert migrate.command == ("python", "migrate.py", "--now", "two words")
    assert (migrate.replicas, migrate.built, migrate.has_health_check) == (0, True, False)
    assert web.ports == (
        Port(8000, None),
        Port(9000, 9000),
        Port(9001, 9001),
        Port(80, None),  # one of 6000-6010, chosen at start
        Port(53, 53, "127.0.0.1", "udp"),
    )
    assert (web.replicas, web.has_health_check, web.restart) == (2, False, "no")
    assert web.depends_on == {"migrate": "service_completed_successfully", "db": "service_started"}
    assert web.mounts == (Mount("tmpfs", "", "/scratch"),)
    assert (quiet.container_name, quiet.profiles, quiet.has_health_check) == (
        "the-quiet",
        ("tools", "more"),
        False,
    )


def test_what_other_versions_print_is_taken_too() -> None:
    found = service(
        command="sh -c 'echo $$A'",
        environment=["A=b=c", "FROM_CALLER"],
        depends_on=["b"],
        ports=[{"target": "4040-4042", "published": "5040-5042"}, {"target": 1, "published": 2}],
        image=None,
    )
    assert found.command == ("sh", "-c", "echo $A")
    assert found.environment == {"A": "b=c"}
    assert found.depends_on == {"b": "service_started"}
    assert found.ports == (Port(4040, 5040), Port(4041, 5041), Port(4042, 5042), Port(1, 2))
    assert service(environment={"A": 1, "B": True, "C": ""}).environment == {"A": "1", "B": "true", "C": ""}
    assert parse_project({"name": "p"}) == Project("p", {})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "what compose printed is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "the compose project: must be a mapping, not []"),
        ({"services": {}}, "name: nothing is not a name; allowed are letters, digits, dot, - and _"),
        ({"name": "p", "services": []}, "services: must be a mapping, not []"),
        (
            {"name": "p", "services": {"a\x1b[31m": {}}},
            "services: 'a\\x1b[31m' is not a name; allowed are letters, digits, dot, - and _",
        ),
        ({"name": "p", "services": {"a": "x"}}, "services.a: must be a mapping, not 'x'"),
        ({"name": "p", "services": {"a": {"image": []}}}, None),
        ({"name": "p", "services": {"a": {"image": ["x"]}}}, "services.a.image: must be text, not ['x']"),
        (
            {"name": "p", "services": {"a": {"command": [None]}}},
            "services.a.command[0]: must be text, not nothing",
        ),
        (
            {"name": "p", "services": {"a": {"command": "echo 'x"}}},
            'services.a.command: "echo \'x" cannot be split into words: No closing quotation',
        ),
        (
            {"name": "p", "services": {"a": {"ports": [{"target": 80, "published": "http"}]}}},
            "services.a.ports[0].published: 'http' is not a port or a range of ports; allowed: 1 to 65535",
        ),
        (
            {"name": "p", "services": {"a": {"ports": [{"target": 70000}]}}},
            "services.a.ports[0].target: 70000 is not a port or a range of ports; allowed: 1 to 65535",
        ),
        (
            {"name": "p", "services": {"a": {"ports": [{"target": "1-65535"}]}}},
            "services.a.ports: more than 2000 ports are too many",
        ),
        (
            {"name": "p", "services": {"a": {"scale": -1}}},
            "services.a: -1 replicas; allowed: 0 to 10000",
        ),
        (
            {"name": "p", "services": {"a": {"deploy": {"replicas": 10**9}}}},
            "services.a: 1000000000 replicas; allowed: 0 to 10000",
        ),
        (
            {"name": "p", "services": {"a": {"volumes": [{"type": "bind"}]}}},
            "services.a.volumes[0].target: must be text, not nothing",
        ),
        (
            {"name": "p", "services": {f"s{number}": {} for number in range(1001)}},
            "services: 1001 are too many; at most 1000 are read",
        ),
        (" " * (16 * 1024 * 1024 + 1), "the compose project is longer than 16777216 characters"),
    ],
)
def test_what_compose_would_not_print_is_refused_with_its_place(config: Any, message: str | None) -> None:
    if message is None:
        parse_project(config)
        return
    with pytest.raises(ProjectError) as caught:
        parse_project(config)
    assert str(caught.value) == message


def test_deep_json_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"^what compose printed is not JSON"):
        parse_project("[" * 100_000)


def test_a_damaged_project_is_read_or_refused_but_never_breaks() -> None:
    """Every value of a real project replaced, one at a time, by values of other types."""
    text = (Path(__file__).parent / "configs/mixed.json").read_text("utf-8")
    dice = random.Random(1)
    refused = 0
    for _ in range(400):
        config = json.loads(text)
        place = config
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            deeper = place[key]
            if not isinstance(deeper, dict | list) or not deeper or dice.random() < 0.2:
                break
            place = deeper
        place[key] = dice.choice([None, "", "\x1b", -1, 1e308, True, [], {}, [[]], {"": None}, "$" * 9])
        try:
            parse_project(config)
        except ProjectError as error:
            refused += 1
            assert str(error).isprintable()
    assert refused > 50


def test_what_hinders_scaling() -> None:
    assert scale_obstacle(Service("w", ports=(Port(8081, None),))) is None
    assert scale_obstacle(Service("w", ports=(Port(8081, 8081),))) == (
        "compose cannot scale 'w', since only one replica can have the host's port 8081; "
        "leave the host's port out or give a range"
    )
    assert scale_obstacle(Service("w", container_name="w")) == (
        "compose cannot scale 'w', since it has a container_name; remove container_name from the compose file"
    )
