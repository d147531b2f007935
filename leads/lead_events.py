"""Records merges and erasures of leads among the changes, for those who read events. The records hold ids only."""

from core.changes.models import Via
from core.changes.recording import Author, record_change
from routing.history import SYSTEM

MERGED, UNMERGED, ERASED = "lead.merged", "lead.unmerged", "lead.erased"
VIA = {"user": Via.PAGE, "key": Via.API, "API": Via.API}  # by the first word of the author


def record_lead_event(what: str, *, by: str = SYSTEM, **ids: int) -> None:
    """Inside the transaction that does it."""
    author = Author(by, VIA.get(by.partition(" ")[0], Via.COMMAND))
    record_change(what, author, before={}, after=ids)
