"""``deploy/kubernetes``: the Job of a run keeps to Kubernetes' schema. No cluster takes part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dagster import DagsterRun
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import construct_dagster_k8s_job
from kubernetes.client import ApiClient

DEPLOY = Path(__file__).parents[1] / "deploy"
SETTINGS: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes/dagster.yaml").read_text())
RELEASE = "1.37.0"
NOWHERE = """
apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:9"}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
users: [{name: nobody, user: {}}]
"""


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    """The manifest of a run's Job, as the launcher of the settings makes it."""
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(NOWHERE)
    config = SETTINGS["run_launcher"]["config"] | {"load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
    launcher = K8sRunLauncher.from_config_value(None, config)
    run = DagsterRun(job_name="__ASSET_JOB")
    context = K8sContainerContext.create_for_run(run, launcher, include_run_tags=False)
    made = construct_dagster_k8s_job(
        job_config=context.get_k8s_job_config(job_image=None, run_launcher=launcher),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        user_defined_k8s_config=context.run_k8s_config,
    )
    return ApiClient().sanitize_for_serialization(made)


def test_the_job_of_a_run_keeps_to_the_schema(job: dict[str, Any]):
    kubernetes_validate.validate(job, RELEASE, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_refused(job: dict[str, Any]):
    """Otherwise the check above would say nothing."""
    job["spec"]["backofLimit"] = 3
    with pytest.raises(kubernetes_validate.ValidationError, match="backofLimit"):
        kubernetes_validate.validate(job, RELEASE, strict=True)


def test_a_job_is_not_repeated_behind_dagsters_back(job: dict[str, Any]):
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_settings_are_those_of_several_machines_but_for_the_launcher():
    machines = yaml.safe_load((DEPLOY / "cluster/dagster.yaml").read_text())
    del machines["run_launcher"]
    assert {name: value for name, value in SETTINGS.items() if name != "run_launcher"} == machines
