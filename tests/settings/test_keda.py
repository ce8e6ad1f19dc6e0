"""The ``keda`` section, and settings that are for another machine."""

from datetime import timedelta
from pathlib import Path

import pytest

from forecaster.errors import SettingsError
from forecaster.settings import load_settings

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "preroll.yaml"


def test_the_defaults_are_those_of_the_manifests(load, valid):
    keda = load(valid).keda
    assert keda.url == "http://preroll.preroll.svc:8080"
    assert (keda.authentication, keda.secret) == ("preroll", "preroll-token")
    assert keda.cpu_utilisation == 70
    assert keda.scale_down_window == timedelta(minutes=5)
    assert (keda.version, keda.kubernetes_version) == ((2, 20), (1, 35))


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ("", False),
        ("server: {tokens: [abc]}", True),
        ("keda: {authenticate: true}", True),
        ("server: {tokens: [abc]}\nkeda: {authenticate: false}", False),
    ],
    ids=["no-tokens", "tokens", "said", "said-not"],
)
def test_a_token_is_sent_where_the_server_has_some_or_where_it_is_said(load, valid, more, sent):
    assert load(f"{valid}{more}\n").keda.authenticate is sent


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("url: preroll:8080", "keda.url", "a scheme, a host and a port"),
        ("url: http://preroll:8080/v1", "keda.url", "a scheme, a host and a port"),
        ("version: 2.20", "keda.version", "write it in quotes"),
        ('version: "2.9"', "keda.version", "2.16 is the oldest"),
        ("kubernetes_version: new", "keda.kubernetes_version", "'new' is not a version"),
        ("polling_interval: 90m", "keda.polling_interval", "an hour at the most"),
        ("polling_interval: 1500ms", "keda.polling_interval", "whole seconds"),
        ("cpu_utilisation: -1", "keda.cpu_utilisation", "0"),
        ("secret: Preroll", "keda.secret", "a Kubernetes name"),
    ],
)
def test_what_cannot_be_meant_is_refused(problems, valid, written, place, message):
    (problem,) = problems(f"{valid}keda: {{{written}}}\n")
    assert problem.place == place
    assert message in str(problem)
    assert "for example" in str(problem)


def test_settings_for_another_machine_do_not_need_its_files(tmp_path, valid):
    path = tmp_path / "preroll.yaml"
    path.write_text(
        valid.replace("query:", "bearer_token_file: /nowhere/a\n    query:")
        + "server: {tokens_file: /nowhere/tokens, events_tokens_file: /nowhere/events}\n"
    )
    with pytest.raises(SettingsError, match="/nowhere/tokens"):
        load_settings(path, {})
    settings = load_settings(path, {}, elsewhere=True)
    assert settings.keda.authenticate
    assert settings.source.connection.bearer_token == "unread-bearer_token"


def test_other_mistakes_are_still_found_there(tmp_path, valid):
    path = tmp_path / "preroll.yaml"
    path.write_text(valid + "server: {tokens_file: /nowhere/tokens, port: 70000}\n")
    with pytest.raises(SettingsError, match=r"server\.port"):
        load_settings(path, {}, elsewhere=True)


def test_the_example_writes_them_with_a_token():
    assert load_settings(EXAMPLE, {}).keda.authenticate
