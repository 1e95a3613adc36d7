"""Spark on an object store for real: its login, its jobs, their faults, and its data over restarts and variants."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from dotenv import dotenv_values
from selenium.webdriver.common.by import By

from tests.real.browser import browser, see
from tests.real.deck import OWNER, Deck, copy_out, free_ports, owned_folders, taken_away
from tests.real.hold import master, metrics, until

pytestmark = pytest.mark.engine

PORTS = ("SPARK_MASTER_UI_PORT", "SPARK_MASTER_RPC_PORT", "SPARK_APP_UI_PORT", "MINIO_API_PORT", "MINIO_CONSOLE_PORT")

# All objects, as the store itself says.
LISTING = r"""
printf '%s\n%s\n' "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" | mc --quiet alias set here http://localhost:9000
mc find here
"""


@pytest.fixture(scope="module")
def spark_minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The stack, up and healthy, with its sample data and its default job done: what `demo` leaves."""
    settings = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    owner = {"HOST_UID": str(OWNER), "HOST_GID": str(OWNER)} if os.getuid() == 0 else {}
    settings |= {"COMPOSE_PROJECT_NAME": f"deck-minio-{os.getpid()}", **owner}
    deck = copy_out("spark-minio", tmp_path_factory.mktemp("real") / "spark-minio", settings)
    if owner:
        owned_folders(deck, "data", "output", "minio")
    with taken_away(deck):
        done = deck.run("demo", timeout=2400)
        (deck.folder / "demo.txt").write_text(done.stdout + done.stderr)
        yield deck


@pytest.fixture(scope="module")
def undisturbed(spark_minio: Deck) -> dict[str, Any]:
    """What the default job found in its first run."""
    return metrics(spark_minio, "lake")


def login(deck: Deck) -> tuple[str, str]:
    values = dotenv_values(deck.folder / ".env")
    return values["MINIO_ROOT_USER"] or "", values["MINIO_ROOT_PASSWORD"] or ""


def objects(deck: Deck, bucket: str = "spark-data") -> set[str]:
    """The names of a bucket's objects, as they lie on the disk: the store keeps each as a folder with an xl.meta."""
    root = deck.work / "minio" / bucket
    return {str(file.parent.relative_to(root)) for file in root.rglob("xl.meta")}


def visible(deck: Deck) -> set[str]:
    """The objects that a reader of the table would take for its data; a mark of an empty folder is none."""
    named = (name for name in objects(deck) if not name.endswith("__XLDIR__"))
    return {name for name in named if not any(part.startswith("_") for part in name.split("/"))}


def done_tasks(deck: Deck) -> int:
    """How many tasks of the write that goes on have committed."""
    return len([name for name in objects(deck) if name.endswith(".pendingset")])


def start_write(deck: Deck) -> str:
    """Starts the default job and waits until some, not all of its tasks have written; returns the run's name."""
    run = deck.run("submit", "--detach", "--", "--files", "4").stdout.strip()
    until("some tasks have written", lambda: done_tasks(deck) >= 3, 240)
    assert "rides/_SUCCESS" not in objects(deck), "the write goes on"
    return run


def test_the_login_is_made_for_its_owner_only_and_not_told(spark_minio: Deck) -> None:
    user, password = login(spark_minio)
    assert re.fullmatch("[A-Z0-9]{20}", user)
    assert re.fullmatch("[A-Za-z0-9]{40}", password)
    assert (spark_minio.folder / ".env").stat().st_mode & 0o777 == 0o600
    said = (spark_minio.folder / "demo.txt").read_text()
    said += spark_minio.run("status", "--json", code=None).stdout
    said += spark_minio.run("logs").stdout
    said += "".join(spark_minio.run("logs", job["run"]).stdout for job in spark_minio.json("jobs"))
    assert "LAKE" in said
    for file in (spark_minio.work / "output").rglob("*"):
        said += file.read_text(errors="replace") if file.is_file() else ""
    assert "SparkListenerEnvironmentUpdate" in said, "Spark's own record of its settings is among it"
    assert password not in said
    assert any(link["login"] == {"user": user, "password": password} for link in spark_minio.links("--logins"))


def test_everything_is_up_and_the_client_is_done(spark_minio: Deck) -> None:
    status = spark_minio.json("status")
    states = {row["service"]: row["state"] for row in status["services"]}
    up = dict.fromkeys(("spark-master", "spark-worker", "spark-app", "minio"), "healthy")
    assert states == {**up, "minio-client": "done"}
    assert (status["spark"]["workers"], status["spark"]["cores"], status["spark"]["memory"]) == (3, 3, 3 * 1024**3)
    assert {"spark-data", "spark-output"} <= {each.name for each in (spark_minio.work / "minio").iterdir()}
    assert spark_minio.json("doctor") == []


def test_what_is_written_comes_back_on_every_worker(spark_minio: Deck, undisturbed: dict[str, Any]) -> None:
    found = undisturbed["input"]
    assert (found["rows"], found["rides"], found["bad"], found["months"]) == (200_406, 199_594, 406, 12)
    assert len(undisturbed["read"]["executors"]) == 3
    assert sum(undisturbed["read"]["executors"].values()) == undisturbed["sums"]["rides"] == found["rides"]
    assert {name.split("/")[1] for name in visible(spark_minio)} == {
        f"month=2024-{month:02d}" for month in range(1, 13)
    }
    assert any(name.endswith(".parquet") for name in objects(spark_minio, "spark-output"))
    lines = (spark_minio.work / "output" / "lake" / "by_station.csv").read_text().splitlines()
    assert len(lines) == 1 + 12 * 10
    assert "LAKE  local files to the object store and back" in (spark_minio.folder / "demo.txt").read_text()


def test_a_run_cancelled_in_the_middle_leaves_nothing_that_can_be_seen(spark_minio: Deck) -> None:
    run = start_write(spark_minio)
    spark_minio.run("jobs", run, "--cancel")
    assert visible(spark_minio) == set()
    assert "rides/_SUCCESS" not in objects(spark_minio)


def test_a_killed_worker_leaves_neither_half_nor_double_output(spark_minio: Deck, undisturbed: dict[str, Any]) -> None:
    run = start_write(spark_minio)
    before = metrics(spark_minio, "lake")
    name = next(r["replica"] for r in spark_minio.json("status")["services"] if r["replica"].endswith("spark-worker-2"))
    subprocess.run(["docker", "kill", name], check=True, capture_output=True)
    spark_minio.run("jobs", run)
    found = metrics(spark_minio, "lake")
    assert found != before, "it is this run's"
    assert len(found["read"]["executors"]) == 2, "one was gone"
    assert (found["input"], found["stations"]) == (undisturbed["input"], undisturbed["stations"])
    names = objects(spark_minio)
    assert {name for name in names if not name.endswith(".parquet")} == {"rides/_SUCCESS"}, "and nothing astray"
    (_write,) = {re.sub(r".*part-\d+-(.{36}).*", r"\1", name) for name in names if name.endswith(".parquet")}
    spark_minio.run("up")


def test_pages_while_formats_are_compared(spark_minio: Deck) -> None:
    user, password = login(spark_minio)
    run = spark_minio.run(
        "submit", "compare-formats", "--detach", "--", "--records", "400000", "--repeat", "1"
    ).stdout.strip()
    until("it runs", lambda: any(app["cores"] > 0 for app in master(spark_minio)["activeapps"]))
    app = master(spark_minio)["activeapps"][0]["id"]
    links = spark_minio.links()
    assert len(links) == 5
    with browser() as driver:
        for link in links:
            word = {"spark-master": "Spark Master", "minio": "MinIO"}.get(link["service"], "Spark Worker")
            page = see(driver, link["url"], word)
            assert page.style_rules > 50, f"{link['url']} has no styles"
            assert page.failed == (), link["url"]
        base = next(link["url"] for link in links if link["service"] == "spark-master")
        page = see(driver, f"{base}proxy/{app}/jobs/", "compare-formats")
        assert (page.style_rules > 50, page.failed) == (True, ())
        with urllib.request.urlopen(f"{base}proxy/{app}/api/v1/applications/{app}/environment", timeout=60) as answer:
            settings = answer.read().decode()
        assert "fs.s3a.secret.key" in settings and password not in settings
        see(driver, next(link["url"] for link in links if link["service"] == "minio"), "MinIO")
        # The page has its title before it has its form.
        until("the console asks for a login", lambda: bool(driver.find_elements(By.ID, "secretKey")))
        for field, text in (("accessKey", user), ("secretKey", password)):
            driver.find_element(By.ID, field).send_keys(text)
        driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        until("the buckets are shown", lambda: "spark-output" in driver.find_element(By.TAG_NAME, "body").text)
    table = spark_minio.run("jobs", run).stdout
    assert "400,000 records in 16 partitions at s3a://spark-output/formats" in table
    found = {row["format"]: row for row in metrics(spark_minio, "compare-formats")["formats"]}
    assert set(found) == {"parquet", "avro", "orc"}
    assert all((row["partitions"], row["partitions_read"], row["rows"]) == (16, 4, 400_000) for row in found.values())
    assert found["avro"]["rows_skipped"] == 0
    assert 0 < found["parquet"]["rows_skipped"] < found["orc"]["rows_skipped"] < 100_000


def test_data_survives_restart_and_down_and_only_cleanup_names_it(spark_minio: Deck) -> None:
    kept = objects(spark_minio) | objects(spark_minio, "spark-output")
    spark_minio.run("restart", "minio")
    listed = spark_minio.run("shell", "minio", "--", "sh", "-c", LISTING).stdout
    spark_minio.run("down", "--yes")
    assert objects(spark_minio) | objects(spark_minio, "spark-output") == kept
    assert all(name in listed for name in kept)
    asked = spark_minio.run("cleanup", code=2)
    assert str(spark_minio.work / "minio") in asked.stderr and "--yes" in asked.stderr
    assert objects(spark_minio) | objects(spark_minio, "spark-output") == kept


def test_the_closed_variant_demands_its_login_and_publishes_two_pages(spark_minio: Deck) -> None:
    refused = spark_minio.run("--variant", "prod", "status", code=2, MINIO_ROOT_USER="", MINIO_ROOT_PASSWORD="")
    assert re.search("MINIO_ROOT_USER +the object store's user name", refused.stderr)
    assert re.search("MINIO_ROOT_PASSWORD +the object store's password", refused.stderr)
    files = ["-f", "compose.yaml", "-f", "compose.prod.yaml", "--env-file", "/dev/null"]
    bare = subprocess.run(
        ["docker", "compose", *files, "config"], cwd=spark_minio.folder, capture_output=True, text=True
    )
    assert bare.returncode != 0 and "is missing a value: the object store's" in bare.stderr
    spark_minio.run("--variant", "prod", "up")
    settings = dotenv_values(spark_minio.folder / ".env")
    name = settings["COMPOSE_PROJECT_NAME"]
    answer = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={name}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    inspected = subprocess.run(["docker", "inspect", *answer.stdout.split()], check=True, capture_output=True)
    containers = json.loads(inspected.stdout)
    published = {
        (each["HostIp"], each["HostPort"])
        for container in containers
        for ports in container["NetworkSettings"]["Ports"].values()
        for each in ports or []
    }
    pages = ("SPARK_MASTER_UI_PORT", "MINIO_CONSOLE_PORT")
    assert published == {("127.0.0.1", settings[page]) for page in pages}
    assert all(container["HostConfig"]["Memory"] > 0 for container in containers)
    restarts = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container["HostConfig"]["RestartPolicy"]["Name"]
        for container in containers
    }
    kept_up = dict.fromkeys(("spark-master", "spark-worker", "spark-app", "minio"), "unless-stopped")
    assert restarts == {**kept_up, "minio-client": "on-failure"}
    network = subprocess.run(["docker", "network", "inspect", f"{name}_spark-network"], check=True, capture_output=True)
    assert json.loads(network.stdout)[0]["Internal"]
    assert len([link for link in spark_minio.json("--variant", "prod", "open") if link["url"]]) == 5
    listed = spark_minio.run("--variant", "prod", "shell", "minio", "--", "sh", "-c", LISTING).stdout
    assert all(name in listed for name in visible(spark_minio)), "with the data that was there"
