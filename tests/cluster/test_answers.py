from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from forecaster.cluster import answers
from forecaster.cluster.answers import lines_of, object_of
from forecaster.errors import ClusterAnswerError, ClusterUnavailable


class Parts:
    """A stream that comes in these parts, and then breaks or ends."""

    def __init__(self, parts: list[bytes], error: Exception | None = None) -> None:
        self._parts, self._error = parts, error

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield from self._parts
        if self._error is not None:
            raise self._error


def lines(parts: list[bytes], error: Exception | None = None) -> Iterator[bytes]:
    return lines_of(cast(urllib3.BaseHTTPResponse, Parts(parts, error)), "watch")


LINES = st.binary(max_size=12).map(lambda one: one.replace(b"\n", b" "))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda deep: st.lists(deep) | st.dictionaries(st.text(), deep),
)


@given(st.lists(LINES, max_size=6), st.data())
def test_lines_are_the_same_however_they_are_cut_on_their_way(
    whole: list[bytes], data: st.DataObject
) -> None:
    text = b"".join(line + b"\n" for line in whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(lines(parts)) == whole


def test_half_a_line_at_the_end_is_left_out() -> None:
    assert list(lines([b'{"a":1}\n{"b"'])) == [b'{"a":1}']


def test_the_lines_before_a_cut_still_count() -> None:
    found = []
    with pytest.raises(ClusterUnavailable, match="watch: the connection was cut"):
        for line in lines([b"one\ntw"], urllib3.exceptions.ProtocolError("reset")):
            found.append(line)
    assert found == [b"one"]


def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_LONGEST_LINE_BYTES", 100)
    with pytest.raises(ClusterAnswerError, match="a line of over 100 bytes"):
        list(lines([b"x" * 40] * 5))


@given(JSON)
def test_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    text = json.dumps({"a": value}).encode()
    assert object_of(text, "GET") == json.loads(text)
