"""A CA made for one test run, and two certificates that it signed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Certificates", "make_certificates"]


@dataclass(frozen=True)
class Certificates:
    """PEM files: a CA, a server's certificate for 127.0.0.1 and a client's, with their keys."""

    ca: str
    server: str
    server_key: str
    client: str
    client_key: str


def make_certificates(folder: Path) -> Certificates:
    """Make them by the openssl binary; skips the test where there is none."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl binary on this machine to make certificates with")

    def run(command: str) -> None:
        subprocess.run(
            [openssl, *command.split()], cwd=folder, check=True, capture_output=True, timeout=60
        )

    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    usage = "keyUsage=critical,keyCertSign"
    run(f"req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca -addext {usage}")
    extensions = {"server": "subjectAltName=IP:127.0.0.1", "client": "extendedKeyUsage=clientAuth"}
    for name, extension in extensions.items():
        (folder / f"{name}.ext").write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
        run(f"req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}")
        signer = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        run(f"x509 -req -in {name}.csr {signer} -extfile {name}.ext -out {name}.pem")
    return Certificates(
        ca=str(folder / "ca.pem"),
        server=str(folder / "server.pem"),
        server_key=str(folder / "server.key"),
        client=str(folder / "client.pem"),
        client_key=str(folder / "client.key"),
    )
