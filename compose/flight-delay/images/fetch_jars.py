"""Fetches the JARs that Spark's own distribution lacks, in the releases that fit the installed pyspark.

    python fetch_jars.py FOLDER avro|s3a...

avro is Spark's Avro format. s3a is Hadoop's client for S3 object stores (hadoop-aws with the AWS bundle that its own
release was built with) and Spark's bindings to its committers (spark-hadoop-cloud). They come from the Maven repository
that Spark itself is set to for `--packages`, or from MAVEN_REPOSITORY; each is compared with its published SHA-1.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from xml.etree import ElementTree

SETS = ("avro", "s3a")


class FetchError(Exception):
    """A JAR cannot be had; the message says which one and why."""


def spark_jars() -> Path:
    """The folder of the installed pyspark's own JARs; raises FetchError without a pyspark."""
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise FetchError("pyspark is not installed in this Python")
    return Path(found.origin).parent / "jars"


def release(jars: Path, name: str) -> tuple[str, ...]:
    """What `name`, a pattern with groups, says of the one JAR that it matches."""
    for jar in sorted(jars.iterdir()):
        if match := re.fullmatch(name, jar.name):
            return match.groups()
    raise FetchError(f"{jars}: no JAR is named like {name}")


def repository(jars: Path) -> str:
    """The address of the Maven repository, without a slash at its end."""
    if set_by_user := os.environ.get("MAVEN_REPOSITORY"):
        return set_by_user.rstrip("/")
    # Spark resolves --packages with Ivy, which knows the address of the Maven repository.
    with zipfile.ZipFile(jars / f"ivy-{release(jars, r'ivy-(.+)[.]jar')[0]}.jar") as ivy:
        text = ivy.read("org/apache/ivy/plugins/resolver/IBiblioResolver.class")
    match = re.search(rb"https://[\w./-]+/maven2", text)
    if match is None:
        raise FetchError("Spark's Ivy does not say where the Maven repository is: set MAVEN_REPOSITORY")
    return match.group().decode()


class Maven:
    """A Maven repository over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def _request(self, path: str, method: str = "GET") -> urllib.request.Request:
        return urllib.request.Request(f"{self.address}/{path}", method=method)

    @staticmethod
    def path(group: str, name: str, version: str, kind: str) -> str:
        return f"{group.replace('.', '/')}/{name}/{version}/{name}-{version}.{kind}"

    def text(self, path: str) -> str:
        try:
            with urllib.request.urlopen(self._request(path), timeout=60) as answer:
                return str(answer.read().decode())
        except OSError as error:
            raise FetchError(f"{self.address}/{path}: {error}") from error

    def has(self, path: str) -> bool:
        """Whether it is there; raises FetchError when the repository does not answer."""
        try:
            with urllib.request.urlopen(self._request(path, "HEAD"), timeout=60):
                return True
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise FetchError(f"{self.address}/{path}: {error}") from error
        except OSError as error:
            raise FetchError(f"{self.address}/{path}: {error}") from error

    def nearest(self, group: str, name: str, version: str) -> str | None:
        """This version or the newest earlier patch release of the same line; not every release has every module."""
        line, _, patch = version.rpartition(".")
        versions = [f"{line}.{number}" for number in range(int(patch), -1, -1)] if patch.isdigit() else [version]
        return next((each for each in versions if self.has(self.path(group, name, each, "pom"))), None)

    def fetch(self, folder: Path, group: str, name: str, version: str) -> None:
        """Puts the JAR into `folder`, whole and as published, or raises FetchError and leaves nothing."""
        path = self.path(group, name, version, "jar")
        target = folder / Path(path).name
        expected = self.text(f"{path}.sha1").split()[0]
        if target.is_file() and sha1(target) == expected:
            return
        print(f"fetching {target.name}", flush=True)
        part = target.with_suffix(".part")
        try:
            with urllib.request.urlopen(self._request(path), timeout=60) as answer, part.open("wb") as out:
                while block := answer.read(1 << 20):
                    out.write(block)
            if sha1(part) != expected:
                raise FetchError(f"{self.address}/{path}: its SHA-1 is not {expected}, as published")
            part.replace(target)
        except OSError as error:
            raise FetchError(f"{self.address}/{path}: {error}") from error
        finally:
            part.unlink(missing_ok=True)


def sha1(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha1").hexdigest()


def aws_bundle(project: str) -> tuple[str, str, str]:
    """The AWS bundle (group, name, version) that a Hadoop was built with, from its project's POM."""
    versions = {element.tag.partition("}")[2]: element.text or "" for element in ElementTree.fromstring(project).iter()}
    # Hadoop 3.4 went over to the second AWS SDK, and still names the first.
    if second := versions.get("aws-java-sdk-v2.version"):
        return "software.amazon.awssdk", "bundle", second
    if first := versions.get("aws-java-sdk.version"):
        return "com.amazonaws", "aws-java-sdk-bundle", first
    raise FetchError("Hadoop's POM names no AWS SDK")


def main() -> int:
    """0 when all is there, 1 when something cannot be had, 2 for wrong use."""
    folder, sets = Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:]
    if folder is None or not sets or not set(sets) <= set(SETS):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        jars = spark_jars()
        scala, spark = release(jars, r"spark-core_(2[.]\d+)-(.+)[.]jar")
        maven = Maven(repository(jars))
        folder.mkdir(parents=True, exist_ok=True)
        if "s3a" in sets:
            (hadoop,) = release(jars, r"hadoop-client-api-(.+)[.]jar")
            bindings = maven.nearest("org.apache.spark", f"spark-hadoop-cloud_{scala}", spark)
            if bindings is None:
                missing = f"{maven.address} has no spark-hadoop-cloud for Spark {spark}"
                raise FetchError(f"{missing}: set SPARK_VERSION to another")
            maven.fetch(folder, "org.apache.spark", f"spark-hadoop-cloud_{scala}", bindings)
            maven.fetch(folder, "org.apache.hadoop", "hadoop-aws", hadoop)
            project = maven.path("org.apache.hadoop", "hadoop-project", hadoop, "pom")
            maven.fetch(folder, *aws_bundle(maven.text(project)))
        if "avro" in sets:
            format_ = maven.nearest("org.apache.spark", f"spark-avro_{scala}", spark)
            if format_ is None:
                # Spark does without; compare_formats says so.
                print(f"{maven.address} has no spark-avro for Spark {spark}: this Spark gets no Avro", file=sys.stderr)
            else:
                maven.fetch(folder, "org.apache.spark", f"spark-avro_{scala}", format_)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
