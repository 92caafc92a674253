"""``satfusion view``: the pictures and curves behind every number."""

from __future__ import annotations

from typing import Annotated

import typer

from satfusion_assets.cli.services import LAST_PORT, VIEWER_PORT


def view(
    port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="port on the host")] = VIEWER_PORT,
    host: Annotated[str, typer.Option(help="address to listen on; other than loopback needs --allow")] = "127.0.0.1",
    allow: Annotated[list[str] | None, typer.Option(help="host name the viewer may be asked by; repeatable")] = None,
) -> None:
    """Serve the viewer, read-only, until interrupted."""
    import uvicorn

    from satfusion_assets.pipeline.platform import Platform
    from satfusion_assets.store.bucket import BucketStore
    from satfusion_assets.viewer.app import LOOPBACK, create_app

    platform = Platform()
    settings, store = platform.settings, platform.store
    bucket = store if isinstance(store, BucketStore) else None
    app = create_app(settings.data_root, settings.sites_path, bucket=bucket, hosts=[*LOOPBACK, *(allow or [])])
    typer.echo(f"Viewer: http://{host}:{port}")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
