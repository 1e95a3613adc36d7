"""The `.env` and the folders of a stack."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tui.stack.catalogue import find_stack
from tui.stack.environment import (
    bind_folders,
    create_folders,
    prepare_environment,
    project_name,
    read_environment,
)
from tui.stack.errors import StackError
from tui.stack.model import NO_LAYOUT, Generated, Mount, Project, Service, Stack


@pytest.fixture
def stack(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.delenv("WORK_DIR", raising=False)
    return find_stack("beta", tmp_path)


def test_a_missing_env_is_made_from_the_example(stack: Stack) -> None:
    stack.env_example.write_text("# Settings\n#WORK_DIR=./work\n\n# Yours\n# HOST_UID=1000\nHOST_GID=5 # five\n")
    name = f"beta-{hashlib.sha256(str(stack.home).encode()).hexdigest()[:6]}"
    assert prepare_environment(stack, (1234, 99)) == [
        f"Wrote {stack.env_file} from .env.example, with COMPOSE_PROJECT_NAME={name}, HOST_UID=1234, HOST_GID=99."
    ]
    assert stack.env_file.read_text() == (
        "# Settings\n#WORK_DIR=./work\n\n# Yours\nHOST_UID=1234\nHOST_GID=99\n\n"
        f"# Written by sparkdeck for this copy of the stack.\nCOMPOSE_PROJECT_NAME={name}\n"
    )
    assert stack.env_file.stat().st_mode & 0o777 == 0o600
    assert read_environment(stack) == {"HOST_UID": "1234", "HOST_GID": "99", "COMPOSE_PROJECT_NAME": name}
    assert sorted(path.name for path in stack.home.iterdir()) == [".env", ".env.example", "compose.yaml", "images"]
    assert prepare_environment(stack, (1, 1)) == []


def test_a_line_that_sets_a_variable_goes_before_one_in_a_comment(stack: Stack) -> None:
    stack.env_example.write_text("#HOST_UID=1\nexport HOST_UID=2\n#HOST_UID_OLD=3\n")
    prepare_environment(stack, (7, 8))
    assert stack.env_file.read_text().startswith("#HOST_UID=1\nHOST_UID=7\n#HOST_UID_OLD=3\n\n#")


def test_no_example_is_needed(stack: Stack) -> None:
    stack.env_example.unlink()
    assert prepare_environment(stack, (1, 2))[0].startswith(f"Wrote {stack.env_file}, with COMPOSE_PROJECT_NAME=")
    assert read_environment(stack)["HOST_GID"] == "2"


def test_an_existing_env_keeps_its_lines_and_gets_what_it_lacks(stack: Stack) -> None:
    text = "# mine\nCOMPOSE_PROJECT_NAME=mine\nHOST_UID=\nX='a b'"  # without a line end
    stack.env_file.write_text(text)
    stack.env_file.chmod(0o640)
    assert prepare_environment(stack, (5, 6)) == [f"Added to {stack.env_file}: HOST_GID=6."]
    assert stack.env_file.read_text() == (f"{text}\n\n# Written by sparkdeck for this copy of the stack.\nHOST_GID=6\n")
    assert stack.env_file.stat().st_mode & 0o777 == 0o640
    assert prepare_environment(stack, (5, 6)) == []


def test_an_env_that_is_a_link_stays_one(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "shared.env").write_text("A=1\n")
    stack.env_file.symlink_to(tmp_path / "shared.env")
    prepare_environment(stack, (1, 1))
    assert stack.env_file.is_symlink()
    assert dotenv_values(tmp_path / "shared.env")["HOST_UID"] == "1"


def test_a_stack_without_generated_variables_gets_no_env(stack: Stack) -> None:
    assert prepare_environment(replace(stack, layout=NO_LAYOUT), (1, 1)) == []
    assert not stack.env_file.exists()


def test_an_installed_stack_gets_a_work_folder_of_its_own(stack: Stack, tmp_path: Path) -> None:
    installed = replace(stack, home=tmp_path / "my data/beta")
    prepare_environment(installed, (1, 1))
    assert read_environment(installed)["WORK_DIR"] == str(tmp_path / "my data/beta/work")
    assert not stack.env_file.exists()
    installed.env_file.write_text("WORK_DIR=/elsewhere\n")
    prepare_environment(installed, (1, 1))
    assert read_environment(installed)["WORK_DIR"] == "/elsewhere"


def test_a_path_that_env_files_cannot_hold_is_refused(stack: Stack, tmp_path: Path) -> None:
    installed = replace(stack, home=tmp_path / "it's")
    work = str(installed.home / "work")
    with pytest.raises(StackError) as caught:
        prepare_environment(installed, (1, 1))
    assert str(caught.value) == (
        f"WORK_DIR cannot be {work!r} in an .env file. Choose a folder without quotes, backslashes and ${{ in its name."
    )
    assert not installed.env_file.exists()


def test_two_copies_have_two_project_names(stack: Stack, tmp_path: Path) -> None:
    other = replace(stack, home=tmp_path / "other")
    assert project_name(stack) != project_name(other)
    assert project_name(stack) == project_name(replace(stack))
    assert project_name(replace(stack, name="_My Stack.2")).startswith("my-stack-2-")
    assert project_name(replace(stack, name="…")).startswith("stack-")


def test_files_that_cannot_be_read_or_written_are_named(stack: Stack) -> None:
    stack.env_example.write_bytes(b"\xff\xfe")
    with pytest.raises(StackError) as caught:
        prepare_environment(stack, (1, 1))
    assert str(caught.value) == f"{stack.env_file} could not be prepared: it is not text in UTF-8"
    assert not stack.env_file.exists()
    stack.env_file.mkdir()
    with pytest.raises(StackError, match=r"could not be prepared: Is a directory$"):
        prepare_environment(stack, (1, 1))
    stack.env_file.rmdir()
    stack.env_file.write_bytes(b"A=\xff")
    with pytest.raises(StackError) as caught:
        read_environment(stack)
    assert str(caught.value) == f"{stack.env_file} cannot be read: it is not text in UTF-8"


def mounting(*sources: Path | str, kind: str = "bind") -> Project:
    return Project("p", {"a": Service("a", mounts=tuple(Mount(kind, str(source), "/x") for source in sources))})


def test_missing_folders_below_home_are_made(stack: Stack, tmp_path: Path) -> None:
    home = stack.home
    (home / "work/there").mkdir(parents=True)
    (home / "work/leads-away").symlink_to(tmp_path / "away/gone")
    (home / "Makefile").write_text("")
    (home / "loop").symlink_to("loop")
    project = mounting(
        home / "work/data",
        home / "work/data",
        home / "work/there",
        home / "work/leads-away",
        home / "spark-defaults.conf",
        home / "Makefile",
        home / "Makefile/under",
        home / "../outside",
        home / "work/../../outside",
        home / "loop/x",
        tmp_path / "outside",
        "relative/data",
        "",
        home / ("n" * 300),
        home / "a\0b",
    )
    too_long = home / ("n" * 300)
    assert set(bind_folders(stack, project)) <= {
        home / "work/data",
        home / "work/there",
        home / "Makefile/under",
        too_long,
    }
    good = mounting(home / "work/data", home / "work/there", home / "../outside", home / "spark-defaults.conf")
    assert bind_folders(stack, good) == [home / "work/data", home / "work/there"]
    assert create_folders(stack, good) == [home / "work/data"]
    assert (home / "work/data").is_dir()
    assert create_folders(stack, good) == []
    assert not (home.parent / "outside").exists() and not (tmp_path / "away").exists()
    assert create_folders(stack, mounting(home / "work/more", kind="volume")) == []


def test_folders_below_the_work_folder_are_made_wherever_it_is(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = mounting(tmp_path / "big/data", tmp_path / "other/data")
    assert bind_folders(stack, project) == []
    stack.env_file.write_text(f"WORK_DIR={tmp_path}/big\n")
    assert create_folders(stack, project) == [tmp_path / "big/data"]
    monkeypatch.setenv("WORK_DIR", str(tmp_path / "other"))
    assert create_folders(stack, project) == [tmp_path / "other/data"]


def test_a_folder_that_cannot_be_made_is_named(stack: Stack) -> None:
    (stack.home / "taken").write_text("")
    with pytest.raises(StackError) as caught:
        create_folders(stack, mounting(stack.home / "taken/data"))
    assert str(caught.value) == f"The folder {stack.home / 'taken/data'} cannot be made: Not a directory"


@pytest.mark.parametrize(("caller", "owner", "user"), [(0, 0, 1000), (501, 0, 0), (501, 501, 501)])
def test_what_must_not_be_root_is_not_where_root_starts_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caller: int, owner: int, user: int
) -> None:
    """An engine without root maps the container's root to the caller: there it is nobody else."""
    assert stack.layout
    kinds = {"APP_UID": Generated.NONROOT_USER_ID, "APP_GID": Generated.NONROOT_GROUP_ID, "UID": Generated.USER_ID}
    stack = replace(stack, layout=replace(stack.layout, environment=kinds))
    monkeypatch.setattr(os, "getuid", lambda: caller)
    prepare_environment(stack, (owner, owner))
    assert read_environment(stack) == {"APP_UID": str(user), "APP_GID": str(user), "UID": str(owner)}


def test_root_makes_folders_for_the_user_of_the_services(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda *to: given.append(to))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    folder = stack.home / "work" / "data"
    project = Project("x", {"a": Service("a", mounts=(Mount("bind", str(folder), "/data"),))})
    stack.env_file.write_text("HOST_UID=1234\n")
    assert create_folders(stack, project) == [folder]
    assert given == [(folder, 1234, -1)]
