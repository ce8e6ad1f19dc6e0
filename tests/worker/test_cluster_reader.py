"""The reader's loop: signs of life, what it keeps, what it says on objects."""

import queue
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest

from forecaster.cluster.changes import Listed
from forecaster.errors import ClusterRefused
from forecaster.settings import KubernetesSettings
from forecaster.store import NoteShelf, PlanStore
from forecaster.worker import cluster_reader, utc_now
from forecaster.worker.cluster_messages import ClusterHealth, LeadTimesSeen, ReaderAlive
from forecaster.worker.cluster_reader import ClusterOrder, ObjectNotice
from forecaster.worker.cluster_reading import ClusterReading
from forecaster.worker.declaration_notes import DeclarationNotes
from forecaster.worker.mailbox import Outbox
from forecaster.worker.process import Child, ChildSpec
from tests.cluster.objects import pod, scaled, scaled_object
from tests.cluster.reading import write_kubeconfig
from tests.cluster.standin import StandIn
from tests.worker.sources import NOW
from tests.worker.test_cluster_reading import NOW as AT
from tests.worker.test_cluster_reading import keda, listed
from tests.worker.test_cluster_reading import pod as pod_seen
from tests.worker.test_cluster_reading import scaled as scaled_seen


class EnoughHeard(Exception):
    """The test has heard what it waits for."""


@pytest.fixture
def shelf(tmp_path):
    path = tmp_path / "preroll.sqlite"
    PlanStore(path).close()
    return NoteShelf(path)


@pytest.fixture
def quick(monkeypatch):
    for name, seconds in (("_TOLD_EVERY", 0.02), ("_SIGN_OF_LIFE_EVERY", 0.1)):
        monkeypatch.setattr(cluster_reader, name, seconds)


def order(notices=None, **settings):
    silent = SimpleNamespace(latest=lambda: notices)
    known = KubernetesSettings(watch=True, **settings)
    return ClusterOrder(known, ("tv/player",), None, lambda: NOW, silent)


def follow(shelf, reading, *told, enough, reporter=None, notices=None):
    """What the loop tells until ``enough``."""
    heard, waiting = [], queue.SimpleQueue()
    for one in told:
        waiting.put(one)
    saying = cluster_reader._Saying(reading, reporter)

    def tell(message):
        heard.append(message)
        if enough(heard):
            raise EnoughHeard

    with pytest.raises(EnoughHeard):
        declarations = DeclarationNotes(shelf)
        cluster_reader._follow(tell, order(notices), reading, waiting, saying, shelf, declarations)
    return heard


def alive(count):
    return lambda heard: sum(isinstance(one, ReaderAlive) for one in heard) == count


def test_a_quiet_cluster_has_signs_of_life_and_nothing_else(shelf, quick):
    reading = ClusterReading(KubernetesSettings(watch=True), ("tv/player",))
    began = time.monotonic()
    heard = follow(shelf, reading, listed("Pod"), enough=alive(3))
    assert time.monotonic() - began >= 0.3
    assert heard[-3:] == [ReaderAlive()] * 3
    assert [type(one) for one in heard[:-3]] == [ClusterHealth]


def test_while_there_is_no_cluster_it_says_so_again_and_again(monkeypatch):
    def refused(*_):
        raise ClusterRefused("no cluster is around")

    monkeypatch.setattr(cluster_reader, "connect", refused)
    monkeypatch.setattr(cluster_reader, "_CONNECT_AGAIN", 0.0)
    heard = []

    def tell(message):
        heard.append(message)
        if len(heard) == 3:
            raise EnoughHeard

    with pytest.raises(EnoughHeard):
        cluster_reader._connected(tell, order())
    assert heard == [ClusterHealth(("no cluster is around",))] * 3


class Reporter:
    def __init__(self, trouble=None):
        self.said, self.trouble = [], trouble

    def report(self, notice, _now):
        self.said.append((notice.name, notice.reason, notice.note))


def test_problems_and_notices_are_said_on_the_objects_that_they_concern(shelf, quick):
    reading = ClusterReading(KubernetesSettings(watch=True), ())
    notices = (
        ObjectNotice("tv/player", "PrerollWillNotFit", "120 wanted, 80 allowed"),
        ObjectNotice("tv/unknown", "PrerollWillNotFit", "nobody is told"),
    )
    reporter = Reporter("the API server says no")
    bad = keda(name="bad", capacity="much")
    told = Listed("ScaledObject", None, (keda(name="front"), bad))
    heard = follow(shelf, reading, told, enough=alive(1), reporter=reporter, notices=notices)
    reasons = {(name, reason) for name, reason, _ in reporter.said}
    assert reasons == {("front", "PrerollWillNotFit"), ("bad", "PrerollInvalidAnnotation")}
    health = [one for one in heard if isinstance(one, ClusterHealth)]
    assert health[-1].problems == ("Events cannot be written: the API server says no",)


def test_start_ups_are_kept_and_let_go(shelf):
    reading = ClusterReading(KubernetesSettings(watch=True), ("tv/player",))
    pods = [pod_seen(f"p{place}") for place in range(6)]
    reading.take(listed("Deployment", scaled_seen()), AT)
    reading.take(listed("Pod", *pods), AT)
    reading.news(AT + 1)
    cluster_reader._save(shelf, reading)
    (kept,) = cluster_reader._kept(shelf).values()
    assert len(kept.rows) == 6 and kept.measured.measured == timedelta(seconds=58)
    gone = SimpleNamespace(unsaved=lambda: {"tv/player": None})
    cluster_reader._save(shelf, gone)
    assert cluster_reader._kept(shelf) == {}


@pytest.mark.parametrize(
    "document",
    [
        "{nonsense",
        '{"rows": [[1, 2]], "measured": null}',
        '{"rows": [[1.0, 1.0, 1.0, 1.0, 1.0, 999, 1]], "measured": null}',
        '{"rows": [[1.0, 1e300, 1.0, 1.0, 1.0, 1, 1]], "measured": null}',
    ],
)
def test_one_note_that_cannot_be_used_costs_no_other(shelf, document, caplog):
    good = '{"rows": [], "measured": null}'
    shelf.save_all({"start-ups/a/a": document, "start-ups/b/b": good})
    assert list(cluster_reader._kept(shelf)) == ["b/b"]
    assert caplog.messages == ["start-ups unreadable"]


def test_without_a_store_nothing_is_known_and_reading_goes_on(tmp_path):
    missing = NoteShelf(tmp_path / "none.sqlite")
    assert cluster_reader._kept(missing) == {}
    cluster_reader._save(missing, SimpleNamespace(unsaved=lambda: {"a/b": None}))


@pytest.mark.slow
def test_a_reader_that_is_asked_to_end_keeps_the_start_ups_of_the_last_seconds(tmp_path, shelf):
    with StandIn(tokens={"right"}) as server:
        server.put(scaled("player-api", namespace="tv"))
        server.put(scaled_object("player-api", namespace="tv"))
        for place in range(6):
            born = utc_now() - timedelta(hours=1, minutes=place)
            server.put(pod(f"player-api-6d9f7c5b8-{place:05}", namespace="tv", created=born))
        outbox = Outbox()
        settings = KubernetesSettings(
            watch=True, kubeconfig=write_kubeconfig(tmp_path / "kubeconfig", server.url)
        )
        ordered = ClusterOrder(
            settings, ("tv/player-api",), tmp_path / "preroll.sqlite", utc_now, outbox.inbox
        )
        target = "forecaster.worker.cluster_reader:run_reading"
        child = Child(ChildSpec("reader", target, (ordered,)))
        outbox.started()
        deadline, heard = time.monotonic() + 60, []
        while not any(isinstance(one, LeadTimesSeen) for one in heard):
            assert time.monotonic() < deadline, heard
            heard += child.messages()[0]
            time.sleep(0.05)
        child.ask_to_end()
        assert child.end(patience_seconds=10) == 128 + 15
        outbox.close()
    (kept,) = cluster_reader._kept(shelf).values()
    assert len(kept.rows) == 6
