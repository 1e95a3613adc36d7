"""The bundled stacks, each started once for all its tests, as small as they go, and taken away afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.deck import OWNER, Deck, copy_out, flight_delay_settings, free_ports, owned_folders, taken_away


@pytest.fixture(scope="session")
def flight_delay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The flight-delay stack, up and healthy."""
    folder: Path = tmp_path_factory.mktemp("real") / "flight-delay"
    owner = {"HOST_UID": str(OWNER), "HOST_GID": str(OWNER)} if os.getuid() == 0 else {}
    deck = copy_out("flight-delay", folder, flight_delay_settings("deck-flight", **owner))
    if owner:
        owned_folders(deck, "data", "apps", "output", "scripts", "notebooks", "mlflow")
    with taken_away(deck) as started:
        started.run("setup", timeout=1800)
        yield started


@pytest.fixture(scope="session")
def flights(flight_delay: Deck) -> Deck:
    """The flight-delay stack with sample data."""
    flight_delay.run("data", "--rows", "20000", "--seed", "7")
    return flight_delay


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The spark-cluster stack, up and healthy."""
    folder: Path = tmp_path_factory.mktemp("real") / "spark-cluster"
    settings = {
        "COMPOSE_PROJECT_NAME": f"deck-cluster-{os.getpid()}",
        "SPARK_MASTER_UI_PORT": str(free_ports(1)[0]),
        "SPARK_DRIVER_MEMORY": "700m",
        "SPARK_EXECUTOR_MEMORY": "700m",
    }
    deck = copy_out("spark-cluster", folder, settings)
    with taken_away(deck) as started:
        started.run("setup", timeout=1800)
        yield started
