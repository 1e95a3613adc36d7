"""What compose files demand, variants, and the credentials that the first start makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.stack.catalogue import find_stack
from tui.stack.environment import prepare_environment, read_environment
from tui.stack.errors import LayoutError, StackError
from tui.stack.variables import Missing, demand_variables, missing_variables

LAYOUT = """
name: shop
title: Shop
services: {web: {role: app}}
environment: {WEB_USER: access-key, WEB_PASSWORD: secret-key}
variables: {TOWN: where it stands}
variants:
  one: {title: One, files: [compose.yaml], default: true}
  two: {title: Two, files: [compose.yaml, more.yml]}
"""
MORE = """
# ${COMMENT:?is none}
x-base: &base
  image: "${TOWN:?a town}/${NAME?a name}:${TAG:-1}"
services:
  web:
    <<: *base
    command: [sh, -c, "echo $$HOME $${NOT:?me} ${A:-${B:?since A is not set}} ${C:+${D:?since C is set}}"]
    environment: {U: "${WEB_USER:?}", P: "${WEB_PASSWORD:?the password}"}
    ports: !override ["${PORT:?a port}:80"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TOWN", "NAME", "A", "B", "C", "D", "PORT", "WEB_USER", "WEB_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}\n")
    (tmp_path / "more.yml").write_text(MORE)
    (tmp_path / "sparkdeck.yaml").write_text(LAYOUT)
    return tmp_path


def names(missing: list[Missing]) -> list[str]:
    return [one.name for one in missing]


def test_variants_choose_the_files(folder: Path, tmp_path: Path) -> None:
    stack = find_stack(str(folder), tmp_path)
    assert stack.variant and stack.variant.name == "one" and stack.files == (folder / "compose.yaml",)
    two = find_stack(str(folder), tmp_path, "two")
    assert two.files == (folder / "compose.yaml", folder / "more.yml")
    (folder / ".env").write_text("SPARKDECK_VARIANT=two\n")
    assert find_stack(str(folder), tmp_path).files == two.files
    assert find_stack(str(folder), tmp_path, "one").files == stack.files
    # A file that is named is what is meant.
    (folder / ".env").unlink()
    assert find_stack(str(folder / "more.yml"), tmp_path).files == (folder / "more.yml",)
    with pytest.raises(StackError, match=r"no variant 'tow'; did you mean 'two'\? It has: one, two\."):
        find_stack(str(folder), tmp_path, "tow")
    (folder / "more.yml").unlink()
    with pytest.raises(StackError, match=r"variant two names .*more\.yml, and there is no such file"):
        find_stack(str(folder), tmp_path, "two")


def test_a_stack_may_have_no_file_of_the_usual_names(folder: Path) -> None:
    (folder / "compose.yaml").rename(folder / "first.yml")
    (folder / "sparkdeck.yaml").write_text(LAYOUT.replace("compose.yaml", "first.yml"))
    below = folder / "below"
    below.mkdir()
    for choice in (None, str(folder), str(folder / "sparkdeck.yaml")):
        assert find_stack(choice, below).files == (folder / "first.yml",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("default: true", "default: false"), "variants: none is the default"),
        (("files: [compose.yaml, more.yml]", "files: [compose.yaml], default: true"), "'one' is the default already"),
        (("files: [compose.yaml, more.yml]", "files: [../more.yml]"), "A file of the compose folder"),
        (
            ("secret-key", "password"),
            "Allowed: project-name, user-id, group-id, nonroot-user-id, nonroot-group-id, access-key, secret-key",
        ),
    ],
)
def test_mistakes_in_a_layout(folder: Path, change: tuple[str, str], expected: str) -> None:
    (folder / "sparkdeck.yaml").write_text(LAYOUT.replace(*change))
    with pytest.raises(LayoutError) as caught:
        find_stack(str(folder), folder)
    assert expected in str(caught.value) and "sparkdeck.yaml:" in str(caught.value)


def test_what_is_demanded_and_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_variables(find_stack(str(folder), folder)) == []
    stack = find_stack(str(folder), folder, "two")
    found = missing_variables(stack)
    assert names(found) == ["TOWN", "NAME", "B", "WEB_USER", "WEB_PASSWORD", "PORT"]
    assert dict((one.name, one.meaning) for one in found)["TOWN"] == "where it stands"
    assert dict((one.name, one.meaning) for one in found)["NAME"] == "a name"
    # Empty is enough for `?`, not for `:?`; a variable of the environment counts; a default that is not taken does not.
    (folder / ".env").write_text("NAME=\nTOWN=\nA=1\nC=1\n")
    monkeypatch.setenv("PORT", "80")
    assert names(missing_variables(stack)) == ["TOWN", "D", "WEB_USER", "WEB_PASSWORD"]


def test_all_that_is_missing_is_said_at_once(folder: Path) -> None:
    stack = find_stack(str(folder), folder, "two")
    with pytest.raises(StackError) as caught:
        demand_variables(stack, starting=True)
    text = str(caught.value)
    assert "shop (variant two) needs variables that are not set:" in text
    assert "TOWN" in text and "where it stands" in text and str(folder / ".env") in text
    assert "WEB_PASSWORD" not in text, "that one is made"
    assert not (folder / ".env").exists()


def test_credentials_are_made_once_for_a_stack_that_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = folder / ".env"
    env.write_text("TOWN=Ulm\nNAME=n\nB=b\nPORT=80\nWEB_USER=\n")
    env.chmod(0o644)
    stack = find_stack(str(folder), folder, "two")
    with pytest.raises(StackError, match="sparkdeck setup makes them"):
        demand_variables(stack)
    (said,) = demand_variables(stack, starting=True)
    made = read_environment(stack)
    assert said == f"Added to {env}: WEB_USER=(generated), WEB_PASSWORD=(generated)."
    assert len(made["WEB_USER"]) == 20 and made["WEB_USER"].isalnum() and made["WEB_USER"].isupper()
    assert len(made["WEB_PASSWORD"]) == 40 and made["WEB_PASSWORD"].isalnum()
    assert env.stat().st_mode & 0o777 == 0o600
    assert demand_variables(stack) == demand_variables(stack, starting=True) == []
    prepare_environment(stack, (1, 2))
    assert read_environment(stack) == made
    # What the environment sets to nothing goes before `.env`, as for compose.
    monkeypatch.setenv("WEB_USER", "")
    with pytest.raises(StackError, match=r"(?s)WEB_USER.*Set them in"):
        demand_variables(stack, starting=True)


def test_a_first_env_with_credentials_shows_none(folder: Path) -> None:
    stack = find_stack(str(folder), folder)
    (said,) = prepare_environment(stack, (1, 2))
    made = read_environment(stack)
    assert "WEB_PASSWORD=(generated)" in said and made["WEB_PASSWORD"] not in said and made["WEB_USER"] not in said
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
