"""Figures in words, in the active language."""

from django.utils.translation import gettext as _

NO_BREAK = "\u00a0"


def duration_text(seconds: float) -> str:
    """ "45 s", "12 min", "1 h 5 min", "15 h" or "2 d 3 h", in one line: to 5 percent or better."""
    return duration_words(seconds).replace(" ", NO_BREAK)


def duration_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 59.5:
        return _("%(seconds)d s") % {"seconds": round(seconds)}
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60) if minutes < 10 * 60 else (round(minutes / 60), 0)
        found = {"hours": hours, "minutes": minutes}
        return _("%(hours)d h %(minutes)d min") % found if minutes else _("%(hours)d h") % found
    days, hours = divmod(round(seconds / 3600), 24)
    found = {"days": days, "hours": hours}
    return _("%(days)d d %(hours)d h") % found if hours else _("%(days)d d") % found
