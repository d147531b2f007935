"""Lists of contacts that a user looks at often, kept under a name."""

from django.utils.translation import gettext as _

from core import retry, text
from core.errors import Conflict, FieldError, Invalid
from routing.models import SavedView

LONGEST_NAME = 60  # characters
LONGEST_QUERY = 1_000
MOST = 20  # views of one user


def save_view(*, user_id: int, name: str, query: str) -> SavedView:
    """Keeps the filters `query`, as in the address of the list, under this name for this user.

    Raises Invalid for a name without text or a name or query that is too long; Conflict `view_name_taken`, `too_many`.
    """
    name = text.trim(text.replace_unstorable(name))
    if not name:
        raise Invalid(FieldError("name", "blank", _("A view needs a name.")))
    if len(name) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        detail = _("A name has at most %(limit)s characters, and filters cannot be endless.") % {"limit": LONGEST_NAME}
        raise Invalid(FieldError("name", "max_length", detail))
    for attempt in retry.attempts():
        with attempt:
            views = SavedView.objects.filter(user=user_id)
            if views.filter(name=name).exists():
                raise Conflict("view_name_taken", _("You have a view of this name already."))
            if views.count() >= MOST:
                raise Conflict("too_many", _("You have %(limit)s views. Remove one first.") % {"limit": MOST})
            view = SavedView.objects.create(user_id=user_id, name=name, query=query)
    return view


def remove_view(*, user_id: int, view_id: int) -> SavedView | None:
    """Removes a view of this user; returns what it was, None if there is none."""
    for attempt in retry.attempts():
        with attempt:
            view = SavedView.objects.filter(user=user_id, pk=view_id).first()
            SavedView.objects.filter(user=user_id, pk=view_id).delete()
    return view
