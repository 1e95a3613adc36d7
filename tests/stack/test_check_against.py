"""A layout against the compose project it describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tui.stack.layout import check_against, load_layout
from tui.stack.model import Layout, Port, Project, ScaleSpec, Service, ServiceLayout
from tui.stack.root import bundled_root

Captured = Callable[[str], Project]

LAYOUT = """\
name: a
title: A
services:
  spark-mastr: {role: spark-master}
  gone-*: {role: app}
  web:
    links:
      - {title: Good, port: 80}
      - {title: Bad, port: 81}
      - {title: Other, service: nobody, port: 80}
      - {title: Udp, port: 53}
scale: {service: web, fixed: [wb]}
data: {service: spark, folder: /d, command: [x]}
jobs:
  j: {service: spark-submit, app: /a.py}
"""


def project() -> Project:
    web = Service("web", ports=(Port(80, 8080), Port(443, None), Port(53, 53, protocol="udp")))
    return Project("p", {"web": web, "spark-master": Service("spark-master")})


def test_every_misfit_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "sparkdeck.yaml"
    file.write_text(LAYOUT)
    has = "It has: spark-master, web"
    near = "; did you mean 'spark-master'?"
    assert [str(problem) for problem in check_against(load_layout(file), project())] == [
        f"{file}:4: services.spark-mastr: the compose project has no service 'spark-mastr'{near} {has}",
        f"{file}:5: services.gone-*: the pattern matches no service of the compose project. {has}",
        f"{file}:9: services.web.links[1].port: the service 'web' publishes no port 81. It publishes: 80, 443",
        f"{file}:10: services.web.links[2].service: the compose project has no service 'nobody'. {has}",
        f"{file}:11: services.web.links[3].port: the service 'web' publishes no port 53. It publishes: 80, 443",
        f"{file}:12: scale.fixed[0]: the compose project has no service 'wb'; did you mean 'web'? {has}",
        f"{file}:12: scale.service: compose cannot scale 'web', since only one replica can have the host's port "
        "53; leave the host's port out or give a range",
        f"{file}:13: data.service: the compose project has no service 'spark'. {has}",
        f"{file}:15: jobs.j.service: the compose project has no service 'spark-submit'{near} {has}",
    ]


def test_a_layout_without_a_file_is_checked_too() -> None:
    layout = Layout("a", "A", services=(ServiceLayout("nobody"),), scale=ScaleSpec("named"))
    named = Project("p", {"named": Service("named", container_name="x")})
    assert [str(problem) for problem in check_against(layout, named)] == [
        "services.nobody: the compose project has no service 'nobody'. It has: named",
        "scale.service: compose cannot scale 'named', since it has a container_name; "
        "remove container_name from the compose file",
    ]


@pytest.mark.parametrize("name", ["flight-delay", "spark-cluster"])
def test_bundled_layouts_fit_their_captured_projects(name: str, captured: Captured) -> None:
    layout = load_layout(bundled_root() / "layouts" / f"{name}.yaml")
    assert check_against(layout, captured(name)) == []
    smaller = replace(captured(name), services={"spark-submit": captured(name).services["spark-submit"]})
    assert check_against(layout, smaller)
