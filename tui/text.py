"""Text that came from a container, made harmless for a terminal."""

from __future__ import annotations

import re

_SGR = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
# CSI; OSC, DCS, SOS, PM and APC up to their end; every other escape sequence.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# Whatever is left: C0 but for the tab, DEL, C1 (the escape included), and the marks that turn text around.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(line: str) -> str:
    """A line with its text and colours (SGR), without any other control sequence or character.

    Split at SGR first and strip the parts, so that no removal can put a new sequence together.
    """
    if line.isprintable():
        return line
    parts = _SGR.split(line)
    return "".join(
        part if index % 2 else _CONTROL.sub("\ufffd", _SEQUENCE.sub("", part)) for index, part in enumerate(parts)
    )


def bare(line: str) -> str:
    """A line as `clean` leaves it, without colours."""
    return _SGR.sub("", clean(line))
