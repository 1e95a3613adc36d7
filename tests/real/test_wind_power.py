"""The wind-power stack for real: from a demo to a degraded turbine, with every service restarted in between."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.real.browser import browser, see
from tests.real.deck import OWNER, Deck, copy_out, free_ports, owned_folders, taken_away
from tests.real.hold import until

sys.path.insert(0, str(Path(__file__).parents[2] / "compose" / "wind-power" / "project" / "src"))
from windpower.stream import points
from windpower.turbine import Turbine, measurements

pytestmark = pytest.mark.engine

SERVICES = ("app-ml-inference", "app-ml-train", "app-stream-data", "app-ui", "kedro-viz", "mlflow")


@dataclass(frozen=True)
class Wind:
    """The stack after its demo, what it said, and what it had said before there was data."""

    deck: Deck
    demo: str
    without_data: str

    @property
    def database(self) -> Path:
        return self.deck.work / "database" / "wind-power.db"

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=30)) as database:
            return database.execute(question).fetchall()

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM {table}")[0][0])

    def result(self, name: str) -> Any:
        return json.loads((self.deck.work / "output" / name).read_text())

    def page(self, service: str) -> str:
        return self.deck.run("open", service, "--print").stdout.split()[0]

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.page("app-ui") + "health", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


def _copied(folder: Path, name: str, **settings: str) -> Deck:
    ports = dict(zip(("MLFLOW_PORT", "UI_PORT", "KEDRO_VIZ_PORT"), map(str, free_ports(3)), strict=True))
    owner = {"HOST_UID": str(OWNER), "HOST_GID": str(OWNER)} if os.getuid() == 0 else {}
    # Slow enough for the turbine to be healthy still when the demo has its verdict.
    speed = {"STREAM_SECONDS": "0.5", "INFERENCE_SECONDS": "1", "TRIALS": "2"}
    project = {"COMPOSE_PROJECT_NAME": f"{name}-{os.getpid()}"}
    deck = copy_out("wind-power", folder, {**project, **ports, **owner, **speed, **settings})
    if owner:
        owned_folders(deck, "data", "database", "output", "mlflow")
    return deck


@pytest.fixture(scope="module")
def wind_power(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wind]:
    """The stack, by its demo alone."""
    with taken_away(_copied(tmp_path_factory.mktemp("real") / "wind-power", "deck-wind")) as deck:
        refused = deck.run("up", code=None)
        assert refused.returncode != 0
        done = deck.run("demo", timeout=1800)
        yield Wind(deck, done.stdout + done.stderr, refused.stdout + refused.stderr)


def test_without_data_nothing_starts_and_it_says_what_to_do(wind_power: Wind) -> None:
    assert "app-ml-train needs data in" in wind_power.without_data
    assert "Starting services" not in wind_power.without_data


def test_the_demo_trains_predicts_and_tells_result_and_links(wind_power: Wind) -> None:
    assert "Champion: version 1." in wind_power.deck.run("logs", "app-ml-train").stdout
    assert "model      wind-power version 1, trained" in wind_power.demo
    assert "The turbine yields what the model expects of it." in wind_power.demo
    for service in ("app-ui", "mlflow", "kedro-viz"):
        assert wind_power.page(service) in wind_power.demo
    run = wind_power.deck.json("jobs")[0]
    assert (run["job"], run["exit_code"]) == ("report", 0)


def test_inference_waited_for_the_training_which_is_done(wind_power: Wind) -> None:
    rows = {row["service"]: row for row in wind_power.deck.json("status")["services"]}
    assert rows.keys() == set(SERVICES)
    assert all(row["well"] for row in rows.values())
    train, inference = rows["app-ml-train"], rows["app-ml-inference"]
    assert (train["state"], train["exit_code"]) == ("done", 0)
    # Both in ISO 8601 with the same zone.
    assert train["started_at"] < inference["started_at"]
    seconds = _epoch(inference["started_at"]) - _epoch(train["started_at"])
    assert seconds >= train["took_seconds"], "inference started after the training's end"
    assert "app-ml-inference" in wind_power.demo and "waits for app-ml-train" in wind_power.demo
    assert wind_power.deck.json("doctor") == []


def _epoch(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def test_the_model_finds_the_planted_curve(wind_power: Wind) -> None:
    trained = wind_power.result("training.json")
    assert trained["champion"] and trained["champion_before"] is None
    assert trained["test"]["mae"] < 0.75 * trained["baseline"]["mae"], "better than a curve of binned means"
    assert trained["test"]["r2"] > 0.98
    made = json.loads((wind_power.deck.work / "data" / "raw" / "_generated.json").read_text())
    # The curve of a healthy turbine: also of the times at which this one yields less.
    start = wind_power.ask("SELECT min(Timestamps) FROM predictions")[0][0].replace(" ", "T")
    _, truth = measurements(Turbine(**made["turbine"]), start, 2_000)
    curve = dict(zip(truth["Timestamps"].dt.strftime("%Y-%m-%d %H:%M"), truth["curve"], strict=True))
    found = wind_power.ask("SELECT Timestamps, predicted FROM predictions WHERE predicted IS NOT NULL LIMIT 2000")
    off = [abs(predicted - curve[moment]) for moment, predicted in found if moment in curve]
    assert len(off) > 100
    assert sum(off) / len(off) < 40, "of 2,000 kW"


def test_the_reports_count_what_was_planted(wind_power: Wind) -> None:
    planted = json.loads((wind_power.deck.work / "data" / "raw" / "_generated.json").read_text())["planted"]
    report = wind_power.result("cleaning.json")
    assert report["doubled"] == planted["doubled"] > 0
    assert report["gap_points"] == planted["gap"] > 0
    assert report["impossible"]["WindSpeed"] == planted["wind_below_0"] > 0
    assert report["impossible"]["WindDirAbs"] == planted["direction_above_360"] > 0
    log = wind_power.deck.run("logs", "app-ml-train").stdout
    assert f"{planted['wind_below_0']} impossible values of WindSpeed: made missing" in log


def test_mlflow_has_the_run_the_model_and_its_champion(wind_power: Wind) -> None:
    says = {row["service"]: row["says"] for row in wind_power.deck.json("status")["services"]}["mlflow"]
    assert "wind-power champion v1" in says
    base = wind_power.page("mlflow") + "api/2.0/mlflow/registered-models/alias?name=wind-power&alias=champion"
    with urllib.request.urlopen(base, timeout=20) as answer:
        version = json.load(answer)["model_version"]
    tags = {tag["key"]: float(tag["value"]) for tag in version["tags"]}
    trained = wind_power.result("training.json")
    assert tags == {
        "test_mae": trained["test"]["mae"],
        "mae_limit": trained["thresholds"]["mae"],
        "mape_limit": trained["thresholds"]["mape"],
    }
    assert version["run_id"] == trained["run_id"]


def test_every_page_in_a_browser(wind_power: Wind) -> None:
    links = {"MLflow": wind_power.page("mlflow"), "Kedro-Viz": wind_power.page("kedro-viz")}
    with browser() as driver:
        page = see(driver, wind_power.page("app-ui"), "wind-power version 1")
        assert page.failed == () and page.style_rules > 10
        for text in ("MAE, last 2 days", "MAPE, last 2 days", "threshold", "trained", "ago"):
            assert text in page.text
        read = "return [...document.querySelectorAll('a')].map(a => [a.innerText, a.href])"
        assert dict(driver.execute_script(read)) == links, "the page's own links lead where the stack's do"
        drawn = "return [...document.querySelectorAll('.legendtext, .gtitle')].map(t => t.textContent).join(' ')"
        until("the graphs are drawn", lambda: "Rolling MAPE" in driver.execute_script(drawn), 30)
        assert "measured predicted" in driver.execute_script(drawn)
        first = driver.execute_script("return document.body.innerText")
        until("the page refreshes itself", lambda: driver.execute_script("return document.body.innerText") != first, 30)
        page = see(driver, links["Kedro-Viz"], "champion_or_challenger")
        assert page.failed == () and page.style_rules > 10
        page = see(driver, f"{links['MLflow']}#/models/wind-power", "champion")
        assert page.failed == () and page.style_rules > 10


def test_the_page_shows_when_the_turbine_degrades(wind_power: Wind) -> None:
    """The demo's verdict was of a healthy turbine; three days of points later it begins to lose power."""
    settings = (wind_power.deck.folder / ".env").read_text()
    (wind_power.deck.folder / ".env").write_text(settings.replace("STREAM_SECONDS=0.5", "STREAM_SECONDS=0.02"))
    wind_power.deck.run("up", "app-stream-data")
    until("a threshold is exceeded", lambda: bool(wind_power.health()["over"]), 240)
    with browser() as driver:
        page = see(driver, wind_power.page("app-ui"), "Degraded:")
    assert "over the threshold; in the last 2 days the turbine yielded" in page.text
    # The stream goes on meanwhile: at the threshold a verdict may come, go, and come again.
    until("the report says so too", lambda: _degraded(wind_power.deck.run("submit", "report").stdout))


def _degraded(said: str) -> bool:
    return "Degraded:" in said and "less than the model expects of it" in said


def _more(wind_power: Wind, table: str, than: int) -> bool:
    return wind_power.count(table) > than


def _nothing_failed(wind_power: Wind) -> None:
    said = wind_power.deck.run("logs", "--tail", "2000").stdout
    assert "points predicted with version" in said and "points, up to" in said
    for trouble in ("locked", "no such table", "Traceback", "ERROR"):
        assert trouble not in said, [line for line in said.splitlines() if trouble in line]


def test_a_restart_of_any_service_loses_and_doubles_nothing(wind_power: Wind) -> None:
    # Each writer alone, then all the others.
    for services in (("app-stream-data",), ("app-ml-inference",), ("app-ui", "kedro-viz", "mlflow")):
        before = set(wind_power.ask("SELECT Timestamps, predicted, version, made FROM predictions"))
        streamed = wind_power.count("measurements")
        wind_power.deck.run("restart", *services)
        assert before <= set(wind_power.ask("SELECT Timestamps, predicted, version, made FROM predictions")), services
        until(f"points after {services}", partial(_more, wind_power, "measurements", streamed))
        until(f"predictions after {services}", partial(_more, wind_power, "predictions", len(before)))
    wind_power.deck.run("stop", "app-stream-data")
    until("every point is predicted", lambda: wind_power.count("predictions") == wind_power.count("measurements"))
    measured = wind_power.ask("SELECT * FROM measurements ORDER BY Timestamps")
    expected = islice(points(wind_power.deck.work / "data" / "raw", None), len(measured))
    assert measured == [(moment.strftime("%Y-%m-%d %H:%M"), *values) for moment, values in expected]
    _nothing_failed(wind_power)


def test_no_table_is_ever_missing(wind_power: Wind) -> None:
    """The page and inference start first, on an empty folder; the stream comes last."""
    deck = wind_power.deck
    deck.run("stop", "app-stream-data", "app-ml-inference", "app-ui")
    for file in (deck.work / "database").iterdir():
        file.unlink()
    deck.run("up", "app-ui")
    with browser() as driver:
        page = see(driver, wind_power.page("app-ui"), "Waiting for a model")
        assert "MAE, last 2 days\nunknown" in page.text
        deck.run("restart", "app-ml-inference")
        # Without opening the page anew: it refreshes itself.
        text = "return document.body.innerText"
        until("the page waits", lambda: "Waiting for the first measurement" in driver.execute_script(text), 60)
    deck.run("up", "app-stream-data")
    until("predictions", lambda: wind_power.health()["predictions"] > 0, 60)
    _nothing_failed(wind_power)


def test_30_000_dirty_rows_and_a_challenger(wind_power: Wind) -> None:
    deck = wind_power.deck
    dirty = ("--rows", "30000", "--faults", "10", "--seed", "8", "--format", "csv", "--replace")
    deck.run("data", *dirty)
    planted = json.loads((deck.work / "data" / "raw" / "_generated.json").read_text())["planted"]
    done = deck.run("submit", "retrain", "--", "--trials", "1", timeout=300)
    report, trained = wind_power.result("cleaning.json"), wind_power.result("training.json")
    assert report["rows"] == 30_000 - planted["gap"] + planted["doubled"]
    assert report["doubled"] == planted["doubled"] == 600
    assert report["gap_points"] == planted["gap"] > 1_000
    assert report["impossible"]["WindSpeed"] == planted["wind_below_0"] == 600
    assert (trained["version"], trained["champion_before"]) == ("2", "1")
    assert trained["champion"] == (trained["test"]["mae"] < trained["champion_mae"])
    best = "2" if trained["champion"] else "1"
    assert f"Champion: {'' if trained['champion'] else 'still '}version {best}." in done.stdout
    until("inference takes the champion", lambda: wind_power.health()["model"] == best, 60)
    refused = deck.run("submit", "retrain", "--", "--trials", "0", code=2)
    assert "TRIALS=0: expected a number from 1 to 1000." in refused.stdout + refused.stderr


def test_ready_images_list_what_they_need_and_then_run(wind_power: Wind, tmp_path: Path) -> None:
    project = wind_power.deck.run("status", "--json")  # the images are there as long as the stack is
    assert project.returncode == 0
    user = f"nobody{os.getpid()}"
    ready = _copied(tmp_path / "ready", "deck-ready", SPARKDECK_VARIANT="images", TRIALS="1")
    refused = ready.run("up", code=2)
    said = refused.stdout + refused.stderr
    for name in ("DOCKERHUB_USERNAME", "MLFLOW_UI_URI", "KEDRO_VIZ_URI"):
        assert name in said
    assert "whose images on Docker Hub are run" in said and str(ready.folder / ".env") in said
    assert "Starting" not in said
    built = f"deck-wind-{os.getpid()}"
    names = {f"{user}/wind-power-{part}": f"{built}-{part}" for part in ("app", "mlflow")}
    with taken_away(ready):
        try:
            for name, image in names.items():
                subprocess.run(["docker", "tag", image, name], check=True)
            settings = (ready.folder / ".env").read_text()
            needed = {
                "DOCKERHUB_USERNAME": user,
                "MLFLOW_UI_URI": "http://ml.test/",
                "KEDRO_VIZ_URI": "http://viz.test",
            }
            (ready.folder / ".env").write_text(settings + "".join(f"{key}={text}\n" for key, text in needed.items()))
            # Nothing of the project is taken from this folder: it is in the image.
            shutil.rmtree(ready.folder / "project")
            ready.run("data", "--rows", "2000")
            ready.run("up", timeout=600)
            url = ready.run("open", "app-ui", "--print").stdout.split()[0]
            with browser() as driver:
                see(driver, url, "wind-power version 1")
                links = driver.execute_script("return [...document.querySelectorAll('a')].map(a => a.href)")
            assert links == ["http://ml.test/", "http://viz.test/"]
        finally:
            ready.run("down", "--yes", code=None)
            subprocess.run(["docker", "rmi", *names], capture_output=True)


def test_stopping_takes_no_kill(wind_power: Wind) -> None:
    """Each service ends by itself when told to: none has to be killed after its time."""
    started = time.monotonic()
    wind_power.deck.run("stop")
    project = f"deck-wind-{os.getpid()}"
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={project}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    form = '{{index .Config.Labels "com.docker.compose.service"}} {{.State.ExitCode}}'
    ended = subprocess.run(["docker", "inspect", "-f", form, *listed], capture_output=True, text=True, check=True)
    assert " 137" not in ended.stdout, f"{ended.stdout} after {time.monotonic() - started:.0f} s"
