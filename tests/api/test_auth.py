from __future__ import annotations

import pytest

from api.auth import TokenGuard
from tests.api.plans import snapshot, state
from tests.api.service import Service, serving

Header = tuple[bytes, bytes]


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        pytest.param([(b"authorization", b"Bearer one")], True, id="bearer"),
        pytest.param([(b"authorization", b"bearer  two ")], True, id="scheme in any case, spaces"),
        pytest.param([(b"x-api-key", b"two")], True, id="api key"),
        pytest.param(
            [(b"x-api-key", b"bad"), (b"authorization", b"Bearer one")], True, id="either"
        ),
        pytest.param([(b"authorization", b"Bearer one"), (b"x-api-key", b"bad")], True, id="first"),
        pytest.param([(b"x-api-key", "schlüssel-ключ".encode())], True, id="not ASCII"),
        pytest.param([], False, id="nothing"),
        pytest.param([(b"authorization", b"one")], False, id="no scheme"),
        pytest.param([(b"authorization", b"Basic b25l")], False, id="basic"),
        pytest.param([(b"authorization", b"Bearer")], False, id="no token"),
        pytest.param([(b"authorization", b"Bearer on")], False, id="a part"),
        pytest.param([(b"authorization", b"Bearer onex")], False, id="more"),
        pytest.param([(b"authorization", b"Bearer ONE")], False, id="another case"),
        pytest.param([(b"authorization", b"Bearer one two")], False, id="two at once"),
        pytest.param([(b"authorization", b"Bearer \xff\xfe")], False, id="no text"),
        pytest.param([(b"cookie", b"one"), (b"x-api-keys", b"one")], False, id="other headers"),
    ],
)
def test_a_request_is_admitted_by_any_of_the_tokens_and_by_nothing_else(
    headers: list[Header], admitted: bool
) -> None:
    guard = TokenGuard(["one", "two", "schlüssel-ключ"])
    assert guard.closed
    assert guard.admits(headers) is admitted


def test_without_tokens_all_are_admitted() -> None:
    assert not TokenGuard().closed
    assert TokenGuard().admits([])
    assert TokenGuard().admits([(b"authorization", b"Bearer whatever")])


@pytest.mark.parametrize(
    "bad", ["", " ", "hunter\n", " hunter", "hunter\x00", "a\nhunter"], ids=repr
)
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(ValueError, match=r"tokens\[1\] is empty, has white space") as caught:
        TokenGuard(["fine", bad])
    assert "hunter" not in str(caught.value)


OPEN = ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"]
GUARDED = [
    "/v1/targets/streaming/player-api",
    "/v1/targets/no/such",
    "/v1/workloads",
    "/v1/workloads/streaming/player-api/forecast",
    "/v1/workloads/no/such/forecast",
    "/v1/nothing/here",
    "/v1",
    "/%761/workloads",
]


@pytest.fixture(scope="module")
def closed() -> object:
    with serving(snapshot(state("streaming/player-api")), tokens=("s3cret",)) as running:
        yield running


@pytest.mark.parametrize("path", OPEN)
def test_health_metrics_and_the_documentation_are_open(closed: Service, path: str) -> None:
    assert closed.client.get(path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
def test_all_under_v1_is_401_without_a_token_known_or_not(closed: Service, path: str) -> None:
    answer = closed.client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="preroll"'
    assert answer.json()["error"] == "unauthorized"
    assert "s3cret" not in answer.text
    admitted = closed.client.get(path, headers={"Authorization": "Bearer s3cret"})
    assert admitted.status_code in (200, 404)


def test_a_wrong_method_learns_nothing_without_a_token(closed: Service) -> None:
    assert closed.client.post("/v1/targets/streaming/player-api").status_code == 401
