from operators.models.operator import CAPS, LIMITS, PACES, Obstacle, Operator, OperatorQuerySet, obstacle
from operators.models.schedule import Absence, AbsenceQuerySet, Schedule, WeeklyModel

__all__ = [
    "CAPS",
    "LIMITS",
    "PACES",
    "Absence",
    "AbsenceQuerySet",
    "Obstacle",
    "Operator",
    "OperatorQuerySet",
    "Schedule",
    "WeeklyModel",
    "obstacle",
]
