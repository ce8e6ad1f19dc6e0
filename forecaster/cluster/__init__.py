"""What a Kubernetes cluster says of the workloads: read, measured, compared with the targets.

seen.py        the objects as we keep them: small and frozen
client.py      the API server's HTTP; the only importer of kubernetes
watching.py    lists and watches that go on after whatever happens; changes.py is what they tell
listing.py     the same once, without a watch; whole.py the objects themselves
parsing.py     an object as JSON → as we keep it; pod_shape.py is what a pod takes, placing.py where
inventory.py   what is known now, by workload
annotations.py what a ScaledObject declares → a workload, or problems
reporting.py   problems as Events on the object
rights.py      what all of it must be allowed to do
start_ups.py   how long pods take to be ready, in parts; lead_time.py makes a lead time of it
delivered.py   what was asked for against what is there; standing.py says why not
fit.py         plans against maxima, quotas and nodes, hours ahead; headroom.py holds places
"""
