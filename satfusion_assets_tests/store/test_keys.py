"""The keys of ``deploy/cluster/keys`` suffice for their role and for nothing more, on a server that enforces them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import httpx
import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from satfusion_assets.store.blobs import Waits
from satfusion_assets.store.bucket import BucketStore
from satfusion_assets.store.collect import collect
from satfusion_assets.vocabulary.errors import StoreRefused
from satfusion_assets_tests.store.hosts import FUSED, INNSBRUCK, content, on_host, publish
from satfusion_assets_tests.store.servers.running import KEYS, moto

ROLES = sorted((Path(__file__).parents[2] / "deploy" / "cluster" / "keys").glob("*.json"))
WHERE = "s3://phenology/satfusion"
"""The bucket and prefix that the keys are written for."""
DELETING = ("runs", "collect")
ASKED_BY_MOTO = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::phenology"}],
    }
)
"""Moto asks for this, of the bucket and not of its objects, when objects are deleted; what each role may delete is
therefore read from its policy instead (``may_delete``)."""


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, dict[str, str]]]:
    """A user for every role, as the server's administrator makes them."""
    with moto() as url:
        options = {"endpoint_url": url, "region_name": "us-east-1"}
        options |= {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"]}
        options |= {"aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
        boto3.client("s3", **options).create_bucket(Bucket="phenology")
        iam = boto3.client("iam", **options)
        made = {}
        for role in ROLES:
            iam.create_user(UserName=role.stem)
            iam.put_user_policy(UserName=role.stem, PolicyName=role.stem, PolicyDocument=role.read_text())
            if role.stem in DELETING:
                iam.put_user_policy(UserName=role.stem, PolicyName="moto", PolicyDocument=ASKED_BY_MOTO)
            key = iam.create_access_key(UserName=role.stem)["AccessKey"]
            made[role.stem] = {
                "AWS_ENDPOINT_URL": url,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            }
        httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
        yield made


Opening = Callable[[str], BucketStore]


@pytest.fixture
def store_as(keys: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opening:
    def opened(role: str) -> BucketStore:
        for name, value in keys[role].items():
            monkeypatch.setenv(name, value)
        return on_host(WHERE, tmp_path / role, waits=Waits(5, 0))

    return opened


def test_each_key_does_its_roles_work_and_a_viewer_changes_nothing(store_as: Opening):
    for number in range(4):
        runs = store_as("runs")
        runs.recover()
        publish(runs, FUSED, {"fusion/a.tif": str(number).encode()})

    viewer = store_as("viewer")
    assert content(viewer, FUSED) == {"fusion/a.tif": b"3"}
    with pytest.raises(StoreRefused, match="does not let us write"):
        viewer.blobs.put("innsbruck/2024/.satfusion/objects/mine", b"")
    with pytest.raises(StoreRefused, match="does not let us delete"):
        viewer.blobs.delete("innsbruck/2024/.satfusion/log/fused/000000000004.json")

    assert collect(store_as("collect"), INNSBRUCK, grace=timedelta(seconds=-60)).entries == 2
    assert content(store_as("viewer"), FUSED) == {"fusion/a.tif": b"3"}


def may_delete(role: str, name: str) -> bool:
    policy = next(file for file in ROLES if file.stem == role).read_text()
    verdict = IAMPolicy({"policy_document": policy}).is_action_permitted(
        "s3:DeleteObject", f"arn:aws:s3:::phenology/{name}"
    )
    return verdict is PermissionResult.PERMITTED


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("satfusion/.satfusion/probe/1", ("collect", "runs")),
        ("satfusion/innsbruck/2024/.satfusion/cache/openeo/job", ("collect", "runs")),
        ("satfusion/innsbruck/2024/.satfusion/log/fused/000000000001.json", ("collect",)),
        ("satfusion/innsbruck/2024/.satfusion/objects/0a", ("collect",)),
        ("others/probe", ()),
    ],
)
def test_what_a_key_may_delete(name: str, roles: tuple[str, ...]):
    assert tuple(role.stem for role in ROLES if may_delete(role.stem, name)) == roles
