"""What a stack's services are as processes: commands, settings, ports and folders of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tui.engine.interface import EngineError
from tui.engine.process import plan as planning
from tui.engine.process.fit import Machine
from tui.engine.process.plan import Plan, make_plan
from tui.stack.catalogue import bundled_stacks, find_stack
from tui.stack.errors import LayoutError
from tui.stack.layout import check_against, load_layout
from tui.stack.model import Stack
from tui.stack.project import scale_obstacle

GIB = 1024**3
COMPOSE = """\
name: mine
services:
  web:
    image: web
    command: serve /data/in --to=/out/x --not=/etc/x /database
    environment: {A: compose, B: compose}
    ports: ["${WEB_PORT:-8000}:80", "9000:9000", "5353:53/udp"]
    volumes: ["./work/data:/data", "kept:/data/kept", "./out:/out:ro"]
    depends_on: [db]
    healthcheck: {test: curl localhost}
  db: {image: db, command: db, healthcheck: {test: curl localhost}}
volumes: {kept: }
"""
LAYOUT = """\
name: mine
title: Mine
process:
  folders: [/out/made]
  env: {DATA: "{path:/data}", DB: "http://127.0.0.1:{port:db:70}"}
services:
  web:
    process:
      env: {B: layout, KEEP: "{path:/data/kept/x}", STATE: "{state}/x", JSON: "{connection_file} {port}"}
      files: {a/b.json: '{"port": {port:80}, "python": "{python}"}'}
      ready: {url: "http://127.0.0.1:{port:80}/", text: fine}
  db: {process: {command: [db, --port, "{port:70}"]}}
"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("SPARK_", "COMPOSE_", "WORK", "NOTEBOOK_")) or name.endswith("_PORT"):
            monkeypatch.delenv(name)


def made(folder: Path, compose: str = COMPOSE, layout: str = LAYOUT, env: str = "") -> tuple[Stack, Plan]:
    (folder / "compose.yaml").write_text(compose)
    (folder / "sparkdeck.yaml").write_text(layout)
    (folder / ".env").write_text(env)
    stack = find_stack(str(folder), folder)
    return stack, make_plan(stack, folder / "state")


def environment_of(plan: Plan, name: str, own: Mapping[int, int]) -> Mapping[str, str]:
    return plan.service(name, own, {("db", 70): 7070}).environment


def test_a_service_is_its_compose_service_with_paths_of_this_machine(tmp_path: Path) -> None:
    _, plan = made(tmp_path)
    web = plan.service("web", {80: 8001}, {("db", 70): 7070})
    data = tmp_path / "work" / "data"
    assert web.command == ("serve", f"{data}/in", f"--to={tmp_path}/out/x", "--not=/etc/x", "/database")
    assert web.ready is not None
    assert (web.ready.url, web.ready.text) == ("http://127.0.0.1:8001/", "fine")
    assert plan.project.services["web"].depends_on == {"db": "service_started"}
    assert plan.service("db", {70: 7070}, {}).command == ("db", "--port", "7070")


@pytest.mark.parametrize(("period", "seconds"), [("10s", 60), ("1m30s", 90), ("0.1h", 360)])
def test_who_may_be_slow_to_start_may_be_so_here_too(period: str, seconds: float, tmp_path: Path) -> None:
    _, plan = made(tmp_path, compose=COMPOSE.replace("curl localhost}", f"curl localhost, start_period: {period}}}", 1))
    ready = plan.service("web", {80: 8001}, {("db", 70): 7070}).ready
    assert ready is not None and ready.start == seconds


def test_settings_of_compose_then_the_layouts(tmp_path: Path) -> None:
    _, plan = made(tmp_path)
    found = environment_of(plan, "web", {80: 8001})
    state = tmp_path / "state"
    expected = {
        "A": "compose",
        "B": "layout",
        "DATA": str(tmp_path / "work" / "data"),
        "DB": "http://127.0.0.1:7070",
        "KEEP": str(state / "volumes" / "kept" / "x"),
        "STATE": f"{state}/x",
        "JSON": "{connection_file} {port}",
    }
    assert {name: found[name] for name in expected} == expected
    assert "SPARK_HOME" not in found, "no Spark where the layout speaks of none"


def test_files_and_folders_are_made(tmp_path: Path) -> None:
    _, plan = made(tmp_path)
    web = plan.service("web", {80: 8001}, {("db", 70): 7070})
    file = tmp_path / "state" / "files" / "a" / "b.json"
    assert '{"port": 8001, "python": "/' in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "out" / "made").is_dir() and (tmp_path / "state" / "volumes" / "kept").is_dir()
    assert Path(web.folder).is_dir()


def test_a_service_has_the_ports_that_its_process_speaks_of(tmp_path: Path) -> None:
    stack, plan = made(tmp_path)
    ports = {name: [(port.target, port.published) for port in one.ports] for name, one in plan.project.services.items()}
    assert ports == {"web": [(80, 8000)], "db": [(70, None)]}
    assert plan.set_ports == {}
    assert {name for name, one in plan.project.services.items() if one.has_health_check} == {"web"}
    stack.env_file.write_text("WEB_PORT=8100\n")
    again = make_plan(stack, tmp_path / "state")
    assert again.set_ports == {8100: "WEB_PORT"}
    assert again.project.services["web"].ports[0].published == 8100


def test_arguments_of_commands_are_translated(tmp_path: Path) -> None:
    _, plan = made(tmp_path)
    words = ["python", "/data/x.py", "--in", "/data", "--out=/out/y", "a=b", "/datax", "k=/nowhere", "/data/../etc"]
    found = plan.arguments("web", words)
    data, out = tmp_path / "work" / "data", tmp_path / "out"
    assert found[:7] == ["python", f"{data}/x.py", "--in", str(data), f"--out={out}/y", "a=b", "/datax"]
    assert found[7] == "k=/nowhere"
    assert plan.arguments("db", words) == words


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"{path:/data}"', '"{path:/nowhere}"', "/nowhere is in no folder that a service mounts"),
        ("{port:db:70}", "{port:dbx:70}", "web needs port 70 of dbx, which is not up"),
    ],
)
def test_a_layout_that_does_not_fit_says_what_to_correct(old: str, new: str, said: str, tmp_path: Path) -> None:
    _, plan = made(tmp_path, layout=LAYOUT.replace(old, new))
    with pytest.raises(EngineError, match=said):
        plan.service("web", {80: 8001}, {})


def test_a_service_of_which_the_layout_says_nothing_runs_as_compose_has_it(tmp_path: Path) -> None:
    _, plan = made(tmp_path, layout=LAYOUT.replace('command: [db, --port, "{port:70}"]', "env: {PORT: '{port:70}'}"))
    assert plan.service("db", {70: 7070}, {}).command == ("db",)


def test_a_service_whose_image_alone_knows_its_command(tmp_path: Path) -> None:
    _, plan = made(tmp_path, compose=COMPOSE.replace("command: serve /data/in --to=/out/x --not=/etc/x /database", ""))
    with pytest.raises(
        EngineError, match=r"web has no command.*Add services\.web\.process\.command to .*sparkdeck\.yaml"
    ):
        plan.service("web", {80: 8001}, {("db", 70): 7070})


def test_packages_that_are_missing_are_told_when_something_starts(tmp_path: Path) -> None:
    _, plan = made(
        tmp_path, layout=LAYOUT.replace("process:\n  folders", "process:\n  packages: [no-such]\n  folders", 1)
    )
    assert plan.project.name == "mine", "looking is possible all the same"
    with pytest.raises(EngineError, match=r"no-such, not installed here.*pip install 'sparkdeck\[local\]'"):
        plan.service("web", {80: 8001}, {})
    with pytest.raises(EngineError, match="no-such"):
        list(plan.notes)


def test_a_stack_without_a_process_form_says_so(tmp_path: Path) -> None:
    text = LAYOUT[: LAYOUT.index("process:")] + "services: {web: {}}\n"
    with pytest.raises(
        EngineError, match=r"mine has no process form: its layout says nothing under `process`.*sparkdeck"
    ):
        made(tmp_path, layout=text)
    (tmp_path / "sparkdeck.yaml").unlink()
    with pytest.raises(EngineError, match=r"no process form.*add `process` to a layout \(sparkdeck\.yaml\)"):
        make_plan(find_stack(str(tmp_path), tmp_path), tmp_path / "state")


@pytest.mark.parametrize("stack", bundled_stacks(), ids=lambda stack: stack.name)
def test_every_service_of_a_bundled_stack_has_a_process_form(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "this_machine", lambda: Machine(16 * GIB, 4))
    monkeypatch.setenv("WORK_DIR", str(tmp_path / "work"))
    plan = make_plan(replace(stack, home=tmp_path), tmp_path / "state")
    assert check_against(stack.layout, plan.project) == []
    ports = {
        (name, port.target): port.published or 50_000
        for name, one in plan.project.services.items()
        for port in one.ports
    }
    for name, service in plan.project.services.items():
        found = plan.service(name, {port.target: ports[name, port.target] for port in service.ports}, ports)
        texts = [*found.command, *found.environment.values(), found.ready.url if found.ready else ""]
        assert not [text for text in texts if "{port" in text or "{path" in text or "0.0.0.0" in text], name
        assert found.ready is not None or not service.ports, f"{name} listens, and nobody looks whether it does"
    if stack.layout.scale:
        assert scale_obstacle(plan.project.services[stack.layout.scale.service]) is None


def test_workers_are_made_to_fit_where_the_user_set_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = replace(find_stack("flight-delay", tmp_path), home=tmp_path)
    monkeypatch.setattr(planning, "this_machine", lambda: Machine(8 * GIB, 4))
    plan = make_plan(stack, tmp_path / "state")
    assert plan.project.services["spark-worker-1"].environment["SPARK_WORKER_MEMORY"] == "1G"
    assert plan.project.services["spark-submit"].environment["SPARK_EXECUTOR_MEMORY"] == "1g"
    assert len(plan.notes) == 3
    stack.env_file.write_text("SPARK_WORKER_MEMORY=3G\n")
    plan = make_plan(stack, tmp_path / "state")
    assert plan.project.services["spark-worker-1"].environment["SPARK_WORKER_MEMORY"] == "3G", "still readable"
    with pytest.raises(EngineError, match=r"SPARK_WORKER_MEMORY\) need 12\.0G"):
        list(plan.notes)
    with pytest.raises(EngineError, match=r"need 12\.0G"):
        plan.service("spark-worker-1", {8081: 1}, {("spark-master", 7077): 2})


def test_mistakes_under_process_are_told_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "layout.yaml"
    file.write_text(
        LAYOUT.replace("folders: [/out/made]", "folders: [made]\n  fit: {workers: [a], memory: M}\n  pakages: []")
    )
    with pytest.raises(LayoutError) as raised:
        load_layout(file)
    said = str(raised.value)
    assert f"{file}:4: process.folders[0]" in said
    assert f"{file}:5: process.fit: 'cores' is missing" in said
    assert f"{file}:6: process: unknown key 'pakages'; did you mean 'packages'?" in said
