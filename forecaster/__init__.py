"""Preroll: predictive pre-scaling for KEDA.

The library: past traffic (``forecaster.traffic``) to quantiles (``forecaster.models``) to replicas
(``forecaster.planning``), and the proof (``forecaster.backtest``). Importing this package does no
work and pulls in no numerics; import what you use.
"""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("preroll")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
