from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from forecaster.errors import SettingsError, SettingsProblem
from forecaster.settings import Settings, load_settings

VALID = """\
source:
  prometheus:
    url: http://prometheus:9090
    query: sum by (namespace, deployment) (rate(http_requests_total[2m]))
workloads:
  - namespace: streaming
    name: player-api
    capacity: 120
"""

Load = Callable[..., Settings]
Problems = Callable[..., list[SettingsProblem]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """``load(text, {variable: value})``: the settings in a file with this text."""

    def call(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "preroll.yaml"
        path.write_text(text)
        return load_settings(path, environ or {})

    return call


@pytest.fixture
def problems(load: Load) -> Problems:
    """``problems(text, {variable: value})``: what is wrong with it; it must be something."""

    def call(text: str, environ: Mapping[str, str] | None = None) -> list[SettingsProblem]:
        with pytest.raises(SettingsError) as caught:
            load(text, environ)
        return list(caught.value.problems)

    return call


@pytest.fixture
def valid() -> str:
    """The smallest valid file."""
    return VALID
