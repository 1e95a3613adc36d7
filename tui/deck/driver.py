"""The keyboard of a terminal: Esc is a key at once, not after a tenth of a second."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

# How long quitting and leaving for a shell may wait for this thread, in seconds.
IDLE = 0.1


class KeyDriver(LinuxDriver):
    """Textual's driver, but for when it sees that an Esc began no sequence.

    Textual 8.2 looks once in 0.1 s, whatever its escape delay is; that is the time that Esc then takes.
    """

    def run_input_thread(self) -> None:
        """Reads keys until the driver stops."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        wait = IDLE
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(wait)
                wait = constants.ESCAPE_DELAY + 0.001 if ready else IDLE
                if ready:
                    data = os.read(self.fileno, 4096)
                    if not data:
                        break
                    # Nothing comes out where only a part of a character was read; to the parser that would be the end.
                    if text := decode(data):
                        for event in parser.feed(text):
                            self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
