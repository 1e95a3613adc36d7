"""A project of anybody's with a one-shot and an object store, on a real engine: what the verbs say of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_command import sparkdeck
from tests.engine.docker.conftest import remove_project

pytestmark = pytest.mark.engine

PASSWORD = "s3cret-of-the-test"
COMPOSE = """
x-base: &base
  image: debian:bookworm-slim
  init: true
  stop_grace_period: 1s
services:
  train:
    <<: *base
    command: [bash, -c, "sleep 2.1; echo 'no rows in /data' >&2; exit ${CODE:-0}"]
  serve:
    <<: *base
    command: [sleep, infinity]
    depends_on: {train: {condition: service_completed_successfully}}
  minio:
    <<: *base
    command: [sleep, infinity]
    environment: {MINIO_ROOT_USER: admin, MINIO_ROOT_PASSWORD: "@PASSWORD@"}
    ports: ["127.0.0.1::9001"]
""".replace("@PASSWORD@", PASSWORD)


@pytest.fixture
def folder(tmp_path: Path, project_name: str) -> Iterator[Path]:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / ".env").write_text(f"COMPOSE_PROJECT_NAME={project_name}\n")
    yield tmp_path
    remove_project(project_name)


def test_a_stack_whose_one_shot_is_done_is_up(folder: Path) -> None:
    done = sparkdeck("up", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"· serve +waits for train, running 0:0\d", done.stderr), done.stderr
    assert re.search(r"✓ train +done, took [23]\.\d s", done.stderr), done.stderr
    assert "minio asks for a login: sparkdeck open --logins shows it" in done.stderr

    done = sparkdeck("status", "--json", cwd=folder)
    assert done.returncode == 0
    rows = {row["service"]: row for row in json.loads(done.stdout)["services"]}
    train = rows["train"]
    assert (train["state"], train["well"], train["role"]) == ("done", True, "one-shot")
    assert 2 <= train["took_seconds"] < 10 and train["says"].startswith("took ")
    # Nothing listens there.
    assert rows["minio"]["says"] == "unknown: it does not answer"
    table = sparkdeck("status", cwd=folder).stdout
    assert re.search(r"✓ +train +done .* took [23]\.\d s", table), table
    assert sparkdeck("doctor", cwd=folder).returncode == 0

    shown = sparkdeck("open", "--logins", cwd=folder).stdout
    assert re.search(rf"minio +http://localhost:\d+/ +admin +{PASSWORD}", shown), shown
    login = json.loads(sparkdeck("open", "--logins", "--json", cwd=folder).stdout)[0]["login"]
    assert login == {"user": "admin", "password": PASSWORD}
    for hidden in (sparkdeck("open", cwd=folder), sparkdeck("open", "minio", "--print", cwd=folder)):
        assert PASSWORD not in hidden.stdout + hidden.stderr and "minio asks for a login" in hidden.stderr
    (link,) = json.loads(sparkdeck("open", "--json", cwd=folder).stdout)
    assert link["url"].startswith("http://localhost:") and link["why_not"] is None and "login" not in link
    assert sparkdeck("stop", "minio", cwd=folder).returncode == 0
    (link,) = json.loads(sparkdeck("open", "--json", cwd=folder).stdout)
    assert (link["url"], link["why_not"]) == (None, "minio is ended")


def test_a_one_shot_that_fails_ends_the_start_with_its_reason(folder: Path) -> None:
    done = sparkdeck("up", cwd=folder, CODE="3")
    assert done.returncode == 4
    said = [line.strip() for line in done.stderr.partition("error: ")[2].splitlines()]
    assert (
        said[0].startswith("train: ended (exit code 3); sparkdeck logs train tells why")
        and said[1] == "no rows in /data"
    )
    assert "didn't complete" not in done.stderr.partition("error: ")[2]

    done = sparkdeck("status", "--json", cwd=folder, CODE="3")
    assert done.returncode == 1
    rows = {row["service"]: row for row in json.loads(done.stdout)["services"]}
    assert rows["train"]["state"] == "ended"
    assert rows["serve"]["says"] == "waits for train, ended with exit code 3"
    done = sparkdeck("doctor", cwd=folder, CODE="3")
    assert done.returncode == 1 and "serve waits for train, which ended with exit code 3" in done.stdout
