from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import two_factor
from core.changes.recording import SERVICE


class Command(BaseCommand):
    help = "Removes the authenticator app and the recovery codes of an account whose owner has lost both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"Account {username} does not exist.")
        two_factor.reset_second_factor(user, SERVICE)
        self.stdout.write(
            f"{username} can sign in with the password, and must set up another app if the role requires one."
        )
