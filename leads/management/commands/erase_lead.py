from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Busy, Unknown
from leads import erasure, export
from leads.export import Dossier


class Command(BaseCommand):
    help = (
        "Erases a person permanently: identities, name, messages and notes. Open contacts are resolved. Contacts, "
        "decisions and counts stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lead_id", type=int, metavar="ID", help="id of the lead, or of one that was merged into it")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not ask for confirmation"
        )

    def handle(self, *args: Any, lead_id: int, interactive: bool, **options: Any) -> None:
        try:
            dossier = export.export_lead(lead_id=lead_id)
            if dossier.lead.erased_at:
                self.stdout.write(f"Lead {dossier.lead.pk} was erased on {dossier.lead.erased_at:%Y-%m-%d}.")
                return
            self.stdout.write(describe_lead(dossier))
            contents = describe_contents(dossier)
            if interactive:
                self.confirm()
            lead = erasure.erase_lead(lead_id=lead_id)
        except (Unknown, Busy) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Erased permanently: name, {contents}. The contacts stay, without personal data.")
        if lead.resolved_with_erasure:
            self.stdout.write(f"Open contacts resolved: {lead.resolved_with_erasure}.")

    def confirm(self) -> None:
        self.stdout.write("This cannot be undone. Type “yes” to erase: ", ending="")
        self.stdout.flush()
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CommandError("Nothing was erased.")


def describe_lead(dossier: Dossier) -> str:
    lead = dossier.lead
    lines = [f"Lead {lead.pk}, {lead.name or 'without a name'}, known since {lead.created_at:%Y-%m-%d}"]
    lines += [f"  {identity.get_kind_display()}: {identity.value}" for identity in dossier.identities]
    merged = sorted({merge.merged_id for merge in dossier.merges if merge.undone_at is None} - {lead.pk})
    lines += [f"  lead {pk} was merged into it" for pk in merged]
    contacts = dossier.lead.contacts
    still_open = contacts.filter(resolved_at__isnull=True).count()
    open_ones = f", {still_open} of them open: they will be resolved" if still_open else ""
    return "\n".join([*lines, f"  {contacts.count()} contacts{open_ones}"])


def describe_contents(dossier: Dossier) -> str:
    messages = dossier.lead.contacts.filter(message__isnull=False).count()
    return f"{len(dossier.identities)} identities, {messages} messages"
