"""The second stack works without a line of code of its own."""

from __future__ import annotations

import os
import re
from contextlib import chdir
from pathlib import Path

import pytest

from tests.real.browser import browser, see
from tests.real.deck import Deck

pytestmark = pytest.mark.engine


def test_three_workers_of_two_cores_and_two_gigabytes(spark_cluster: Deck) -> None:
    spark = spark_cluster.json("status")["spark"]
    assert (spark["workers"], spark["cores"], spark["memory"]) == (3, 6, 3 * 2 * 1024**3)


def test_the_example_job_spreads_a_million_records(spark_cluster: Deck) -> None:
    done = spark_cluster.run("submit")
    parts = re.findall(r"^ +(\d+) +([\d,]+)  executor \d+ on", done.stdout, re.MULTILINE)
    assert [int(number) for number, _ in parts] == list(range(12))
    assert sum(int(count.replace(",", "")) for _, count in parts) == 1_000_000
    assert "1,000,000 records in 12 partitions on" in done.stdout


def test_the_same_records_in_three_formats(spark_cluster: Deck) -> None:
    done = spark_cluster.run("submit", "compare-formats", "--", "--records", "100000", "--repeat", "1")
    assert re.findall(r"^(\w+) +[\d.]+ MB .* 12 of 16 +[\d,]+ of 25,000$", done.stdout, re.MULTILINE) == [
        "parquet",
        "avro",
        "orc",
    ]


def test_scaling_replicas_of_one_service(spark_cluster: Deck) -> None:
    spark_cluster.run("scale", "4")
    status = spark_cluster.json("status")
    assert status["spark"]["workers"] == 4
    assert len([row for row in status["services"] if row["service"] == "spark-worker"]) == 4
    spark_cluster.run("scale", "3")
    status = spark_cluster.json("status")
    assert status["spark"]["workers"] == 3
    names = sorted(row["replica"] for row in status["services"] if row["service"] == "spark-worker")
    assert [name.rsplit("-", 1)[1] for name in names] == ["1", "2", "3"], "the added one went"


def test_every_link_opens_with_its_styles(spark_cluster: Deck) -> None:
    links = spark_cluster.links()
    assert len(links) == 4
    with browser() as driver:
        for link in links:
            page = see(driver, link["url"], "Spark Master" if link["service"] == "spark-master" else "Spark Worker")
            assert page.style_rules > 50
            assert page.failed == ()


def test_stop_and_up_again(spark_cluster: Deck) -> None:
    spark_cluster.run("stop")
    states = {row["state"] for row in spark_cluster.json("status", code=1)["services"]}
    assert states == {"ended"}
    refused = spark_cluster.run("submit", code=2)
    assert "must be up to run a job" in refused.stderr
    spark_cluster.run("up")
    assert spark_cluster.json("status")["spark"]["workers"] == 3


ANYBODYS = """
x-spark: &spark
  image: IMAGE
  # As in many an image, its programs are not on the PATH.
  environment: &settings {PATH: "/usr/local/bin:/usr/bin:/bin", SPARK_WORKER_MEMORY: 1G, SPARK_WORKER_CORES: "1"}
services:
  boss:
    <<: *spark
    command: [/opt/spark/bin/spark-class, org.apache.spark.deploy.master.Master, --host, boss]
  spark-worker:
    <<: *spark
    command: [/opt/spark/bin/spark-class, org.apache.spark.deploy.worker.Worker, "spark://boss:7077"]
    depends_on: [boss]
"""
HELLO = """
import sys
from pyspark.sql import SparkSession
from helper import doubled
spark = SparkSession.builder.appName("hello").getOrCreate()
numbers = spark.sparkContext.range(int(sys.argv[1]), numSlices=2)
print("ON", spark.sparkContext.master, "SUM", numbers.map(doubled).sum())
"""


def test_a_script_from_anywhere_runs_on_anybodys_cluster(spark_cluster: Deck, tmp_path: Path) -> None:
    """No layout, no client, no master in Spark's settings; a script and its helper that nobody mounts."""
    project = f"deck-anybody-{os.getpid()}"
    settings = (spark_cluster.folder / ".env").read_text()
    image = re.search(r"^COMPOSE_PROJECT_NAME=(.+)$", settings, re.MULTILINE)[1] + "-spark:3.5.9"  # type: ignore[index]
    folder, scripts = tmp_path / "project", tmp_path / "scripts"
    for made in (folder, scripts):
        made.mkdir()
    (folder / "compose.yaml").write_text(ANYBODYS.replace("IMAGE", image))
    (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME={project}\n")
    (scripts / "hello.py").write_text(HELLO)
    (scripts / "helper.py").write_text("def doubled(number):\n    return 2 * number\n")
    deck = Deck(folder)
    try:
        deck.run("up")
        with chdir(scripts):
            done = deck.run(
                "submit", "hello.py", "--with", "helper.py", "--conf", "spark.executor.memory=700m", "--", "10"
            )
        assert "to spark://boss:7077" in done.stderr
        assert "ON spark://boss:7077 SUM 90" in done.stdout
    finally:
        # Not `cleanup`: the image is another stack's.
        deck.run("down", "--yes", code=None)
