from routing.models.contact import OPEN, WAITING, Contact, ContactQuerySet, Exclusion
from routing.models.desk import LONGEST_NOTE, ContactNote, SavedView
from routing.models.history import ContactEvent, Tally, Upkeep
from routing.models.report import ALL, NOBODY, ReportProgress, ReportTally
from routing.models.source import (
    ACCEPT_WITHIN,
    MAX_OFFERS,
    MISSED,
    WEIGHTS,
    WHOLE_NUMBERS,
    OpeningHours,
    PhoneFormat,
    RosterEntry,
    RosterQuerySet,
    Source,
    SourceQuerySet,
    Strategy,
    UnreadablePhones,
    phone_region,
)
from routing.models.what_if import WhatIf

__all__ = [
    "ACCEPT_WITHIN",
    "ALL",
    "LONGEST_NOTE",
    "MAX_OFFERS",
    "MISSED",
    "NOBODY",
    "OPEN",
    "WAITING",
    "WEIGHTS",
    "WHOLE_NUMBERS",
    "Contact",
    "ContactEvent",
    "ContactNote",
    "ContactQuerySet",
    "Exclusion",
    "OpeningHours",
    "PhoneFormat",
    "ReportProgress",
    "ReportTally",
    "RosterEntry",
    "RosterQuerySet",
    "SavedView",
    "Source",
    "SourceQuerySet",
    "Strategy",
    "Tally",
    "UnreadablePhones",
    "Upkeep",
    "WhatIf",
    "phone_region",
]
