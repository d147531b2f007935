import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from access import keys
from access.models import ApiKey
from tests.access import callers

pytestmark = pytest.mark.django_db


def test_stdout_has_the_key_and_nothing_else(telegram, capsys):
    call_command("create_api_key", source=telegram.pk, name="Bot")
    printed, explained = capsys.readouterr()
    assert callers.recognised(printed.removesuffix("\n")).source_id == telegram.pk
    assert "Telegram" in explained
    assert not re.search(keys.FORM, explained)


def test_a_management_key_has_to_be_asked_for(telegram, capsys):
    call_command("create_api_key", management=True, name="Office")
    assert callers.recognised(capsys.readouterr().out.strip()).is_management
    with pytest.raises(CommandError, match="required"):
        call_command("create_api_key", "--name", "Nobody")
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("create_api_key", "--name", "Both", "--management", "--source", str(telegram.pk))


def test_a_key_may_end_after_some_days():
    call_command("create_api_key", management=True, name="Office", expires_in=2)
    soon = timezone.now() + timedelta(days=1, hours=23)
    assert ApiKey.objects.filter(expires_at__gt=soon, expires_at__lt=soon + timedelta(hours=2)).exists()


@pytest.mark.parametrize(
    "wrong",
    [{"source": 404}, {"source": 0}, {"name": " "}, {"name": "x" * 101}, {"expires_in": 0}, {"expires_in": 10**9}],
)
def test_nonsense_makes_no_key(wrong):
    scope = {} if "source" in wrong else {"management": True}
    with pytest.raises(CommandError):
        call_command("create_api_key", **({"name": "Bot"} | scope | wrong))
    assert not ApiKey.objects.exists()
