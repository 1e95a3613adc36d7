"""Text that came from a container, made harmless for a terminal."""

from __future__ import annotations

import re

_SGR = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
# ECMA-48: CSI; OSC, DCS, SOS, PM and APC up to their end; both also in their 8-bit form; every other escape sequence.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
# Whatever is left: C0 but for the tab, DEL, C1 (the escape included), line ends of Unicode, and what turns text around.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(line: str) -> str:
    """A line with its text and colours (SGR), without any other control sequence or character. Of what carriage returns
    overwrote (a progress bar) only the last state is left that shows anything.

    Split at SGR first and strip the parts, so that no removal can put a new sequence together.
    """
    if line.isprintable():
        return line
    if "\r" in line:
        line = next((state for state in reversed(line.split("\r")) if state.strip()), "")
    parts = _SGR.split(line)
    return "".join(
        part if index % 2 else _CONTROL.sub("\ufffd", _SEQUENCE.sub("", part)) for index, part in enumerate(parts)
    )


def bare(line: str) -> str:
    """A line as `clean` leaves it, without colours."""
    return _SGR.sub("", clean(line))


def message(line: str) -> str:
    """A line of a tool's output as a terminal would have left it: of what carriage returns overwrote only the last
    state, and nothing that a terminal would obey."""
    left = _SEQUENCE.sub("", line.rstrip("\r\n")).rpartition("\r")[2]
    return _CONTROL.sub("", left).replace("\t", "    ").rstrip()
