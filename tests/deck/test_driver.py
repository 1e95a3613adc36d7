"""Keys as a terminal sends them: Esc alone, sequences, characters that come in pieces."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shlex
import signal
import sys
import termios
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from textual import events

from tests.bench.terminal import Terminal
from tui.deck.driver import KeyDriver

# An app that writes the name of each key, on the deck's driver.
KEYS = """
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Label
from tui.deck.driver import KeyDriver

class Keys(App[None]):
    def compose(self) -> ComposeResult:
        yield Label("ready")

    def on_key(self, event: events.Key) -> None:
        if event.key == "q":
            self.exit()
        self.query_one(Label).update(f"<{event.key}>")

Keys(KeyDriver).run()
"""


async def test_keys_arrive_as_a_terminal_sends_them() -> None:
    env = {**os.environ, "TERM": "xterm-256color"}
    app = await Terminal.open((sys.executable, "-c", KEYS), Path.cwd(), env)
    try:
        await app.wait("ready", 20)
        for sent, name in (("\x1b", "escape"), ("\x1b[A", "up"), ("a", "a"), ("\x1b", "escape"), ("\x1bOB", "down")):
            app.forget()
            app.send(sent)
            await app.wait(f"<{name}>")
        assert await app.close("q") is not None, "the thread that reads keys ends with the app"
    finally:
        await app.close()


def test_a_character_that_comes_in_pieces_is_one_key() -> None:
    reading, writing = os.pipe()
    keys: list[str] = []
    driver: Any = KeyDriver.__new__(KeyDriver)
    driver._debug, driver.fileno, driver.exit_event = False, reading, threading.Event()
    driver.process_message = lambda event: keys.append(event.key) if isinstance(event, events.Key) else None
    driver._loop = Mock()
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    for piece in (b"\xe2", b"\x82", b"\xacz"):
        os.write(writing, piece)
        until = time.monotonic() + 10
        while fcntl.ioctl(reading, termios.FIONREAD, b"\0" * 4) != b"\0" * 4 and time.monotonic() < until:
            time.sleep(0.001)
    os.close(writing)
    thread.join(10)
    os.close(reading)
    assert not thread.is_alive() and keys == ["euro_sign", "z"], "the end of the input is the end of the thread"


SHELL = 'echo you are inside; read word; eval "$word"'
PAINTED = "8 of 8 services well"


@asynccontextmanager
async def a_deck(shell: str, before: str = "") -> AsyncGenerator[Terminal]:
    """A deck in a terminal, painted; it has synchronized output, as most have."""
    env = {**os.environ, "TERM": "xterm-256color"}
    words = shlex.join([sys.executable, "-m", "tests.deck.person", shell])
    terminal = await Terminal.open(("sh", "-c", f"{before} exec {words}"), Path.cwd(), env)
    try:
        await terminal.wait(PAINTED, 20)
        terminal.send("\x1b[?2026;2$y")
        yield terminal
    finally:
        await terminal.close()


async def visit(deck: Terminal, does: str = "") -> bytes:
    """Goes to the shell, which does something and ends; what was written until the deck was back."""
    deck.forget()
    deck.send("e")
    await deck.wait("you are inside")
    deck.send(f"{does}\r")
    await deck.wait(f"you are inside(.|\\n)*{PAINTED}")
    # Where the terminal was given away, and where it was taken back.
    return deck.raw.partition(b"\x1b[?1049l")[2].partition(b"\x1b[?1049h")[0]


async def test_a_lent_terminal_comes_back_whatever_happens_meanwhile() -> None:
    async with a_deck(SHELL) as deck:
        for _ in range(50):
            await visit(deck)
        # Longer than the driver's queue holds pictures, which come all the time.
        written = await visit(deck, "sleep 1")
        assert b"news" not in written and b"\x1b[48" not in written, "nothing is painted over the shell"
        # Modes, a terminal that does not block, Ctrl+C, the foreground of a process group that is no more.
        await visit(deck, "stty raw -echo")
        await visit(deck, f"{sys.executable} -c 'import os; os.set_blocking(0, False)'")
        await visit(deck, "trap : INT; kill -INT 0")
        await visit(deck, "exec bash -ic 'kill -9 $$'")

        deck.forget()
        deck.send("ee")
        await deck.wait("you are inside")
        deck.send("\r")
        await deck.wait(f"you are inside(.|\\n)*{PAINTED}")
        assert deck.raw.count(b"leave it to come back") == 1, "two keys are one shell"

        for number in (signal.SIGTSTP, signal.SIGSTOP, signal.SIGTSTP):
            deck.forget()
            os.kill(deck.pid, number)
            await asyncio.to_thread(os.waitid, os.P_PID, deck.pid, os.WSTOPPED | os.WNOWAIT)
            assert number == signal.SIGSTOP or deck.modes()[3] & termios.ECHO, "the terminal is the shell's"
            os.kill(deck.pid, signal.SIGCONT)
            await deck.wait(PAINTED)

        deck.send("q")
        assert await deck.ended() == 0, "one thread reads keys, and it ends"
        assert_given_back(deck)


@pytest.mark.parametrize(("number", "lent"), [(signal.SIGTERM, False), (signal.SIGHUP, True)])
async def test_a_signal_gives_the_terminal_back(number: signal.Signals, lent: bool) -> None:
    async with a_deck(SHELL) as deck:
        if lent:
            deck.send("e")
            await deck.wait("you are inside")
        os.kill(deck.pid, number)
        assert await deck.ended() == 128 + number
        assert_given_back(deck)


def assert_given_back(deck: Terminal) -> None:
    """The screen as it was, no mouse, a cursor, keys that are seen."""
    last = deck.raw.rpartition(b"\x1b[?1049h")[2]
    for part in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?25h"):
        assert part in last
    assert deck.modes()[3] & termios.ECHO


@pytest.mark.parametrize("before", ["", "trap '' HUP;"], ids=["hung up", "where that is ignored"])
async def test_the_deck_goes_with_its_terminal(before: str) -> None:
    async with a_deck(SHELL, before=before) as deck:
        deck.hang_up()
        assert await deck.ended() == 128 + signal.SIGHUP
