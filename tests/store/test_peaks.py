"""Lead-peak models in the store, and the reader that the refresher has."""

import dataclasses
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from forecaster.errors import StoreError
from forecaster.models.peak import Taught
from forecaster.planning.live import ToldPeak
from forecaster.store import Learnt, PeakShelf, PlanStore, StoredPeak, TrainingRecord, pack
from forecaster.store.schema import SCHEMA_VERSION
from tests.store.conftest import NOW

PEAK = StoredPeak("tv/api", NOW, "own", "", b"a model")


def test_a_model_is_stored_with_its_outlook_and_read_by_name(path, make_outlook):
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook()), TrainingRecord(), PEAK)
        shelf = PeakShelf(path)
        assert list(shelf.load(["tv/api", "tv/none"])) == [PEAK]
        assert shelf.versions() == {"tv/api": PEAK.version}
        assert store.peak_teachers() == {"tv/api": "own"}


def test_more_models_than_sqlite_takes_names_in_a_question(path):
    peaks = [dataclasses.replace(PEAK, workload=f"tv/{n}") for n in range(1100)]
    with PlanStore(path) as store:
        store.save_records({}, peaks)
        found = list(PeakShelf(path).load(one.workload for one in peaks))
    assert sorted(one.workload for one in found) == sorted(one.workload for one in peaks)


@pytest.mark.parametrize(
    "change",
    [{"model": b"another"}, {"taught": "fleet"}, {"why_taught": "5h of own history"}],
    ids=lambda change: next(iter(change)),
)
def test_another_model_has_another_version_and_the_same_one_the_same(path, change):
    with PlanStore(path) as store:
        shelf = PeakShelf(path)
        seen = []
        for one in (PEAK, PEAK, dataclasses.replace(PEAK, **change)):
            store.save_records({}, [one])
            seen.append(shelf.versions()["tv/api"])
    assert seen[0] == seen[1] != seen[2]


def test_an_outlook_without_a_model_leaves_the_older_model(path, make_outlook):
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook()), TrainingRecord(), PEAK)
        store.save_outlook(pack(make_outlook()), TrainingRecord())
        assert list(PeakShelf(path).load(["tv/api"])) == [PEAK]


def test_models_of_workloads_that_are_gone_are_forgotten_with_them(path, make_outlook):
    with PlanStore(path) as store:
        for name in ("tv/api", "tv/old"):
            peak = dataclasses.replace(PEAK, workload=name)
            store.save_outlook(pack(make_outlook(name)), TrainingRecord(), peak)
        store.forget_others(["tv/api"], NOW + timedelta(days=30))
        assert set(PeakShelf(path).versions()) == {"tv/api"}


def test_the_last_lead_peak_of_each_workload_survives_while_it_is_young(path):
    minute = timedelta(minutes=1)
    told = ToldPeak(NOW, minute, 5, 7.5, 0.98, 9.25, Taught.FLEET, "5h of own history")
    later = dataclasses.replace(told, at=NOW + minute, peak_rps=8.0)
    with PlanStore(path):
        shelf = PeakShelf(path)
        shelf.keep({"tv/api": told, "tv/web": told})
        shelf.keep({"tv/api": later})
    with PlanStore(path) as store:
        both = {"tv/api": later, "tv/web": told}
        assert store.lead_peaks_between(NOW, NOW + minute) == both
        assert store.lead_peaks_between(NOW + minute, NOW + 9 * minute) == {"tv/api": later}
        assert store.lead_peaks_between(NOW - minute, NOW) == {"tv/web": told}


LEARNT = Learnt(timedelta(minutes=1), 5, (0.95, 0.98), (-0.125, 1 / 3))


def test_what_was_learnt_live_is_kept_to_the_last_bit_beside_the_lead_peak(path):
    later = dataclasses.replace(LEARNT, offsets=(0.0, 2.5))
    with PlanStore(path) as store:
        shelf = PeakShelf(path)
        shelf.keep({}, {"tv/api": LEARNT, "tv/web": LEARNT})
        shelf.keep({}, {"tv/api": later})
        shelf.keep({})
        assert shelf.learnt(["tv/api", "tv/web", "tv/none"]) == {"tv/api": later, "tv/web": LEARNT}
        assert shelf.learnt([]) == {}
        store.forget_others(["tv/web"], NOW + timedelta(days=30))
        assert shelf.learnt(["tv/api", "tv/web"]) == {"tv/web": LEARNT}


@pytest.mark.parametrize("offsets", ["rubbish", "[1.0]", '["a", "b"]', "3", "[null, 1]"])
def test_what_was_learnt_and_cannot_be_read_is_learnt_anew(path, offsets):
    with PlanStore(path):
        PeakShelf(path).keep({}, {"tv/api": LEARNT})
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE live_offsets SET offsets = ?", (offsets,))
    assert PeakShelf(path).learnt(["tv/api"]) == {}


def test_a_store_from_before_anything_was_learnt_opens_with_its_lead_peaks(path):
    told = ToldPeak(NOW, timedelta(minutes=1), 5, 7.5, 0.98, 9.25, Taught.OWN)
    with PlanStore(path):
        PeakShelf(path).keep({"tv/api": told}, {"tv/api": LEARNT})
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE live_offsets")
    with PlanStore(path) as store:
        assert PeakShelf(path).learnt(["tv/api"]) == {}
        assert store.lead_peaks_between(NOW, NOW) == {"tv/api": told}


def test_a_store_from_before_there_were_models_is_taken_over_as_it_is(path, make_outlook):
    with PlanStore(path) as store:
        store.save_outlook(pack(make_outlook()), TrainingRecord())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE peak_models")
    with pytest.raises(StoreError, match="no such table"):
        PeakShelf(path).versions()
    with PlanStore(path) as store:
        assert [one.workload for one in store.outlooks()] == ["tv/api"]
        assert PeakShelf(path).versions() == {}
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("SELECT schema_version FROM preroll_about").fetchone()
    assert version == (SCHEMA_VERSION,)


def test_a_file_that_vanishes_is_said_and_not_made_anew_and_one_that_is_back_is_read(path):
    shelf = PeakShelf(path)
    with pytest.raises(StoreError, match=r"preroll\.sqlite cannot be read"):
        shelf.versions()
    assert not path.exists()
    with PlanStore(path) as store:
        store.save_records({}, [PEAK])
        assert set(shelf.versions()) == {"tv/api"}
    path.unlink()
    with pytest.raises(StoreError):
        list(shelf.load(["tv/api"]))
    with pytest.raises(StoreError, match="cannot be written"):
        shelf.keep({})
    assert not path.exists()


def test_a_path_with_characters_that_a_url_cannot_hold(tmp_path):
    path = tmp_path / "50%#? of it.sqlite"
    with PlanStore(path) as store:
        store.save_records({}, [PEAK])
        assert set(PeakShelf(path).versions()) == {"tv/api"}
