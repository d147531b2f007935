"""What an address answers may repeat the client's data: of an erased person it is deleted."""

import pytest

from leads import erasure
from notifications.messenger import fan_out
from notifications.models import Attempt
from tests import characters
from tests.notifications.messenger.courier import wait_until_settled
from tests.notifications.webhooks.conftest import deliver

pytestmark = pytest.mark.django_db(transaction=True)


def answers(contact):
    return set(Attempt.objects.filter(delivery__contact_id=contact.pk).values_list("answer", flat=True))


def test_answers_about_an_erased_person_are_deleted(bot, webhook):
    fan_out.fan_out_notices()
    ivan, maria = characters.contact(bot), characters.contact(bot)
    deliver()
    assert answers(ivan) == {"thank you"}
    erasure.erase_lead(lead_id=ivan.lead_id)
    wait_until_settled()
    fan_out.fan_out_notices()
    assert (answers(ivan), answers(maria)) == ({""}, {"thank you"})


def test_an_answer_that_comes_after_the_erasure_is_not_kept(bot, webhook):
    ivan = characters.contact(bot)
    erasure.erase_lead(lead_id=ivan.lead_id)
    deliver()
    assert answers(ivan) == {""}
