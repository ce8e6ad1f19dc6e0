"""The cluster beside targets and plans: deliveries, what will not fit, what survives a restart."""

import dataclasses
from datetime import timedelta

import pytest

from forecaster.cluster.delivered import Delivery
from forecaster.cluster.lead_time import MeasuredLead
from forecaster.cluster.pod_shape import PodShape
from forecaster.cluster.seen import AutoscalerSeen, QuotaSeen, Scaled, ScaledObjectSeen, TargetRef
from forecaster.cluster.standing import Reason
from forecaster.cluster.start_up_summary import StartUpSummary
from forecaster.planning import Mode, ScalingRule
from forecaster.settings import Fleet, Measured, WorkloadSettings
from forecaster.store import NoteShelf, PlanStore
from forecaster.worker import cluster_desk
from forecaster.worker.board import Board
from forecaster.worker.cluster_desk import ClusterDesk
from forecaster.worker.cluster_messages import (
    ClusterHealth,
    ClusterRoom,
    ClusterSeen,
    Declared,
    LeadTimesSeen,
    ReaderAlive,
    SeenLead,
    SeenWorkload,
)
from forecaster.worker.roster import Roster
from tests.worker.sources import MINUTE, NOW
from tests.worker.test_board import outlook

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
TARGET = TargetRef("Deployment", "a")
LEAD = timedelta(minutes=2)


def fleet_of(mode=Mode.ACTIVE, **rule):
    chosen = ScalingRule(**{"capacity_rps": 1.0, "quantile": 0.5, "lead_time": LEAD, **rule})
    return Fleet((WorkloadSettings("tv", "a", dataclasses.replace(chosen, mode=mode)),), MINUTE)


@pytest.fixture
def shelf(tmp_path):
    path = tmp_path / "preroll.sqlite"
    PlanStore(path).close()
    return NoteShelf(path)


@pytest.fixture
def desk(shelf):
    return ClusterDesk(Roster(fleet_of()), shelf, watched=True)


def seen(ready=10, replicas=10, most=100, **known):
    scaled = Scaled("tv", TARGET, replicas, ready, PodShape(cpu=1.0))
    keda = ScaledObjectSeen("tv", "a", "u", "1", TARGET, 2, most)
    hpa = AutoscalerSeen("tv", "keda-hpa-a", TARGET, 2, most, replicas, replicas)
    return SeenWorkload(scaled, keda, hpa, **{"ready": ready, "pods": replicas, **known})


def board_of(rate=42.0, fleet=None):
    board = Board(fleet or fleet_of(), {})
    if rate is not None:
        board.take_outlook(outlook("tv/a", rate=rate), [])
    return board


def noted(desk, board, minutes, told, every=15):
    """The delivery after so many minutes of notes."""
    desk.take(ClusterSeen({"tv/a": told}))
    for second in range(0, minutes * 60 + 1, every):
        now = NOW + second * SECOND
        desk.note(board.snapshot(now).workloads.values(), now)
    return view(desk, board, now).delivery


def view(desk, board, now) -> object:
    return desk.view(board.fleet, now).of("tv/a")


def test_what_is_short_of_the_target_is_noted_with_the_reason(desk):
    board = board_of(rate=42.0)
    found = noted(desk, board, 4, seen(ready=10, replicas=10))
    assert (found.target, found.due, found.ready) == (42, 42, 10)
    assert (found.short.missing, found.short.reason) == (32, Reason.HPA)
    # The first two minutes nothing is due: nobody knows what was asked for before.
    assert (found.total.on_time, found.total.missed[Reason.HPA]) == (0, 2)


def test_what_is_there_is_on_time(desk):
    found = noted(desk, board_of(rate=10.0), 5, seen(ready=10))
    assert (found.due, found.short, found.total.on_time, found.total.judged) == (10, None, 3, 3)


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_where_keda_is_given_no_floor_nothing_is_due(desk, mode):
    found = noted(desk, board_of(fleet=fleet_of(mode)), 5, seen(ready=1))
    assert (found.target, found.due, found.total.judged) == (0, 0, 0)


def test_without_a_plan_nothing_is_due(desk):
    found = noted(desk, board_of(rate=None), 5, seen(ready=1))
    assert (found.target, found.due, found.total.judged) == (0, 0, 0)


def test_what_the_cluster_does_not_have_or_cannot_count_is_not_judged(desk):
    board = board_of()
    desk.note(board.snapshot(NOW).workloads.values(), NOW)
    assert view(desk, board, NOW).delivery is None
    assert noted(desk, board, 5, seen(ready=None)) is None


def test_nobody_is_judged_by_what_was_there_some_time_ago(desk):
    board = board_of()
    for as_of in ({"Pod": NOW.timestamp()}, {"Deployment": NOW.timestamp()}):
        desk.take(ClusterHealth(("cut",), {}, as_of))
        last = noted(desk, board, 5, seen())
        assert last.at <= NOW.timestamp() + 60
    desk.take(ClusterHealth((), {}, {"Pod": None, "Deployment": NOW.timestamp()}))
    later = NOW + timedelta(hours=1)
    desk.note(board.snapshot(later).workloads.values(), later)
    assert view(desk, board, later).delivery.at == later.timestamp()


def test_a_reader_that_has_died_leaves_what_is_known_to_grow_old(desk):
    board = board_of()
    desk.take(ClusterHealth((), {"Pod": 7}, {"Pod": None, "Node": NOW.timestamp() - 99}))
    desk.take(ClusterSeen({"tv/a": seen(ready=3)}))
    desk.take_trouble("the reader of the cluster died (exit code 1)", NOW)
    health = desk.view(board.fleet, NOW).health
    assert health.problems == ("the reader of the cluster died (exit code 1)",)
    assert health.as_of == {"Pod": NOW.timestamp(), "Node": NOW.timestamp() - 99}
    assert view(desk, board, NOW).seen.ready == 3
    # The next one begins with all that is there: what went meanwhile is gone.
    desk.take(ClusterSeen({}, whole=True))
    assert view(desk, board, NOW).seen is None


def test_changes_are_laid_over_what_is_known(desk):
    board = board_of()
    desk.take(ClusterSeen({"tv/a": seen(), "tv/b": seen()}, whole=True))
    desk.take(ClusterSeen({"tv/b": None, "tv/gone": None}))
    desk.take(ReaderAlive())
    assert view(desk, board, NOW).seen == seen()


def test_a_measured_lead_time_reaches_the_rule_and_goes_with_the_workload(shelf):
    roster = Roster(Fleet(()), None)
    desk = ClusterDesk(roster, shelf, watched=True)
    auto = dataclasses.replace(fleet_of().workloads[0], measured=Measured(lead_time=True))
    desk.take(Declared((auto,), ("ScaledObject tv/x: bad",)))
    known = SeenLead(MeasuredLead(4 * MINUTE, "12 start-ups", 4 * MINUTE), StartUpSummary(12))
    unknown = SeenLead(MeasuredLead(9 * MINUTE, "too few", None), StartUpSummary(1))
    desk.take(LeadTimesSeen({"tv/a": unknown}))
    assert roster.fleet().workloads[0].rule.lead_time == LEAD
    desk.take(LeadTimesSeen({"tv/a": known}))
    assert roster.fleet().workloads[0].rule.lead_time == 4 * MINUTE
    told = desk.view(roster.fleet(), NOW)
    assert (told.of("tv/a").lead, told.problems) == (known, ("ScaledObject tv/x: bad",))
    desk.take(Declared(()))
    desk.take(Declared((auto,)))
    assert desk.view(roster.fleet(), NOW).of("tv/a").lead is None
    desk.take(Declared((), (), unread=("tv",)))
    assert len(roster.fleet().workloads) == 1


class Counted:
    """How often what will not fit was computed."""

    def __init__(self, monkeypatch):
        self.times = 0
        real = cluster_desk.capacity_warnings

        def counting(*given):
            self.times += 1
            return real(*given)

        monkeypatch.setattr(cluster_desk, "capacity_warnings", counting)


def test_what_will_not_fit_is_computed_when_something_that_matters_has_changed(desk, monkeypatch):
    counted, board = Counted(monkeypatch), board_of(rate=42.0)
    desk.take(ClusterSeen({"tv/a": seen()}))
    (warning,) = desk.look_ahead(board_of(rate=420.0).plans, NOW)
    assert (warning.wanted, warning.allowed) == (420.0, 100.0)
    plans = board.plans
    assert desk.look_ahead(plans, NOW) == ()
    assert counted.times == 2 and desk.view(board.fleet, NOW).fit == ()

    def looks(message=None, given=plans, now=NOW + MINUTE):
        before = counted.times
        if message is not None:
            desk.take(message)
        desk.look_ahead(given, now)
        return counted.times - before

    assert looks() == 0
    assert looks(ClusterSeen({"tv/a": seen(ready=9)})) == 0  # how many are ready takes no room
    assert looks(ClusterSeen({"tv/a": seen(ready=9, most=30)})) == 1
    assert looks(ClusterSeen({"tv/a": seen(ready=9, most=30, pods=12)})) == 1
    assert looks(ClusterRoom((QuotaSeen("tv", "q", {"pods": 9.0}, {"pods": 1.0}),))) == 1
    assert looks(given=board_of(rate=43.0).plans) == 1
    assert looks() == 1
    assert looks(now=NOW + 5 * MINUTE) == 0
    assert looks(now=NOW + 6 * MINUTE) == 1  # for the hours until then go by
    assert looks(given=board_of(rate=43.0).plans, now=NOW + 100 * HOUR) == 1  # all plans are over


def test_what_was_told_is_told_again_when_it_has_grown_by_a_tenth(desk):
    desk.take(ClusterSeen({"tv/a": seen()}))
    told = []
    for minute, rate in enumerate((200.0, 205.0, 211.0, 216.0, 221.0, 224.0)):
        now = NOW + minute * MINUTE
        told.append([one.wanted for one in desk.look_ahead(board_of(rate=rate).plans, now)])
    assert told == [[200.0], [], [], [], [221.0], []]
    (one,) = desk.fit
    assert one.wanted == 221.0
    assert desk.view(board_of().fleet, NOW).fit[0].wanted == 224.0


def test_the_words_on_the_object_stay_while_the_peak_goes_on(desk):
    """Each minute the span begins now: in other words it would be another Event each minute."""
    desk.take(ClusterSeen({"tv/a": seen()}))
    plans = board_of(rate=200.0).plans
    words = set()
    for minutes in range(0, 60, 6):
        desk.look_ahead(plans, NOW + minutes * MINUTE)
        words |= {one.text() for one in desk.fit}
    assert len(words) == 1


def test_the_next_peak_is_news_once_the_one_that_was_told_is_over(desk):
    desk.take(ClusterSeen({"tv/a": seen()}))
    first = board_of(rate=200.0).plans
    assert len(desk.look_ahead(first, NOW)) == 1
    over = desk.fit[0].spans[0].end
    board = Board(fleet_of(), {})
    board.take_outlook(outlook("tv/a", rate=200.0, start=over), [])
    (again,) = desk.look_ahead(board.plans, over)
    assert again.start == over and desk.fit == (again,)
    calm = board_of(rate=7.0, fleet=fleet_of())
    calm.take_outlook(outlook("tv/a", rate=7.0, start=over), [])
    assert desk.look_ahead(calm.plans, over) == () == desk.fit


def test_where_nobody_reads_the_cluster_nothing_is_looked_at(shelf):
    desk = ClusterDesk(Roster(fleet_of()), shelf, watched=False)
    assert desk.look_ahead(board_of(rate=1e6).plans, NOW) == ()
    told = desk.view(fleet_of(), NOW)
    assert (told.watched, told.fit) == (False, ())


def test_deliveries_of_the_last_day_outlive_a_restart(desk, shelf):
    board = board_of(rate=10.0)
    noted(desk, board, 30, seen())
    assert desk.save() is None
    after = ClusterDesk(Roster(fleet_of()), shelf, watched=True)
    after.load()
    later = NOW + 31 * MINUTE
    after.take(ClusterSeen({"tv/a": seen()}))
    after.note(board.snapshot(later).workloads.values(), later)
    found: Delivery = view(after, board, later).delivery
    assert found.last_day.on_time == 28 and found.total.judged == 0
    after.retain(["tv/other"])
    assert view(after, board, later).delivery is None


@pytest.mark.parametrize(
    "note", ["{", "7", "[[1, 2]]", '[["tv/a", 1, "AAAA"]]', '[["tv/a", "x", ""]]', "[null]"]
)
def test_a_damaged_note_counts_as_no_note(desk, shelf, note):
    shelf.save("delivered", note)
    desk.load()
    assert noted(desk, board_of(rate=10.0), 4, seen()).last_day.on_time == 2
    assert desk.save() is None


def test_a_store_that_cannot_be_written_is_told(tmp_path):
    desk = ClusterDesk(Roster(fleet_of()), NoteShelf(tmp_path / "none.sqlite"), watched=True)
    desk.load()
    assert "cannot be written" in desk.save()
