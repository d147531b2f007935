from routing.models.contact import OPEN, WAITING, Contact, ContactQuerySet, Exclusion
from routing.models.history import ContactEvent, Tally, Upkeep
from routing.models.source import WEIGHTS, RosterEntry, RosterQuerySet, Source, SourceQuerySet, Strategy, phone_region

__all__ = [
    "OPEN",
    "WAITING",
    "WEIGHTS",
    "Contact",
    "ContactEvent",
    "ContactQuerySet",
    "Exclusion",
    "RosterEntry",
    "RosterQuerySet",
    "Source",
    "SourceQuerySet",
    "Strategy",
    "Tally",
    "Upkeep",
    "phone_region",
]
