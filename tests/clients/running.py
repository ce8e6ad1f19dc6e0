"""The guides' commands in a shell: real kubectl, Helm's library, our own ``preroll``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import StandIn

ROOT = Path(__file__).parents[2]

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")


@cache
def kubectl_minor() -> int:
    """20 for kubectl 1.20."""
    told = subprocess.run(
        ["kubectl", "version", "--client"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"v1\.(\d+)", told)
    assert found, told
    return int(found[1])


class Shell:
    """Runs scripts in a folder, whose cluster is a stand-in."""

    def __init__(self, server: StandIn, folder: Path, home: Path) -> None:
        bin_ = home / "bin"
        bin_.mkdir(parents=True)
        self.folder, self.charts = folder, home / "charts"
        self._restarted_at = 0.0
        for name, module in (("helm", "tests.clients.helm_command"), ("preroll", "forecaster.cli")):
            made = bin_ / name
            made.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
            made.chmod(0o755)
        # kubectl sends no token over plain HTTP, so the stand-in must not ask for one.
        kubeconfig = write_kubeconfig(home / "kubeconfig", server.url, None)
        self._environment = {
            **os.environ,
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "HELM_CHARTS": str(self.charts),
            "KUBE_EDITOR": "sed -i s/externalRules:/noRules:/",
        }

    def run(self, script: str, code: int = 0) -> str:
        """What it wrote to standard output; it must end with ``code``."""
        if "rollout restart" in script:  # kubectl refuses a second one within the same second
            time.sleep(max(0.0, self._restarted_at + 1.1 - time.monotonic()))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if "rollout restart" in script:
            self._restarted_at = time.monotonic()
        assert done.returncode == code, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout
