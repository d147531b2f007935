"""How far a command has come: a bar in a terminal, plain lines elsewhere."""

from io import StringIO

from django.core.management.base import OutputWrapper

from core.progress import progress, write_above


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_line_that_is_overwritten():
    terminal = Terminal()
    with progress(OutputWrapper(terminal), unit="rows", total=3) as bar:
        for _step in range(3):
            bar.update(1)
    assert "3/3" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 1


def test_a_log_gets_a_plain_line_every_ten_seconds():
    log = StringIO()
    with progress(OutputWrapper(log), unit="rows", total=3, clock=iter([0, 5, 11, 11, 12]).__next__) as bar:
        for _step in range(3):
            bar.update(1)
    assert log.getvalue() == "2 of 3 rows\n"


def test_a_short_run_leaves_nothing_in_the_log():
    log = StringIO()
    with progress(OutputWrapper(log), unit="rows", total=None, clock=lambda: 0) as bar:
        bar.update(5)
    assert (log.getvalue(), bar.n) == ("", 5)


def test_a_line_beside_the_bar_is_a_line():
    terminal = Terminal()
    write_above(OutputWrapper(terminal), "line 7, no phone")
    assert "line 7, no phone\n" in terminal.getvalue()
