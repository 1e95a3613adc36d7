"""Loads layouts from YAML. Every mistake is reported with file, line, what is wrong and what is allowed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tui.stack.errors import LayoutError, Problem, nearest
from tui.stack.layout_build import build_layout
from tui.stack.model import JobKind, Layout, Link, Project
from tui.stack.project import scale_obstacle
from tui.stack.root import bundled_root
from tui.stack.yamlfile import Document, KeyPath, read_yaml, root_keys

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

SCHEMA_NAME = "layout.schema.json"
# A layout beside a compose project is called so.
LAYOUT_NAME = "sparkdeck.yaml"
# Keys that a layout may have and a compose file may not.
_LAYOUT_ONLY = frozenset(
    {"title", "description", "environment", "variables", "variants", "process", "scale", "data", "jobs"}
)

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping (key: value)",
    "string": "text",
}
_PLAIN = re.compile(r"[A-Za-z0-9._*?\[\]!-]{1,80}")


def load_layout(path: Path) -> Layout:
    """The layout in a YAML file. Raises LayoutError with every mistake at once."""
    document = read_yaml(path)
    problems = list(document.problems)
    if document.data is None and not problems:
        problems.append(Problem(path, None, "is empty; a layout needs name, title and services"))
    if document.data is not None:
        for error in _validator().iter_errors(document.data):
            problems += _explain(document, error)
    if not problems:
        problems += _contradictions(document)
    if problems:
        raise LayoutError(sorted(problems, key=lambda problem: problem.line or 0))
    return build_layout(document.data, path)


def is_layout(path: Path) -> bool:
    """Whether a YAML file is meant as a layout and not as a compose file."""
    return path.name == LAYOUT_NAME or bool(root_keys(path) & _LAYOUT_ONLY)


def check_against(layout: Layout, project: Project) -> list[Problem]:
    """What a layout says of services and ports that its compose project does not have, by line."""
    document = read_yaml(layout.source) if layout.source else None
    found = [
        Problem(layout.source, document.line(path) if document else None, text)
        for path, text in _misfits(layout, project)
    ]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)


@cache
def _validator() -> Draft202012Validator:
    # Only here: a stack without a layout does not pay for it. Of formats, which layouts do not use, jsonschema would
    # have a grammar compiled where JupyterLab brought that along: more than two seconds of every command.
    sys.modules.setdefault("rfc3987_syntax", cast("Any", None))
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def whole(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
        # The library searches, and `$` then lets a line end through.
        if isinstance(instance, str) and not re.fullmatch(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")

    schema = json.loads((bundled_root() / "layouts" / SCHEMA_NAME).read_text("utf-8"))
    make: Any = extend
    validator: Draft202012Validator = make(Draft202012Validator, {"pattern": whole})(schema)
    return validator


def _explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    path: KeyPath = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        schema: Any = error.schema
        known = sorted(schema["properties"])
        instance: Any = error.instance
        for key in instance:
            if key not in known:
                text = f"unknown key {_show(key)}{nearest(key, known)} Allowed: {', '.join(known)}"
                yield Problem(document.file, document.line((*path, key)), f"{_where(path)}{text}")
        return
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, str(error.instance))
    yield Problem(document.file, document.line(path), f"{_where(path)}{_text(error)}")


def _text(error: ValidationError) -> str:
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    description = str(schema.get("description", ""))
    match error.validator:
        case "type":
            wanted = " or ".join(_TYPES[name] for name in ([rule] if isinstance(rule, str) else rule))
            hint = ": put it in quotes" if rule == "string" and isinstance(value, int) else ""
            return f"must be {wanted}, not {_kind(value)}{hint}"
        case "enum":
            near = nearest(value, rule) if isinstance(value, str) else "."
            return f"{_show(value)} is not allowed{near} Allowed: {', '.join(rule)}"
        case "required":
            missing = next(key for key in rule if key not in value and repr(key) in error.message)
            of_key = schema["properties"][missing].get("description", "")
            return f"{missing!r} is missing. {of_key}"
        case "minimum" | "maximum":
            allowed = f"{schema['minimum']} to {schema['maximum']}"
            return f"{_show(value)} is out of range. Allowed: {allowed}"
        case "minLength" | "minItems" | "minProperties":
            return f"must not be empty. {description}"
        case "uniqueItems":
            return "names the same thing twice"
    return f"{_show(value)} is not valid. {description}"


def _contradictions(document: Document) -> Iterator[Problem]:
    data, file = document.data, document.file
    jobs: Mapping[str, Any] = data.get("jobs", {})
    defaults = [name for name, job in jobs.items() if job.get("default")]
    for name in defaults[1:]:
        line = document.line(("jobs", name, "default"))
        yield Problem(file, line, f"jobs.{name}.default: {defaults[0]!r} is the default already; keep one")
    for name, job in jobs.items():
        yield from _kind_contradictions(document, name, job)
    variants: Mapping[str, Any] = data.get("variants", {})
    chosen = [name for name, variant in variants.items() if variant.get("default")]
    for name in chosen[1:]:
        line = document.line(("variants", name, "default"))
        yield Problem(file, line, f"variants.{name}.default: {chosen[0]!r} is the default already; keep one")
    if variants and not chosen:
        yield Problem(file, document.line(("variants",)), "variants: none is the default; mark one with default: true")
    scale = data.get("scale", {})
    if scale and scale["service"] in scale.get("fixed", []):
        line = document.line(("scale", "service"))
        yield Problem(file, line, f"scale.service: {scale['service']!r} is among the fixed ones too; keep one")


# What a job's kind takes beside what every job has; `!` is what it cannot do without.
_OF_KIND = {
    JobKind.SPARK: {"app!", "class", "args", "conf"},
    JobKind.RUN: {"command", "args"},
    JobKind.AIRFLOW: {"dag!", "conf"},
}


def _kind_contradictions(document: Document, name: str, job: Mapping[str, Any]) -> Iterator[Problem]:
    kind = JobKind(job.get("kind", JobKind.SPARK))
    taken = {key.rstrip("!") for key in _OF_KIND[kind]}
    for key in sorted({key.rstrip("!") for keys in _OF_KIND.values() for key in keys} - taken):
        if key in job:
            allowed = ", ".join(sorted(taken))
            text = f"jobs.{name}.{key}: a job of the kind {kind} has none. It has: {allowed}"
            yield Problem(document.file, document.line(("jobs", name, key)), text)
    for key in (key.rstrip("!") for key in _OF_KIND[kind] if key.endswith("!")):
        if key not in job:
            text = f"jobs.{name}: {key!r} is missing. A job of the kind {kind} needs it"
            yield Problem(document.file, document.line(("jobs", name)), text)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool | int | str):
        kind = "" if isinstance(value, bool) else "the number " if isinstance(value, int) else "the text "
        return f"{kind}{_show(value)}"
    return _TYPES["array" if isinstance(value, list) else "object"]


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _where(path: KeyPath) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _PLAIN.fullmatch(part) else _show(part))
    return f"{text}: " if text else ""


def _misfits(layout: Layout, project: Project) -> Iterator[tuple[KeyPath, str]]:
    known = list(project.services)

    def unknown(name: str, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        if name not in project.services:
            has = ", ".join(sorted(known)) or "none"
            text = f"the compose project has no service {name!r}{nearest(name, known)} It has: {has}"
            yield path, f"{_where(path)}{text}"

    for entry in layout.services:
        path: KeyPath = ("services", entry.pattern)
        if not any(mark in entry.pattern for mark in "*?["):
            yield from unknown(entry.pattern, path)
            matching = [entry.pattern] if entry.pattern in project.services else []
        else:
            matching = [name for name in known if fnmatchcase(name, entry.pattern)]
            if not matching:
                has = ", ".join(sorted(known)) or "none"
                text = f"the pattern matches no service of the compose project. It has: {has}"
                yield path, f"{_where(path)}{text}"
        for number, link in enumerate(entry.links):
            here = (*path, "links", number)
            if link.service is not None:
                yield from unknown(link.service, (*here, "service"))
            owners = matching if link.service is None else [link.service]
            for owner in owners:
                yield from _port_misfit(link, owner, project, (*here, "port"))
    for job in layout.jobs:
        yield from unknown(job.service, ("jobs", job.name, "service"))
    if layout.data:
        yield from unknown(layout.data.service, ("data", "service"))
    if layout.scale:
        for number, name in enumerate(layout.scale.fixed):
            yield from unknown(name, ("scale", "fixed", number))
        yield from unknown(layout.scale.service, ("scale", "service"))
        service = project.services.get(layout.scale.service)
        obstacle = scale_obstacle(service) if service else None
        if obstacle:
            yield ("scale", "service"), f"scale.service: {obstacle}"


def _port_misfit(link: Link, owner: str, project: Project, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    service = project.services.get(owner)
    published = sorted({port.target for port in service.ports if port.protocol == "tcp"}) if service else []
    if service and link.port not in published:
        has = ", ".join(map(str, published)) or "none"
        text = f"the service {owner!r} publishes no port {link.port}. It publishes: {has}"
        yield path, f"{_where(path)}{text}"
