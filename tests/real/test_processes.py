"""The bundled stacks for real as processes of this machine, with no Docker to be found: two of them side by side."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.real.deck import NARROW, SMALL, Deck, copy_out
from tests.real.hold import HOLD, master, metrics, running_hold, spark, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")

WORKERS = [f"spark-worker-{number}" for number in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where these stacks keep their state, on a machine whose Docker is gone."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("DOCKER_HOST", f"unix://{folder}/no-docker.sock")
        for name in ("DOCKER_CONTEXT", "SPARKDECK_ENGINE", "JUPYTER_TOKEN"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def deck(states: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The flight-delay stack, healthy, with sample data and a job that keeps every core busy."""
    folder = tmp_path_factory.mktemp("processes") / "flight-delay"
    made = copy_out("flight-delay", folder, {"COMPOSE_PROJECT_NAME": f"processes-{os.getpid()}", **SMALL})
    try:
        started = made.run("up", timeout=400)
        assert "as processes of " in started.stderr and ": Docker does not answer" in started.stderr
        made.run("data", "--rows", "8000", "--seed", "7")
        (made.work / "apps" / "hold.py").write_text(HOLD)
        yield made
    finally:
        made.run("down", "--yes", code=None)


@pytest.fixture(scope="module")
def other(states: Path, deck: Deck, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """Another stack beside it, with the ports that its compose file names."""
    folder = tmp_path_factory.mktemp("processes") / "spark-cluster"
    settings = {"COMPOSE_PROJECT_NAME": f"cluster-{os.getpid()}", "SPARK_EXECUTOR_MEMORY": "512m"}
    made = copy_out("spark-cluster", folder, {**settings, "SPARK_WORKERS": "2", "SPARK_WORKER_MEMORY": "1G"})
    try:
        made.run("up", timeout=400)
        yield made
    finally:
        made.run("down", "--yes", code=None)


def ours(states: Path) -> list[psutil.Process]:
    """Every process that was started for these stacks, keepers included."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                str(states) in " ".join([*process.cmdline(), *process.environ().values()])
                and process.pid != os.getpid()
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def address(deck: Deck, service: str) -> str:
    return deck.run("open", service, "--print").stdout.split()[0]


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_everything_is_healthy_and_the_workers_are_registered(deck: Deck) -> None:
    status = deck.json("status")
    states = {row["service"]: row["state"] for row in status["services"]}
    assert states == dict.fromkeys(["spark-master", *WORKERS, "spark-submit", "mlflow", "jupyter"], "healthy")
    assert (status["spark"]["workers"], status["spark"]["cores"]) == (4, 4)
    assert all(row["memory"] > 1_000_000 for row in status["services"]), "memory is measured"
    assert deck.json("doctor") == [], "and nothing is wrong with it"


def test_nothing_listens_on_another_address_than_this_machines_own(deck: Deck, states: Path) -> None:
    pids = {process.pid for process in ours(states)}
    listening = [one for one in psutil.net_connections("tcp") if one.pid in pids and one.status == psutil.CONN_LISTEN]
    assert len(listening) > 8
    assert {one.laddr.ip.removeprefix("::ffff:") for one in listening if one.laddr} <= {"127.0.0.1", "::1"}


def test_what_is_secret_is_for_its_owner_only(deck: Deck, states: Path) -> None:
    (folder,) = (item for item in (states / "sparkdeck" / "processes").iterdir() if item.name.startswith("flight"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    conf = folder / "spark" / "conf" / "spark-defaults.conf"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o600
    settings = dict(line.split(" ", 1) for line in conf.read_text().splitlines())
    assert settings["spark.authenticate"] == "true"
    secret = settings["spark.authenticate.secret"]
    assert len(secret) >= 32
    assert not [one for one in ours(states) if secret in " ".join(one.cmdline())]


def test_jupyter_asks_for_its_token(deck: Deck) -> None:
    link = address(deck, "jupyter")
    base, token = re.fullmatch(r"(http://localhost:\d+)/lab\?token=(\w{20,})", link).groups()  # type: ignore[union-attr]
    assert status_of(f"{base}/api/contents") == 403
    assert status_of(f"{base}/api/contents?token={token}") == 200


def test_every_worker_has_a_page_of_its_own_through_the_master(deck: Deck) -> None:
    links = {link["service"]: link["url"] for link in deck.links()}
    pages = [links[worker] for worker in WORKERS]
    assert len(set(pages)) == 4
    assert [status_of(page) for page in pages] == [200] * 4


def test_the_pyspark_job_trains_and_logs_to_mlflow(deck: Deck) -> None:
    done = deck.run("submit", "--json", *NARROW, "--", "--seed", "7", "--models", "lr")
    run = json.loads(done.stdout[done.stdout.rindex("\n{") :])
    assert (run["exit_code"], run["outcome"]) == (0, "succeeded")
    found = metrics(deck)
    assert 0.55 < found["models"]["lr"]["test"]["auc"] < 0.85
    assert found["mlflow"]["logged"] is True
    assert found["mlflow"]["uri"].removeprefix("http://127.0.0.1") == address(deck, "mlflow").removeprefix(
        "http://localhost"
    ).rstrip("/")
    assert any((deck.work / "output" / "spark-events").iterdir()), "the event log is kept"


def test_the_jar_is_compiled_here_and_does_the_same_work(deck: Deck) -> None:
    deck.run("submit", "flight-delay-jar", *NARROW, "--", "--models", "lr")
    python, scala = metrics(deck), metrics(deck, "flight-delay-jar")
    assert abs(python["models"]["lr"]["test"]["auc"] - scala["models"]["lr"]["test"]["auc"]) < 0.05
    assert (scala["language"], scala["mlflow"]["logged"]) == ("Scala", True)


def test_paths_of_the_services_are_understood(deck: Deck) -> None:
    broken = deck.work / "data" / "broken"
    broken.mkdir()
    (broken / "flights.csv").write_text("FL_DATE,NOTHING\n2024-01-01,1\n")
    words = ["--", "--input", "/data/broken", "--output=/output/broken"]
    done = deck.run("submit", "flight-delay", *NARROW, *words, code=2)
    assert str(broken) in done.stdout
    assert "CRS_DEP_TIME" in done.stdout


def test_workers_join_and_leave_while_a_job_runs(deck: Deck) -> None:
    run = deck.run("submit", "hold.py", "--detach", "--", "90", "2").stdout.strip()
    until("the job runs", lambda: running_hold(deck) is not None)
    deck.run("scale", "6")
    assert spark(deck)["workers"] == 6
    until("the job works on the new ones too", lambda: master(deck)["coresused"] == 6)
    assert "Draining" in deck.run("scale", "4").stderr
    assert spark(deck)["workers"] == 4
    assert "SUM 4005" in deck.run("jobs", run).stdout, "every task's result counted once"
    assert "ExecutorLostFailure" not in deck.run("logs", run, "--tail", "all").stdout


def test_a_job_survives_its_submitter_and_a_worker(deck: Deck) -> None:
    submitter = deck.start("submit", "hold.py", "--", "30", "2")
    until("the job works on 4 cores", lambda: (running_hold(deck) or {}).get("cores") == 4)
    submitter.kill()
    submitter.communicate()
    run = next(item for item in deck.json("jobs") if item["state"] == "running")
    worker = next(
        worker for worker in master(deck)["workers"] if worker["state"] == "ALIVE" and worker["coresused"] > 0
    )
    port = int(worker["webuiaddress"].rsplit(":", 1)[1])
    psutil.Process(_listener(port)).kill()
    assert "SUM 435" in deck.run("jobs", run["run"]).stdout
    again = next(item for item in deck.json("jobs") if item["run"] == run["run"])
    assert (again["state"], again["exit_code"]) == ("ended", 0)
    (dead,) = (row for row in deck.json("status", code=1)["services"] if not row["well"])
    assert (dead["state"], dead["exit_code"]) == ("ended", 137)
    deck.run("up", dead["service"])
    until("4 workers", lambda: master(deck)["aliveworkers"] == 4)


def _listener(port: int) -> int:
    """The process that listens on a port of this machine."""
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
            return one.pid
    raise AssertionError(f"nobody listens on {port}")


def test_a_cancelled_job_frees_its_cores_and_leaves_no_executor(deck: Deck, states: Path) -> None:
    run = deck.run("submit", "hold.py", "--detach", "--", "200", "5").stdout.strip()
    until("the job runs", lambda: running_hold(deck) is not None)
    deck.run("jobs", run, "--cancel")
    until("its cores are free", lambda: master(deck)["coresused"] == 0)
    until("its executors are gone", lambda: not _executors(states))


def _executors(states: Path) -> list[psutil.Process]:
    return [one for one in ours(states) if "CoarseGrainedExecutorBackend" in " ".join(_words(one))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_notebook_kernel_is_wired_to_the_master(deck: Deck) -> None:
    script = (
        "from jupyter_client.manager import start_new_kernel as s\n"
        "m, c = s(kernel_name='pyspark', startup_timeout=120)\n"
        "c.execute_interactive('import mlflow; print(sc.master, spark.range(1000).count(), mlflow.get_tracking_uri())',"
        " timeout=120, output_hook=lambda x: print(x['content'].get('text', ''), end=''))\n"
        "m.shutdown_kernel()\n"
    )
    done = deck.run("shell", "jupyter", "--", "python", "-c", script)
    assert re.search(r"spark://127\.0\.0\.1:\d+ 1000 http://127\.0\.0\.1:\d+", done.stdout)


def test_a_second_stack_runs_beside_it_on_ports_of_its_own(deck: Deck, other: Deck) -> None:
    assert not {*_published(deck)} & {*_published(other)}
    assert address(other, "spark-master") != address(deck, "spark-master")
    assert spark(other)["workers"] == 2
    done = other.run("submit", "example")
    assert "1,000,000 records in 12 partitions" in done.stdout
    other.run("scale", "3")
    assert spark(other)["workers"] == 3
    assert spark(deck)["workers"] == 4, "the first one went on"


def test_a_port_that_the_user_set_is_refused_with_its_holder_and_a_free_one(states: Path, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        settings = {"COMPOSE_PROJECT_NAME": "taken", "SPARK_MASTER_UI_PORT": str(port)}
        refused = copy_out("spark-cluster", tmp_path / "taken", settings)
        done = refused.run("up", code=2)
    assert f"Port {port}, which spark-master wants, is taken by " in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    free = re.search(
        rf"set SPARK_MASTER_UI_PORT in {re.escape(str(refused.folder / '.env'))}; (\d+) is free", done.stderr
    )
    assert free and int(free[1]) > port


def test_workers_that_the_machine_cannot_hold_are_refused_with_the_arithmetic(states: Path, tmp_path: Path) -> None:
    settings = {"COMPOSE_PROJECT_NAME": "large", "SPARK_WORKERS": "4", "SPARK_WORKER_MEMORY": "4000G"}
    done = copy_out("spark-cluster", tmp_path / "large", settings).run("up", code=None)
    assert done.returncode in (1, 2)
    assert "4 workers of 4000G (SPARK_WORKER_MEMORY) need 16000.0G, and this machine has " in done.stderr


def test_down_leaves_no_process_port_or_file(deck: Deck, other: Deck, states: Path) -> None:
    ports = [port for stack in (deck, other) for port in _published(stack)]
    assert len(ports) > 8
    for stack in (deck, other):
        stack.run("down", "--yes")
    assert ours(states) == []
    assert list((states / "sparkdeck" / "processes").iterdir()) == [], "and nothing is kept of them"
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"somebody still listens on {port}"
    assert (deck.work / "output" / "flight-delay" / "metrics.json").is_file(), "the user's results stay"


def _published(deck: Deck) -> list[int]:
    return [int(port.split("->")[0]) for row in deck.json("status")["services"] for port in row["ports"]]
