"""The Russian catalogue: what has to be in it, without gettext's programs. Needs Babel, which only developers have.

It holds our own words, the theme's words that Django does not translate, and the words of Django that ours replace:
those carry the comment INSTEAD, and stay however often the catalogue is refreshed.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import django
import unfold
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

PO = Path(settings.BASE_DIR) / "crm_router" / "locale" / "ru" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
OURS = ["access", "accounts", "core", "crm_router", "leads", "notifications", "operators", "routing"]
INSTEAD = "instead of Django's own"
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], None),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}

# Within f-strings, which Babel can read from Python 3.12 on only.
HIDDEN = [("Welcome", None, "unfold/templatetags/unfold.py")]

MessageId = str | tuple[str, ...] | list[str]


def refreshed() -> Catalog:
    """The catalogue as it stands, with what is new, still empty, and without what is no longer used."""
    catalogue = stored()
    catalogue.msgid_bugs_address = ""
    kept = [message for message in catalogue if INSTEAD in message.user_comments]
    wanted = Catalog(creation_date=catalogue.creation_date)
    for message_id, context, place in sorted(needed(), key=str):
        wanted.add(message_id, context=context, locations=[(place, 1)])
    catalogue.update(wanted, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in kept:
        catalogue[message.id] = message
    return catalogue


def stored() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="ru")


def compiled(catalogue: Catalog) -> bytes:
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def written(catalogue: Catalog) -> bytes:
    buffer = BytesIO()
    write_po(buffer, catalogue, sort_output=True, include_lineno=False, width=120)
    return buffer.getvalue()


def needed() -> Iterator[tuple[MessageId, str | None, str]]:
    """Message, context and file of everything that must have a translation."""
    for package in OURS:
        yield from messages_in(Path(settings.BASE_DIR) / package, package)
    known = translated_by_django()
    for message_id, context, place in messages_of_theme():
        if first(message_id) not in known:
            yield message_id, context, place


def messages_of_theme() -> Iterator[tuple[MessageId, str | None, str]]:
    """Of unfold and of those of its additions that are installed."""
    yield from HIDDEN
    theme = Path(unfold.__file__).parent
    installed = {Path(config.path) for config in apps.get_app_configs()}
    for addition in (path for path in (theme / "contrib").iterdir() if path in installed):
        yield from messages_in(addition, f"unfold/contrib/{addition.name}")
    for message_id, context, place in messages_in(theme, "unfold"):
        if not place.startswith("unfold/contrib/"):
            yield message_id, context, place


def messages_in(folder: Path, name: str) -> Iterator[tuple[MessageId, str | None, str]]:
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")]):
        if "migrations" in path.parts:
            continue
        place = f"{name}/{path.relative_to(folder).as_posix()}"
        for _line, message_id, _comments, context in extract("python", source(path), keywords=KEYWORDS):
            if first(message_id):
                yield message_id, context, place


def source(path: Path) -> BytesIO:
    """The file as Python source: in templates, Django leaves the calls of gettext and blanks out the rest."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        text = re.sub(r"^\s+", "", templatize(text), flags=re.MULTILINE)
    return BytesIO(text.encode())


def translated_by_django() -> set[str]:
    """What Django itself, and its applications in use, say in Russian."""
    root = Path(django.__file__).parent
    folders = [root / "conf", *(Path(a.path) for a in apps.get_app_configs() if a.name.startswith("django."))]
    known = set()
    for folder in folders:
        path = folder / "locale" / "ru" / "LC_MESSAGES" / "django.mo"
        if path.exists():
            with path.open("rb") as file:
                known |= {first(message.id) for message in read_mo(file) if message.string}
    return known


def first(message_id: MessageId) -> str:
    """The singular, of a message that has a plural."""
    return message_id if isinstance(message_id, str) else message_id[0]


def is_translated(message: Message) -> bool:
    """Whether every form has a translation that nobody has to look at again."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(forms) and not message.fuzzy
