"""Small documents: kept whole, replaced, taken away, found by the beginning of their names."""

import sqlite3
from contextlib import closing

import pytest

from forecaster.errors import StoreError
from forecaster.store import NoteShelf


@pytest.fixture
def shelf(store):
    return NoteShelf(store.path)


def damage(path, name):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE notes SET document = x'00ff' WHERE name = ?", (name,))
        connection.commit()


def test_a_document_is_there_as_it_was_written_last(shelf):
    assert shelf.load("roster") is None
    shelf.save("roster", "first")
    shelf.save("roster", "ü" * 100_000)
    assert shelf.load("roster") == "ü" * 100_000


def test_documents_are_found_by_the_beginning_of_their_names_to_the_letter(shelf):
    shelf.save_all({"a_/x": "1", "a_/tv/y": "2", "ab/x": "3", "A_/x": "4", "a%/x": "5"})
    assert shelf.load_below("a_/") == {"x": "1", "tv/y": "2"}
    assert shelf.load_below("a%/") == {"x": "5"}


def test_all_of_a_change_or_nothing(shelf):
    shelf.save_all({"a/1": "one", "a/2": "two"})
    shelf.save_all({"a/1": None, "a/2": "second", "a/9": None})
    assert shelf.load_below("a/") == {"2": "second"}
    with pytest.raises(AttributeError):
        shelf.save_all({"a/2": "third", "a/3": 7})
    assert shelf.load_below("a/") == {"2": "second"}
    shelf.save_all({})
    assert shelf.load_below("a/") == {"2": "second"}


def test_a_damaged_document_is_told_and_leaves_the_others(shelf, path):
    shelf.save_all({"a/1": "one", "a/2": "two"})
    damage(path, "a/1")
    with pytest.raises(StoreError, match=r"the stored note 'a/1' cannot be read"):
        shelf.load("a/1")
    assert shelf.load_below("a/") == {"1": None, "2": "two"}
    shelf.save("a/1", "mended")
    assert shelf.load("a/1") == "mended"


def test_without_the_file_reading_and_writing_are_store_errors(tmp_path):
    shelf = NoteShelf(tmp_path / "none.sqlite")
    for ask in (
        lambda: shelf.load("x"),
        lambda: shelf.load_below("x"),
        lambda: shelf.save("x", ""),
    ):
        with pytest.raises(StoreError, match=r"none\.sqlite cannot be (read|written)"):
            ask()
    assert not (tmp_path / "none.sqlite").exists()
