"""Whose API server it is, and with which credentials."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path

import pytest

from forecaster.cluster.client import ClusterClient, connect
from forecaster.cluster.listing import list_seen
from forecaster.cluster.resources import PODS
from forecaster.errors import (
    ClusterRefused,
    ClusterUnavailable,
)
from tests.cluster.objects import pod
from tests.cluster.reading import IMPATIENT, client_of, write_kubeconfig
from tests.cluster.standin import StandIn
from tests.traffic.certificates import make_certificates


def test_a_token_that_was_rotated_is_read_again(server: StandIn, tmp_path: Path) -> None:
    client = client_of(server, tmp_path)
    client.get("/api/v1/pods")
    server.tokens = {"rotated"}
    write_kubeconfig(tmp_path / "kubeconfig", server.url, "rotated")
    client.get("/api/v1/pods")
    assert [one.authorization for one in server.asked] == [
        "Bearer right",
        "Bearer right",
        "Bearer rotated",
    ]
    client.close()


def test_a_token_that_stays_wrong_is_tried_twice_and_refused(
    server: StandIn, client: ClusterClient
) -> None:
    server.tokens = {"another"}
    with pytest.raises(ClusterRefused, match="401") as refused:
        client.get("/api/v1/pods")
    assert refused.value.status == 401
    assert len(server.asked) == 2


def test_the_token_is_in_no_message(server: StandIn, client: ClusterClient) -> None:
    server.tokens = {"another"}
    with pytest.raises(ClusterRefused) as refused:
        client.get("/api/v1/pods")
    assert "right" not in str(refused.value)


def test_a_context_of_the_kubeconfig_is_chosen(server: StandIn, tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "kubeconfig", server.url)
    assert connect(path).host == server.url
    assert connect(path, "other").host == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "kubeconfig"),
        ("clusters: [", "kubeconfig"),
        ("[1, 2]", "kubeconfig"),
        ("kind: Config\ncurrent-context: nowhere\ncontexts: []\n", "kubeconfig"),
    ],
    ids=["empty", "no YAML", "a list", "no such context"],
)
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(ClusterRefused, match=said) as refused:
        connect(path)
    assert str(path) in str(refused.value)


def test_without_a_cluster_and_a_kubeconfig_both_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none")
    )
    with pytest.raises(ClusterRefused, match="no cluster is around") as refused:
        connect()
    assert "for example: kubernetes: {kubeconfig:" in str(refused.value)


def test_in_a_cluster_the_rotated_token_of_the_service_account_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    token = tmp_path / "token"
    token.write_text("first")
    loader = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{loader}.SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(f"{loader}.SERVICE_CERT_FILENAME", certificates.ca)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    with StandIn(tokens={"first"}, tls=tls) as server:
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
        client = connect(timeouts=IMPATIENT)
        assert client.host == server.url
        server.put(pod())
        assert len(list_seen(client, PODS).values) == 1
        server.tokens = {"second"}
        token.write_text("second")
        assert len(list_seen(client, PODS).values) == 1
        assert server.asked[-1].authorization.lower() == "bearer second"
        client.close()


def test_a_watch_over_tls_is_ended_at_once_as_well(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    with StandIn(tls=tls) as server:
        path = write_kubeconfig(
            tmp_path / "kubeconfig", server.url, **{"certificate-authority": certificates.ca}
        )
        client = connect(path, timeouts=IMPATIENT)
        watched = client.watch(PODS, None, str(server.store.version))
        timer = threading.Timer(0.2, watched.end)
        timer.start()
        began = time.monotonic()
        with pytest.raises(ClusterUnavailable):
            list(watched)
        assert time.monotonic() - began < 4.0
        timer.join()
        client.close()


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    with StandIn(tls=tls) as server:
        client = client_of(server, tmp_path)
        with pytest.raises(ClusterRefused, match="TLS failed"):
            list_seen(client, PODS)
        client.close()
