"""Compile scala/ into a JAR with the Scala compiler among Spark's own jars: no sbt, no JDK tools.

The JAR holds a mark of sources, Scala and Spark; while that is the same, nothing is compiled.
Exit codes: 0 built or up to date, 1 the compiler refused, 2 Java, Spark or the sources are not there.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

MAIN = "com.flightdelay.app.FlightDelayPredictionApp"
MARK = "META-INF/sparkdeck-build"
HERE = Path(__file__).resolve().parent


class CannotBuild(Exception):
    """Something that the build needs is not there; the text says what and what to do."""


def spark_jars() -> Path:
    """Spark's jars: of $SPARK_HOME, else of the installed pyspark."""
    home = os.environ.get("SPARK_HOME")
    if not home:
        try:
            import pyspark
        except ImportError:
            raise CannotBuild("no Spark: set SPARK_HOME, or run with a Python that has pyspark.") from None
        home = str(Path(pyspark.__file__).parent)
    jars = Path(home) / "jars"
    if not list(jars.glob("scala-compiler-*.jar")):
        raise CannotBuild(f"{jars}: no scala-compiler-*.jar. SPARK_HOME must name a Spark with its jars.")
    return jars


def java() -> str:
    """The java command: of $JAVA_HOME, else of the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home, "bin", "java"))) if home else shutil.which("java")
    if not found:
        raise CannotBuild(f"no Java {'in JAVA_HOME=' + home if home else 'on the PATH'}. Spark needs 17.")
    return found


def version(jars: Path, name: str) -> str:
    """The version in a jar's file name, such as 2.12.18 for scala-library."""
    for jar in sorted(jars.glob(f"{name}*.jar")):
        found = re.search(r"-(\d+\.\d+\.\d+[^-]*)\.jar$", jar.name)
        if found:
            return found[1]
    raise CannotBuild(f"{jars}: no {name}*.jar. SPARK_HOME must name a Spark with its jars.")


def mark_of(sources: list[Path], scala: str, spark: str) -> str:
    """What the JAR was made of, as one text."""
    digest = hashlib.sha256()
    for path in [*sources, HERE / "columns.json", Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{digest.hexdigest()} scala {scala} spark {spark}"


def marked(jar: Path) -> str | None:
    """The mark of a JAR built before, None if there is none."""
    try:
        with zipfile.ZipFile(jar) as archive:
            return archive.read(MARK).decode()
    except (OSError, KeyError, zipfile.BadZipFile):
        return None


def build(jar: Path) -> str:
    """Build the JAR if it is not up to date; say in a line what was done.

    Raises CannotBuild where something is missing, subprocess.CalledProcessError where the compiler refuses.
    """
    started = time.monotonic()
    jars = spark_jars()
    sources = sorted((HERE / "scala").rglob("*.scala"))
    if not sources:
        raise CannotBuild(f"{HERE / 'scala'}: no .scala files.")
    scala, spark = version(jars, "scala-library"), version(jars, "spark-core_")
    mark = mark_of(sources, scala, spark)
    if marked(jar) == mark:
        return f"{jar} is up to date (Scala {scala}, Spark {spark})"
    with tempfile.TemporaryDirectory() as classes:
        # -usejavacp: the jars of -cp are the class path to compile with, too.
        command = [java(), "-cp", f"{jars}/*", "scala.tools.nsc.Main", "-usejavacp", "-deprecation", "-feature"]
        subprocess.run(
            [*command, "-d", classes, *map(str, sources)],
            check=True,
            # The compiler looks for packages in its folder as well, and in / there is one called sys.
            cwd=classes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        jar.parent.mkdir(parents=True, exist_ok=True)
        part = jar.with_name(jar.name + ".part")
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\nMain-Class: {MAIN}\r\n\r\n")
                archive.writestr(MARK, mark)
                archive.write(HERE / "columns.json", "columns.json")
                for path in sorted(Path(classes).rglob("*.class")):
                    archive.write(path, path.relative_to(classes).as_posix())
            part.replace(jar)
        finally:
            part.unlink(missing_ok=True)
    seconds = time.monotonic() - started
    return f"{jar} built from {len(sources)} sources in {seconds:.1f} s (Scala {scala}, Spark {spark})"


def main(argv: list[str]) -> int:
    """Build, print a line, return the exit code."""
    parser = argparse.ArgumentParser(prog="build_jar.py", description="Compile the Scala job into a JAR.")
    # The services' folder of jobs; without containers it is elsewhere.
    built = Path(os.environ.get("APPS_DIR") or "/apps", "flight-delay.jar")
    parser.add_argument("jar", type=Path, nargs="?", default=built, help="[%(default)s]")
    jar = parser.parse_args(argv).jar.absolute()
    try:
        print(build(jar), flush=True)
    except CannotBuild as problem:
        print(f"ERROR: {problem}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as refused:
        output = refused.stdout.replace(f"{HERE}/", "").strip()
        print(
            f"{output}\nERROR: {jar} was not built: the Scala compiler refused the sources (see above).",
            file=sys.stderr,
        )
        return 1
    except OSError as problem:
        print(f"ERROR: {jar}: cannot be written: {problem.strerror or problem}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
