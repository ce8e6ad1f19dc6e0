"""Variables over the file: nested, typed by the settings, named in problems."""

import pytest

from forecaster.settings.environment import variable_for


def test_a_variable_overrides_a_value_of_the_file(load, valid):
    settings = load(
        valid + "server: {port: 1, host: 127.0.0.2}\n",
        {
            "PREROLL_SERVER__PORT": "9090",
            "PREROLL_STEP": "5m",
            "PREROLL_DEFAULTS__QUANTILE": "0.9",
            "PREROLL_SOURCE__PROMETHEUS__URL": "http://other:1",
            "PREROLL_SOURCE__PROMETHEUS__TLS__VERIFY": "false",
            "PREROLL_WORKLOADS__0__CAPACITY": "7.5",
        },
    )
    assert (settings.server.port, settings.server.host) == (9090, "127.0.0.2")
    assert settings.fleet.step.total_seconds() == 300
    assert settings.source.connection.url == "http://other:1"
    assert not settings.source.connection.verify_tls
    (workload,) = settings.fleet.workloads
    assert (workload.rule.quantile, workload.rule.capacity_rps) == (0.9, 7.5)


def test_a_secret_that_looks_like_a_number_stays_text(load, valid):
    environ = {
        "PREROLL_SOURCE__PROMETHEUS__USERNAME": "12",
        "PREROLL_SOURCE__PROMETHEUS__PASSWORD": "[0123",
        "PREROLL_SERVER__TOKENS": "17, {x}",
    }
    settings = load(valid, environ)
    assert settings.source.connection.basic_auth == ("12", "[0123")
    assert settings.server.tokens == ("17", "{x}")


def test_a_header_of_the_file_is_overridden_as_it_is_spelled_there(load, valid):
    text = valid.replace("workloads:", "    headers: {X-Scope-OrgID: tv}\nworkloads:")
    settings = load(text, {"PREROLL_SOURCE__PROMETHEUS__HEADERS__X-SCOPE-ORGID": "radio"})
    assert settings.source.connection.headers == (("X-Scope-OrgID", "radio"),)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PREROLL_SERVER__PORT", "many", "'many' is not a whole number"),
        ("PREROLL_SERVER__PROT", "1", "did you mean PREROLL_SERVER__PORT?"),
        ("PREROLL_TIMZONE", "UTC", "did you mean PREROLL_TIMEZONE?"),
        ("PREROLL_STEP", "60", "'60' has no unit"),
        ("PREROLL_WORKLOADS__7__CAPACITY", "1", "workloads has 1 entries, counted from 0"),
        ("PREROLL_WORKLOADS__FIRST__CAPACITY", "1", "there is no first"),
        ("PREROLL_STEP__SECONDS", "1", "step is a single value"),
        ("PREROLL_SERVER__", "1", "empty part"),
        ("PREROLL_WORKLOADS", "tv/api", "a list is needed"),
        ("PREROLL_SERVER", "x", "keys with values are needed"),
    ],
)
def test_a_problem_names_the_variable(problems, valid, name, value, said):
    (problem,) = problems(valid + "step: 1m\n", {name: value})
    assert problem.place == name
    assert problem.line is None
    assert said in problem.message


def test_an_empty_variable_counts_as_not_set(load, valid):
    assert load(valid, {"PREROLL_SERVER__PORT": ""}).server.port == 8080


@pytest.mark.parametrize("name", ["PREROLL_SERVER__TOKENS", "PREROLL_SERVER__TOKENS_FILE"])
def test_an_empty_variable_for_tokens_does_not_open_the_endpoint(problems, valid, name):
    (problem,) = problems(valid, {name: ""})
    assert problem.place == name


@pytest.mark.parametrize(
    "name",
    [
        "PREROLL_CONFIG",
        "PREROLL_SERVICE_HOST",
        "PREROLL_SERVICE_PORT",
        "PREROLL_SERVICE_PORT_HTTP",
        "PREROLL_PORT",
        "PREROLL_PORT_8080_TCP",
        "PREROLL_PORT_8080_TCP_PROTO",
        "PREROLL_PORT_8080_TCP_ADDR",
        "PREROLL_CANARY_SERVICE_HOST",
        "PREROLL_CANARY_PORT_80_TCP_PORT",
        "PREROLLER_SERVER__PORT",
    ],
)
def test_addresses_that_kubernetes_puts_into_a_pod_are_not_settings(load, valid, name):
    assert load(valid, {name: "tcp://10.0.0.7:8080"}).server.port == 8080


def test_the_source_can_come_from_the_environment_alone(load):
    settings = load(
        "workloads: [{namespace: tv, name: api, capacity: 1}]\n",
        {"PREROLL_SOURCE__FILE__PATH": "x.csv"},
    )
    assert settings.source.path.name == "x.csv"


def test_the_name_of_a_variable_is_the_way_to_its_value():
    assert variable_for(("workloads", 0, "lead_time")) == "PREROLL_WORKLOADS__0__LEAD_TIME"


def test_a_second_source_that_comes_from_a_variable_is_named(problems, valid):
    (problem,) = problems(valid, {"PREROLL_SOURCE__FILE__PATH": "x.csv"})
    assert problem.place == "source"
    assert "here by PREROLL_SOURCE__FILE__PATH" in problem.message
