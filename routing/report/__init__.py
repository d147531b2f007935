"""Reports: what happened in a period, by operator, source, day or hour. docs/reports.md says what each figure means."""

from routing.report.question import GroupBy, Question, ask
from routing.report.reading import StillCounting, make_report, read_report
from routing.report.rows import COLUMNS, Report, Row

__all__ = ["COLUMNS", "GroupBy", "Question", "Report", "Row", "StillCounting", "ask", "make_report", "read_report"]
