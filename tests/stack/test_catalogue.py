"""Which stack is meant, and copying one out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tui.stack import catalogue
from tui.stack.catalogue import bundled_stacks, compose_files, copy_out, find_stack
from tui.stack.errors import LayoutError, StackError
from tui.stack.layout import load_layout
from tui.stack.model import NO_LAYOUT


def make_project(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("compose.yaml",):
        (folder / name).write_text("services: {web: {image: x}}\n")
    return folder


def refused(choice: str | None, cwd: Path) -> str:
    with pytest.raises(StackError) as caught:
        find_stack(choice, cwd)
    return str(caught.value)


def test_bundled_stacks(root: Path, tmp_path: Path) -> None:
    assert [stack.name for stack in bundled_stacks()] == ["beta", "flight-delay"]
    stack = find_stack("beta", tmp_path)
    assert stack.bundled and stack.folder == stack.home == root / "compose/beta"
    assert stack.files == (root / "compose/beta/compose.yaml",)
    assert stack.layout.source == root / "layouts/beta.yaml"
    assert stack.env_file == root / "compose/beta/.env"


def test_the_checkout_brings_both_stacks() -> None:
    assert {"flight-delay", "spark-cluster"} <= {stack.name for stack in bundled_stacks()}


def test_compose_files_of_other_names_are_never_taken_for_a_bundled_stack(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("docker-compose.spark.yml", "Compose-dev.yaml", "notes.yaml"):
        (folder / name).write_text("services: {}\n")
    assert refused(None, folder) == (
        f"{folder} has no compose file under a usual name (compose.yaml, compose.yml, docker-compose.yml, "
        "docker-compose.yaml), but Compose-dev.yaml, docker-compose.spark.yml. Open one: sparkdeck --stack "
        "./Compose-dev.yaml. A bundled stack: sparkdeck --stack flight-delay."
    )
    assert find_stack("./docker-compose.spark.yml", folder).files == (folder / "docker-compose.spark.yml",)
    assert find_stack("flight-delay", folder).bundled


def test_without_a_choice_it_is_the_current_folder_s_project_else_flight_delay(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert find_stack(None, elsewhere).name == "flight-delay"
    mine = make_project(tmp_path / "mine")
    (mine / "src/deep").mkdir(parents=True)
    for cwd in (mine, mine / "src/deep"):
        stack = find_stack(None, cwd)
        assert (stack.name, stack.folder, stack.home, stack.layout, stack.bundled) == (
            "mine",
            mine,
            mine,
            NO_LAYOUT,
            False,
        )


def test_inside_of_a_bundled_folder_it_is_that_stack(root: Path) -> None:
    for cwd in (root / "compose/beta", root / "compose/beta/images"):
        stack = find_stack(None, cwd)
        assert stack.bundled and stack.name == "beta" and stack.layout


def test_compose_files_are_picked_as_docker_compose_does(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a", "docker-compose.yaml")
    assert compose_files(folder) == (folder / "docker-compose.yaml",)
    make_project(folder, "docker-compose.yml", "docker-compose.override.yml", "compose.yml", "compose.yaml")
    assert compose_files(folder) == (folder / "compose.yaml", folder / "docker-compose.override.yml")
    make_project(folder, "compose.override.yaml")
    assert compose_files(folder)[1] == folder / "compose.override.yaml"
    assert compose_files(make_project(tmp_path / "b", "compose.override.yml")) == ()


def test_a_path_is_a_folder_a_compose_file_or_a_layout(root: Path, tmp_path: Path) -> None:
    mine = make_project(tmp_path / "mine", "compose.yaml", "compose.override.yml", "other.yml")
    assert find_stack("mine", tmp_path).folder == mine
    assert find_stack("./mine", tmp_path).files == (mine / "compose.yaml", mine / "compose.override.yml")
    assert find_stack(str(mine), Path("/")).folder == mine
    # As with `docker compose -f`: without the override.
    assert find_stack("mine/other.yml", tmp_path).files == (mine / "other.yml",)
    assert find_stack("mine/compose.yaml", tmp_path).files == (mine / "compose.yaml",)
    assert find_stack("other.yml", mine).files == (mine / "other.yml",)

    (mine / "sparkdeck.yaml").write_text("name: named\ntitle: T\nservices: {web: {role: app}}\n")
    (mine / "second.yaml").write_text("name: second\ntitle: T\nservices: {web: {role: app}}\n")
    assert find_stack("mine", tmp_path).name == "named"
    assert find_stack("mine/sparkdeck.yaml", tmp_path).name == "named"
    stack = find_stack("mine/second.yaml", tmp_path)
    assert (stack.name, stack.folder) == ("second", mine)
    assert stack.layout.source == mine / "second.yaml"

    stack = find_stack(str(root / "layouts/beta.yaml"), tmp_path)
    assert stack.bundled and stack.folder == root / "compose/beta"


def test_its_words_find_the_same_stack_again(root: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my stack"
    (mine / "below").mkdir(parents=True)
    for name in ("compose.yaml", "other.yaml"):
        (mine / name).write_text("services: {}\n")
    layout = "name: mine\ntitle: Mine\nservices: {web: {role: app}}\nvariants:\n"
    layout += "  one: {title: One, files: [compose.yaml], default: true}\n  two: {title: Two, files: [other.yaml]}\n"
    (mine / "sparkdeck.yaml").write_text(layout)
    for choice, cwd, variant in (
        (None, mine, None),
        (None, mine / "below", "two"),
        (None, tmp_path, None),
        ("flight-delay", mine, None),
        ("../other.yaml", mine / "below", None),
        ("my stack", tmp_path, "two"),
        (str(root / "compose" / "flight-delay" / "compose.yaml"), mine, None),
    ):
        found = find_stack(choice, cwd, variant)
        named = dict(zip(found.words[::2], found.words[1::2], strict=True))
        assert find_stack(named.get("--stack"), cwd, named.get("--variant")) == found


def test_a_bundled_name_goes_before_a_folder(root: Path, tmp_path: Path) -> None:
    make_project(tmp_path / "beta")
    assert find_stack("beta", tmp_path).bundled
    assert not find_stack("./beta", tmp_path).bundled


def test_a_stack_that_cannot_be_found_is_explained(root: Path, tmp_path: Path) -> None:
    known = "Known stacks: beta, flight-delay. Or give the path of a folder, a compose file or a layout."
    assert refused("flight-dely", tmp_path) == f"There is no stack 'flight-dely'; did you mean 'flight-delay'? {known}"
    assert refused("zzz", tmp_path) == f"There is no stack 'zzz'. {known}"
    assert refused("", tmp_path) == f"There is no stack ''. {known}"
    assert refused("./zzz", tmp_path) == f"There is no file or folder {tmp_path / 'zzz'}."
    assert refused("zzz.yaml", tmp_path) == f"There is no file or folder {tmp_path / 'zzz.yaml'}."
    empty = tmp_path / "empty"
    empty.mkdir()
    names = "compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml"
    assert refused("empty", tmp_path) == f"{empty} has no compose file. Looked for: {names}"
    alone = tmp_path / "empty/alone.yaml"
    alone.write_text("name: a\ntitle: T\nservices: {web: {}}\n")
    assert refused(str(alone), tmp_path) == (
        f"The layout {alone} has no compose project. Looked in {empty} and {tmp_path / 'compose/alone'} for: {names}"
    )
    assert refused("a" * 5000, tmp_path).startswith("The stack 'aaa")
    assert refused("~nobody-here/x", tmp_path).startswith("The stack '~nobody-here/x' cannot be read: ")
    assert refused("a/\0", tmp_path) == "There is no file or folder " + str(tmp_path / "a/\0") + "."


def test_a_broken_layout_spoils_only_its_own_stack(root: Path, tmp_path: Path) -> None:
    (root / "layouts/beta.yaml").write_text("name: beta\ntitle: T\nservices: []\n")
    assert find_stack("flight-delay", tmp_path).layout
    with pytest.raises(LayoutError, match=r"beta\.yaml:3: services: must be a mapping"):
        find_stack("beta", tmp_path)


def test_a_foreign_layouts_folder_is_not_taken_for_ours(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "compose/web")
    (tmp_path / "layouts").mkdir()
    (tmp_path / "layouts/web.yaml").write_text("header: left\n")
    assert find_stack(str(folder), tmp_path).layout == NO_LAYOUT


def test_an_installed_stack_keeps_what_is_the_user_s_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "lib/site-packages/tui/bundled"
    shutil.copytree(root, installed)
    monkeypatch.setattr(catalogue, "bundled_root", lambda: installed)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    stack = find_stack("beta", tmp_path)
    assert stack.bundled and stack.folder == installed / "compose/beta"
    assert stack.home.name == "beta" and stack.home.parent.name == "sparkdeck"
    assert not stack.home.is_relative_to(installed)


def test_copying_out_takes_everything_but_what_is_the_user_s(root: Path, tmp_path: Path) -> None:
    folder = root / "compose/beta"
    for name in ("work/data/big.csv", "work/.env", "sub/work/keep", "jobs/__pycache__/a.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".env").write_text("SECRET=1")
    target = tmp_path / "new/place"
    written = copy_out(find_stack("beta", tmp_path), target)
    assert [str(path.relative_to(target)) for path in written] == [
        ".env.example",
        "compose.yaml",
        "images/Dockerfile",
        "images/entrypoint.sh",
        "layout.schema.json",
        "sparkdeck.yaml",
        "sub/work/keep",
    ]
    assert not (target / "images").is_symlink()
    assert (target / "images/entrypoint.sh").stat().st_mode & 0o111
    assert target.stat().st_mode & 0o777 == folder.stat().st_mode & 0o777
    assert list(target.parent.iterdir()) == [target]
    copy = find_stack(str(target), tmp_path)
    assert not copy.bundled and copy.home == target and copy.name == "beta"
    assert load_layout(target / "sparkdeck.yaml") == copy.layout


def test_copying_into_an_empty_folder_keeps_that_folder(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "here"
    target.mkdir()
    before = target.stat().st_ino
    copy_out(find_stack("beta", tmp_path), target)
    assert target.stat().st_ino == before
    assert (target / "images/Dockerfile").is_file()
    assert not list(target.glob(".sparkdeck-*"))


def test_copying_from_a_read_only_folder_gives_a_copy_that_can_be_edited(root: Path, tmp_path: Path) -> None:
    (root / "compose/flight-delay/compose.yaml").chmod(0o444)
    copy_out(find_stack("flight-delay", tmp_path), tmp_path / "new")
    assert (tmp_path / "new/compose.yaml").stat().st_mode & 0o200


def test_copying_refuses_what_would_overwrite(root: Path, tmp_path: Path) -> None:
    stack = find_stack("beta", tmp_path)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("x")
    for target in (full, full / "mine"):
        with pytest.raises(StackError) as caught:
            copy_out(stack, target)
        assert str(caught.value) == (
            f"{target} is not an empty folder. Choose a new or an empty one; nothing was written."
        )
    with pytest.raises(StackError) as caught:
        copy_out(stack, stack.folder / "copy")
    assert str(caught.value) == (
        f"{stack.folder / 'copy'} lies in the stack's own folder {stack.folder}. Choose another folder."
    )
    assert [path.name for path in full.iterdir()] == ["mine"]


@pytest.mark.parametrize("existed", [True, False])
def test_a_copy_that_fails_leaves_nothing(root: Path, tmp_path: Path, existed: bool) -> None:
    stack = find_stack("beta", tmp_path)
    (stack.folder / "dangling").symlink_to("nowhere")
    target = tmp_path / "target"
    if existed:
        target.mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StackError) as caught:
        copy_out(stack, target)
    assert str(caught.value).startswith(f"beta could not be copied to {target}: {stack.folder / 'dangling'}: ")
    assert sorted(tmp_path.iterdir()) == before
    assert not existed or not list(target.iterdir())
