from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.service import Service


def test_the_page_and_all_that_it_loads_come_from_the_service_itself(steady: Service) -> None:
    page = steady.client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"""https?:|["'(]//""", page.text)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for path in loaded:
        asset = steady.client.get(path)
        assert asset.status_code == 200
        assert len(asset.content) > 1000
    assert "default-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("asset", ["core.py", "..%2fcore.py", "redoc.standalone.js", "x", "%00"])
def test_nothing_else_of_that_folder_is_served(steady: Service, asset: str) -> None:
    assert steady.client.get(f"/docs/{asset}").status_code == 404


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_without_a_network_shows_the_route_keda_reads(
    steady: Service, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=8000",
            "--dump-dom",
            f"{steady.url}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    text = re.sub(r"<[^>]+>|\u200b", "", done.stdout)
    assert "/v1/targets/{namespace}/{name}" in text
    assert "How many replicas a workload needs now" in text
