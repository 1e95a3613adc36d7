"""Keys as a terminal sends them: Esc alone, sequences, characters that come in pieces."""

from __future__ import annotations

import fcntl
import os
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any

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
