import pytest

from routing import fairness, lifecycle
from routing.models import Contact, Source
from tests import characters
from tests.concurrency.threads import together


@pytest.mark.django_db(transaction=True)
def test_hundreds_of_contacts_from_eight_bots_are_within_three_of_the_exact_shares():
    weights = (10, 30, 60)
    team = [characters.operator(f"Operator {weight}", limit=100) for weight in weights]
    bot = characters.source(roster=dict(zip(team, weights, strict=True)))
    Source.objects.filter(pk=bot.pk).update(strategy="smooth")

    def write():
        for _ in range(50):
            lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)

    together(*[write] * 8)
    served = [Contact.objects.filter(operator=member).count() for member in team]
    assert [abs(count - 4 * weight) <= 3 for count, weight in zip(served, weights, strict=True)] == [True] * 3
    assert {share.verdict for share in fairness.shares(bot.pk, None, None)} == {fairness.FAIR}
