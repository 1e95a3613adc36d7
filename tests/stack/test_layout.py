"""Layouts: what is loaded, and every mistake with its line."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tui.stack.errors import LayoutError
from tui.stack.layout import SCHEMA_NAME, is_layout, load_layout
from tui.stack.model import DataSpec, Generated, JobSpec, Link, Role, ScaleSpec, ServiceLayout
from tui.stack.root import bundled_root

LAYOUTS = bundled_root() / "layouts"

GOOD = """\
name: mine
title: Mine
description: What it is for.
environment: {COMPOSE_PROJECT_NAME: project-name, HOST_UID: user-id}
services:
  spark-master: {role: spark-master, title: Master, links: [{title: UI, port: 8080}]}
  "*-worker": {role: spark-worker, links: [{title: W, service: spark-master, port: 8080, path: "/p/{worker_id}/"}]}
  other: {}
scale: {service: a-worker, fixed: [b-worker]}
data: {service: other, folder: /data, command: [python, make.py, --rows, 1000]}
jobs:
  first: {service: other, app: /a.py}
  second:
    service: other
    app: /b.jar
    class: a.b.C
    default: true
    args: [1, true, yes, 0.5]
    conf: {spark.ui.enabled: false, spark.memory.fraction: 0.6}
    env: {TASKS: "load,train", ROWS: 100, DAY: 2024-01-31, OLD: 010}
    prepare: [make]
"""


def load(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "sparkdeck.yaml"
    file.write_text(text, "utf-8")
    return load_layout(file)


def problems(tmp_path: Path, text: str) -> list[str]:
    """The problems of a layout without the file's name: `LINE: TEXT`."""
    with pytest.raises(LayoutError) as caught:
        load(tmp_path, text)
    file = tmp_path / "sparkdeck.yaml"
    assert all(problem.file == file for problem in caught.value.problems)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{file}:").strip() for problem in caught.value.problems]


def test_everything_in_a_layout_is_loaded(tmp_path: Path) -> None:
    layout = load(tmp_path, GOOD)
    assert (layout.name, layout.title, layout.description) == ("mine", "Mine", "What it is for.")
    assert layout.source == tmp_path / "sparkdeck.yaml"
    assert layout.environment == {
        "COMPOSE_PROJECT_NAME": Generated.PROJECT_NAME,
        "HOST_UID": Generated.USER_ID,
    }
    assert layout.services == (
        ServiceLayout("spark-master", Role.SPARK_MASTER, "Master", (Link("UI", 8080),)),
        ServiceLayout("*-worker", Role.SPARK_WORKER, "", (Link("W", 8080, "/p/{worker_id}/", "spark-master"),)),
        ServiceLayout("other"),
    )
    assert layout.service("my-worker").role is Role.SPARK_WORKER
    assert layout.service("nobody").role is Role.UNKNOWN
    assert layout.scale == ScaleSpec("a-worker", ("b-worker",))
    assert layout.data == DataSpec("other", "/data", ("python", "make.py", "--rows", "1000"))
    assert layout.jobs[0] == JobSpec("first", "other", "/a.py")
    # Values are the text that the author wrote, not what YAML 1.1 makes of it.
    assert layout.jobs[1] == JobSpec(
        "second",
        "other",
        "/b.jar",
        main_class="a.b.C",
        args=("1", "true", "yes", "0.5"),
        conf={"spark.ui.enabled": "false", "spark.memory.fraction": "0.6"},
        env={"TASKS": "load,train", "ROWS": "100", "DAY": "2024-01-31", "OLD": "010"},
        prepare=("make",),
        default=True,
    )
    assert layout.default_job() == layout.jobs[1]


@pytest.mark.parametrize("name", ["flight-delay", "spark-cluster"])
def test_bundled_layouts_are_valid(name: str) -> None:
    layout = load_layout(LAYOUTS / f"{name}.yaml")
    assert layout.name == name
    assert {kind for kind in layout.environment.values() if not kind.is_credential} == {
        Generated.PROJECT_NAME,
        Generated.USER_ID,
        Generated.GROUP_ID,
    }
    assert layout.scale and layout.default_job()
    first = (LAYOUTS / f"{name}.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_NAME}"


def test_aliases_may_be_used(tmp_path: Path) -> None:
    text = "name: a\ntitle: A\nservices:\n  one: &x {role: app}\n  two: *x\n"
    assert load(tmp_path, text).service("two").role is Role.APP


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("role: spark-master", "rol: spark-master"),
            "6: services.spark-master: unknown key 'rol'; did you mean 'role'? Allowed: links, process, role, title",
        ),
        (
            ("role: spark-master", "role: spark-mater"),
            "6: services.spark-master.role: 'spark-mater' is not allowed; did you mean 'spark-master'? Allowed: "
            + ", ".join(Role),
        ),
        (
            ("{title: UI, port: 8080}", "{title: UI, port: '8080'}"),
            "6: services.spark-master.links[0].port: must be a whole number, not the text '8080'",
        ),
        (
            ("{title: UI, port: 8080}", "{title: UI, port: 80800}"),
            "6: services.spark-master.links[0].port: 80800 is out of range. Allowed: 1 to 65535",
        ),
        (
            ("{title: UI, port: 8080}", "{title: UI}"),
            "6: services.spark-master.links[0]: 'port' is missing. "
            "The port inside the service; the host's port is looked up in the compose project.",
        ),
        (
            ('path: "/p/{worker_id}/"', 'path: "/p/{id}/"'),
            "7: services.*-worker.links[0].path: '/p/{id}/' is not valid. "
            "The path on that port; starts with /, has no spaces, and may hold {worker_id} and {token}.",
        ),
        (
            ('path: "/p/{worker_id}/"', 'path: "/p\\n"'),
            "7: services.*-worker.links[0].path: '/p\\n' is not valid. "
            "The path on that port; starts with /, has no spaces, and may hold {worker_id} and {token}.",
        ),
        (("title: Mine", "title: 2024"), "2: title: must be text, not the number 2024: put it in quotes"),
        (("title: Mine", "title:"), "2: title: must be text, not nothing"),
        (("title: Mine", "title: ''"), "2: title: must not be empty. The stack's name as people read it."),
        (
            ("name: mine", "name: My Stack"),
            "1: name: 'My Stack' is not valid. The stack's short name: lower case letters, digits, - and _.",
        ),
        (
            ("HOST_UID: user-id", "HOST-UID: user-id"),
            "4: environment.HOST-UID: 'HOST-UID' is not valid. "
            "A variable's name: letters, digits and _, not starting with a digit.",
        ),
        (
            ("HOST_UID: user-id", "HOST_UID: userid"),
            "4: environment.HOST_UID: 'userid' is not allowed; did you mean 'user-id'? "
            "Allowed: project-name, user-id, group-id, nonroot-user-id, nonroot-group-id, access-key, secret-key",
        ),
        (("  other: {}", "  other:"), "8: services.other: must be a mapping (key: value), not nothing"),
        (
            ("  other: {}", "  'a b': {}"),
            "8: services.'a b': 'a b' is not valid. "
            "A compose service's name, or a shell pattern of names with *, ? or [...].",
        ),
        (("fixed: [b-worker]", "fixed: b-worker"), "9: scale.fixed: must be a list, not the text 'b-worker'"),
        (("fixed: [b-worker]", "fixed: [b, b]"), "9: scale.fixed: names the same thing twice"),
        (
            ("fixed: [b-worker]", "fixed: [a-worker]"),
            "9: scale.service: 'a-worker' is among the fixed ones too; keep one",
        ),
        (
            ("command: [python, make.py, --rows, 1000]", "command: []"),
            "10: data.command: must not be empty. A command as a list: the program and its arguments.",
        ),
        (
            ("first: {service: other, app: /a.py}", "first: {service: other}"),
            "12: jobs.first: 'app' is missing. A job of the kind spark needs it",
        ),
        (
            ("first: {service: other, app: /a.py}", "first: {service: other, app: /a.py, default: true}"),
            "17: jobs.second.default: 'first' is the default already; keep one",
        ),
        (("default: true", "default: yes"), "17: jobs.second.default: must be true or false, not the text 'yes'"),
        (
            ("ROWS: 100", "ROWS: [1]"),
            "20: jobs.second.env.ROWS: must be text or a number or true or false, not a list",
        ),
        (
            ("    prepare: [make]", "    app: /c.py"),
            "21: the key 'app' is here twice (first in line 15); keep one",
        ),
        (
            ("prepare: [make]", "prepare: !!python/name:os.system [make]"),
            "21: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed here; write a plain value",
        ),
        (("  other: {}", "  [a, b]: {}"), "8: a key must be a plain name"),
        (
            ("  other: {}", "  other: {a"),
            "9: is not valid YAML: while parsing a flow mapping, expected ',' or '}', but got ':'",
        ),
        (
            ("  other: {}", "  other: *nobody"),
            "8: is not valid YAML: found undefined alias 'nobody'",
        ),
        (
            ("title: Mine", "title: Mine\n---\na: b"),
            "3: is not valid YAML: expected a single document in the stream, but found another document",
        ),
        (
            ("title: Mine", "title: \x07"),
            "2: is not valid YAML: unacceptable character #x0007: special characters are not allowed",
        ),
    ],
)
def test_a_mistake_names_its_line_and_what_is_allowed(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert change[0] in GOOD
    assert problems(tmp_path, GOOD.replace(*change, 1)) == [expected]


def test_several_mistakes_are_reported_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = "name: a\nname: b\nservices:\n  x:\n    rle: app\n    title: [1]\n    links:\n      - port: 0\njbs: {}\n"
    assert problems(tmp_path, text) == [
        "1: 'title' is missing. The stack's name as people read it.",
        "2: the key 'name' is here twice (first in line 1); keep one",
        "5: services.x: unknown key 'rle'; did you mean 'role'? Allowed: links, process, role, title",
        "6: services.x.title: must be text, not a list",
        "8: services.x.links[0]: 'title' is missing. What the page is called.",
        "8: services.x.links[0].port: 0 is out of range. Allowed: 1 to 65535",
        "9: unknown key 'jbs'; did you mean 'jobs'? "
        "Allowed: data, description, environment, jobs, name, process, scale, services, title, variables, variants",
    ]


def test_files_that_are_no_layout_at_all(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == ["is empty; a layout needs name, title and services"]
    assert problems(tmp_path, "- a\n") == ["1: must be a mapping (key: value), not a list"]
    assert problems(tmp_path, "just text") == ["1: must be a mapping (key: value), not the text 'just text'"]
    too_much = "is too large or too deeply nested for a layout"
    assert problems(tmp_path, "a: " + "[" * 5000) == [too_much]
    assert problems(tmp_path, "#" * 300_000) == [too_much]
    assert problems(tmp_path, "&a [*a]") == [too_much]
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12))
    assert problems(tmp_path, bomb) == [too_much]
    (tmp_path / "sparkdeck.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(LayoutError, match=r"sparkdeck\.yaml: is not text in UTF-8$"):
        load_layout(tmp_path / "sparkdeck.yaml")
    with pytest.raises(LayoutError, match=r"gone\.yaml: cannot be read: No such file or directory$"):
        load_layout(tmp_path / "gone.yaml")
    with pytest.raises(LayoutError, match=r"cannot be read: Is a directory$"):
        load_layout(tmp_path)


def test_a_damaged_layout_never_ends_in_anything_but_a_layout_error(tmp_path: Path) -> None:
    """Every problem is one line of printable text with a line of the file, whatever is cut, doubled or mixed."""
    dice = random.Random(3)
    for _ in range(150):
        text = list(GOOD)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(text))
            text[at : at + dice.randint(0, 5)] = dice.choice(["", ":", "{", "]", "\n", " - ", "&a ", "\x1b", "\t", '"'])
        try:
            load(tmp_path, "".join(text))
        except LayoutError as error:
            lines = "".join(text).count("\n") + 1
            for problem in error.problems:
                assert str(problem).isprintable()
                assert problem.line is None or 1 <= problem.line <= lines


def test_layouts_and_compose_files_are_told_apart(tmp_path: Path) -> None:
    compose, layout = tmp_path / "compose.yaml", tmp_path / "mine.yaml"
    compose.write_text("name: a\nservices: {a: {image: x}}\nvolumes: {}\n")
    layout.write_text("name: a\ntitel: A\njobs: {}\nservices: {}\n")
    assert not is_layout(compose)
    assert is_layout(layout)
    (tmp_path / "sparkdeck.yaml").write_text("{")
    assert is_layout(tmp_path / "sparkdeck.yaml")
    compose.write_text("x: &a 1\n---\nservices: {}\n")
    assert not is_layout(compose)


def test_loading_one_compiles_no_grammar_of_jupyterlabs() -> None:
    code = (
        "import sys; from tui.stack.layout import load_layout; from pathlib import Path; "
        f"load_layout(Path({str(LAYOUTS / 'flight-delay.yaml')!r})); print('lark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_schema_is_valid_and_describes_every_key() -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads((LAYOUTS / SCHEMA_NAME).read_text())
    Draft202012Validator.check_schema(schema)
    seen = []

    def walk(part: dict[str, Any]) -> None:
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), key
            seen.append(key)
            walk(value)
        for value in part.get("$defs", {}).values():
            assert value["description"]
            walk(value)

    walk(schema)
    assert {"role", "links", "class", "prepare", "fixed"} <= set(seen)


def test_the_schema_knows_the_roles_and_kinds_of_the_model() -> None:
    schema = json.loads((LAYOUTS / SCHEMA_NAME).read_text())
    assert schema["$defs"]["serviceEntry"]["properties"]["role"]["enum"] == list(Role)
    assert schema["properties"]["environment"]["additionalProperties"]["enum"] == list(Generated)
