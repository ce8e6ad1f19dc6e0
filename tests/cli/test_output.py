import json
import os
import stat
from pathlib import Path

import pytest

from forecaster.cli.output import STDOUT, check_outputs, write_json, write_rows, write_text
from forecaster.errors import OutputError


@pytest.fixture
def traffic(tmp_path):
    path = tmp_path / "traffic.csv"
    path.write_text("timestamp,value\n")
    return path


def test_outputs_in_a_folder_of_ours_are_fine(tmp_path, traffic):
    check_outputs((None, STDOUT, tmp_path / "new.json", tmp_path / "new.csv"), traffic)


def test_a_missing_folder_is_refused(tmp_path, traffic):
    with pytest.raises(OutputError, match=r"nowhere.*does not exist"):
        check_outputs((tmp_path / "nowhere" / "out.json",), traffic)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path, traffic):
    with pytest.raises(OutputError, match="this is a folder"):
        check_outputs((tmp_path,), traffic)


def test_the_traffic_file_is_never_overwritten(traffic):
    with pytest.raises(OutputError, match="this is the traffic file"):
        check_outputs((traffic,), traffic)


def test_two_results_cannot_share_a_file(tmp_path, traffic):
    with pytest.raises(OutputError, match="two results"):
        check_outputs((tmp_path / "out", tmp_path / "." / "out"), traffic)


def test_two_results_cannot_share_stdout(tmp_path, traffic):
    check_outputs((STDOUT, None, tmp_path / "out"), traffic)
    with pytest.raises(OutputError, match="two results cannot share stdout; name a file"):
        check_outputs((STDOUT, None, STDOUT), traffic)


def test_a_dash_is_stdout_for_rows_and_text_too(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(STDOUT, [("a", "b"), (1, "x,y")])
    write_text(STDOUT, "<p>")
    assert capsys.readouterr().out == 'a,b\n1,"x,y"\n<p>'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_closed_to_us_is_refused(tmp_path, traffic):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="no permission"):
        check_outputs((closed / "out.json",), traffic)


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_the_usual_mode(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / "out.txt", "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError], ids=["Ctrl-C", "an error"])
def test_a_write_that_is_cut_short_leaves_the_old_file_and_no_other(tmp_path, stop):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def rows():
        yield ("a", "b")
        raise stop

    with pytest.raises(stop):
        write_rows(path, rows())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_not_replaced():
    write_text(Path(os.devnull), "gone")
    assert Path(os.devnull).is_char_device()


def test_a_folder_that_went_away_is_an_error_of_ours(tmp_path):
    with pytest.raises(OutputError, match=r"out\.txt: cannot be written"):
        write_text(tmp_path / "gone" / "out.txt", "new")


def test_json_may_go_to_stdout(capsys):
    write_json(STDOUT, {"name": "Zoë"})
    assert json.loads(capsys.readouterr().out) == {"name": "Zoë"}


def test_json_with_a_nan_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "out.json", {"wape": float("nan")})
    assert list(tmp_path.iterdir()) == []
