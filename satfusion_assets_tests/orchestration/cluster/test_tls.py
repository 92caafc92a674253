"""``amqps://`` reaches the queue that it names, and no other server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from satfusion_assets.orchestration.cluster.queue import queue_app

HERE = "127.0.0.1"


def certificate_for(host: str, folder: Path) -> Path:
    """A key and a certificate that vouches for itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    stated = x509.IPAddress(ip_address(host)) if host == HERE else x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([stated]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{host}.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def server(certificate: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Takes one connection, notes the first words over TLS, and hangs up; its port and the words."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []

    def listen(listener: socket.socket) -> None:
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                heard.append(connection.recv(8))
        except OSError:  # the client did not trust us
            heard.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=listen, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(30)


@pytest.mark.parametrize(
    ("certified", "trusted", "said"),
    [
        (HERE, HERE, b"AMQP"),
        ("elsewhere.example.org", "elsewhere.example.org", b""),
        (HERE, "elsewhere.example.org", b""),
    ],
    ids=["the server that is named", "another server", "an authority that is not trusted"],
)
def test_nothing_is_said_to_a_server_that_is_not_the_one_named(
    certified: str, trusted: str, said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {host: certificate_for(host, tmp_path) for host in {certified, trusted}}
    monkeypatch.setenv("SSL_CERT_FILE", str(files[trusted]))
    with server(files[certified]) as (port, heard):
        queue = queue_app(f"amqps://satfusion:secret@{HERE}:{port}/").connection_for_write(connect_timeout=10)
        with pytest.raises(OSError, match=None if said else "certificate verify failed"):
            queue.transport.establish_connection()  # once; connect() tries again
    assert heard[0][:4] == said
