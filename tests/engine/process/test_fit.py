"""Workers that fit the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.engine.interface import EngineError
from tui.engine.process.fit import Machine, fit, memory_limits, this_machine
from tui.stack.memory import memory_bytes, memory_text
from tui.stack.model import FitSpec, Project, Service

GIB = 1024**3
SPEC = FitSpec(("worker-*",), "MEMORY", "CORES", ("EXECUTOR",), 4 * GIB)
PROJECT = Project(
    "p",
    {
        "worker-1": Service("worker-1"),
        "worker-2": Service("worker-2", replicas=3),
        "worker-extra": Service("worker-extra", profiles=("extra",)),
        "master": Service("master"),
    },
)
DEFAULTS = {"MEMORY": "6G", "CORES": "2", "EXECUTOR": "2g"}


def test_what_fits_stays_as_it_is() -> None:
    fitted = fit(SPEC, PROJECT, DEFAULTS, (), Machine(64 * GIB, 16))
    assert (fitted.settings, fitted.notes) == ({}, ())


@pytest.mark.parametrize(
    ("gib", "cores", "expected"),
    [
        (28, 8, {}),
        (24, 8, {"MEMORY": "5G"}),
        (16, 4, {"MEMORY": "3G", "CORES": "1"}),
        (16, 2, {"MEMORY": "3G", "CORES": "1"}),
        (8, 8, {"MEMORY": "1G", "EXECUTOR": "1g"}),
        (6, 8, {"MEMORY": "768M", "EXECUTOR": "768m"}),
    ],
)
def test_what_does_not_fit_is_made_smaller(gib: int, cores: int, expected: dict[str, str]) -> None:
    fitted = fit(SPEC, PROJECT, DEFAULTS, (), Machine(gib * GIB, cores))
    assert fitted.settings == expected
    assert len(fitted.notes) == len(expected), "each with its reason"
    memory = memory_bytes(expected.get("MEMORY", "6G"))
    assert memory is not None and 4 * memory <= gib * GIB


def test_the_reason_has_the_arithmetic() -> None:
    (memory, cores) = fit(SPEC, PROJECT, DEFAULTS, (), Machine(16 * GIB, 4)).notes
    assert memory == "4 workers of 6G and 4.0G for the rest do not fit into 16.0G: each worker gets 3G (MEMORY)"
    assert cores == "4 workers of 2 cores are more than this machine's 4: each worker gets 1 (CORES)"


def test_what_the_user_set_is_obeyed_or_refused() -> None:
    machine = Machine(16 * GIB, 2)
    own = fit(SPEC, PROJECT, {"MEMORY": "4G", "CORES": "8", "EXECUTOR": "4g"}, ("MEMORY", "CORES", "EXECUTOR"), machine)
    assert own.settings == {}, "the sum is just what there is, and cores are only a promise"
    with pytest.raises(EngineError, match=r"4 workers of 5G \(MEMORY\) need 20.0G, .* has 16.0G. At most 4G each"):
        fit(SPEC, PROJECT, {**DEFAULTS, "MEMORY": "5G"}, ("MEMORY",), machine)
    with pytest.raises(EngineError, match=r"EXECUTOR=4g does not fit into a worker of 3G"):
        fit(SPEC, PROJECT, {**DEFAULTS, "EXECUTOR": "4g"}, ("EXECUTOR",), machine)


def test_a_machine_that_is_too_small_says_so() -> None:
    with pytest.raises(EngineError, match=r"has 2.0G, less 1.0G for the rest; each would get 256M.*needs 512M.*MEMORY"):
        fit(SPEC, PROJECT, DEFAULTS, (), Machine(2 * GIB, 2))


def test_amounts_of_memory() -> None:
    assert [memory_bytes(text) for text in ("1", "512m", "2G", "1k", "3gb")] == [
        1024**2, 512 * 1024**2, 2 * GIB, 1024, 3 * GIB
    ]  # fmt: skip
    assert [memory_bytes(text) for text in ("", "x", "-1g", "1.5g")] == [None] * 4
    assert [memory_text(amount) for amount in (2 * GIB, GIB // 2)] == ["2G", "512M"]


@pytest.mark.parametrize(
    ("membership", "limits", "expected"),
    [
        ("0::/user.slice/user-7.slice\n", {"user.slice/user-7.slice/memory.max": "8589934592\n"}, [8 * GIB]),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{GIB}\n"}, [GIB]),
        ("0::/\n", {"memory.max": f"{GIB}\n"}, [GIB]),
        ("5:cpu,cpuacct:/x\n4:memory:/x\n", {"memory/x/memory.limit_in_bytes": f"{GIB}\n", "x/memory.max": "1"}, [GIB]),
        # In a container of version 1 the path is that of the host.
        ("4:memory:/docker/1f\n", {"memory/memory.limit_in_bytes": f"{GIB}\n"}, [GIB]),
        ("0::/a\n", {}, []),
        (None, {}, []),
    ],
)
def test_limits_of_control_groups_count(
    membership: str | None, limits: dict[str, str], expected: list[int], tmp_path: Path
) -> None:
    for name, text in limits.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text)
    if membership is not None:
        (tmp_path / "membership").write_text(membership)
    assert memory_limits(tmp_path / "membership", tmp_path / "groups") == expected


def test_this_machine_has_something() -> None:
    machine = this_machine()
    assert machine.memory > GIB // 2 and machine.cores >= 1
