from leads.models.contact import OPEN, WAITING, Contact, ContactQuerySet, Exclusion
from leads.models.history import ContactEvent, Tally, Upkeep
from leads.models.lead import Identity, Lead, LeadQuerySet, Merge, PossibleDuplicate, PossibleDuplicateQuerySet

__all__ = [
    "OPEN",
    "WAITING",
    "Contact",
    "ContactEvent",
    "ContactQuerySet",
    "Exclusion",
    "Identity",
    "Lead",
    "LeadQuerySet",
    "Merge",
    "PossibleDuplicate",
    "PossibleDuplicateQuerySet",
    "Tally",
    "Upkeep",
]
