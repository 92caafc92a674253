"""The whole of docs/cluster.md on one machine: a control host with its servers, and worker hosts."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.demo_cluster import postgres, rabbitmq
from deploy.demo_cluster.ceph import Gateway, has_ceph, radosgw
from deploy.demo_cluster.hosts import NETWORK, Host, may_make_namespaces, network, only_one
from deploy.demo_cluster.machine import START_S, do, start, stop, wait_for_port
from satfusion_assets.cli.services import WAIT_FOR_CODE
from satfusion_assets.sandbox.server.run import archive_variables
from satfusion_assets.vocabulary.errors import ServiceFailed

CHECKOUT: Final = Path(__file__).parents[2]
BUCKET: Final = "satfusion"
WORKERS: Final = ("worker-a", "worker-b")
_FOLDERS: Final = Path("/var/tmp")
_PREFIX: Final = "satfusion-demo-cluster-"
_WEB, _CODE, _ARCHIVES = 3000, 4266, 8041
_OURS: Final = ("SATFUSION_", "AWS_", "CDSE_", "DAGSTER_")
"""What a user has set for other installations is not for the demo's."""


def what_is_missing() -> str:
    """One sentence on what this machine lacks, '' = nothing."""
    if not sys.platform.startswith("linux") or not may_make_namespaces():
        return "The demo of a cluster makes network namespaces: run it as root on Linux."
    packages = {
        "iproute2": shutil.which("ip") is not None,
        "util-linux": bool(shutil.which("unshare") and shutil.which("nsenter") and shutil.which("runuser")),
        "postgresql": postgres.is_installed(),
        "rabbitmq-server": rabbitmq.is_installed(),
        "radosgw ceph-mon ceph-osd ceph-common": has_ceph(),
    }
    missing = " ".join(name for name, found in packages.items() if not found)
    return f"Packages are missing; on Debian: apt-get install --no-install-recommends {missing}" if missing else ""


@dataclass
class Cluster:
    """Everything that runs, each part of which can be stopped, cut off and started again."""

    folder: Path
    control: Host
    workers: dict[str, Host]
    database: postgres.Postgres
    queue: rabbitmq.RabbitMq
    bucket: Gateway
    settings: Mapping[str, str]
    """Variables of every host."""
    runs_each: int = 1
    """How many runs a worker executes at a time."""
    code: str = "satfusion_assets.definitions"
    """Module with the definitions that the code server serves."""
    worker: str = "satfusion_assets.orchestration.cluster.worker"
    """Module with the application that workers run."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Of the Dagster UI."""
        return f"http://{self.control.address}:{_WEB}"

    def environment(self, host: str) -> dict[str, str]:
        """What a program on ``host`` sees: all hosts have the same settings, and folders of their own."""
        own = self.folder / "hosts" / host
        return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | {
            **self.settings,
            "DAGSTER_HOME": str(own / "dagster_home"),
            "SATFUSION_DATA_ROOT": str(own / "data"),
            "SATFUSION_SITES_FILE": str(own / "sites.geojson"),
            "SATFUSION_CODE_PORT": str(_CODE),
            WAIT_FOR_CODE: "1",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONUNBUFFERED": "1",
        }

    def furnish(self, host: str, sites: Path) -> None:
        """The folders of a host, and the two files that are the same everywhere."""
        own = self.folder / "hosts" / host
        (own / "dagster_home").mkdir(parents=True)
        (own / "data").mkdir()
        shutil.copy(CHECKOUT / "deploy/cluster/dagster.yaml", own / "dagster_home")
        shutil.copy(sites, own / "sites.geojson")

    def start_control(self) -> None:
        """Dagster's tables, then its services."""
        do(
            self.control,
            sys.executable,
            "-m",
            "dagster",
            "instance",
            "migrate",
            environment=self.environment("control"),
        )
        self.start_dagster()

    def start_dagster(self) -> None:
        """Code server, webserver and daemon, of ``code``."""
        self.start_service("code-server")
        listens = f"exec 3<>/dev/tcp/127.0.0.1/{_CODE}"
        do(self.control, "bash", "-c", listens, again_s=START_S)
        self.start_service("webserver")
        self.start_service("daemon")
        wait_for_port(self.control.address, _WEB, self.processes["webserver"], "The UI", self.log("webserver"))

    def start_service(self, name: str) -> None:
        """One of the control host's programs, by its name in ``deploy/cluster/systemd``."""
        command = _SERVICES[name].format(address=self.control.address, code=self.code)
        self._start(self.control, name, ["-m", *command.split()])

    def kill_service(self, name: str) -> None:
        stop(self.processes[name])

    def start_archives(self, root: Path) -> None:
        """The sandbox, which keeps what it has built in ``root``."""
        sites = self.folder / "hosts/control/sites.geojson"
        command = ["-m", "satfusion_assets.sandbox.server", "--root", str(root), "--sites", str(sites)]
        self._start(self.control, "archives", [*command, "--address", self.control.address, "--port", str(_ARCHIVES)])
        wait_for_port(self.control.address, _ARCHIVES, self.processes["archives"], "The sandbox", self.log("archives"))

    def start_worker(self, host: str, core: int | None = None) -> None:
        """core: of the processor, which the worker and its runs keep to."""
        command = f"-m celery --app {self.worker} worker --concurrency {self.runs_each}"
        pinned = () if core is None else ("taskset", "--cpu-list", str(core))
        self._start(self.workers[host], host, [*command.split(), "--loglevel", "INFO"], pinned)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def what_has_ended(self) -> str:
        """The name of a process that has ended by itself, '' = none has."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), "")

    def stop_all(self) -> None:
        for process in self.processes.values():
            stop(process)

    def _start(self, host: Host, name: str, command: Sequence[str], before: Sequence[str] = ()) -> None:
        environment = self.environment(host.name)
        self.processes[name] = start(host, [*before, sys.executable, *command], self.log(name), environment)


_SERVICES: Final = {
    "code-server": "satfusion_assets.orchestration.instance.code_server -m {code} "
    f"--location-name satfusion -h 127.0.0.1 -p {_CODE}",
    "webserver": f"dagster_webserver -w {CHECKOUT}/deploy/workspace.yaml -h {{address}} -p {_WEB}",
    "daemon": f"dagster._daemon run -w {CHECKOUT}/deploy/workspace.yaml",
}


@contextmanager
def cluster(sites: Path, sandbox: Path, *, say: Callable[[str], None] = print, runs_each: int = 1) -> Iterator[Cluster]:
    """Servers, control host and workers, all up; all gone when the block ends, with the folder they had.

    sites: of the demo. sandbox: folder of its archives, which is kept. say: is told what is being started.
    """
    if missing := what_is_missing():
        raise ServiceFailed(missing)
    with ExitStack() as stack:
        stack.enter_context(only_one())
        folder = stack.enter_context(_folder())
        control, *workers = stack.enter_context(network("control", *WORKERS))
        keys = {"AWS_ACCESS_KEY_ID": secrets.token_hex(10), "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
        say("PostgreSQL, RabbitMQ and Ceph's radosgw are being started.")
        database = postgres.Postgres(control, folder / "postgres", 5432, str(NETWORK))
        database.start()
        queue = rabbitmq.RabbitMq(control, folder / "rabbitmq", (5672, 25672, 4369))
        queue.start()
        stack.callback(queue.stop)
        bucket = stack.enter_context(radosgw(control, folder / "ceph", (6789, 7480), keys))
        make_bucket(bucket.url, keys)
        settings = {
            **keys,
            **archive_variables(f"http://{control.address}:{_ARCHIVES}"),
            "AWS_ENDPOINT_URL": bucket.url,
            "AWS_REGION": "us-east-1",
            "SATFUSION_STORE": f"s3://{BUCKET}/demo",
            "SATFUSION_POSTGRES_URL": database.url,
            "SATFUSION_BROKER_URL": queue.url,
            "SATFUSION_DAGSTER_URL": f"http://{control.address}:{_WEB}",
        }
        hosts = {host.name: host for host in workers}
        running = Cluster(folder, control, hosts, database, queue, bucket, settings, runs_each)
        stack.callback(running.stop_all)
        for name in ("control", *WORKERS):
            running.furnish(name, sites)
        say("The sandbox's archives, Dagster's services and two workers are being started.")
        running.start_archives(sandbox)
        running.start_control()
        for name in WORKERS:
            running.start_worker(name)
        yield running


@contextmanager
def _folder() -> Iterator[Path]:
    """For everything that servers and hosts write, where PostgreSQL's user may enter; those of demos that were killed
    are removed."""
    for left in _FOLDERS.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_FOLDERS))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_bucket(url: str, keys: Mapping[str, str]) -> None:
    """A bucket of the demo's name on the server at ``url``."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
