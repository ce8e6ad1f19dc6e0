# syntax=docker/dockerfile:1
#
#   docker build --tag preroll:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp --publish 127.0.0.1:8080:8080 \
#     --volume "$PWD/preroll.yaml:/etc/preroll/preroll.yaml:ro" \
#     --volume preroll-data:/var/lib/preroll preroll:0.1.0
#
# The tag names Python's minor version, the one that the tests run on; pin the digest that your
# registry shows (FROM python:3.11-slim@sha256:...) for builds that can be repeated to the byte.
FROM python:3.11-slim AS python

FROM python AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# pip stays outside: what is installed cannot install anything.
RUN python -m venv --without-pip /opt/preroll
# The locked dependencies are a layer of their own, which a change of the sources leaves alone.
# Wheels only: nothing of theirs runs here, and no compiler is missing.
COPY requirements.lock ./
RUN pip --python /opt/preroll/bin/python install \
    --require-hashes --only-binary :all: --requirement requirements.lock \
    && pip install hatchling==1.33.0
COPY pyproject.toml README.md LICENSE ./
COPY forecaster ./forecaster
COPY api ./api
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /build/dist . \
    && pip --python /opt/preroll/bin/python install --no-deps /build/dist/*.whl \
    && pip --python /opt/preroll/bin/python check

FROM python
LABEL org.opencontainers.image.title="Preroll" \
      org.opencontainers.image.description="Predictive pre-scaling for KEDA" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# One thread for each numeric library: the serving process and the trainer have a core each, and
# neither is slowed down by threads of the other. Whatever wants to keep a cache finds /tmp, the
# only folder beside the store that is written to.
ENV PATH=/opt/preroll/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MKL_NUM_THREADS=1 \
    NUMBA_NUM_THREADS=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib
# LightGBM's wheel leaves OpenMP to the system. Debian's security fixes are meant to come in.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN install --directory --owner 65532 --group 65532 --mode 0750 /var/lib/preroll
COPY --from=builder /opt/preroll /opt/preroll
WORKDIR /var/lib/preroll
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080
# For engines other than Kubernetes, which has probes of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('PREROLL_SERVER__PORT') or 8080), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
# It handles SIGTERM itself, also as process 1, and its helper processes are children that it waits
# for: no init is needed.
ENTRYPOINT ["preroll"]
CMD ["serve", "--config", "/etc/preroll/preroll.yaml"]
