"""Which JARs fit a Spark, and that only whole ones are kept; against a Maven repository on the loopback address."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "compose" / "flight-delay" / "images" / "fetch_jars.py"
_spec = importlib.util.spec_from_file_location("fetch_jars", FILE)
assert _spec is not None and _spec.loader is not None
fetch_jars = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fetch_jars)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """The folder of a repository that `maven` reads."""
    (tmp_path / "repository").mkdir()
    yield tmp_path / "repository"


@pytest.fixture
def maven(repository: Path) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(repository)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield fetch_jars.Maven(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def publish(repository: Path, version: str, content: bytes, digest: str | None = None) -> None:
    folder = repository / "org" / "apache" / "thing" / version
    folder.mkdir(parents=True)
    (folder / f"thing-{version}.pom").write_text("<project/>")
    (folder / f"thing-{version}.jar").write_bytes(content)
    (folder / f"thing-{version}.jar.sha1").write_text(digest or hashlib.sha1(content).hexdigest())


def test_the_nearest_earlier_patch_release_is_taken(repository: Path, maven: Any) -> None:
    for version in ("3.5.7", "3.5.3", "3.4.9"):
        publish(repository, version, b"x")
    assert maven.nearest("org.apache", "thing", "3.5.9") == "3.5.7"
    assert maven.nearest("org.apache", "thing", "3.5.6") == "3.5.3"
    assert maven.nearest("org.apache", "thing", "3.5.2") is None, "never one of another line"


def test_a_jar_is_kept_only_as_published(repository: Path, maven: Any, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    publish(repository, "1.0.0", b"whole")
    publish(repository, "1.0.1", b"broken", digest="0" * 40)
    maven.fetch(folder, "org.apache", "thing", "1.0.0")
    with pytest.raises(fetch_jars.FetchError, match="SHA-1"):
        maven.fetch(folder, "org.apache", "thing", "1.0.1")
    with pytest.raises(fetch_jars.FetchError, match="404"):
        maven.fetch(folder, "org.apache", "thing", "2.0.0")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"thing-1.0.0.jar": b"whole"}


def test_hadoop_says_which_aws_bundle_it_was_built_with() -> None:
    first = "<aws-java-sdk.version>1.12.262</aws-java-sdk.version>"
    old = f'<project xmlns="urn:x"><properties>{first}</properties></project>'
    new = old.replace("</properties>", "<aws-java-sdk-v2.version>2.24.6</aws-java-sdk-v2.version></properties>")
    assert fetch_jars.aws_bundle(old) == ("com.amazonaws", "aws-java-sdk-bundle", "1.12.262")
    assert fetch_jars.aws_bundle(new) == ("software.amazon.awssdk", "bundle", "2.24.6")
    with pytest.raises(fetch_jars.FetchError):
        fetch_jars.aws_bundle("<project/>")


def test_spark_itself_says_where_its_repository_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e .[dev]")
    monkeypatch.delenv("MAVEN_REPOSITORY", raising=False)
    jars = fetch_jars.spark_jars()
    assert fetch_jars.repository(jars).startswith("https://")
    assert fetch_jars.release(jars, r"spark-core_(2[.]\d+)-(.+)[.]jar")[1].count(".") == 2
    monkeypatch.setenv("MAVEN_REPOSITORY", "http://127.0.0.1:1/maven/")
    assert fetch_jars.repository(jars) == "http://127.0.0.1:1/maven"
