"""Roles, links and workers of projects that have no layout."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import iter_modules
from typing import Any

import pytest

import tui.stack.roles
import tui.watch.roles
from tui.stack.layout import load_layout
from tui.stack.model import Link, Port, Project, Role, ScaleSpec, Service
from tui.stack.roles import ROLES, SPARK, detect_layout
from tui.stack.root import bundled_root
from tui.watch.roles import WATCHED

Captured = Callable[[str], Project]


def roles(**services: dict[str, Any]) -> dict[str, Role]:
    named = {name.replace("_", "-"): entry for name, entry in services.items()}
    project = Project("p", {name: Service(name, **entry) for name, entry in named.items()})
    return {entry.pattern: entry.role for entry in detect_layout(project).services}


@pytest.mark.parametrize("name", ["flight-delay", "spark-cluster"])
def test_bundled_stacks_are_understood_without_their_layouts(name: str, captured: Captured) -> None:
    project = captured(name)
    detected, written = detect_layout(project), load_layout(bundled_root() / "layouts" / f"{name}.yaml")
    for service in project.services:
        assert detected.service(service).role is written.service(service).role, service
    assert detected.scale == written.scale
    assert detected.jobs == () and detected.name == name
    assert detected.service("spark-master").links == (Link("Spark master", 8080),)


def test_spark_is_recognised_by_each_publisher_s_own_signals() -> None:
    # One that sets SPARK_MODE; services with names that say nothing.
    found = roles(
        a={"image": "bitnami/spark:3.5", "environment": {"SPARK_MODE": "master"}},
        b={"image": "bitnami/spark:3.5", "environment": {"SPARK_MODE": "worker"}},
    )
    assert list(found.values()) == [Role.SPARK_MASTER, Role.SPARK_WORKER]
    # One that sets SPARK_WORKLOAD.
    found = roles(
        a={"image": "cluster-apache-spark:3.0.2", "environment": {"SPARK_WORKLOAD": "master"}},
        b={"image": "cluster-apache-spark:3.0.2", "environment": {"SPARK_WORKLOAD": "worker"}},
        c={"image": "cluster-apache-spark:3.0.2", "environment": {"SPARK_WORKLOAD": "submit"}},
    )
    assert list(found.values()) == [Role.SPARK_MASTER, Role.SPARK_WORKER, Role.SPARK_CLIENT]
    # The Apache image: spark-class, as command or inside of a shell's.
    found = roles(
        a={"image": "apache/spark", "command": ("/opt/spark/bin/spark-class", "org.apache.spark.deploy.master.Master")},
        b={
            "image": "apache/spark",
            "command": ("bash", "-c", "sleep 5 && spark-class org.apache.spark.deploy.worker.Worker spark://a:7077"),
        },
        c={"image": "apache/spark", "entrypoint": ("/opt/spark/sbin/start-worker.sh",), "command": ("spark://a:7077",)},
        d={"image": "apache/spark", "command": ("tail", "-f", "/dev/null")},
        e={"image": "apache/spark", "command": ("spark-submit", "/a.py")},
        f={"image": "apache/spark", "command": ("/opt/spark/sbin/start-history-server.sh",)},
    )
    assert list(found.values()) == [
        Role.SPARK_MASTER,
        Role.SPARK_WORKER,
        Role.SPARK_WORKER,
        Role.SPARK_CLIENT,
        Role.SPARK_CLIENT,
        Role.SPARK_HISTORY,
    ]
    # Images made for one role.
    found = roles(a={"image": "bde2020/spark-master:3.3"}, b={"image": "bde2020/spark-worker:3.3"})
    assert list(found.values()) == [Role.SPARK_MASTER, Role.SPARK_WORKER]


def test_who_only_knows_of_a_master_is_no_part_of_spark() -> None:
    """Nothing of these is drained, signalled or scaled as a worker."""
    master = {"SPARK_MASTER_URL": "spark://m:7077", "SPARK_MASTER": "spark://m:7077"}
    found = roles(
        worker={"image": "mine/tasks", "command": ("celery", "-A", "t", "worker"), "environment": master},
        airflow_worker={"built": True, "command": ("airflow", "celery", "worker"), "environment": master},
        batch_worker={"image": "mine/batch", "environment": {"SPARK_MODE": "worker", **master}},
        master={"image": "mine/etl:2", "environment": {"SPARK_MODE": "master"}, "ports": (Port(8080, None),)},
        client={"image": "mine/api", "command": ("sleep", "infinity"), "environment": master},
    )
    assert not set(found.values()) & SPARK, found
    # An image of one's own that runs Spark's class, or that is built here and says its part.
    found = roles(
        node={"image": "mine/node", "command": ("java", "-cp", "x", "org.apache.spark.deploy.worker.Worker")},
        worker={"built": True, "environment": {"SPARK_MODE": "worker", **master}},
    )
    assert list(found.values()) == [Role.SPARK_WORKER, Role.SPARK_WORKER]


def test_the_services_around_spark() -> None:
    done = "service_completed_successfully"
    assert roles(
        notebook={"image": "quay.io/jupyter/pyspark-notebook", "ports": (Port(8888, 8888),)},
        tracking={"built": True, "command": ("sh", "-c", "mlflow  server --host 0.0.0.0")},
        minio={"image": "minio/minio", "command": ("server", "/data"), "environment": {"MINIO_ROOT_USER": "a"}},
        createbuckets={"image": "minio/mc", "entrypoint": ("sh", "-c", "mc alias set m; mc mb m/b")},
        mlflow_db={"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "x"}},
        cache={"image": "redis:7"},
        airflow_worker={"image": "apache/airflow:3.0", "command": ("airflow", "celery", "worker")},
        airflow_init={"image": "apache/airflow:3.0", "command": ("airflow", "db", "migrate")},
        airflow_web={"image": "apache/airflow:3.0", "depends_on": {"airflow-init": done}},
        api={"built": True, "depends_on": {"prepare": done}},
        prepare={"image": "python:3.12"},
        front={"image": "nginx", "ports": (Port(80, 8080),)},
        redis_master={"image": "bitnami/redis"},
        celery_worker={"image": "mine"},
    ) == {
        "notebook": Role.JUPYTER,
        "tracking": Role.MLFLOW,
        "minio": Role.OBJECT_STORE,
        "createbuckets": Role.ONE_SHOT,
        "mlflow-db": Role.DATABASE,
        "cache": Role.DATABASE,
        "airflow-worker": Role.SCHEDULER,
        "airflow-init": Role.ONE_SHOT,
        "airflow-web": Role.SCHEDULER,
        "api": Role.APP,
        "prepare": Role.ONE_SHOT,
        "front": Role.APP,
        "redis-master": Role.DATABASE,
        "celery-worker": Role.UNKNOWN,
    }


def test_stacks_with_an_object_store_a_scheduler_and_an_application() -> None:
    done, well = "service_completed_successfully", "service_healthy"
    store = {"MINIO_ROOT_USER": "a", "MINIO_ROOT_PASSWORD": "b"}
    assert roles(
        spark_app={"built": True, "command": ("sleep", "infinity"), "environment": {"AWS_ACCESS_KEY_ID": "a"}},
        minio={"image": "mine", "built": True, "command": ("minio", "server", "/data"), "environment": store},
        minio_client={"image": "mine", "built": True, "command": ("/buckets.sh",), "environment": store},
    ) == {"spark-app": Role.SPARK_CLIENT, "minio": Role.OBJECT_STORE, "minio-client": Role.ONE_SHOT}
    assert roles(
        mlflow={"built": True, "command": ("mlflow", "server"), "ports": (Port(5000, 5000),)},
        fastapi={"built": True, "command": ("uvicorn", "api:app"), "depends_on": {"mlflow": well}},
        airflow={"built": True, "command": ("airflow", "standalone"), "ports": (Port(8080, 8080),)},
    ) == {"mlflow": Role.MLFLOW, "fastapi": Role.APP, "airflow": Role.SCHEDULER}
    client = {"environment": {"MLFLOW_TRACKING_URI": "http://mlflow:5001"}}
    assert roles(
        mlflow={"image": "me/mlflow", "ports": (Port(5001, 5001),)},
        app_ml_train={**client, "image": "me/train", "depends_on": {"mlflow": well}},
        app_ml_inference={**client, "image": "me/infer", "depends_on": {"app-ml-train": done}},
        app_stream_data={**client, "image": "me/stream"},
        app_ui={"image": "me/ui", "ports": (Port(8050, 8050),)},
        kedro_viz={"image": "me/viz", "command": ("kedro", "viz", "run")},
        app_migrate={"image": "me/db"},
        features={"image": "me/features", "command": ("kedro", "run")},
    ) == {
        "mlflow": Role.MLFLOW,
        "app-ml-train": Role.ONE_SHOT,
        "app-ml-inference": Role.APP,
        "app-stream-data": Role.APP,
        "app-ui": Role.APP,
        "kedro-viz": Role.APP,
        "app-migrate": Role.ONE_SHOT,
        "features": Role.ONE_SHOT,
    }


def links(name: str, *ports: int, **entry: Any) -> tuple[Link, ...]:
    service = Service(name, ports=tuple(Port(port, None) for port in ports), **entry)
    return detect_layout(Project("p", {name: service})).service(name).links


@pytest.mark.parametrize(
    ("service", "role"),
    [
        ({"image": "apache/spark", "command": ("start-history-server.sh",)}, Role.SPARK_HISTORY),
        ({"image": "apache/spark", "command": ("/opt/spark/sbin/start-connect-server.sh",)}, Role.SPARK_CONNECT),
        ({"image": "apache/spark", "command": ("/opt/spark/sbin/start-thriftserver.sh",)}, Role.SPARK_THRIFT),
        ({"image": "confluentinc/cp-kafka:7.6.0"}, Role.KAFKA),
        ({"image": "docker.redpanda.com/redpandadata/redpanda:v24.1.1"}, Role.KAFKA),
        ({"image": "bitnami/zookeeper:3.9"}, Role.ZOOKEEPER),
        ({"image": "apache/hadoop:3", "command": ("hdfs", "namenode")}, Role.NAMENODE),
        ({"image": "bde2020/hadoop-datanode:2.0.0"}, Role.DATANODE),
        ({"image": "apache/hadoop:3", "command": ("yarn", "resourcemanager")}, Role.RESOURCE_MANAGER),
        ({"image": "apache/hadoop:3", "command": ("yarn", "nodemanager")}, Role.NODE_MANAGER),
        ({"image": "apache/hive:4.0.0", "environment": {"SERVICE_NAME": "metastore"}}, Role.METASTORE),
        ({"image": "ghcr.io/projectnessie/nessie:0.99"}, Role.CATALOG),
        ({"image": "tabulario/iceberg-rest"}, Role.CATALOG),
        ({"image": "trinodb/trino:450"}, Role.TRINO),
        ({"image": "flink:1.20", "command": ("jobmanager",)}, Role.FLINK),
        ({"image": "apache/superset:4.0.0"}, Role.SUPERSET),
        ({"image": "grafana/grafana-oss:11.0.0"}, Role.GRAFANA),
        ({"image": "prom/prometheus:v2.53.0"}, Role.PROMETHEUS),
        # What only has such a word in its name, or talks to one, is none.
        ({"image": "provectuslabs/kafka-ui", "environment": {"KAFKA_CLUSTERS_0_NAME": "x"}}, Role.UNKNOWN),
        ({"image": "confluentinc/cp-kafka-connect:7.6.0"}, Role.UNKNOWN),
        ({"image": "api", "built": True, "environment": {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}}, Role.APP),
        ({"image": "grafana/loki:3.0"}, Role.UNKNOWN),
        ({"image": "prom/node-exporter"}, Role.UNKNOWN),
    ],
)
def test_what_stands_beside_spark_has_roles_of_its_own(service: dict[str, Any], role: Role) -> None:
    # Its name says nothing.
    assert roles(x=service) == {"x": role}


def test_pages_of_what_stands_beside_spark() -> None:
    assert links("trino", 8080) == (Link("Trino", 8080),)
    assert links("namenode", 8020, 9870) == (Link("HDFS", 9870),)
    assert links("spark-connect", 4040, 15002) == (Link("Spark application", 4040),)
    for name, port in (("kafka", 9092), ("zookeeper", 2181), ("metastore", 9083), ("starrocks", 9030)):
        assert links(name, port) == (), name


def test_links_lead_to_published_pages_only() -> None:
    assert links("spark-master", 7077, 8080) == (Link("Spark master", 8080),)
    assert links("spark-master", 7077) == ()
    assert links("spark-master") == ()
    assert links("spark-master", 8080, 9000, command=("Master", "--webui-port", "9000")) == (
        Link("Spark master", 9000),
    )
    assert links("jupyter", 4040, 8888) == (Link("JupyterLab", 8888, "/lab?token={token}"),)
    assert links("jupyter", 9999) == (Link("JupyterLab", 9999, "/lab?token={token}"),)
    assert links("minio", 9000, 9001) == (Link("Object store", 9001),)
    assert links("postgres", 5432, 8080) == ()
    assert links("web", 80, 443, 9092) == (Link("web 80", 80), Link("web 443", 443))
    assert links("web", 80) == (Link("web", 80),)


def scale(*workers: Service) -> ScaleSpec | None:
    return detect_layout(Project("p", {worker.name: worker for worker in workers})).scale


def test_the_worker_that_can_be_scaled_is_chosen() -> None:
    def worker(name: str, **entry: Any) -> Service:
        return Service(name, environment={"SPARK_MODE": "worker"}, **entry)

    port = (Port(8081, 8081),)
    assert scale(Service("web", image="x")) is None
    assert scale(worker("w", replicas=3)) == ScaleSpec("w")
    assert scale(worker("a"), worker("b", ports=port)) == ScaleSpec("a", ("b",))
    assert scale(worker("a"), worker("b", container_name="b")) == ScaleSpec("a", ("b",))
    # Nothing suits: the last one, whose obstacle can be told.
    assert scale(worker("a", ports=port), worker("b", ports=port)) == ScaleSpec("b", ("a",))


def test_huge_commands_are_looked_at_in_little_time() -> None:
    import time

    start = time.perf_counter()
    roles(a={"image": "x" * 10**6, "command": ("pyspark " * 10**6, "sleep " * 10**6)})
    assert time.perf_counter() - start < 10


def test_every_module_is_in_the_table() -> None:
    """Of what is recognised, and of what is known while it runs."""
    for package, table in ((tui.stack.roles, ROLES), (tui.watch.roles, WATCHED)):
        modules = {module.name for module in iter_modules(package.__path__)} - {"kind"}
        # What only has a health path is asked as any application is.
        of_their_own = table if table is ROLES else [role for role in table if not ROLES[role].health]
        assert {str(role).replace("-", "_") for role in of_their_own} == modules
    assert [*ROLES, Role.UNKNOWN] == list(Role)
