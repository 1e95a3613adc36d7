"""What the verbs tell of a long action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tui.actions.start import Phase, StartUpdate
from tui.cli.output import tell_all


async def test_an_interrupt_says_what_becomes_of_what_was_begun(capsys: pytest.CaptureFixture[str]) -> None:
    begun = asyncio.Event()

    async def updates() -> AsyncGenerator[StartUpdate]:
        yield Phase("Starting 8 services")
        begun.set()
        await asyncio.Event().wait()

    telling = asyncio.create_task(tell_all(updates()))
    await begun.wait()
    # As asyncio does on Ctrl+C.
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert "Stopped at: Starting 8 services. What was begun stays" in capsys.readouterr().err
