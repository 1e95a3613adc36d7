"""Makes a layout of checked data; `tui.stack.layout` checks it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui.stack.memory import memory_bytes
from tui.stack.model import (
    BuildSpec,
    DataSpec,
    FitSpec,
    Generated,
    JobKind,
    JobSpec,
    Layout,
    Link,
    ProcessSpec,
    ReadySpec,
    Role,
    ScaleSpec,
    ServiceLayout,
    ServiceProcess,
    Variant,
)


def build_layout(data: Mapping[str, Any], source: Path) -> Layout:
    """The layout that checked data describes; `source` is its file."""
    made, scale = data.get("data"), data.get("scale")
    return Layout(
        name=data["name"],
        title=data["title"],
        source=source,
        description=data.get("description", ""),
        services=tuple(_service(pattern, entry) for pattern, entry in data["services"].items()),
        jobs=tuple(_job(name, entry) for name, entry in data.get("jobs", {}).items()),
        data=_data(made) if made else None,
        scale=ScaleSpec(scale["service"], tuple(scale.get("fixed", []))) if scale else None,
        environment={name: Generated(kind) for name, kind in data.get("environment", {}).items()},
        process=_process(data["process"]) if "process" in data else None,
        variants=tuple(_variant(name, entry) for name, entry in data.get("variants", {}).items()),
        variables=dict(data.get("variables", {})),
    )


def _data(entry: Mapping[str, Any]) -> DataSpec:
    return DataSpec(entry["service"], entry["folder"], _words(entry["command"]), entry.get("before_start", False))


def _variant(name: str, entry: Mapping[str, Any]) -> Variant:
    return Variant(name, entry["title"], tuple(entry["files"]), entry.get("default", False))


def _service(pattern: str, entry: Mapping[str, Any]) -> ServiceLayout:
    return ServiceLayout(
        pattern=pattern,
        role=Role(entry.get("role", Role.UNKNOWN)),
        title=entry.get("title", ""),
        links=tuple(Link(**link) for link in entry.get("links", [])),
        process=_service_process(entry.get("process", {})),
    )


def _service_process(entry: Mapping[str, Any]) -> ServiceProcess:
    return ServiceProcess(
        command=_words(entry.get("command", [])),
        env=_texts(entry.get("env", {})),
        files=_texts(entry.get("files", {})),
        ready=ReadySpec(**entry["ready"]) if "ready" in entry else None,
        requirements=entry.get("requirements", ""),
    )


def _process(entry: Mapping[str, Any]) -> ProcessSpec:
    spark, fit = entry.get("spark", {}), entry.get("fit")
    return ProcessSpec(
        packages=tuple(entry.get("packages", [])),
        spark_defaults=spark.get("defaults", ""),
        spark_conf=_texts(spark.get("conf", {})),
        env=_texts(entry.get("env", {})),
        folders=tuple(entry.get("folders", [])),
        fit=_fit(fit) if fit else None,
        builds=tuple(
            BuildSpec(name, _words(build["command"]), build.get("title", ""), build.get("requirements", ""))
            for name, build in entry.get("builds", {}).items()
        ),
    )


def _fit(entry: Mapping[str, Any]) -> FitSpec:
    return FitSpec(
        workers=tuple(entry["workers"]),
        memory=entry["memory"],
        cores=entry["cores"],
        executors=tuple(entry.get("executors", [])),
        reserve=memory_bytes(entry.get("reserve", "0")) or 0,
    )


def _job(name: str, entry: Mapping[str, Any]) -> JobSpec:
    return JobSpec(
        name=name,
        service=entry["service"],
        app=entry.get("app", ""),
        title=entry.get("title", ""),
        main_class=entry.get("class"),
        args=_words(entry.get("args", [])),
        conf={key: _word(value) for key, value in entry.get("conf", {}).items()},
        env={key: _word(value) for key, value in entry.get("env", {}).items()},
        prepare=_words(entry.get("prepare", [])),
        default=entry.get("default", False),
        kind=JobKind(entry.get("kind", JobKind.SPARK)),
        command=_words(entry.get("command", [])),
        dag=entry.get("dag", ""),
    )


def _texts(values: Mapping[str, str | int | bool]) -> dict[str, str]:
    return {name: _word(value) for name, value in values.items()}


def _word(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(values: list[str | int | bool]) -> tuple[str, ...]:
    return tuple(_word(value) for value in values)
