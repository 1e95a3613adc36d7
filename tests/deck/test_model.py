"""The log's rows, the table of actions, the settings, the submit form: what needs no screen."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from tests.deck.fakes import FakeLog, FakePane, replica
from tui.actions.start import Note, StartUpdate
from tui.deck.actions import ACTIONS, Keymap, clashes, readme_table
from tui.deck.commands import Command, Runner
from tui.deck.draw import gauge, graph
from tui.deck.logmodel import PARTS, LogModel
from tui.deck.pattern import parse_pattern
from tui.deck.settings import load_settings
from tui.jobs.kinds.kind import SubmitError
from tui.jobs.kinds.spark import spark_memory
from tui.stack.model import Role, Service
from tui.stack.secrets import MASK, masked
from tui.watch.live import Pane
from tui.watch.ready import Step


def numbers(model: LogModel) -> list[int]:
    """The rows that are shown."""
    return [code // PARTS for code in model.index]


def traced() -> FakeLog:
    """Three lines, the second with a trace of two."""
    log = FakeLog()
    log.write("one", level="info")
    log.write("two broke", level="error")
    log.write("java.lang.Error", "\tat a.B.c(B.java:1)", continues=True)
    log.write("three", level="info")
    return log


def test_traces_fold_and_open() -> None:
    model = LogModel(traced())
    model.rebuild()
    assert numbers(model) == [0, 1, 4] and model.folds == {1: 2}
    assert model.toggle(1) and numbers(model) == [0, 1, 2, 3, 4]
    assert model.toggle(1) and numbers(model) == [0, 1, 4]
    assert not model.toggle(0)


def test_a_line_of_a_trace_is_found_by_the_filter() -> None:
    model = LogModel(traced())
    model.pattern = parse_pattern("B.java")
    model.rebuild()
    assert numbers(model) == [3]
    model.pattern = parse_pattern("!/^(one|two|java|\tat)/")
    model.rebuild()
    assert numbers(model) == [4]


def test_levels() -> None:
    model = LogModel(traced())
    model.level = "error"
    model.rebuild()
    assert numbers(model) == [1]


@pytest.mark.parametrize("width", [0, 7])
def test_looking_at_new_rows_only_gives_what_looking_at_all_gives(width: int) -> None:
    chance = random.Random(7)
    log = FakeLog()
    log.write("begin")
    model = LogModel(log)
    model.width = width
    model.rebuild()
    for _ in range(300):
        for _ in range(chance.randrange(5)):
            log.write("x" * chance.randrange(40), level=chance.choice(["info", "error", None]))
            if chance.random() < 0.4:
                log.write("\tat somewhere", continues=True)
        if len(log.entries) > 60:
            log.let_go(chance.randrange(20))
        if chance.random() < 0.1 and model.folds:
            model.toggle(chance.choice(list(model.folds)))
        model.update()
        again = LogModel(log)
        again.width, again.opened = width, set(model.opened)
        again.rebuild()
        # A trace whose head was let go goes on being folded away; its lines come back when all is looked at.
        heads = {entry.number for entry in log.entries if not entry.continues}
        first = min(heads, default=log.total) * PARTS
        assert [c for c in model.index if c >= first] == [c for c in again.index if c >= first]


def test_keys_do_not_clash_and_every_action_has_help() -> None:
    assert clashes({}) == []
    assert all(action.title and action.help and action.scope for action in ACTIONS)
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_nothing_destructive_is_one_shift_away_from_something_harmless() -> None:
    keys = {key: action for action in ACTIONS for key in action.keys if len(key) == 1 and key.isalpha()}
    for key, action in keys.items():
        other = keys.get(key.swapcase())
        if action.danger and other is not None and not other.changes:
            raise AssertionError(f"{key} is {action.id}, {key.swapcase()} is {other.id}")


def test_read_only_has_no_action_that_changes() -> None:
    keymap = Keymap(read_only=True)
    assert not any(action.changes for action in keymap.actions)
    assert keymap.find("panes", "r") is None and keymap.find("panes", "i") is not None
    assert all(action.changes for action in ACTIONS if action.danger)


def test_the_readme_has_the_keys() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    assert readme_table() in text, "the README's key table is stale: tui.deck.actions.readme_table() makes it"


def test_settings_name_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORFGBG", raising=False)
    file = tmp_path / "config.yaml"
    file.write_text("theme: lihgt\nkeys:\n  restart: ctrl+r\n  zom: z\n  stop: r\n  start: i\ncolour: red\n")
    settings = load_settings(file)
    assert settings.theme == "dark" and settings.keys["restart"] == ("ctrl+r",)
    text = "\n".join(settings.problems)
    assert f"{file}:1: theme is dark or light" in text
    assert f"{file}:4: there is no action 'zom'; did you mean 'zoom'?" in text
    assert f"{file}:7: there is no setting 'colour'" in text
    # `start` on i: the user's own key wins, and it is said.
    assert f"{file}:6" in text and "'inspect' does not get it" in text
    keymap = Keymap(settings.keys)
    found = {key: keymap.find("panes", key) for key in ("r", "i", "ctrl+r")}
    assert {key: action.id for key, action in found.items() if action} == {
        "r": "stop",
        "i": "start",
        "ctrl+r": "restart",
    }


def test_settings_without_a_file(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.yaml").problems == ()


@pytest.mark.parametrize(
    ("ground", "config", "theme"),
    [
        ("0;15", "", "light"),
        ("0;default;7", "", "light"),
        ("15;0", "", "dark"),
        ("", "", "dark"),
        ("0;15", "theme: dark", "dark"),
        ("15;0", "theme: light", "light"),
    ],
)
def test_the_theme_is_the_terminals_unless_it_is_set(
    ground: str, config: str, theme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORFGBG", ground)
    file = tmp_path / "config.yaml"
    assert config or load_settings(file).theme == theme
    file.write_text(f"mouse: true\n{config}\n")
    assert load_settings(file).theme == theme


def test_gauges_and_graphs() -> None:
    assert gauge(0.5, 10) == ("━" * 5, "─" * 5)
    assert gauge(None, 4) == ("", "····")
    assert gauge(0.001, 4) == ("━", "───")
    assert graph([0.0, 100.0], 2, 2, 1, 100.0) == [" ⣸"]
    assert graph([None, None], 2, 1, 1, 100.0) == [" "]
    # One value more moves nothing but the last cell.
    assert graph([50.0] * 8, 8, 3, 2, 100.0)[1][:2] == graph([50.0] * 9, 9, 3, 2, 100.0)[1][:2]


def test_memory_as_spark_writes_it() -> None:
    assert [spark_memory(text) for text in ("512m", "2g", "1024", "1gb")] == [512 << 20, 2 << 30, 1 << 30, 1 << 30]
    with pytest.raises(SubmitError, match="write 512m"):
        spark_memory("lots")


def test_secrets() -> None:
    assert masked("DB_PASSWORD", "x") == MASK and masked("SPARK_MODE", "worker") == "worker"
    assert masked("DB_URL", "postgres://me:pw@db/x") == f"postgres://me:{MASK}@db/x"


async def no_work() -> AsyncGenerator[StartUpdate]:
    yield Note("nothing to do")


def test_of_several_replicas_only_the_one_that_starts_is_said_to_start() -> None:
    runner = Runner(lambda command: None)
    command = Command("Scale to 3 workers", "sparkdeck scale 3", no_work)
    runner.commands.append(command)
    service = Service("worker", replicas=2)

    def shown(number: int, word: str) -> str | None:
        pane = FakePane("x", "x", service, Role.SPARK_WORKER, replica(f"worker-{number}"), word, word == "healthy")
        step = runner.step_of(cast("Pane", pane))
        return step.word if step else None

    command.say(Step("worker", "starting", 0.0))
    assert (shown(1, "healthy"), shown(2, "starting")) == (None, "starting")
    command.say(Step("worker", "healthy", 3.0, ready=True))
    assert (shown(1, "healthy"), shown(2, "healthy")) == ("healthy", "healthy")
