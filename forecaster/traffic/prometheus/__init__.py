"""Past traffic from Prometheus, VictoriaMetrics and whatever speaks their query API over HTTP.

connection.py   where the server is, how to get in, and the query: values, no IO
grid.py         instants to whole steps and to evaluation times
retry.py        how long to wait before the same request is worth another try
refusal.py      an HTTP status that is not success, in words and as a typed error
client.py       one range query over HTTP, retried
answer.py       the JSON of a range query, or the reason why it cannot be trusted
fleet.py        answers placed into one array per workload
left_out.py     results of nobody who was asked for
source.py       the chunks, largest affordable, newest first
"""

from __future__ import annotations

from forecaster.traffic.prometheus.connection import FleetQuery, PrometheusConnection
from forecaster.traffic.prometheus.source import FetchedTraffic, PrometheusSource

__all__ = ["FetchedTraffic", "FleetQuery", "PrometheusConnection", "PrometheusSource"]
