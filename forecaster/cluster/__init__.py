"""What a Kubernetes cluster says of the workloads: read, measured, compared with the targets.

seen.py        the objects as we keep them: small and frozen
client.py      the API server's HTTP; the only importer of kubernetes
"""
