"""What the pages of contacts say after an action: each a message for this number of contacts."""

from django.utils.translation import ngettext

from core.admin.verbs import Done
from operators.models import Operator
from routing.models import Contact


def resolved(count: int) -> str:
    return ngettext("%(count)d contact was resolved.", "%(count)d contacts were resolved.", count) % {"count": count}


def reopened(count: int) -> str:
    return ngettext("%(count)d contact was reopened.", "%(count)d contacts were reopened.", count) % {"count": count}


def given(operator: Operator, count: int) -> str:
    return ngettext(
        "%(count)d contact was assigned to %(name)s.", "%(count)d contacts were assigned to %(name)s.", count
    ) % {
        "count": count,
        "name": operator,
    }


def rerouted(count: int) -> str:
    return ngettext(
        "%(count)d contact was assigned to another operator.",
        "%(count)d contacts were assigned to other operators.",
        count,
    ) % {"count": count}


def returned(count: int) -> str:
    return ngettext(
        "%(count)d contact was returned to the queue.", "%(count)d contacts were returned to the queue.", count
    ) % {"count": count}


def passed_on(count: int) -> str:
    return ngettext(
        "%(count)d contact was returned to the queue and assigned to another operator.",
        "%(count)d contacts were returned to the queue and assigned to other operators.",
        count,
    ) % {"count": count}


def after_return(pk: int) -> Done:
    """The message for a returned contact, which may have been assigned again since."""
    return passed_on if Contact.objects.open().filter(pk=pk).exists() else returned
