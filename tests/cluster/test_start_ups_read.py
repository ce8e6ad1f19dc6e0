"""Start-ups from an API server's own answers, through the inventory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from forecaster.cluster.changes import Changed, Gone, Listed
from forecaster.cluster.inventory import Inventory
from forecaster.cluster.parsing_pods import pod_seen
from forecaster.cluster.seen import PodSeen
from forecaster.cluster.start_up import StartUp
from forecaster.cluster.start_ups import StartUps
from tests.cluster.objects import Object, pod, stamp

EIGHT = datetime(2026, 6, 14, 20, 0, tzinfo=UTC)
FULL = "0/12 nodes are available: 12 Insufficient cpu."


def condition(item: Object, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in item["status"]["conditions"] if one["type"] == kind)
    return found


def flipped(item: Object, at: datetime, *, ready: bool, restarts: int = 0) -> Object:
    told = {"status": "True" if ready else "False", "lastTransitionTime": stamp(at)}
    condition(item, "Ready").update(told)
    item["status"]["containerStatuses"][0]["restartCount"] = restarts
    return item


class Reading:
    """The inventory and the book, as the reader has them."""

    def __init__(self) -> None:
        self.inventory, self.book = Inventory(), StartUps()

    def take(self, told: Listed | Changed | Gone, at: datetime) -> list[StartUp]:
        found = []
        for one in self.inventory.take(told):
            before, after = one.before, one.after
            assert before is None or isinstance(before, PodSeen)
            assert after is None or isinstance(after, PodSeen)
            made = self.book.note(at.timestamp(), before, after)
            found += [] if made is None else [made]
        return found

    def changed(self, item: Object, at: datetime) -> list[StartUp]:
        value = pod_seen(item)
        assert value is not None
        return self.take(Changed("Pod", "changed", value), at)

    def listed(self, items: list[Object], at: datetime) -> list[StartUp]:
        values = tuple(value for one in items if (value := pod_seen(one)) is not None)
        return self.take(Listed("Pod", None, values), at)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_pod_of_the_api_server_by_its_parts() -> None:
    reading = Reading()
    waiting = pod("p", created=EIGHT, unschedulable=FULL)
    assert reading.changed(waiting, EIGHT + seconds(1)) == []
    placed = pod("p", created=EIGHT, ready_after=None)
    condition(placed, "PodScheduled")["lastTransitionTime"] = stamp(EIGHT + seconds(80))
    condition(placed, "Initialized")["lastTransitionTime"] = stamp(EIGHT + seconds(84))
    assert reading.changed(placed, EIGHT + seconds(85)) == []
    (found,) = reading.changed(
        flipped(placed, EIGHT + seconds(120), ready=True), EIGHT + seconds(121)
    )
    assert (found.scheduling, found.initialising, found.starting) == (80.0, 4.0, 36.0)
    assert found.unschedulable and not found.restarted


def test_flaps_a_relist_and_a_deletion_count_nothing_more() -> None:
    reading = Reading()
    item = pod("p", created=EIGHT, ready_after=None)
    reading.changed(item, EIGHT + seconds(3))
    assert len(reading.changed(flipped(item, EIGHT + seconds(40), ready=True), EIGHT)) == 1
    hour = EIGHT + timedelta(hours=1)
    assert reading.changed(flipped(item, hour, ready=False, restarts=1), hour) == []
    back = flipped(item, hour + seconds(30), ready=True, restarts=1)
    assert reading.listed([back], hour + seconds(40)) == []
    assert reading.listed([], hour + seconds(90)) == []
    summary = reading.book.summary(hour.timestamp() + 100)
    assert (summary.count, summary.never_ready, summary.waiting) == (1, 0, 0)


def test_a_first_list_tells_by_conditions_and_leaves_out_what_it_cannot_know() -> None:
    now = EIGHT + timedelta(hours=5)
    restarted = flipped(
        pod("restarted", created=EIGHT), EIGHT + seconds(42), ready=True, restarts=1
    )
    flapped = flipped(pod("flapped", created=EIGHT), EIGHT + timedelta(hours=2), ready=True)
    down = flipped(pod("down", created=EIGHT), EIGHT + timedelta(hours=2), ready=False)
    over = pod("over", created=EIGHT, phase="Succeeded")
    found = Reading().listed([pod("sound", created=EIGHT), restarted, flapped, down, over], now)
    assert [(one.total, one.watched) for one in found] == [(42.0, False)]
