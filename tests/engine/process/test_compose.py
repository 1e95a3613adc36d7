"""Compose projects read without Docker: just as compose itself resolves them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tui.engine.interface import EngineError
from tui.engine.process.compose import read_compose
from tui.stack.catalogue import bundled_stacks, copy_out, with_variant
from tui.stack.environment import prepare_environment
from tui.stack.model import Project, Stack
from tui.stack.project import parse_project

# Everything that our reader knows, in the long form and the short one.
EVERYTHING = """\
name: ${NAME:-whole}
x-common: &common
  environment: &env {A: "1", B: "${B:-two}", PRICE: $$5, ON: true, NUMBER: 1.50, HERE: }
  profiles: [extra]
services:
  web:
    <<: *common
    image: web:${TAG:-${OTHER:-latest}}
    build: {context: images}
    command: serve --at "a b" $${HOME} ${UNKNOWN:+never}${SET:+ever}
    entrypoint: [tini, --]
    ports:
      - "8080"
      - 9090:90
      - "127.0.0.1:8000-8002:8000-8002"
      - "127.0.0.1::7000"
      - "[::1]:6000:6000/udp"
      - {target: 5000, published: "${PORT-5050}", host_ip: 127.0.0.1}
    volumes:
      - ./jobs:/jobs:ro
      - ${WORK:-./work}/data:/data
      - named:/named
      - /anonymous
      - {type: bind, source: ./conf/a.conf, target: /etc/a.conf, read_only: true}
    tmpfs: /tmp
    depends_on: [db]
    healthcheck: {test: curl -f http://localhost, interval: 5s}
    restart: unless-stopped
  db:
    image: db
    environment: ["C=3=4", HERE, "E="]
    depends_on: {other: {condition: service_completed_successfully}}
    deploy: {replicas: "${COUNT:-2}"}
    healthcheck: {disable: true}
  other: {image: other, scale: 0, container_name: fixed, healthcheck: {test: [NONE]}}
volumes: {named: }
networks: {net: }
"""
OVERRIDE = """\
services:
  web:
    command: [other]
    environment: {B: three, D: four}
    ports: ["9999:99"]
    volumes: ["./elsewhere:/data"]
    depends_on: {other: {condition: service_started}}
  more: {image: more}
"""

# What a later file may put in place of all that was said before, or take away.
INSTEAD = """\
x-kept: &kept {restart: always, logging: {driver: none}}
services:
  web:
    <<: *kept
    ports: !override ["127.0.0.1:1234:90"]
    environment: {D: four}
    env_file: later.env
    depends_on: !override {more: {condition: service_healthy}}
    tmpfs: !reset []
    volumes: !override ["named:/only"]
  db: !override {image: another}
  other: !reset null
  more: {image: more, ports: !reset [], healthcheck: {test: [CMD, 'true']}}
volumes: {named: !override {}}
"""


def stack_of(folder: Path, *texts: str, env: str = "") -> Stack:
    folder.mkdir(exist_ok=True)
    files = tuple(folder / f"compose{number or ''}.yaml" for number in range(len(texts)))
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    (folder / ".env").write_text(env)
    return Stack("test", folder, files, folder)


def ours(stack: Stack) -> Project:
    return parse_project(read_compose(stack)[0])


def theirs(stack: Stack) -> Project:
    """What docker compose makes of the same files."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command here")
    files = [word for file in stack.files for word in ("--file", str(file))]
    command = ["docker", "compose", *files, "--profile", "*", "--env-file", str(stack.env_file)]
    done = subprocess.run(
        [*command, "--project-directory", str(stack.folder), "config", "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return parse_project(done.stdout)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(("SPARK_", "COMPOSE_", "HOST_", "WORK")) or name.endswith("_PORT"):
            monkeypatch.delenv(name)


def same(found: Project, expected: Project) -> None:
    """Equal, whatever the order of ports and of mappings."""

    def plain(project: Project) -> dict[str, object]:
        return {
            name: replace(one, ports=tuple(sorted(one.ports, key=str)), mounts=tuple(sorted(one.mounts, key=str)))
            for name, one in project.services.items()
        }

    assert plain(found) == plain(expected)
    assert (found.name, {*found.volumes}) == (expected.name, {*expected.volumes})


def every_variant() -> list[Stack]:
    found = []
    for stack in bundled_stacks():
        names = [one.name for one in stack.layout.variants]
        found += [with_variant(stack, name) for name in names] or [stack]
    return found


@pytest.mark.engine
@pytest.mark.parametrize(
    "bundled", every_variant(), ids=lambda stack: f"{stack.name}-{stack.variant.name if stack.variant else ''}"
)
def test_the_bundled_stacks_are_read_as_compose_reads_them(bundled: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    copy_out(bundled, folder)
    files = tuple(folder / file.relative_to(bundled.folder) for file in bundled.files)
    stack = replace(bundled, folder=folder, home=folder, files=files)
    prepare_environment(stack, (1234, 5678))
    with stack.env_file.open("a") as file:
        file.write("".join(f"{name}=set-{name}\n" for name in stack.layout.variables))
    same(ours(stack), theirs(stack))
    with stack.env_file.open("a") as file:
        file.write("SPARK_WORKER_MEMORY=3G\nWORK_DIR=/elsewhere\nMLFLOW_PORT=6001\nSPARK_WORKERS=5\n")
    changed = ours(stack)
    same(changed, theirs(stack))
    assert "/elsewhere" in str(changed), "the settings were taken"


@pytest.mark.engine
@pytest.mark.parametrize(
    "files",
    [(EVERYTHING,), (EVERYTHING, OVERRIDE), (EVERYTHING, OVERRIDE, INSTEAD)],
    ids=["one", "with an override", "with replacements"],
)
def test_everything_is_read_as_compose_reads_it(
    files: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "from here")
    monkeypatch.setenv("B", "mine goes before .env")
    stack = stack_of(tmp_path / "Some Folder.1", *files, env="B=from .env\nSET=1\nCOUNT=3\nOTHER='a b'\n")
    (stack.folder / "later.env").write_text("B=from the file\nLATER=1\n")
    same(ours(stack), theirs(stack))


def test_settings_have_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "services: {a: {image: x, environment: {A: '${A:-file}', B: '${B:-file}', C: '${C:-file}', D: '${D:-file}'}}}"
    )
    stack = stack_of(tmp_path / "a", text, env="A=env\nB=env\n")
    monkeypatch.setenv("A", "caller")
    config, variables = read_compose(stack, {"A": "ours", "B": "ours", "C": "ours"})
    expected = {"A": "caller", "B": "env", "C": "ours", "D": "file"}
    assert parse_project(config).services["a"].environment == expected
    assert {name: variables.asked[name] for name in "ABCD"} == expected


def test_a_name_is_made_of_the_folders(tmp_path: Path) -> None:
    assert ours(stack_of(tmp_path / "_My.Stack 2", "services: {a: {image: x}}")).name == "mystack2"


def test_files_of_settings(tmp_path: Path) -> None:
    text = "services: {a: {image: x, env_file: [a.env, {path: no.env, required: false}], environment: {B: own}}}"
    stack = stack_of(tmp_path / "a", text)
    (stack.folder / "a.env").write_text("A=1\nB=2\n")
    assert ours(stack).services["a"].environment == {"A": "1", "B": "own"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {a: {extends: {service: b}}}", "services.a.extends: is not read without Docker"),
        ("include: [b.yaml]\nservices: {a: {image: x}}", "include: is not read without Docker"),
        ("services: {a: {image: x, secrets: [s]}}", "services.a.secrets: is not read without Docker"),
        ("services: {a: {image: '${MUST:?say which}'}}", "services.a.image: MUST must be set in .env: say which"),
        ("services: {a: {image: '${OPEN'}}", "has a $ that starts no variable"),
        ("services: {a: {image: '${OPEN:-x'}}", "has a ${ without its }"),
        ("services: {a: {image: x, command: 'say \"it'}}", "services.a.command: .* cannot be split into words"),
        ("services: {a: {image: x, ports: [http]}}", "services.a.ports: 'http' is not a port"),
        ("services: {a: {image: x, volumes: ['a:b:c:d']}}", "services.a.volumes: 'a:b:c:d' is not a volume"),
        ("services: {a: {image: x, env_file: none.env}}", "services.a.env_file: there is no file"),
        ("services: {a: {image: x, deploy: {replicas: many}}}", "services.a.deploy.replicas: 'many' is not a number"),
        ("services: [a]", "a compose file needs a mapping of services"),
        ("services:\n  a: {image: x}\n  a: {image: y}", ":3: is not valid YAML: the key 'a' is here twice"),
        ("services:\n  a: [", ":2: is not valid YAML"),
        (
            "services: {a: !!python/object/apply:os.system [true]}",
            "is not valid YAML: could not determine a constructor",
        ),
        ("", "a compose file needs a mapping of services"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_key(text: str, said: str, tmp_path: Path) -> None:
    stack = stack_of(tmp_path / "a", text)
    with pytest.raises(EngineError, match=said.replace("$", r"\$").replace("{", r"\{").replace("}", r"\}")) as raised:
        read_compose(stack)
    assert str(stack.files[0]) in str(raised.value)


def test_aliases_cannot_fill_the_memory(tmp_path: Path) -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(EngineError, match="aliases"):
        read_compose(stack_of(tmp_path / "a", "\n".join([*lines, "services: {a: {image: x}}"])))


def test_deeply_nested_variables_end(tmp_path: Path) -> None:
    text = "${A:-" * 40 + "}" * 40
    with pytest.raises(EngineError, match="nested too deeply"):
        read_compose(stack_of(tmp_path / "a", f"services: {{a: {{image: '{text}'}}}}"))
