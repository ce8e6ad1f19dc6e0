"""The reader's life in the conductor: started, heard, given up, started again; what is due when."""

import dataclasses
from datetime import timedelta
from types import SimpleNamespace

import pytest

from forecaster.planning import ScalingRule
from forecaster.settings import KubernetesSettings, WorkloadSettings
from forecaster.store import NoteShelf, PlanStore
from forecaster.worker import cluster_side, helper
from forecaster.worker.board import Board
from forecaster.worker.cluster_messages import ClusterHealth, ClusterSeen, Declared, ReaderAlive
from forecaster.worker.cluster_side import ClusterSide
from forecaster.worker.roster import Roster
from tests.worker.sources import MINUTE, NOW, fleet
from tests.worker.test_board import outlook
from tests.worker.test_cluster_desk import seen

SECOND = timedelta(seconds=1)
DECLARED = WorkloadSettings("tv", "b", ScalingRule(5.0))


class FakeReader:
    """A reader's process as the side sees it; ``told`` is what it says, ``dead`` how it ended."""

    def __init__(self, spec):
        self.spec, self.told, self.dead, self.silent = spec, [], None, timedelta(0)
        self.receiver = SimpleNamespace()
        self.asked_to_end = False

    def messages(self):
        told, self.told = self.told, []
        return told, self.dead is None

    def give_up_after(self, silence):
        if self.silent > silence:
            self.dead = "no sign of life"

    def ended(self):
        return self.dead

    def ask_to_end(self):
        self.asked_to_end = True

    def end(self, _patience_seconds):
        return 0


@pytest.fixture
def path(tmp_path):
    PlanStore(tmp_path / "preroll.sqlite").close()
    return tmp_path / "preroll.sqlite"


@pytest.fixture
def world(path, monkeypatch):
    """A side with a board, a clock of its own, and readers that are no processes."""
    readers, clock = [], SimpleNamespace(seconds=1000.0)

    def started(spec):
        readers.append(FakeReader(spec))
        return readers[-1]

    monkeypatch.setattr(helper, "Child", started)
    monkeypatch.setattr(helper.time, "monotonic", lambda: clock.seconds)

    def make(of=None, **settings):
        known = of or fleet("tv/a", step=MINUTE, quantile=0.5)
        roster = Roster(known, NoteShelf(path))
        roster.load()
        wanted = KubernetesSettings(**{"watch": True, **settings})
        side = ClusterSide(wanted, known, roster, path, lambda: NOW, None)
        side.load()
        board = Board(roster.fleet(), {})
        return SimpleNamespace(side=side, roster=roster, board=board, readers=readers, clock=clock)

    made = []

    def kept(*args, **settings):
        made.append(make(*args, **settings))
        return made[-1]

    yield kept
    for one in made:
        one.side.end(0)


def go_on(world, seconds=1, told=(), rounds=1):
    """So many rounds, each so many seconds after the one before."""
    for _ in range(rounds):
        world.clock.seconds += seconds
        if told and world.readers:
            world.readers[-1].told += told
        now = NOW + (world.clock.seconds - 1000.0) * SECOND
        world.side.round(world.board, now)


def test_without_watch_nobody_is_started_and_late_events_are_shown_all_the_same(world):
    one = world(watch=False)
    go_on(one, rounds=3)
    assert one.readers == [] and one.side.receivers == []
    assert one.side.view().watched is False
    assert one.side.view() is not cluster_side.NOTHING_KNOWN


def test_what_the_reader_tells_is_shown_within_a_second(world):
    one = world()
    go_on(one)
    assert one.side.receivers == [one.readers[0].receiver]
    go_on(one, seconds=0.1, told=[ClusterSeen({"tv/a": seen(ready=3)}, whole=True)])
    go_on(one, seconds=1.0)
    assert one.side.view().of("tv/a").seen.ready == 3


def test_a_reader_that_hangs_is_given_up_and_one_that_only_lives_is_not(world):
    one = world()
    go_on(one)
    for silent in (timedelta(minutes=4), timedelta(minutes=6)):
        one.readers[-1].silent = silent
        go_on(one, told=[ReaderAlive()])
    go_on(one, rounds=5)
    assert len(one.readers) == 2
    assert "no sign of life" in one.side.view().health.problems[0]


def test_a_reader_that_dies_while_it_reads_is_started_less_and_less_often(world):
    """It tells of its health before it dies: that is no success."""
    one = world()
    waits, died_at = [], one.clock.seconds
    for count in range(1, 9):
        while len(one.readers) < count:
            go_on(one)
        waits.append(one.clock.seconds - died_at)
        go_on(one, told=[ClusterHealth()])
        one.readers[-1].dead = "killed by SIGKILL; out of memory?"
        go_on(one)
        died_at = one.clock.seconds
    assert waits[1:] == [1, 2, 4, 8, 16, 32, 60]
    while len(one.readers) < 9:
        go_on(one)
    go_on(one, seconds=600, told=[ClusterHealth()])  # that was a long life
    one.readers[-1].dead = "exit code 1"
    go_on(one)
    go_on(one)
    assert len(one.readers) == 10


def test_a_clock_that_is_set_back_does_not_hold_the_reader_up(world):
    one = world()
    go_on(one)
    one.readers[-1].dead = "exit code 1"
    go_on(one)
    one.clock.seconds += 5
    one.side.round(one.board, NOW - timedelta(days=30))
    assert len(one.readers) == 2


def test_what_the_cluster_declares_is_planned_for_and_kept(world, path):
    one = world()
    go_on(one)
    go_on(one, told=[Declared((DECLARED,))])
    assert [w.workload for w in one.roster.fleet().workloads] == ["tv/a", "tv/b"]
    go_on(one, seconds=11)
    again = world()
    assert [w.workload for w in again.roster.fleet().workloads] == ["tv/a", "tv/b"]


@pytest.mark.parametrize("settings", [{"annotations": False}, {"watch": False}])
def test_who_asks_no_more_what_is_declared_plans_for_it_no_more(world, path, settings):
    one = world()
    go_on(one)
    go_on(one, told=[Declared((DECLARED,))])
    one.side.end(1)
    without = world(**settings)
    assert [w.workload for w in without.roster.fleet().workloads] == ["tv/a"]
    without.side.end(1)
    assert [w.workload for w in world().roster.fleet().workloads] == ["tv/a"]


def test_a_large_roster_is_kept_bit_by_bit(world, path, monkeypatch):
    monkeypatch.setattr(cluster_side, "_MOST_KEPT", 10)
    one = world()
    many = tuple(dataclasses.replace(DECLARED, name=f"w{place}") for place in range(25))
    go_on(one)
    go_on(one, seconds=11, told=[Declared(many)])
    kept = []
    for _ in range(3):
        kept.append(len(NoteShelf(path).load_below("roster/")))
        go_on(one)
    assert kept == [10, 20, 25]


def test_deliveries_of_a_large_fleet_are_noted_some_in_each_round(world, monkeypatch):
    names = [f"tv/w{place}" for place in range(250)]
    one = world(fleet(*names, step=MINUTE, quantile=0.5))
    noted = []
    monkeypatch.setattr(one.side.desk, "note", lambda states, now: noted.append(len(states)))
    go_on(one, rounds=10)
    assert noted == [100, 100, 50]
    go_on(one, seconds=5, rounds=2)
    assert noted[3:] == [100]


def test_what_cannot_be_judged_does_not_end_the_round(world, monkeypatch, caplog):
    one = world()
    go_on(one)

    def broken(*_):
        raise IndexError("a quota of a strange kind")

    monkeypatch.setattr(one.side.desk, "look_ahead", broken)
    go_on(one, seconds=61)
    assert caplog.messages[-1] == "cluster round failed"
    go_on(one, told=[ClusterSeen({"tv/a": seen()})], rounds=2)
    assert one.side.view().of("tv/a").seen is not None
    assert "a quota of a strange kind" in one.side.view().health.problems[0]


def test_what_will_not_fit_is_said_on_the_objects_once_for_as_long_as_it_lasts(world, monkeypatch):
    one = world()
    said = []
    one.board.take_outlook(outlook("tv/a", rate=200.0), [])
    go_on(one)
    monkeypatch.setattr(one.side._reader, "say", said.append)
    go_on(one, told=[ClusterSeen({"tv/a": seen()}, whole=True)])
    go_on(one, seconds=61, rounds=20)
    ((notice,),) = said
    assert (notice.workload, notice.reason) == ("tv/a", "PrerollWillNotFit")
    go_on(one, told=[ClusterSeen({"tv/a": seen(most=1000)})])
    go_on(one, seconds=61)
    assert said[1:] == [()]


def test_deliveries_that_cannot_be_kept_are_a_notice(world, path):
    one = world()
    go_on(one)
    path.unlink()
    go_on(one, seconds=601)
    assert any("deliveries cannot be stored" in told for told in one.board.snapshot(NOW).notices)
    assert "cannot be kept" in (one.roster.trouble or "cannot be kept")


def test_the_end_keeps_what_is_known(world, path):
    one = world()
    go_on(one)
    go_on(one, told=[Declared((DECLARED,)), ClusterSeen({"tv/a": seen()})])
    one.side.ask_to_end()
    one.side.end(1)
    assert one.readers[0].asked_to_end
    shelf = NoteShelf(path)
    assert list(shelf.load_below("roster/")) == ["tv/b"]
    assert shelf.load("delivered") is not None
