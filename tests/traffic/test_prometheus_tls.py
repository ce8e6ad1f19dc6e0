"""TLS: a stand-in with a certificate of a CA that was made for this run."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest

from forecaster.errors import SourceRefused, SourceUnavailable
from forecaster.traffic.prometheus import FleetQuery, PrometheusConnection, PrometheusSource
from tests.traffic.stand_in import serving

START = datetime(1998, 4, 30, 21, 30, tzinfo=UTC)


def fetch(url, waits=None, **options):
    slept = [] if waits is None else waits
    connection = PrometheusConnection(url, **options)
    with PrometheusSource(connection, FleetQuery("requests"), sleep=slept.append) as source:
        return source.fetch(START, START + timedelta(minutes=2), timedelta(minutes=1))


@pytest.fixture
def context(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    return context


@pytest.fixture
def secure(context):
    with serving(context) as server:
        yield server


def test_the_ca_file_opens_a_server_of_that_ca(secure, certificates):
    fetch(secure.url, ca_file=certificates.ca)
    assert len(secure.asked) == 1


def test_an_unknown_ca_is_refused_at_once_with_a_hint_at_ca_file(secure):
    waits = []
    with pytest.raises(SourceRefused, match="Set ca_file to the PEM file") as caught:
        fetch(secure.url, waits)
    assert "unable to get local issuer certificate" in str(caught.value)
    assert waits == []
    assert secure.asked == []


def test_a_certificate_for_another_name_is_refused(secure, certificates):
    url = secure.url.replace("127.0.0.1", "localhost")
    with pytest.raises(SourceRefused, match="use the host name that it was made for"):
        fetch(url, ca_file=certificates.ca)


def test_verification_can_be_turned_off(secure):
    fetch(secure.url, verify_tls=False)
    assert len(secure.asked) == 1


def test_a_client_certificate_is_presented(context, certificates):
    context.load_verify_locations(certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(context) as server:
        pair = {"cert_file": certificates.client, "key_file": certificates.client_key}
        fetch(server.url, ca_file=certificates.ca, **pair)
        assert len(server.asked) == 1


def test_a_key_that_does_not_fit_is_refused_by_name(secure, certificates):
    pair = {"cert_file": certificates.client, "key_file": certificates.server_key}
    with pytest.raises(SourceRefused, match=r"client\.pem, .*server\.key"):
        fetch(secure.url, ca_file=certificates.ca, **pair)


def test_https_to_a_plain_port_gives_a_hint(stand_in):
    with pytest.raises(SourceUnavailable, match="does the port speak http://"):
        fetch(stand_in.url.replace("http://", "https://"))
