"""A stack that nobody knows, of a compose project and a layout alone: every concept of a layout, on both engines."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.deck import Deck, free_ports

COMPOSE = """
name: ${COMPOSE_PROJECT_NAME}
services:
  sort:
    image: debian:bookworm-slim
    command: [sh, -c, 'sleep 2; sort -n "$$DATA_DIR/raw.txt" > "$$DATA_DIR/sorted.txt"; echo sorted']
    environment: {DATA_DIR: /data}
    volumes: ["./work/data:/data"]
  shop:
    image: debian:bookworm-slim
    command:
      - perl
      - -MIO::Socket::INET
      - -e
      - >-
        my $$s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
        while (my $$c = $$s->accept) {
        1 while ($$_ = <$$c>) && /\\S/; print $$c "HTTP/1.0 200 OK\\r\\n\\r\\nopen\\n"; close $$c }
    init: true
    depends_on: {sort: {condition: service_completed_successfully}}
    environment: {DATA_DIR: /data, SHOP_PASSWORD: "${SHOP_PASSWORD:-}"}
    volumes: ["./work/data:/data"]
    ports: ["127.0.0.1:${SHOP_PORT}:8000"]
    healthcheck:
      test: [CMD, perl, -MIO::Socket::INET, -e, "IO::Socket::INET->new('127.0.0.1:8000') or exit 1"]
      interval: 1s
"""

MORE = """
services:
  shop:
    environment: {OWNER: "${SHOP_OWNER:?whose shop}", TOWN: "${SHOP_TOWN:?a town}"}
"""

LAYOUT = """
name: sixth
title: A made-up shop
environment: {COMPOSE_PROJECT_NAME: project-name, SHOP_PASSWORD: secret-key}
variants:
  plain: {title: Plain, files: [compose.yaml], default: true}
  owned: {title: With an owner, files: [compose.yaml, compose.more.yaml]}
variables: {SHOP_OWNER: the name over the door}
process:
  env: {DATA_DIR: "{path:/data}"}
services:
  sort: {role: one-shot}
  shop:
    role: app
    title: Shop
    links: [{title: Shop, port: 8000}]
    process:
      command: ["{python}", -m, http.server, --bind, 127.0.0.1, --directory, "{path:/data}", "{port:8000}"]
      ready: {url: "http://127.0.0.1:{port:8000}/"}
data: {service: sort, folder: /data, command: [sh, -c, 'seq 40 -1 1 > "$DATA_DIR/raw.txt"'], before_start: true}
jobs:
  count: {kind: run, service: sort, command: [sh, -c, 'echo "lines: $(wc -l < "$DATA_DIR/sorted.txt")"'], default: true}
  broken: {kind: run, service: sort, command: [sh, -c, 'echo no; exit 3']}
  again: {kind: run, service: sort}
"""


@pytest.fixture(
    params=[pytest.param("docker", marks=pytest.mark.engine), "process"],
)
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deck]:
    monkeypatch.setenv("SPARKDECK_ENGINE", request.param)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "compose.more.yaml").write_text(MORE)
    (folder / "sparkdeck.yaml").write_text(LAYOUT)
    (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME=sixth-{os.getpid()}\nSHOP_PORT={free_ports(1)[0]}\n")
    deck = Deck(folder)
    try:
        yield deck
    finally:
        deck.run("cleanup", "--yes", code=None)


def test_a_stack_that_nobody_knows(shop: Deck) -> None:
    # What needs data says so, and starts nothing.
    refused = shop.run("up", code=2)
    assert "data" in refused.stderr and str(shop.work / "data") in refused.stderr.replace("\n", "")
    assert shop.json("status", code=1)["services"]

    demo = shop.run("demo")
    assert "lines: 40" in demo.stdout
    port = next(line.split("=")[1] for line in (shop.folder / ".env").read_text().splitlines() if "SHOP_PORT" in line)
    assert f"localhost:{port}" in demo.stdout
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        assert answer.status == 200

    # Its secret was made, belongs to the owner alone, and is nowhere shown.
    env = shop.folder / ".env"
    secret = next(line.split("=", 1)[1] for line in env.read_text().splitlines() if line.startswith("SHOP_PASSWORD="))
    assert len(secret) == 40 and env.stat().st_mode & 0o077 == 0
    assert secret not in demo.stdout + demo.stderr

    # The one-shot is done, and all is well.
    status = shop.json("status", code=0)
    words = {item["service"]: item["state"] for item in status["services"]}
    assert words["sort"] == "done", words
    assert secret not in json.dumps(status)
    assert shop.run("doctor").returncode == 0

    # A job's exit code is passed on; a run without a command of its own is the service's.
    assert "no" in shop.run("submit", "broken", code=3).stdout
    assert "sorted" in shop.run("submit", "again").stdout
    assert {run["job"] for run in shop.json("jobs")} >= {"count", "broken", "again", "data"}


def test_what_a_variant_demands_is_listed_before_anything_starts(shop: Deck) -> None:
    missing = shop.run("--variant", "owned", "up", code=2).stderr
    assert "SHOP_OWNER" in missing and "the name over the door" in missing
    assert "SHOP_TOWN" in missing and "a town" in missing
    assert str(shop.folder / ".env") in missing.replace("\n", "")
    wrong = shop.run("--variant", "nobody", "status", code=2).stderr
    assert "plain" in wrong and "owned" in wrong
    assert shop.run("--variant", "owned", "up", code=2, SHOP_OWNER="me", SHOP_TOWN="here").stderr.count("data")
