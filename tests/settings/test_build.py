"""From text to values, and every way in which that is refused."""

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from forecaster.errors import SettingsError, SettingsProblem
from forecaster.planning import Mode, ScalingRule
from forecaster.settings import FileSettings, PrometheusSettings, load_settings
from forecaster.traffic.files import ReadOptions

WORKLOADS = "workloads: [{namespace: tv, name: api, capacity: 10}]\n"
FILE_SOURCE = "source: {file: {path: traffic.csv}}\n"


def test_what_is_left_out_comes_from_the_domain(load, valid):
    (workload,) = load(valid).fleet.workloads
    assert workload.workload == "streaming/player-api"
    assert workload.rule == ScalingRule(capacity_rps=120)


def test_a_workload_overrides_the_defaults_key_by_key(load, valid):
    settings = load(
        valid + "    quantile: 0.95\n    mode: off\n"
        "defaults: {lead_time: 8m, quantile: 0.9, hold_down: 7m, max_replicas: 7, mode: shadow}\n"
    )
    assert settings.fleet.workloads[0].rule == ScalingRule(
        capacity_rps=120,
        lead_time=timedelta(minutes=8),
        quantile=0.95,
        max_replicas=7,
        hold_down=timedelta(minutes=7),
        mode=Mode.OFF,
    )


def test_the_whole_file_is_understood(load, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "tokens").write_text("one\n\ntwo\n")
    (tmp_path / "ca.crt").write_text("pem")
    settings = load("""
source:
  prometheus:
    url: https://mimir/prometheus
    query: sum by (ns, app) (rate(x[1m]))
    labels: {namespace: ns, name: app}
    default_namespace: tv
    bearer_token_file: token
    headers: {X-Scope-OrgID: tv}
    tls: {ca_file: ca.crt, verify: true}
    timeout: 10s
    max_points_per_query: 5000
    allow_partial: true
step: 5m
history: 14d
timezone: Europe/Paris
workloads: [{namespace: tv, name: api, capacity: 10}]
training: {every: 12h}
server: {host: 0.0.0.0, port: 9, tokens: [zero], tokens_file: tokens}
store: {path: data/p.sqlite}
log: {level: debug, format: text}
""")
    source = settings.source
    assert isinstance(source, PrometheusSettings)
    assert source.connection.url == "https://mimir/prometheus"
    assert source.connection.bearer_token == "s3cret"
    assert source.bearer_token_file == tmp_path / "token"
    assert source.connection.headers == (("X-Scope-OrgID", "tv"),)
    assert source.connection.ca_file == str(tmp_path / "ca.crt")
    assert source.connection.timeout_seconds == 10
    assert source.connection.max_points_per_query == 5000
    assert source.connection.allow_partial
    assert source.query.series_id({"ns": "a", "app": "b"}) == "a/b"
    assert source.query.series_id({"app": "b"}) == "tv/b"
    fleet = settings.fleet
    assert (fleet.step, fleet.history) == (timedelta(minutes=5), timedelta(days=14))
    assert (fleet.timezone, fleet.train_every) == ("Europe/Paris", timedelta(hours=12))
    assert settings.server.tokens == ("zero", "one", "two")
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9)
    assert settings.store_path == tmp_path / "data" / "p.sqlite"
    assert (settings.log.level, settings.log.format) == ("debug", "text")


def test_a_file_is_a_source_with_the_unit_that_readers_take_by_default(load, tmp_path):
    settings = load(FILE_SOURCE + WORKLOADS)
    assert settings.source == FileSettings(tmp_path / "traffic.csv")
    assert settings.source.unit == ReadOptions().unit.value


def test_the_plan_covers_48_hours_whatever_the_lead_time(load, valid):
    fleet = load(valid + "    lead_time: 7m\nstep: 2m\n").fleet
    assert fleet.horizon(fleet.workloads[0].rule) == timedelta(hours=48, minutes=8)


def test_the_outlook_offers_a_configured_quantile(load, valid):
    fleet = load(valid + "    quantile: 0.997\n").fleet
    assert fleet.quantiles(fleet.workloads[0].rule)[-2:] == (0.99, 0.997)


@pytest.mark.parametrize(
    ("more", "minutes"),
    [("", 4), ("step: 5m\n", 20), ("live: {stale_after: 10m}\n", 10), ("live:\n", 4)],
    ids=["four steps", "of the fleet's own", "as set", "blank"],
)
def test_live_traffic_counts_for_four_steps_or_as_long_as_is_set(load, valid, more, minutes):
    assert load(valid + more).fleet.live_age == timedelta(minutes=minutes)


def test_a_lead_time_of_other_steps_makes_a_stored_model_old(load, valid):
    fleets = [load(f"{valid}    lead_time: {one}\n").fleet for one in ("241s", "5m", "301s")]
    first, same, other = (one.training_key(one.workloads[0].rule) for one in fleets)
    assert first == same != other


def test_only_what_training_depends_on_makes_a_stored_outlook_old(load, valid):
    def key(text: str) -> str:
        fleet = load(text).fleet
        return fleet.training_key(fleet.workloads[0].rule)

    assert key(valid) == key(valid.replace("120", "7") + "    max_replicas: 3\n    quantile: 0.9\n")
    assert key(valid) != key(valid + "    quantile: 0.997\n")
    assert key(valid) != key(valid + "    lead_time: 20m\n")
    assert key(valid) != key(valid + "timezone: Asia/Tokyo\n")
    assert key(valid) != key(valid + "history: 7d\n")


def test_every_problem_is_told_at_once_in_the_order_of_the_file(problems):
    found = problems("""\
source:
  prometheus:
    url: prometheus
    query: up
    timeout: 30
    password: x
    bearer_token_file: none/there
stp: 1m
defaults: {quantile: 98}
workloads:
  - {namespace: tv, name: api, capacity: 0}
  - {namespace: tv, name: web, capacity: 5, min_replicas: 9, max_replicas: 3}
  - {namespace: tv, name: web, capacity: 5}
training: {every: 40h}
""")
    assert [(problem.place, problem.line) for problem in found] == [
        ("source.prometheus.url", 3),
        ("source.prometheus.timeout", 5),
        ("source.prometheus.bearer_token_file", 7),
        ("stp", 8),
        ("defaults.quantile", 9),
        ("workloads[0].capacity", 11),
        ("workloads[1].min_replicas", 12),
        ("workloads[2].name", 13),
        ("training.every", 14),
    ]


@pytest.mark.parametrize(
    ("extra", "place", "line", "said", "example"),
    [
        ("    lead_time: 5\n", "workloads[0].lead_time", 9, "5 has no unit", "5m"),
        ("    lead_time: '5'\n", "workloads[0].lead_time", 9, "'5' has no unit", "5m"),
        ("    lead_time: 5 parsecs\n", "workloads[0].lead_time", 9, "'5 parsecs' is not a", "5m"),
        ("    lead_time: 0s\n", "workloads[0].lead_time", 9, "must be above 0", "5m"),
        ("    lead_time: 13h\n", "workloads[0].lead_time", 9, "13h is too long", "5m"),
        ("    hold_down: true\n", "workloads[0].hold_down", 9, "True is not a duration", "5m"),
        ("    quantile: 1\n", "workloads[0].quantile", 9, "1 must lie between", "0.98"),
        ("    quantile: 0.99999999999\n", "workloads[0].quantile", 9, "most 42 days", "0.98"),
        ("    quantile: 0.0001\n", "workloads[0].quantile", 9, "0.001 and 0.999", "0.98"),
        ("    hold_down: 3000000d\n", "workloads[0].hold_down", 9, "it must be at most 1d", "5m"),
        ("    hold_down: 3650d\n", "workloads[0].hold_down", 9, "3650d is too long", "5m"),
        ("    max_replicas: 1000001\n", "workloads[0].max_replicas", 9, "most 1000000", "100"),
        ("live: {stale_after: 90s}\n", "live.stale_after", 9, "must be at least 2 steps, 2m", "4m"),
        ("live: {stale_after: 0s}\n", "live.stale_after", 9, "it must be above 0", "4m"),
        ("training: {every: 1s}\n", "training.every", 9, "it must be at least 1m", "6h"),
        ("    quantile: high\n", "workloads[0].quantile", 9, "'high' is not a number", "0.98"),
        ("    min_replicas: 1.5\n", "workloads[0].min_replicas", 9, "1.5 is not a whole", "2"),
        ("    min_replicas: yes\n", "workloads[0].min_replicas", 9, "'yes' is not a whole", "2"),
        ("    max_replicas: true\n", "workloads[0].max_replicas", 9, "true is not a number", "100"),
        ("    mode: shadwo\n", "workloads[0].mode", 9, "did you mean shadow?", "shadow"),
        ("    capasity: 3\n", "workloads[0].capasity", 9, "did you mean capacity?", None),
        ("timezone: Mars/Olympus\n", "timezone", 9, "'Mars/Olympus' is not a", "Europe/Paris"),
        ("timezone: ../etc\n", "timezone", 9, "'../etc' is not a time zone", "Europe/Paris"),
        ("step: 7m\n", "step", 9, "7m does not divide a day", "1m"),
        ("step: 2h\n", "step", 9, "must lie between 1s and 1h", "1m"),
        ("history: 3h\n", "history", 9, "3h is too short", "28d"),
        ("server: {port: 70000}\n", "server.port", 9, "at most 65535", "8080"),
        ("server: {host: ''}\n", "server.host", 9, "it is empty", "0.0.0.0"),
        ("server: 8080\n", "server", 9, "keys with values are needed", "{port: 8080}"),
        ("log: {level: loud}\n", "log.level", 9, "not one of debug, info, warning", "info"),
        ("store: {path: 3}\n", "store.path", 9, "write it in quotes", None),
        ("serve: {port: 1}\n", "serve", 9, "did you mean server?", None),
        ("zzz: 1\n", "zzz", 9, "known here: source, step", None),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_a_valid_example(
    problems, valid, extra, place, line, said, example
):
    (problem,) = problems(valid + extra)
    assert (problem.place, problem.line) == (place, line)
    assert said in problem.message
    if example is not None:
        assert problem.example == example


def test_a_unit_is_never_guessed_at(problems):
    (problem,) = problems("source: {file: {path: a.csv, unit: rpm}}\n" + WORKLOADS)
    assert problem.message == "'rpm' is not one of rps, requests"


@pytest.mark.parametrize(
    ("server", "place"),
    [
        ("{tokens: }", "server.tokens"),
        ("{tokens: []}", "server.tokens"),
        ("{tokens: ''}", "server.tokens"),
        ("{tokens_file: }", "server.tokens_file"),
        ("{events_tokens: }", "server.events_tokens"),
        ("{events_tokens_file: }", "server.events_tokens_file"),
    ],
)
def test_tokens_with_nothing_behind_them_never_open_the_endpoint(problems, valid, server, place):
    (problem,) = problems(f"{valid}server: {server}\n")
    assert (problem.place, problem.line) == (place, 9)
    assert problem.example


@pytest.mark.parametrize(
    ("server", "is_open"),
    [
        ("{}", False),
        ("{host: localhost}", False),
        ("{host: 127.0.0.9}", False),
        ("{host: '::1'}", False),
        ("{host: 0.0.0.0}", True),
        ("{host: '::'}", True),
        ("{host: preroll.tv}", True),
        ("{host: 0.0.0.0, tokens: [a]}", False),
    ],
)
def test_it_is_known_whether_the_endpoint_is_open_to_others(load, valid, server, is_open):
    assert load(f"{valid}server: {server}\n").server.open_to_others is is_open


def test_quantiles_that_are_nearly_the_same_are_not_the_same_training(load, valid):
    keys = set()
    for quantile in ("0.98", "0.9800001"):
        fleet = load(f"{valid}    quantile: {quantile}\n").fleet
        keys.add(fleet.training_key(fleet.workloads[0].rule))
    assert len(keys) == 2


@pytest.mark.parametrize(
    "name", ["Player", "player_api", "-player", "player-", "a" * 254, "a..b", "name/space", "é"]
)
def test_a_workload_is_called_as_kubernetes_allows(problems, valid, name):
    (problem,) = problems(valid.replace("player-api", name))
    assert problem.place == "workloads[0].name"


@pytest.mark.parametrize("name", ["a", "player.api", "0", "a" * 253], ids=len)
def test_unusual_but_valid_names_are_taken(load, valid, name):
    quoted = f"'{name}'"
    assert load(valid.replace("player-api", quoted)).fleet.workloads[0].name == name


def test_a_number_for_a_name_is_to_be_quoted(problems, valid):
    (problem,) = problems(valid.replace("player-api", "007e1"))
    assert "write it in quotes" in problem.message


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (WORKLOADS, "source", "it is required"),
        ("source: {}\n" + WORKLOADS, "source", "one of prometheus and file is needed"),
        ("source: {promethesu: {}}\n" + WORKLOADS, "source.promethesu", "did you mean prometheus?"),
        (FILE_SOURCE, "workloads", "at least one is needed"),
        (FILE_SOURCE + "workloads:\n", "workloads", "at least one is needed"),
        (FILE_SOURCE + "workloads: []\n", "workloads", "at least one is needed"),
        (FILE_SOURCE + "workloads: tv\n", "workloads", "a list is needed"),
        (FILE_SOURCE + "workloads: [tv]\n", "workloads[0]", "keys with values are needed"),
    ],
    ids=["no source", "empty", "misspelt", "no workloads", "blank", "empty list", "text", "texts"],
)
def test_a_source_and_a_workload_are_needed(problems, text, place, said):
    found = {problem.place: problem for problem in problems(text)}
    assert said in found[place].message


def test_two_sources_are_one_too_many(problems, valid):
    (problem,) = problems(valid.replace("source:\n", "source:\n  file: {path: traffic.csv}\n"))
    assert (problem.place, problem.line) == ("source", 1)
    assert "keep one" in problem.message


def test_a_workload_that_stands_twice_is_told_with_the_first_place(problems, valid):
    (problem,) = problems(valid + "  - {namespace: streaming, name: player-api, capacity: 1}\n")
    assert problem.place == "workloads[1].name"
    assert "streaming/player-api stands already at workloads[0] (line 6)" in problem.message


def test_limits_that_contradict_the_defaults_are_found(problems, valid):
    (problem,) = problems(valid + "    max_replicas: 3\ndefaults: {min_replicas: 5}\n")
    assert problem == SettingsProblem(
        "workloads[0].max_replicas", "min_replicas 5 is above max_replicas 3", "5", 9
    )
    (problem,) = problems(valid + "defaults: {min_replicas: 500}\n")
    assert problem.place == "defaults.min_replicas"


@pytest.mark.parametrize(
    ("extra", "place", "said"),
    [
        ("    bearer_token: a\n    bearer_token_file: token\n", "bearer_token_file", "both"),
        ("    bearer_token: a\n    username: b\n", "bearer_token", "exclude each other"),
        ("    password: a\n", "password", "username is not"),
        ("    bearer_token_file: absent\n", "bearer_token_file", "absent cannot be read: No such"),
        ("    bearer_token_file: empty\n", "bearer_token_file", "empty is empty"),
        ("    bearer_token_file: binary\n", "bearer_token_file", "binary is not UTF-8"),
        ("    tls: {ca_file: absent}\n", "tls.ca_file", "absent cannot be read: No such"),
        ("    tls: {key_file: token}\n", "tls.key_file", "needs a cert_file"),
        ("    labels: {name: a-b}\n", "labels.name", "'a-b' is not a label name"),
        ("    tls: {verify: perhaps}\n", "tls.verify", "neither true nor false"),
    ],
)
def test_credentials_that_cannot_work_are_refused(problems, valid, tmp_path, extra, place, said):
    (tmp_path / "token").write_text("s3cret")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00s3cret")
    (problem,) = problems(valid.replace("workloads:", extra + "workloads:"))
    assert problem.place == f"source.prometheus.{place}"
    assert said in problem.message
    assert "s3cret" not in str(problem)


@pytest.mark.parametrize(
    "extra",
    [
        "    bearer_token: 5ecret5ecret\n    timeout: x\n",
        "    bearer_token: {a: 5ecret5ecret}\n",
        "    bearer_token: 5e123456\n",
        "    bearer_tokn: 5ecret5ecret\n",
        "    headers: {Authorization: [5ecret5ecret]}\n",
        "    username: u\n    password: [5ecret5ecret]\n",
        "    bearer_token: '5ecret5ecret\\x01'\n".replace("'", '"'),
    ],
)
def test_no_secret_is_shown_in_a_problem(problems, valid, extra):
    told = "\n".join(map(str, problems(valid.replace("workloads:", extra + "workloads:"))))
    assert "5ecret" not in told
    assert "5e123456" not in told
    assert "500000" not in told


def test_no_secret_is_shown_by_a_url_that_is_refused(problems, valid):
    text = valid.replace("http://prometheus:9090", "'http://me:5ecret@ho st:x/'")
    assert "5ecret" not in "\n".join(map(str, problems(text)))


def test_no_secret_is_shown_by_the_settings_themselves(load, valid):
    text = valid.replace(
        "workloads:", "    bearer_token: 5ecret\n    headers: {X-Key: 5ecret-too}\nworkloads:"
    )
    settings = load(text + "server: {tokens: [5ecret-three]}\n")
    assert settings.server.tokens == ("5ecret-three",)
    assert "5ecret" not in repr(settings)


@pytest.mark.parametrize("token", ["a b", "é", "a\tb"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(problems, valid, token):
    (problem,) = problems(valid + f'server: {{tokens: ["{token}"]}}\n')
    assert problem.place == "server.tokens[0]"
    assert token not in str(problem)


def test_tokens_in_a_file_are_checked_line_by_line(problems, valid, tmp_path):
    (tmp_path / "tokens").write_text("good\n\nb ad\n")
    (problem,) = problems(valid + "server: {tokens_file: tokens}\n")
    assert problem.place == "server.tokens_file"
    assert "line 3" in problem.message


def test_who_writes_events_has_tokens_of_its_own(load, valid, tmp_path):
    (tmp_path / "writers").write_text("two\n")
    server = "server: {tokens: [reader], events_tokens: [one], events_tokens_file: writers}\n"
    settings = load(valid + server).server
    assert (settings.tokens, settings.events_tokens) == (("reader",), ("one", "two"))
    assert "one" not in repr(settings)
    assert load(valid).server.events_tokens == ()


def test_a_token_that_may_only_read_does_not_write_as_well(problems, valid):
    (problem,) = problems(valid + "server: {tokens: [5ecret], events_tokens: [5ecret]}\n")
    assert problem.place == "server.events_tokens"
    assert "5ecret" not in str(problem)


def test_a_workload_has_labels_for_events_to_select_it_by(load, valid):
    (workload,) = load(
        valid + "    labels: {tier: edge, team.example.com/name: 'tv'}\n"
    ).fleet.workloads
    assert workload.labels == {"tier": "edge", "team.example.com/name": "tv"}
    assert hash(workload) == hash(load(valid).fleet.workloads[0])


def test_a_label_that_is_no_text_is_to_be_quoted(problems, valid):
    (problem,) = problems(valid + "    labels: {tier: 1}\n")
    assert (problem.place, problem.message) == (
        "workloads[0].labels.tier",
        "1 is not text; write it in quotes",
    )


def test_the_settings_can_be_sent_to_another_process(load, valid):
    settings = load(valid)
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"# nothing but this\n", "the file is empty"),
        (b"- a\n- b\n", "must be a mapping"),
        (b"just words", "must be a mapping"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
    ids=["missing", "empty", "comment", "list", "text", "binary"],
)
def test_a_file_that_holds_no_settings_is_said_to(tmp_path, content, said):
    path = tmp_path / "preroll.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(path, {})
    assert str(path) in str(caught.value)
    assert caught.value.problems[0].example


def test_a_directory_is_no_settings_file(tmp_path):
    with pytest.raises(SettingsError, match="this is a directory"):
        load_settings(tmp_path, {})


def test_an_unreadable_file_says_why(tmp_path):
    loop = tmp_path / "preroll.yaml"
    loop.symlink_to(loop)
    with pytest.raises(SettingsError, match=r"cannot be read: .*symbolic links"):
        load_settings(loop, {})


def test_a_byte_order_mark_does_no_harm(tmp_path, valid):
    path = tmp_path / "preroll.yaml"
    path.write_text("\ufeff" + valid, encoding="utf-8")
    assert load_settings(Path(path), {}).fleet.workloads[0].name == "player-api"


AUTO = """
source: {file: {path: traffic.csv}}
kubernetes: {watch: true}
defaults: {lead_time: auto, lead_time_floor: 6m, lead_time_ceiling: 20m}
workloads:
  - {namespace: tv, name: player, capacity: auto, mode: shadow}
  - {namespace: tv, name: login, capacity: 30, lead_time: 2m}
"""


def test_what_is_measured_starts_within_its_bounds_and_without_a_capacity_is_off(load):
    player, login = load(AUTO).fleet.workloads
    assert player.measured.lead_time and player.measured.capacity
    assert player.rule.lead_time == timedelta(minutes=6)  # 5m, raised to the floor
    assert player.rule.mode is Mode.OFF and player.measured.mode is Mode.SHADOW
    assert "not been measured yet" in player.why_off
    assert login.rule.lead_time == timedelta(minutes=2) and login.rule.capacity_rps == 30
    assert not login.measured.lead_time and login.why_off == ""


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("watch: true", "watch: false", "kubernetes.watch", "nobody watches them"),
        ("lead_time_floor: 6m", "lead_time_floor: 30m", "defaults.lead_time_floor", "above"),
        ("capacity: auto", "capacity: atuo", "workloads[0].capacity", "'atuo' is not a number"),
        ("capacity: auto", "capacity: 0", "workloads[0].capacity", "0 is too small"),
        ("lead_time: 2m", "lead_time: 2", "workloads[1].lead_time", "2 has no unit"),
        ("lead_time: 2m", "lead_time: 13h", "workloads[1].lead_time", "at most 12h"),
    ],
)
def test_what_is_measured_is_checked_as_what_is_written(problems, old, new, place, said):
    found = {problem.place: problem for problem in problems(AUTO.replace(old, new))}
    assert said in found[place].message


def test_scaled_objects_may_declare_all_workloads(load):
    settings = load("source: {file: {path: traffic.csv}}\nkubernetes: {watch: true}\n")
    assert settings.fleet.workloads == ()
    assert settings.kubernetes.watch and settings.kubernetes.annotations
