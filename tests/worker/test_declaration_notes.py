"""What ScaledObjects declared when they were fine last, in a real store."""

import pytest

from forecaster.store import NoteShelf, PlanStore
from forecaster.worker.declaration_notes import DeclarationNotes
from tests.worker.test_cluster_reading import keda


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "preroll.sqlite"
    PlanStore(path).close()
    return path


def test_an_object_is_kept_changed_and_let_go(path):
    notes = DeclarationNotes(NoteShelf(path))
    assert notes.load() == ()
    notes.save({("tv", "player"): keda(), ("ads", "page"): keda(namespace="ads", name="page")})
    notes.save({("tv", "player"): keda(capacity="12"), ("ads", "page"): None})
    assert DeclarationNotes(NoteShelf(path)).load() == (keda(capacity="12"),)


def test_one_note_that_cannot_be_read_costs_no_other(path, caplog):
    shelf = NoteShelf(path)
    DeclarationNotes(shelf).save({("tv", "player"): keda()})
    shelf.save("declarations/ads/page", "{nonsense")
    assert DeclarationNotes(shelf).load() == (keda(),)
    assert caplog.messages == ["declarations unreadable"]


def test_what_could_not_be_written_is_written_later_and_said_once(path, tmp_path, caplog):
    notes = DeclarationNotes(NoteShelf(tmp_path / "none.sqlite"))
    assert notes.load() == ()
    caplog.clear()
    notes.save({("tv", "player"): keda()})
    notes.save({})
    assert caplog.messages == ["declarations not stored"]
    PlanStore(tmp_path / "none.sqlite").close()
    notes.save({})
    assert DeclarationNotes(NoteShelf(tmp_path / "none.sqlite")).load() == (keda(),)
