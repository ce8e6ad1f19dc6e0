"""The HTTP service: what KEDA, Prometheus and people read from a snapshot in memory."""
