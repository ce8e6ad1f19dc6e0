"""What is saved is there after reopening, whole or not at all."""

import dataclasses
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import StoreError
from forecaster.events.uplift import UpliftModel
from forecaster.planning import Held
from forecaster.planning.snapshot import TrainingState
from forecaster.store import PlanStore, StoredUplift, TrainingRecord, pack
from tests.store.conftest import NOW

RECORD = TrainingRecord(
    TrainingState(NOW, 1.25, runs=3, failures=1, last_error=None), NOW, 0, "step=1m"
)


def test_an_outlook_and_its_record_survive(path, make_outlook):
    packed = pack(make_outlook())
    with PlanStore(path) as store:
        store.save_outlook(packed, RECORD)
    with PlanStore(path) as store:
        assert list(store.outlooks()) == [packed]
        assert store.records() == {"tv/api": RECORD}


def test_a_new_outlook_takes_the_place_of_the_old_one(store, make_outlook):
    store.save_outlook(pack(make_outlook(first=100)), TrainingRecord())
    store.save_outlook(pack(make_outlook(first=9_000)), RECORD)
    (kept,) = store.outlooks()
    np.testing.assert_array_equal(kept.rates, pack(make_outlook(first=9_000)).rates)
    assert store.records() == {"tv/api": RECORD}


def test_a_failed_training_leaves_the_outlook_alone(store, make_outlook):
    store.save_outlook(pack(make_outlook()), RECORD)
    failed = RECORD.failed(NOW + timedelta(hours=6), "no luck")
    store.save_records({"tv/api": failed, "tv/web": TrainingRecord().failed(NOW, "too short")})
    records = store.records()
    assert records["tv/api"] == failed
    assert records["tv/api"].failed_in_a_row == 1
    assert records["tv/api"].state == TrainingState(NOW, 1.25, 4, 2, "no luck")
    assert records["tv/web"].state.trained_at is None
    assert len(list(store.outlooks())) == 1


def test_served_targets_are_found_since_an_instant_oldest_first(store):
    minute = timedelta(minutes=1)
    store.save_served([("tv/api", Held(NOW + minute, 7)), ("tv/web", Held(NOW, 2))], NOW - minute)
    store.save_served([("tv/api", Held(NOW, 9))], NOW - minute)
    store.save_served([("tv/api", Held(NOW, 8))], NOW - minute)  # later words count
    assert store.served_since(NOW) == {
        "tv/api": (Held(NOW, 8), Held(NOW + minute, 7)),
        "tv/web": (Held(NOW, 2),),
    }
    assert store.served_since(NOW + minute) == {"tv/api": (Held(NOW + minute, 7),)}


def test_what_was_served_long_ago_is_forgotten(store):
    store.save_served([("tv/api", Held(NOW, 9))], NOW)
    store.save_served([], NOW + timedelta(seconds=1))
    assert store.served_since(NOW - timedelta(days=1)) == {}


def test_workloads_that_are_no_longer_configured_are_forgotten_in_the_end(store, make_outlook):
    for name in ("tv/api", "tv/old"):
        store.save_outlook(pack(make_outlook(name)), RECORD)
        store.save_served([(name, Held(NOW, 9))], NOW)
    assert store.forget_others(["tv/api"], NOW) == 0  # it could come back tomorrow
    assert len(list(store.outlooks())) == 2
    assert store.forget_others(["tv/api"], NOW + timedelta(days=30)) == 1
    assert [one.workload for one in store.outlooks()] == ["tv/api"]
    assert set(store.records()) == {"tv/api"}
    assert set(store.served_since(NOW)) == {"tv/api"}


def uplift(workload="tv/api", cutoff=NOW, kind="news"):
    return StoredUplift.of(workload, cutoff, UpliftModel(ordinary=frozenset({kind})))


def test_what_lifts_an_outlook_survives_beside_it_and_is_forgotten_with_it(path, make_outlook):
    with PlanStore(path) as store:
        for name in ("tv/api", "tv/old"):
            store.save_outlook(pack(make_outlook(name)), RECORD, None, uplift(name))
    with PlanStore(path) as store:
        assert list(store.uplifts()) == [uplift("tv/api"), uplift("tv/old")]
        assert store.forget_others(["tv/api"], NOW + timedelta(days=30)) == 1
        assert list(store.uplifts()) == [uplift("tv/api")]


def test_an_outlook_and_its_uplift_are_written_together_or_not_at_all(store, make_outlook):
    store.save_outlook(pack(make_outlook()), RECORD, None, uplift(kind="before"))
    broken = TrainingRecord(TrainingState(runs=None))
    with pytest.raises(StoreError, match="cannot be written"):
        store.save_outlook(pack(make_outlook()), broken, None, uplift(kind="after"))
    (kept,) = store.uplifts()
    assert kept.unpack().ordinary == {"before"}


def test_an_outlook_that_an_older_preroll_stored_later_has_no_uplift(store, make_outlook):
    """It knows of no table of uplifts, and stores its outlooks lifted: nothing may lift them."""
    store.save_outlook(pack(make_outlook()), RECORD, None, uplift())
    later = dataclasses.replace(pack(make_outlook()), cutoff=NOW + timedelta(hours=1))
    store.save_outlook(later, RECORD)
    assert list(store.uplifts()) == []


def test_a_file_from_before_there_were_uplifts_opens(path, make_outlook):
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook()), RECORD)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE uplifts")
    with PlanStore(path) as store:
        assert list(store.uplifts()) == []
        assert len(list(store.outlooks())) == 1


@pytest.mark.parametrize("damaged", [b"", b"junk", uplift().model[:-3], zlib.compress(b"{}")])
def test_an_uplift_that_cannot_be_read_says_whose_it_is(damaged):
    with pytest.raises(StoreError, match="tv/api: the stored uplift of events cannot be read"):
        StoredUplift("tv/api", NOW, damaged).unpack()


def test_a_transaction_that_fails_leaves_nothing_behind(store, make_outlook):
    store.save_outlook(pack(make_outlook(first=100)), RECORD)
    broken = TrainingRecord(TrainingState(runs=None))  # refused by the second of two statements
    with pytest.raises(StoreError, match="cannot be written"):
        store.save_outlook(pack(make_outlook(first=9_000)), broken)
    (kept,) = store.outlooks()
    assert kept == pack(make_outlook(first=100))


def test_two_processes_may_write_at_once(path, make_outlook):
    """Each waits for its turn: nothing is lost, nothing fails."""

    def write(name: str) -> None:
        with PlanStore(path) as store:
            for run in range(20):
                store.save_outlook(pack(make_outlook(f"{name}/{run}", steps=100)), RECORD)
                store.save_served([(name, Held(NOW, run))], NOW)

    with PlanStore(path):
        pass
    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with PlanStore(path) as store:
        assert len(list(store.outlooks())) == 60
        assert {held[-1].replicas for held in store.served_since(NOW).values()} == {19}


WRITER = """
import sys
from pathlib import Path
import numpy as np
from datetime import UTC, datetime, timedelta
from forecaster.models.outlook import Outlook
from forecaster.planning.snapshot import TrainingState
from forecaster.store import PlanStore, TrainingRecord, pack

start = datetime(2026, 5, 4, tzinfo=UTC)
with PlanStore(Path(sys.argv[1])) as store:
    run = 0
    while True:
        run += 1
        noise = np.random.default_rng(run).random((10, 2885))
        rates = np.sort(noise, axis=0) + run  # the whole outlook belongs to this run
        quantiles = tuple(n / 11 for n in range(1, 11))
        step = timedelta(minutes=1)
        outlook = Outlook(f"tv/{run % 3}", start, start, step, quantiles, rates, str(run))
        store.save_outlook(pack(outlook), TrainingRecord(TrainingState(start, 1.0, run)))
        if run == 1:
            print("writing", flush=True)
"""


@pytest.mark.parametrize("attempt", range(3))
def test_a_writer_that_is_killed_leaves_whole_outlooks(path, attempt):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(random.uniform(0.05, 0.4))
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    with PlanStore(path) as store:  # checks the whole file
        found = list(store.outlooks())
        assert found
        records = store.records()
        for packed in found:
            run = int(packed.model)
            rates = packed.unpack().rate_rps
            assert run <= rates.min()
            assert rates.max() <= run + 1
            assert records[packed.workload].state.runs == run


def test_a_store_on_a_full_disk_says_so_and_keeps_what_it_has(path, make_outlook):
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook(first=100)), RECORD)
        with store._engine.connect() as connection:  # as small as it is: the next page is too much
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.commit()
        with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
            store.save_outlook(pack(make_outlook("tv/web")), RECORD)
        assert [one.workload for one in store.outlooks()] == ["tv/api"]


def test_the_path_may_hold_characters_that_a_url_cannot(tmp_path, make_outlook):
    path = Path(tmp_path) / "with space" / "50%#?.sqlite"
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook()), RECORD)
    assert path.exists()
