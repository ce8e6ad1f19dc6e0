"""One thread for each numeric library of a process, told before the library is loaded."""

from __future__ import annotations

import os

__all__ = ["THREAD_LIMITS", "limit_threads"]

THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def limit_threads() -> None:
    """One thread each, unless the environment says otherwise; for this process and its children.

    Libraries read it when they are loaded, so call it before they are imported.
    """
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
