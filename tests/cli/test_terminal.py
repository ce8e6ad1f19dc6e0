import io
from contextlib import redirect_stderr

from forecaster.cli.terminal import out, print_error, print_notice, progress, progress_of_parts


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_text_in_brackets_is_text(capsys):
    print_error("data/[red]x.csv: line 3")
    print_notice("data/[/red]x.csv: 2 gaps")
    assert capsys.readouterr().err == "error: data/[red]x.csv: line 3\ndata/[/red]x.csv: 2 gaps\n"


def test_a_long_message_is_one_line(capsys):
    print_error("word " * 100)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bar_shows_how_much_is_done_and_what_is_left(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    with redirect_stderr(terminal), progress("forecasting", 4) as advance:
        for _ in range(3):
            advance()
    assert "forecasting" in terminal.getvalue()
    assert "3/4" in terminal.getvalue()
    assert "left" in terminal.getvalue()


def test_the_time_left_follows_from_the_mean_speed(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    clock = [100.0]
    monkeypatch.setattr("rich.console.monotonic", lambda: clock[0])
    terminal = Terminal()
    with redirect_stderr(terminal), progress_of_parts("backtesting") as told:
        assert "0:00" not in terminal.getvalue()
        clock[0] += 10.0
        for done in (1.0, 2.0):  # together, from two processes
            told(done, 8.0)
        clock[0] += 5.0
    assert "0:00:25" in terminal.getvalue()  # 10 s for a quarter, 30 s from then on, 5 s ago


def test_without_a_terminal_there_is_no_bar(capsys):
    with progress("forecasting", 4) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_results_without_a_terminal_have_room(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert out().width == 110


def test_results_keep_to_the_width_that_is_asked_for(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert out().width == 70
