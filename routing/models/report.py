"""What reports are made from: sums of the history of contacts by hour, day and month."""

from django.db import models

ALL = 0  # in place of a source or an operator: the sum of all of them
NOBODY = -1  # in place of an operator: contacts that had none


class ReportTally(models.Model):
    """`report.figures.Figures` of one hour, day or month in UTC, of one source or ALL, of one operator, NOBODY or ALL.

    All sums are stored, so that a report reads few rows, whatever it is grouped by. Ids instead of references: 0 and -1
    are no rows.
    """

    class Length(models.IntegerChoices):
        HOUR = 1
        DAY = 2
        MONTH = 3

    length = models.PositiveSmallIntegerField(choices=Length)
    source = models.BigIntegerField()
    operator = models.BigIntegerField()
    start = models.DateTimeField()
    registered = models.PositiveIntegerField(default=0)
    assigned = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    declined = models.PositiveIntegerField(default=0)
    timed_out = models.PositiveIntegerField(default=0)
    resolved = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    durations = models.BinaryField(default=b"")  # histograms, see `report.figures.pack_durations`

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["length", "start", "source", "operator"], name="report_tally_once")
        ]
        indexes = [models.Index(fields=["length", "source", "operator", "start"], name="report_tally_by_time")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} {self.source} {self.operator}"


class ReportProgress(models.Model):
    """Which rows of the history the tallies of reports contain: all up to this one, in the order of commits
    (`core.db.commit_order`). One row."""

    transaction = models.BigIntegerField(default=-1)
    event = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="report_progress_one_row")]

    def __str__(self) -> str:
        return f"{self.transaction}, {self.event}"
