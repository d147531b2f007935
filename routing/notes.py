"""Notes of operators and supervisors on a contact. Erasing the client or old messages deletes them."""

from django.utils.translation import gettext as _

from core import retry, text
from core.errors import Conflict, FieldError, Invalid, Unknown
from routing.models import LONGEST_NOTE, Contact, ContactNote
from routing.taking import is_erased


def add_note(contact_id: int, text: str, by: str) -> ContactNote:
    """Stores the words, without blanks around them, with their author ("user anna", as in the history).

    Raises Unknown; Invalid if they are blank or longer than LONGEST_NOTE characters; Conflict `erased` if the client's
    data were erased.
    """
    words = read_note(text)
    for attempt in retry.attempts():
        with attempt:
            contact = locked_contact(contact_id)
            if contact is None:
                raise Unknown("contact", contact_id)
            if is_erased(contact):
                raise Conflict("erased", _("This person's data was erased. The note was not stored."))
            note = ContactNote.objects.create(contact=contact, text=words, by=by)
    return note


def locked_contact(pk: int) -> Contact | None:
    """An erasure locks the contact before it deletes the notes, so that none comes in behind it."""
    return Contact.objects.filter(pk=pk).defer("message").select_for_update(no_key=True).first()


def read_note(given: str) -> str:
    words = text.trim(text.replace_unstorable(given))
    if not words:
        raise Invalid(FieldError("text", "blank", _("A note needs text.")))
    if len(words) > LONGEST_NOTE:
        detail = _("A note has at most %(limit)s characters.") % {"limit": LONGEST_NOTE}
        raise Invalid(FieldError("text", "max_length", detail))
    return words


def list_notes(contact_id: int) -> list[ContactNote]:
    """The notes of a contact, oldest first."""
    return list(ContactNote.objects.filter(contact=contact_id).order_by("pk"))
