"""Environments made by uv, and builds, as a layout names them: from the network into a real service and a real run."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.engine.process.tiny import until
from tui.engine.interface import EngineError, RunRequest, State, drain
from tui.engine.process import recipes
from tui.engine.process.engine import ProcessEngine
from tui.engine.process.plan import Plan, make_plan
from tui.stack.catalogue import find_stack
from tui.stack.model import Stack

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no processes are kept on Windows")

COMPOSE = """\
name: signed
services:
  sign: {image: sign, command: container-only /made, volumes: ["kept:/kept"]}
  more: {image: more, command: [sleep, "1000"]}
  plain: {image: plain, command: [sleep, "1000"]}
volumes: {kept: }
"""
LAYOUT = """\
name: signed
title: Signed
process:
  builds:
    greeter:
      title: a greeter
      command: ["{python}", "{folder}/make.py", "{target}"]
services:
  sign:
    process:
      requirements: sign.txt
      command: [python, "{folder}/sign.py", "{path:/kept}/out", "{build:greeter}", "{python}"]
  more: {process: {requirements: sign.txt}}
"""
# Says what it found: which Python, a package of its own, what was built, and no package of the tests' own.
SIGN = """\
import importlib.util, itsdangerous, os, pathlib, shutil, subprocess, sys
out, built, python = sys.argv[1:]
said = [
    itsdangerous.Signer("key").sign("x").decode(),
    subprocess.run(["greet"], capture_output=True, text=True).stdout.strip(),
    str(shutil.which("greet") == built + "/bin/greet"),
    str(shutil.which("python3") == python + "3" and sys.prefix == os.environ["VIRTUAL_ENV"]),
    str(importlib.util.find_spec("textual")),
]
pathlib.Path(out).write_text("|".join(said))
print("|".join(said), flush=True)
"""
MAKE = """\
import pathlib, sys
program = pathlib.Path(sys.argv[1]) / "bin" / "greet"
program.parent.mkdir()
program.write_text("#!/bin/sh\\necho hello\\n")
program.chmod(0o755)
print("greeter written")
"""


@pytest.fixture
def stack(tmp_path: Path, states: Path) -> Stack:
    home = tmp_path / "signed"
    home.mkdir()
    files = {"compose.yaml": COMPOSE, "sparkdeck.yaml": LAYOUT, "sign.txt": "itsdangerous==2.2.0\n"}
    for name, text in {**files, "sign.py": SIGN, "make.py": MAKE}.items():
        (home / name).write_text(text)
    return find_stack(str(home), home)


@pytest.fixture
async def engine(stack: Stack) -> AsyncGenerator[ProcessEngine]:
    made = await ProcessEngine.open(stack)
    try:
        yield made
    finally:
        await drain(made.remove_all())
        await made.close()


def plan(stack: Stack) -> Plan:
    return make_plan(find_stack(str(stack.home), stack.home), stack.home / "state")


def environment_of(stack: Stack, service: str = "sign") -> str:
    """Where a service's environment lies, or would."""
    return plan(stack).service(service, {}, {}).environment["VIRTUAL_ENV"]


async def test_a_service_has_its_own_packages_and_what_was_built(engine: ProcessEngine, stack: Stack) -> None:
    said = await drain(engine.build())
    title = "environment of sign, more (sign.txt)"
    assert said[0] == f"{title}  Making" and said.count(f"{title}  Made") == 1
    assert any("Installed 1 package" in line for line in said), said
    assert said[-3:] == ["a greeter  Making", "a greeter: greeter written", "a greeter  Made"]
    assert await drain(engine.build()) == [f"{title}  Ready", "a greeter  Ready"]
    await drain(engine.up())
    (sign,) = [one for one in await engine.replicas() if one.service == "sign"]
    async with aclosing(engine.logs(sign.id, follow=True)) as lines:
        said = [line.text async for line in lines]
    assert said[0].split("|")[1:] == ["hello", "True", "True", "None"] and said[0].startswith("x.")
    volume = Path(plan(stack).service("sign", {}, {}).command[2])
    assert "volumes/kept" in str(volume)


async def test_a_run_and_a_command_have_it_too(engine: ProcessEngine) -> None:
    # Nothing was made before: the run does that itself.
    words = ["python3", "-c", "import itsdangerous, sys; print(itsdangerous.__name__, sys.prefix)"]
    run = await engine.start_run(RunRequest("sign", words, "signed-run"))
    await until(engine, lambda found: found[-1].state is State.ENDED)
    async with aclosing(engine.logs(run.id)) as lines:
        (line,) = [line.text async for line in lines]
    name, prefix = line.split()
    assert name == "itsdangerous" and "/environments/" in prefix
    await drain(engine.up(["more", "plain"]))
    code, said = await engine.execute("more", words)
    assert (code, said.split()) == (0, ["itsdangerous", prefix])
    code, said = await engine.execute("plain", ["sh", "-c", "greet; echo ${VIRTUAL_ENV:-none}; python -V"])
    assert (code, said.split()[:2]) == (0, ["hello", "none"]), "a service without requirements has ours"
    assert said.split()[-1] == platform.python_version()


async def test_other_requirements_are_another_environment_and_recreate_the_service(
    engine: ProcessEngine, stack: Stack
) -> None:
    await drain(engine.up(["more"]))
    (before,) = await engine.replicas()
    assert not [line for line in await drain(engine.up(["more"])) if "Recreate" in line]
    (stack.home / "sign.txt").write_text("itsdangerous==2.1.2\n")
    assert any("(sign.txt)  Made" in line for line in await drain(engine.up(["more"])))
    (after,) = await engine.replicas()
    assert after.id != before.id
    assert {one.kind for one in await engine.removables()} == {"replica", "environment", "build"}
    assert len([one for one in await engine.removables() if one.kind == "environment"]) == 2, "the old one, too"


def test_what_makes_an_environment_another_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    first = environment_of(stack)
    assert environment_of(stack, "more") == first, "one for both"
    (stack.home / "base.txt").write_text("a==1\n")
    (stack.home / "sign.txt").write_text("itsdangerous==2.2.0\n-r base.txt\n")
    second = environment_of(stack)
    (stack.home / "base.txt").write_text("a==2\n-r sign.txt\n")
    third = environment_of(stack)
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert len({first, second, third, environment_of(stack)}) == 4


def test_what_makes_a_build_another_one(stack: Stack, tmp_path: Path) -> None:
    def place(of: Stack) -> str:
        return plan(of).service("sign", {}, {}).command[3]

    first = place(stack)
    shutil.copytree(stack.home, tmp_path / "copy")
    assert place(find_stack(str(tmp_path / "copy"), tmp_path)) == first, "shared with a copy of the stack"
    (stack.home / "make.py").write_text(MAKE + "# changed\n")
    second = place(stack)
    layout = stack.home / "sparkdeck.yaml"
    layout.write_text(LAYOUT.replace('"{target}"]', '"{target}", more]'))
    third = place(stack)
    layout.write_text(LAYOUT.replace("title: a greeter", "requirements: sign.txt"))
    fourth = place(stack)
    (stack.home / "sign.txt").write_text("itsdangerous==2.1.2\n")
    assert len({first, second, third, fourth, place(stack)}) == 5


async def test_a_build_with_tools_of_its_own(engine: ProcessEngine, stack: Stack) -> None:
    (stack.home / "sparkdeck.yaml").write_text(
        LAYOUT.replace("title: a greeter", "requirements: sign.txt").replace(
            '"{python}", "{folder}', 'python, "{folder}'
        )
    )
    (stack.home / "make.py").write_text("import itsdangerous\n" + MAKE)
    again = await ProcessEngine.open(find_stack(str(stack.home), stack.home))
    said = await drain(again.build(["plain"]))
    assert "environment of build greeter (sign.txt)  Made" in said and "build greeter  Made" in said
    await again.close()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "sign.txt",
            "itsdangerous==0.0.1.dev99\n",
            r"of sign, more \(sign\.txt\) cannot be made: uv .*dev99",
        ),
        ("make.py", "import sys; sys.exit('no Go for this platform')", "a greeter cannot be made: .*no Go for this"),
    ],
)
async def test_what_cannot_be_made_stops_up_before_anything_starts(
    file: str, text: str, said: str, engine: ProcessEngine, stack: Stack
) -> None:
    (stack.home / file).write_text(text)
    with pytest.raises(EngineError, match=f"(?s){said}"):
        await drain(engine.up())
    assert await engine.replicas() == []


async def test_without_a_network(engine: ProcessEngine, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    (stack.home / "sign.txt").write_text("no-such-package-of-ours==1\n")
    with pytest.raises(EngineError, match=r"(?s)cannot be made: uv.*127\.0\.0\.1:9.*Is this machine online\?"):
        await drain(engine.up(["more"]))


async def test_without_uv(engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "uv", None)
        without.setenv("PATH", os.devnull)
        with pytest.raises(EngineError, match=r"uv, which makes the Python envi.*pip install 'sparkdeck\[local\]'"):
            await drain(engine.up(["more"]))
    assert Path(recipes.uv()).name == "uv"


def test_names_that_are_not_there(stack: Stack) -> None:
    layout = stack.home / "sparkdeck.yaml"
    layout.write_text(LAYOUT.replace("{build:greeter}", "{build:greter}"))
    with pytest.raises(EngineError, match=r"process\.builds has no 'greter'. It has: greeter"):
        plan(stack).service("sign", {}, {})
    layout.write_text(LAYOUT.replace("requirements: sign.txt}", "requirements: sing.txt}"))
    with pytest.raises(EngineError, match=r"sing\.txt, which the layout names .* cannot be read: No such"):
        plan(stack).needed(["more"])
