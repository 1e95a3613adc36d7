"""Which job is meant by a name: of the layout, of the client's folders, of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.scripted_engine import ScriptedEngine
from tui.engine.interface import EngineInfo
from tui.jobs.find import check_files, find_job
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.submit import submit
from tui.stack.model import JobSpec, Layout, Mount, Project, Role, Service, ServiceLayout, Stack

ROLES = {"client": Role.SPARK_CLIENT, "master": Role.SPARK_MASTER, "worker": Role.SPARK_WORKER}

HERE = EngineInfo("docker", "29", "unix:///x")


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    services = tuple(ServiceLayout(name, role) for name, role in ROLES.items())
    layout = Layout("demo", "Demo", tmp_path / "sparkdeck.yaml", services=services, jobs=(JobSpec("fly", "client"),))
    return Stack("demo", tmp_path, (), tmp_path, layout=layout)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "apps").mkdir()
    mounts = (Mount("bind", str(tmp_path / "apps"), "/apps"),)
    return Project("demo", {"client": Service("client", mounts=mounts), "master": Service("master")})


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder of this machine that nobody mounts, with a job in it."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    for name in ("hello.py", "helper.py", "more.jar", "table.csv"):
        (folder / name).touch()
    return folder


def refused(stack: Stack, project: Project, name: str, here: Path, *along: str) -> str:
    with pytest.raises(SubmitError) as refusal:
        find_job(stack, project, name, along=along, folder=here)
    return str(refusal.value)


def test_a_file_of_this_machine_is_taken_along_with_what_it_needs(stack: Stack, project: Project, here: Path) -> None:
    job = find_job(stack, project, "hello.py", along=["helper.py", "more.jar", "table.csv"], folder=here)
    assert (job.name, job.service, job.app, job.origin) == (
        *("hello", "client", "/sparkdeck/hello.py"),
        str(here / "hello.py"),
    )
    assert dict(job.files) == {
        here / name: f"/sparkdeck/{name}" for name in ("hello.py", "helper.py", "more.jar", "table.csv")
    }
    assert dict(job.conf) == {
        "spark.submit.pyFiles": "/sparkdeck/helper.py",
        "spark.jars": "/sparkdeck/more.jar",
        "spark.files": "/sparkdeck/table.csv",
    }
    check_files(HERE, project, job)


async def test_its_run_tells_where_it_lies_here(stack: Stack, project: Project, here: Path) -> None:
    engine = ScriptedEngine(project)
    await submit(engine, project, find_job(stack, project, "hello.py", folder=here))
    request = engine.actions[-1][1][0]
    assert request.files == {here / "hello.py": "/sparkdeck/hello.py"}
    assert request.command[-1] == "/sparkdeck/hello.py" and request.labels["app"] == str(here / "hello.py")


def test_what_lies_in_a_mounted_folder_is_used_there(stack: Stack, project: Project, tmp_path: Path) -> None:
    (tmp_path / "apps" / "deep").mkdir()
    (tmp_path / "apps" / "deep" / "a.py").touch()
    for name, folder in (
        ("deep/a.py", tmp_path),
        ("/apps/deep/a.py", tmp_path),
        (str(tmp_path / "apps/deep/a.py"), Path("/")),
        ("a.py", tmp_path / "apps/deep"),
    ):
        job = find_job(stack, project, name, folder=folder)
        assert (job.app, dict(job.files)) == ("/apps/deep/a.py", {}), name


def test_what_is_nowhere_is_told_with_both_places(stack: Stack, project: Project, here: Path, tmp_path: Path) -> None:
    text = refused(stack, project, "none.py", here)
    assert f"neither {here / 'none.py'} nor {tmp_path / 'apps/none.py'}, which is /apps/none.py in client" in text
    assert "--class" in refused(stack, project, "more.jar", here)
    assert f"no file {here / 'gone.py'}, which --with names" in refused(stack, project, "hello.py", here, "gone.py")
    (here / "b").mkdir()
    (here / "b" / "hello.py").touch()
    assert "another file hello.py" in refused(stack, project, "hello.py", here, "b/hello.py")
    assert "job of the layout" in refused(stack, project, "fly", here, "helper.py")
    unmounted = Project("demo", {"client": Service("client")})
    assert refused(stack, unmounted, "none.py", here).startswith(f"There is no file {here / 'none.py'}")
    # What the image itself brings nobody here can see.
    assert find_job(stack, unmounted, "/opt/own.py", folder=here).app == "/opt/own.py"


def test_an_engine_elsewhere_does_not_see_it(stack: Stack, project: Project, here: Path) -> None:
    job = find_job(stack, project, "hello.py", folder=here)
    check_files(HERE, project, job)
    with pytest.raises(SubmitError, match="is on another"):
        check_files(EngineInfo("docker", "29", "ssh://far", here="this machine"), project, job)


@pytest.mark.parametrize(
    ("environment", "command", "master"),
    [
        ({"SPARK_MASTER": "spark://one:7077"}, (), "spark://one:7077"),
        ({"SPARK_MASTER_URL": "spark://one:7000,two:7000"}, (), "spark://one:7000,two:7000"),
        ({"SPARK_MASTER": "local[2]"}, ("worker", "spark://two:7001"), "spark://two:7001"),
        ({}, (), "spark://master:7077"),
    ],
)
def test_where_nobody_wrote_a_layout_the_master_is_passed(
    stack: Stack, here: Path, environment: dict[str, str], command: tuple[str, ...], master: str
) -> None:
    project = Project(
        "demo",
        {
            "client": Service("client", environment=environment),
            "master": Service("master"),
            "worker": Service("worker", command=command),
        },
    )
    assert find_job(stack, project, "hello.py", folder=here).conf == {}
    detected = replace(stack, layout=replace(stack.layout, source=None))
    assert find_job(detected, project, "hello.py", folder=here).conf == {"spark.master": master}
    # Spark's own settings go before a guess.
    mounts = (Mount("bind", "/x", "/opt/spark/conf/spark-defaults.conf"),)
    told = Project("demo", {**project.services, "client": replace(project.services["client"], mounts=mounts)})
    assert find_job(detected, told, "hello.py", folder=here).conf == {}
    # Without a client whoever has Spark submits.
    without = Project("demo", {name: one for name, one in project.services.items() if name != "client"})
    assert find_job(detected, without, "hello.py", folder=here).service == "master"
    assert "no service with the role spark-client" in refused(stack, without, "hello.py", here)
