"""Compose's own options and variables: the project that we open is the one that `docker compose` sees there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tui.engine.docker.api import Endpoint
from tui.engine.docker.compose import DEFAULT_HOST, Compose
from tui.stack.catalogue import find_stack
from tui.stack.errors import StackError
from tui.stack.model import Stack
from tui.stack.project import parse_project
from tui.stack.selection import Selection

FILES = {
    "compose.yaml": "services: {web: {image: 'web:${TAG:-none}'}, debug: {image: x, profiles: [debug]}}",
    "compose.override.yaml": "services: {web: {environment: {OVER: ridden}}}",
    "docker-compose.spark.yml": "services: {spark: {image: 'spark:${TAG:-none}'}, tools: {image: x, profiles: [a, b]}}",
    "more/extra.yml": "services: {web: {image: 'extra:${TAG:-none}', volumes: ['./data:/data']}}",
    "more/.env": "TAG=more\n",
    ".env": "TAG=plain\n",
    "dev.env": "TAG=dev\nCOMPOSE_PROFILES=debug\n",
    "last.env": "TAG=last\n",
}

CASES: dict[str, tuple[dict[str, str], dict[str, str], Selection]] = {
    # The environment, files that are written otherwise, the options.
    "usual": ({}, {}, Selection()),
    "file": ({}, {}, Selection(files=("docker-compose.spark.yml",))),
    "files": ({}, {}, Selection(files=("compose.yaml", "more/extra.yml"))),
    "first file's folder": ({}, {}, Selection(files=("more/extra.yml",))),
    "folder": ({}, {}, Selection(files=("compose.yaml", "more/extra.yml"), directory="more")),
    "variable": ({"COMPOSE_FILE": "compose.yaml:docker-compose.spark.yml"}, {}, Selection()),
    "variable elsewhere": ({"COMPOSE_FILE": "more/extra.yml"}, {}, Selection()),
    "separator": ({"COMPOSE_FILE": "compose.yaml,more/extra.yml", "COMPOSE_PATH_SEPARATOR": ","}, {}, Selection()),
    "option before variable": ({"COMPOSE_FILE": "none.yml"}, {}, Selection(files=("compose.yaml",))),
    ".env": ({}, {".env": "TAG=set\nCOMPOSE_FILE=docker-compose.spark.yml\n"}, Selection()),
    ".env's separator": (
        {},
        {".env": "COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=compose.yaml;docker-compose.spark.yml\n"},
        Selection(),
    ),
    "variable before .env": (
        {"COMPOSE_FILE": "compose.yaml"},
        {".env": "COMPOSE_FILE=docker-compose.spark.yml\n"},
        Selection(),
    ),
    "settings": ({}, {}, Selection(env_files=("dev.env",))),
    "several settings": ({}, {}, Selection(env_files=("dev.env", "last.env"))),
    "name": ({}, {}, Selection(project_name="other")),
    "name in .env": ({}, {".env": "COMPOSE_PROJECT_NAME=third\n"}, Selection()),
    "option before the name in .env": ({}, {".env": "COMPOSE_PROJECT_NAME=third\n"}, Selection(project_name="other")),
    "profile": ({}, {}, Selection(profiles=("debug",))),
    "profiles": ({}, {}, Selection(files=("compose.yaml", "docker-compose.spark.yml"), profiles=("b", "debug"))),
    "every profile": ({}, {}, Selection(files=("compose.yaml", "docker-compose.spark.yml"), profiles=("*",))),
    "profiles of the environment": ({"COMPOSE_PROFILES": "none,debug"}, {}, Selection()),
    "profiles in .env": ({}, {".env": "COMPOSE_PROFILES=debug\n"}, Selection()),
    "option before profiles in .env": ({}, {".env": "COMPOSE_PROFILES=debug\n"}, Selection(profiles=("none",))),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("COMPOSE_") or name == "TAG":
            monkeypatch.delenv(name)
    root = tmp_path / "shop"
    written(root, FILES)
    return root


def written(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def printed(command: list[str], cwd: Path) -> Any:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def options(selection: Selection) -> list[str]:
    said = [("--file", name) for name in selection.files]
    said += [("--project-directory", selection.directory)] if selection.directory else []
    said += [("--env-file", name) for name in selection.env_files]
    said += [("--project-name", selection.project_name)] if selection.project_name else []
    said += [("--profile", name) for name in selection.profiles]
    return [word for pair in said for word in pair]


def ours(stack: Stack, *, every_profile: bool = False) -> Any:
    compose = Compose(stack, Endpoint("default", DEFAULT_HOST, None))
    return printed(compose.command("config", "--format", "json", every_profile=every_profile), Path("/"))


@pytest.mark.engine
@pytest.mark.parametrize("case", CASES)
def test_it_is_what_compose_sees(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, files, selection = CASES[case]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    written(folder, files)
    theirs = printed(["docker", "compose", *options(selection), "config", "--format", "json"], folder)
    stack = find_stack(None, folder, selection=selection)
    assert ours(stack) == theirs
    project = parse_project(ours(stack, every_profile=True), stack.profiles)
    assert project.name == theirs["name"]
    active = {name for name, service in project.services.items() if not service.profiles}
    assert active == set(theirs["services"])
    # The words that are shown find the same stack again, from the same folder and with the same environment.
    words = stack.words
    assert words == () or [*words[::2]] == [*options(selection)[::2]]


def test_settings_of_several_files_may_be_named_by_a_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_ENV_FILES", "dev.env,last.env")
    stack = find_stack(None, folder)
    assert [file.name for file in stack.env_files] == ["dev.env", "last.env"]
    assert stack.profiles == ("debug",)
    assert stack.env_file == folder / "last.env"


def test_a_named_stack_goes_before_the_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_FILE", "docker-compose.spark.yml")
    assert find_stack(".", folder).files[0] == folder / "compose.yaml"
    assert find_stack("flight-delay", folder).bundled
    assert find_stack(None, folder).files == (folder / "docker-compose.spark.yml",)


@pytest.mark.parametrize(
    ("choice", "environment", "selection", "said"),
    [
        (None, "", Selection(files=("none.yml",)), "There is no file {}/none.yml, which --file names."),
        (None, "none.yml", Selection(), "There is no file {}/none.yml, which COMPOSE_FILE names."),
        (None, "", Selection(env_files=("no.env",)), "There is no file {}/no.env, which --env-file names."),
        (None, "", Selection(directory="no"), "There is no folder {}/no, which --project-directory names."),
        ("beta", "", Selection(files=("compose.yaml",)), "both say which project is meant"),
    ],
)
def test_what_is_not_there_is_named(
    choice: str | None, environment: str, selection: Selection, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if environment:
        monkeypatch.setenv("COMPOSE_FILE", environment)
    with pytest.raises(StackError) as refusal:
        find_stack(choice, folder, selection=selection)
    assert said.format(folder) in str(refusal.value)
