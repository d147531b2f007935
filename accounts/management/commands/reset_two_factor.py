from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import two_factor


class Command(BaseCommand):
    help = "Forgets the authenticator app and the recovery codes of an account, for who has lost both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account named {username}.")
        two_factor.turn_off(user)
        self.stdout.write(f"{username} signs in by password alone now, or sets up another app, as the role demands.")
