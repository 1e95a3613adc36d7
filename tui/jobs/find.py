"""Which job is meant: one of the layout, or a file, of the client or of this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tui.engine.interface import EngineInfo
from tui.jobs.kinds.kind import SubmitError
from tui.stack.model import JobSpec, Project, Role, Service, Stack

# Where a run sees files of this machine that no mounted folder holds.
TAKEN = "/sparkdeck"
# Spark's settings for what goes along with an application, by its suffix.
_ALONG = {".py": "spark.submit.pyFiles", ".zip": "spark.submit.pyFiles", ".egg": "spark.submit.pyFiles"}
_ALONG |= {".jar": "spark.jars"}
_MASTER = re.compile(r"spark://[\w.:,-]+")
# Variables that name the master to a client, as the images of several publishers read them.
_MASTER_VARIABLES = ("SPARK_MASTER", "SPARK_MASTER_URL", "MASTER")


def find_job(
    stack: Stack,
    project: Project,
    name: str | None,
    main_class: str | None = None,
    *,
    along: Sequence[str] = (),
    folder: Path = Path(),
) -> JobSpec:
    """The layout's job of this name (None: its default), or an ad-hoc one for a `.py` or `.jar` file.

    A file is one of this machine, relative to `folder`, which the run gets to see, else one of the client: a relative
    one in `/apps`, where users put theirs. `along` are files of this machine that it needs. Raises SubmitError.
    """
    layout = stack.layout
    jobs = {job.name: job for job in layout.jobs}
    if name is None:
        default = layout.default_job()
        if default is None:
            raise SubmitError(f"{stack.name} names no job in its layout. Submit a file: NAME.py or NAME.jar")
        found = default
    elif name in jobs:
        found = replace(jobs[name], main_class=main_class) if main_class else jobs[name]
    elif name.endswith((".py", ".jar")):
        return _file_job(stack, project, name, main_class, along, folder)
    else:
        known = ", ".join(jobs) or "none"
        raise SubmitError(f"{stack.name} has no job {name!r}. It has: {known}. A file must end in .py or .jar.")
    if along:
        raise SubmitError(f"--with goes with a file, and {found.name} is a job of the layout: name them there.")
    return found


def check_files(engine: EngineInfo, project: Project, job: JobSpec) -> None:
    """Whether the application's file is there, as far as the host can see it, and whether the engine can see the files
    of this machine that a run takes along. Raises SubmitError."""
    host = project.host_path(job.service, job.app) if job.app and not job.files else None
    if host is not None and not host.is_file():
        raise SubmitError(f"{job.app} of the job {job.name} is not there: no file {host}")
    if job.files and engine.here != "host":
        names = ", ".join(map(str, job.files))
        raise SubmitError(
            f"{names}: on this machine, and the engine ({engine.endpoint}) is on another. "
            "Copy it there, into a mounted folder."
        )


def _file_job(
    stack: Stack, project: Project, name: str, main_class: str | None, along: Sequence[str], folder: Path
) -> JobSpec:
    client = _client(stack, project)
    if name.endswith(".jar") and main_class is None:
        raise SubmitError(f"Which class of {name} is to run? Add --class PACKAGE.NAME.")
    files: dict[Path, str] = {}
    inside = name if name.startswith("/") else f"/apps/{name}"
    mounted = project.host_path(client.name, inside)
    here = _here(name, folder)
    if name.startswith("/") and mounted is not None and mounted.is_file():
        app = inside
    elif here.is_file():
        app = _seen(client, here, files)
    elif mounted is None and not name.startswith("/"):
        raise SubmitError(f"There is no file {here}, and {client.name} has no folder /apps to look in.")
    elif mounted is not None and not mounted.is_file():
        raise SubmitError(f"{name} is not there: neither {here} nor {mounted}, which is {inside} in {client.name}.")
    else:
        app = inside
    conf: dict[str, str] = {}
    if stack.layout.source is None and (master := _master(stack, project, client)):
        conf["spark.master"] = master
    for word in along:
        one = _here(word, folder)
        if not one.is_file():
            raise SubmitError(f"There is no file {one}, which --with names.")
        key = _ALONG.get(one.suffix, "spark.files")
        conf[key] = ",".join(filter(None, (conf.get(key), _seen(client, one, files))))
    origin = str(here.absolute()) if here.is_file() else ""
    return JobSpec(
        *(PurePosixPath(name).stem, client.name, app),
        main_class=main_class,
        conf=conf,
        files=files,
        origin=origin,
        searched=stack.layout.source is None,
    )


def _client(stack: Stack, project: Project) -> Service:
    """Where an application is submitted from: the client, else, where nobody wrote a layout, whoever has Spark."""
    name = stack.client(project)
    if name is None and stack.layout.source is None:
        roles = (Role.SPARK_MASTER, Role.SPARK_WORKER)
        name = next((one for role in roles for one in stack.with_role(project, role)), None)
    if name is None:
        raise SubmitError(f"{stack.name} has no service with the role spark-client to submit from.")
    return project.services[name]


def _here(name: str, folder: Path) -> Path:
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:  # the home of nobody
        return folder / name


def _seen(client: Service, file: Path, files: dict[Path, str]) -> str:
    """Where a run sees a file of this machine: in a mounted folder, else taken along, which `files` then tells."""
    file = file.resolve()
    for mount in client.mounts:
        source = Path(mount.source).resolve() if mount.kind == "bind" else None
        if source is not None and file.is_relative_to(source):
            return str(PurePosixPath(mount.target) / file.relative_to(source).as_posix())
    if ":" in str(file) or "," in str(file):
        raise SubmitError(f"{file} cannot be taken along: its path has a colon or a comma in it.")
    target = f"{TAKEN}/{file.name}"
    if target in files.values():
        raise SubmitError(f"{file}: there is another file {file.name} already that goes along.")
    files[file] = target
    return target


def _master(stack: Stack, project: Project, client: Service) -> str:
    """The master's address, where nobody wrote a layout; empty where Spark's own settings are there to say it.

    As the client's variables tell, else as the workers are told, else by the master's name.
    """
    if any(mount.target.endswith("spark-defaults.conf") for mount in client.mounts):
        return ""
    told: list[str] = [client.environment.get(name, "") for name in _MASTER_VARIABLES]
    for worker in stack.with_role(project, Role.SPARK_WORKER):
        service = project.services[worker]
        told += [*service.environment.values(), *service.entrypoint, *service.command]
    found = next((match[0] for text in told if (match := _MASTER.search(text))), "")
    masters = stack.with_role(project, Role.SPARK_MASTER)
    return found or (f"spark://{masters[0]}:7077" if masters else "")
