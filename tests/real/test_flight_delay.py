"""The flight-delay stack for real: built, started, used and looked at, as a person would."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.deck.harness import screen_text
from tests.real.browser import browser, see
from tests.real.deck import NARROW, OWNER, Deck, copy_out, flight_delay_settings, taken_away
from tests.real.hold import HOLD, heard, master, metrics, running_hold, spark, until
from tui.deck.app import DeckApp
from tui.deck.desk import Desk
from tui.deck.settings import Settings
from tui.stack.catalogue import find_stack

pytestmark = pytest.mark.engine

REAL_FLIGHTS = Path(__file__).parents[3] / "shared" / "data" / "flight-test" / "Flights_samples.csv"


@pytest.fixture(scope="session")
def hold(flight_delay: Deck) -> str:
    """A job that keeps every core busy for as long as it is told."""
    (flight_delay.work / "apps" / "hold.py").write_text(HOLD)
    return "hold.py"


def test_everything_is_healthy_and_the_workers_are_registered(flight_delay: Deck) -> None:
    status = flight_delay.json("status")
    states = {row["service"]: row["state"] for row in status["services"]}
    workers = [f"spark-worker-{number}" for number in (1, 2, 3, 4)]
    assert states == dict.fromkeys(["spark-master", *workers, "spark-submit", "mlflow", "jupyter"], "healthy")
    assert status["spark"]["workers"] == 4
    assert status["spark"]["cores"] == 4
    assert all(row["memory"] > 100_000 for row in status["services"]), "memory is measured"
    assert all(row["cpu_percent"] is not None for row in status["services"])
    assert flight_delay.json("doctor") == [], "and nothing is wrong with it"


def test_the_pyspark_job_trains_and_logs_to_mlflow(flights: Deck) -> None:
    done = flights.run("submit", "--json", *NARROW, "--", "--seed", "7")
    run = json.loads(done.stdout[done.stdout.rindex("\n{") :])
    assert run["exit_code"] == 0
    assert flights.json("jobs")[0]["args"] == ["--seed", "7"]
    assert run["outcome"] == "succeeded"
    assert re.search(r"stage \d+: train: fit", done.stderr), "its stages were shown"
    found = metrics(flights)
    best = found["models"][found["best"]]["test"]["auc"]
    assert 0.6 < best < 0.8, "schedule-only features find what the generator planted, and no more"
    # Read back from MLflow's REST API, by the run's own tag.
    mlflow = flights.run("open", "mlflow", "--print").stdout.split()[0]
    experiments = _post(mlflow, "experiments/search", {"max_results": 50})["experiments"]
    wanted = {
        "experiment_ids": [item["experiment_id"] for item in experiments],
        "filter": f"tags.`sparkdeck.run` = '{run['run']}'",
    }
    logged = _post(mlflow, "runs/search", wanted)["runs"]
    assert len(logged) == 1
    assert logged[0]["info"]["status"] == "FINISHED"
    values = {item["key"]: item["value"] for item in logged[0]["data"]["metrics"]}
    assert any(abs(value - best) < 1e-9 for value in values.values()), values


async def _see_runs(deck: Deck, *words: str) -> None:
    """The deck's MLflow runs show all of these."""
    app = DeckApp(Desk(find_stack(str(deck.folder), deck.folder)), Settings(strict=True, reduced_motion=True))
    async with app.run_test(size=(160, 48)) as pilot, asyncio.timeout(60):
        while app.desk.ready is None or not app.desk.ready.watch.panes["mlflow/1"].well:
            await pilot.pause(0.1)
        await pilot.press("m")
        while any(word not in screen_text(app) for word in words):
            await pilot.pause(0.1)


async def test_the_deck_shows_what_mlflow_has(flights: Deck) -> None:
    await _see_runs(flights, "✓ finished", f"{metrics(flights)['best']}.auc")


async def test_a_champion_and_a_run_that_was_left(flights: Deck) -> None:
    mlflow = flights.run("open", "mlflow", "--print").stdout.split()[0]
    tags = [{"key": "sparkdeck.run", "value": "gone"}]
    left = _post(mlflow, "runs/create", {"experiment_id": "0", "run_name": "left", "tags": tags})["run"]["info"]
    model = {"name": "delays", "source": f"{left['artifact_uri']}/model", "run_id": left["run_id"]}
    try:
        _post(mlflow, "registered-models/create", {"name": "delays"})
        _post(mlflow, "model-versions/create", model)
        _post(mlflow, "registered-models/alias", {"name": "delays", "alias": "champion", "version": "1"})
        (finding,) = flights.json("doctor", code=1)
        assert finding["service"] == "mlflow" and "The MLflow run left says RUNNING" in finding["what"]
        await _see_runs(flights, "▲ stale", "delays 1 champion")
    finally:
        _post(mlflow, "runs/delete", {"run_id": left["run_id"]})


def _post(base: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{base.rstrip('/')}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_the_jar_is_built_and_does_the_same_work(flights: Deck) -> None:
    flights.run("submit", "flight-delay-jar", *NARROW)
    python, scala = metrics(flights), metrics(flights, "flight-delay-jar")
    assert python["models"].keys() == scala["models"].keys() == {"lr", "rf", "gbt"}
    for name, ours in python["models"].items():
        assert abs(ours["test"]["auc"] - scala["models"][name]["test"]["auc"]) < 0.05, name
    assert (scala["language"], scala["mlflow"]["logged"]) == ("Scala", True)


def test_some_steps_only(flights: Deck) -> None:
    """Step by step, on real flights where they are here: each step goes on from the one before."""
    folder = flights.work / "data" / "real"
    words = ["--", "--output", "/output/steps"]
    if REAL_FLIGHTS.is_file():
        folder.mkdir()
        shutil.copy(REAL_FLIGHTS, folder)
        words += ["--input", "/data/real"]
    try:
        missing = flights.run("submit", "flight-delay", *NARROW, *words, code=2, TASKS="train")
        assert "TASKS=" in missing.stdout
        flights.run("submit", "flight-delay", *NARROW, *words, TASKS="load,preprocess")
        assert not (flights.work / "output" / "steps" / "model").exists()
        flights.run("submit", "flight-delay", *NARROW, *words, "--models", "lr", TASKS="train")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = metrics(flights, "steps")
    assert found["models"].keys() == {"lr"}
    counts = (found["input"]["rows"], found["input"]["cancelled"], found["input"]["diverted"])
    assert not REAL_FLIGHTS.is_file() or counts == (1352, 14, 4)


def test_what_containers_write_belongs_to_their_user(flights: Deck) -> None:
    written = [path for path in flights.work.rglob("*") if path.is_file() and "output" in path.parts]
    assert len(written) > 10
    expected = OWNER if (flights.folder / ".env").read_text().count(str(OWNER)) else None
    assert expected is None or {path.stat().st_uid for path in written} == {expected}
    assert any("spark-events" in path.parts for path in written), "the event log is kept"


def test_bad_input_says_what_and_where(flights: Deck) -> None:
    broken = flights.work / "data" / "broken"
    broken.mkdir()
    (broken / "flights.csv").write_text("FL_DATE,NOTHING\n2024-01-01,1\n")
    try:
        done = flights.run("submit", "flight-delay", *NARROW, "--", "--input", "/data/broken", code=2)
    finally:
        shutil.rmtree(broken)
    assert "flights.csv" in done.stdout
    assert "CRS_DEP_TIME" in done.stdout


def test_restarting_a_worker_registers_it_again(flight_delay: Deck) -> None:
    flight_delay.run("restart", "spark-worker-2")
    until("4 workers", lambda: master(flight_delay)["aliveworkers"] == 4)


def test_workers_join_and_leave_while_a_job_runs(flight_delay: Deck, hold: str) -> None:
    run = flight_delay.run("submit", hold, "--detach", "--", "90", "2").stdout.strip()
    until("the job runs", lambda: running_hold(flight_delay) is not None)
    flight_delay.run("scale", "6")
    assert spark(flight_delay)["workers"] == 6
    until("the job works on the new ones too", lambda: master(flight_delay)["coresused"] == 6)
    drained = flight_delay.run("scale", "4")
    assert "Draining" in drained.stderr
    assert spark(flight_delay)["workers"] == 4
    followed = flight_delay.run("jobs", run)
    assert "SUM 4005" in followed.stdout, "every task's result counted once"
    # Drained, not shot: no task was lost.
    log = flight_delay.run("logs", run, "--tail", "all").stdout
    assert "ExecutorLostFailure" not in log
    extra = [row for row in flight_delay.json("status")["services"] if row["service"] == "spark-worker-extra"]
    assert extra == []


def test_a_job_survives_its_submitter_and_a_worker(flight_delay: Deck, hold: str) -> None:
    submitter = flight_delay.start("submit", hold, "--", "30", "2")
    until("the job works on 4 cores", lambda: (running_hold(flight_delay) or {}).get("cores") == 4)
    submitter.send_signal(signal.SIGKILL)
    submitter.communicate()
    run = next(item for item in flight_delay.json("jobs") if item["state"] == "running")
    assert run["job"] == "hold"
    name = next(
        row["replica"]
        for row in flight_delay.json("status", code=None)["services"]
        if row["service"] == "spark-worker-3"
    )
    subprocess.run(["docker", "kill", name], check=True, capture_output=True)
    assert "SUM 435" in flight_delay.run("jobs", run["run"]).stdout
    again = next(item for item in flight_delay.json("jobs") if item["run"] == run["run"])
    assert (again["state"], again["exit_code"]) == ("ended", 0)
    status = flight_delay.json("status", code=1)
    row = next(row for row in status["services"] if row["service"] == "spark-worker-3")
    assert (row["state"], row["exit_code"], row["well"]) == ("ended", 137, False)
    (finding,) = flight_delay.json("doctor", code=1)
    assert finding["service"] == "spark-worker-3" and "was killed" in finding["what"]
    flight_delay.run("up", "spark-worker-3")
    until("4 workers", lambda: master(flight_delay)["aliveworkers"] == 4)


def test_a_job_that_can_never_start_says_why(flight_delay: Deck, hold: str) -> None:
    submitter = flight_delay.start("submit", hold, "--conf", "spark.executor.memory=5g", "--", "2", "1")
    try:
        until("it waits", lambda: any(app["state"] == "WAITING" for app in master(flight_delay)["activeapps"]))
        run = next(item["run"] for item in flight_delay.json("jobs") if item["state"] == "running")
        (finding,) = flight_delay.json("doctor", code=1)
        assert "The application hold waits. It asks for 5" in finding["what"]
        output = heard(submitter, "waiting: ")
        flight_delay.run("jobs", run, "--cancel")
        output += submitter.communicate(timeout=60)[0]
    finally:
        submitter.kill()
    assert "waiting: It asks for 5" in output
    assert "spark.executor.memory" in output


def test_the_notebook_kernel_is_wired_to_the_master(flight_delay: Deck) -> None:
    script = (
        "from jupyter_client.manager import start_new_kernel as s\n"
        "m, c = s(kernel_name='pyspark', startup_timeout=120)\n"
        "c.execute_interactive('import mlflow; print(sc.master, spark.range(1000).count(), mlflow.get_tracking_uri())',"
        " timeout=120, output_hook=lambda x: print(x['content'].get('text', ''), end=''))\n"
        "m.shutdown_kernel()\n"
    )
    done = flight_delay.run("shell", "jupyter", "--", "python", "-c", script)
    assert "spark://spark-master:7077 1000 http://mlflow-server:5000" in done.stdout


def test_every_link_opens_with_its_styles_and_a_cancelled_job_frees_its_cores(
    flight_delay: Deck, hold: str, tmp_path: Path
) -> None:
    run = flight_delay.run("submit", hold, "--detach", "--", "200", "5").stdout.strip()
    until("the job runs", lambda: running_hold(flight_delay) is not None)
    app = running_hold(flight_delay)["id"]
    expected = {"spark-master": "Spark Master", "mlflow": "MLflow", "jupyter": "JupyterLab"}
    links = flight_delay.links()
    assert len(links) == 7
    with browser() as driver:
        for link in links:
            word = expected.get(link["service"], "Spark Worker")
            page = see(driver, link["url"], word, picture=tmp_path / f"{link['service']}.png")
            assert page.style_rules > 50, f"{link['url']} has no styles"
            assert page.failed == (), link["url"]
        base = next(link["url"] for link in links if link["service"] == "spark-master")
        page = see(driver, f"{base}proxy/{app}/jobs/", "hold every core")
        assert page.style_rules > 50
        assert page.failed == ()
    assert "token=" in next(link["url"] for link in links if link["service"] == "jupyter")
    flight_delay.run("jobs", run, "--cancel")
    until("its cores are free", lambda: master(flight_delay)["coresused"] == 0)
    assert next(item for item in flight_delay.json("jobs") if item["run"] == run)["exit_code"] in (130, 137, 143)


def test_shell_and_spark_shell(flight_delay: Deck) -> None:
    done = flight_delay.run("shell", "mlflow", "--", "id", "-u", code=0)
    assert done.stdout.strip().isdigit()
    assert flight_delay.run("shell", "spark-submit", "--", "sh", "-c", "exit 7", code=7)
    refused = flight_delay.run("shell", code=2)
    assert "needs a terminal" in refused.stderr


def test_a_taken_port_names_its_holder_and_its_variable(flight_delay: Deck, tmp_path: Path) -> None:
    settings = dict(
        line.split("=", 1) for line in (flight_delay.folder / ".env").read_text().splitlines() if "=" in line
    )
    settings["COMPOSE_PROJECT_NAME"] += "-second"
    other = copy_out("flight-delay", tmp_path / "second", settings)
    done = other.run("up", code=2)
    assert f"Port {settings['MLFLOW_PORT']}, which mlflow wants, is taken by container " in done.stderr
    assert f"set MLFLOW_PORT in {other.folder / '.env'}" in done.stderr
    assert other.json("status", code=1)["services"][0]["state"] == "down"


def test_logs_of_several_services_in_order_of_time(flight_delay: Deck) -> None:
    done = flight_delay.run("logs", "spark-master", "spark-worker-1", "-t", "--tail", "50")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("spark-master |", "spark-worker-1 |"))]
    times = [line.split()[2] for line in lines]
    assert len(lines) > 20
    assert times == sorted(times)


def test_following_logs_goes_on_over_a_restart(flight_delay: Deck) -> None:
    follower = flight_delay.start("logs", "-f", "-t", "--tail", "5", "spark-worker-1")
    seen: list[str] = []
    try:
        assert follower.stdout is not None
        seen.append(follower.stdout.readline())
        flight_delay.run("restart", "spark-worker-1")
        for line in follower.stdout:
            seen.append(line)
            if "Successfully registered with master" in line:
                break
    finally:
        follower.kill()
        follower.communicate()
    whole = flight_delay.run("logs", "-t", "--tail", "all", "spark-worker-1").stdout.splitlines(keepends=True)
    first = whole.index(seen[0])
    assert seen == whole[first : first + len(seen)], "no line lost, none twice"
    assert any("Started daemon" in line for line in seen), "over the restart"


def test_another_release_of_spark_runs_the_jobs_beside_it(
    flights: Deck, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Spark 4.x by the build argument alone, in a second copy of the stack while the first one runs."""
    folder = tmp_path_factory.mktemp("spark4") / "flight-delay"
    deck = copy_out("flight-delay", folder, flight_delay_settings("deck-spark4", SPARK_VERSION="4.1.4"))
    with taken_away(deck) as other:
        other.run("up", "spark-master", "spark-worker-1", "spark-submit", timeout=1800)
        shutil.copytree(flights.work / "data", other.work / "data", dirs_exist_ok=True)
        fast = [*NARROW, "--", "--models", "lr"]
        done = other.run("submit", "flight-delay", *fast)
        assert "MLflow" in done.stdout + done.stderr, "says that nothing was logged: MLflow is not up here"
        other.run("submit", "flight-delay-jar", "--conf", "spark.master=local[1]", *fast[2:])
        assert metrics(other)["spark"].startswith("4.1")
        assert metrics(other, "flight-delay-jar")["spark"].startswith("4.1")
    assert spark(flights)["workers"] == 4, "the first copy went on"


def test_down_and_cleanup_leave_nothing_but_the_users_folders(flight_delay: Deck) -> None:
    project = next(
        line.split("=")[1] for line in (flight_delay.folder / ".env").read_text().splitlines() if "PROJECT" in line
    )
    flight_delay.run("down", "--yes")
    label = f"label=com.docker.compose.project={project}"
    for kind in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]):
        left = subprocess.run(["docker", *kind, "--filter", label], capture_output=True, text=True, check=True)
        assert left.stdout == "", kind
    dry = flight_delay.json("cleanup", "--dry-run")
    # What is remembered of runs stands here only after a run.
    assert {item["kind"] for item in dry} - {"history"} == {"image"}
    assert all(item["size"] > 100_000_000 for item in dry if item["kind"] == "image")
    flight_delay.run("cleanup", "--yes")
    assert flight_delay.json("cleanup") == []
    assert (flight_delay.work / "output").is_dir()
