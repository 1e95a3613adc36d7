"""The terminal: keys that come at once, a terminal that is lent and taken back whole, signals that leave cleanly."""

from __future__ import annotations

import os
import selectors
import signal
import termios
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import IO, Any

from textual import constants
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

# How long quitting and leaving for a shell may wait for this thread, in seconds.
IDLE = 0.1
# Signals that end the deck; those of a key (Ctrl+C) are for the command that has the terminal while it is lent.
FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)
ENDING = (signal.SIGTERM, signal.SIGHUP, *FROM_KEYS)


class KeyDriver(LinuxDriver):
    """Textual's driver (8.2), but for what freezes it.

    It looks once in 0.1 s whether an Esc began no sequence, whatever its escape delay is; to a writer that has ended
    it writes until that one's queue is full, and then waits for ever; it does not notice that its terminal is gone.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = Output(self._file)

    # the life of the terminal

    def start_application_mode(self) -> None:
        """Takes the terminal. Signals are handled between two steps of the loop, not amid a write that holds a lock."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        for number, handler in (
            (signal.SIGTSTP, self._sigtstp_application),
            (signal.SIGCONT, self._sigcont_application),
        ):
            self._loop.add_signal_handler(number, handler)
        for number in ENDING:
            # What is ignored stays so (nohup).
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._end, number)

    def _end(self, number: signal.Signals) -> None:
        if self._writer_thread is not None or number not in FROM_KEYS:
            self._app.exit(return_code=128 + number)

    def write(self, data: str) -> None:
        """Writes where the terminal is ours; while it is lent nothing is written, and all of it when it is back."""
        if self._writer_thread is not None:
            super().write(data)

    def close(self) -> None:
        """Ends the writer."""
        super().close()
        self._writer_thread = None

    def resume_application_mode(self) -> None:
        """Takes the terminal back, whatever a command has left of it."""
        if self._writer_thread is not None:
            # Stopped and continued from outside: nobody has asked for it before.
            self.suspend_application_mode()
        with suppress(OSError, termios.error):
            self._mend()
        super().resume_application_mode()
        self._app.refresh(layout=True)

    def _mend(self) -> None:
        """Modes and foreground as they were, unless it is another program's turn."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        holder = os.tcgetpgrp(self.fileno)
        if holder != os.getpgrp():
            try:
                os.killpg(holder, 0)
                return
            except ProcessLookupError:
                os.tcsetpgrp(self.fileno, os.getpgrp())
        os.set_blocking(self.fileno, True)
        if self.attrs_before is not None:
            termios.tcsetattr(self.fileno, termios.TCSADRAIN, self.attrs_before)

    # keys

    def run_input_thread(self) -> None:
        """Reads keys until the driver stops, or leaves the app when the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        wait = IDLE
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(wait)
                wait = constants.ESCAPE_DELAY + 0.001 if ready else IDLE
                if ready:
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        self._loop.call_soon_threadsafe(self._end, signal.SIGHUP)
                        break
                    # Nothing comes out where only a part of a character was read; to the parser that would be the end.
                    if text := decode(data):
                        for event in parser.feed(text):
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)


class Output:
    """What the writer writes to. When the terminal is gone the rest goes nowhere, and the writer does not die of it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def fileno(self) -> int:
        """The number of the file."""
        return self._file.fileno()

    def write(self, text: str) -> None:
        """Writes."""
        self._do(self._file.write, text)

    def flush(self) -> None:
        """Writes out."""
        self._do(self._file.flush)

    def _do(self, act: Any, *arguments: str) -> None:
        try:
            act(*arguments)
        except BlockingIOError:
            # A command that had the terminal has left it so; what is not out yet comes with the next write.
            os.set_blocking(self.fileno(), True)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for number in (1, self.fileno()):
                os.dup2(nowhere, number)
            os.close(nowhere)
