"""What every test of the deck may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _own_past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A form's history shows the runs of the tests beside it only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
