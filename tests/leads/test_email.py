import pytest

from leads.identities import Unreadable, normal_email


@pytest.mark.parametrize("spelling", ["anna@example.com", " Anna@Example.COM ", "ANNA@EXAMPLE.COM"])
def test_every_spelling_of_an_address_is_the_same_address(spelling):
    assert normal_email(spelling) == "anna@example.com"


def test_international_domains_have_one_form():
    assert normal_email("anna@xn--e1afmkfd.xn--p1ai") == normal_email("Anna@Пример.рф") == "anna@пример.рф"


@pytest.mark.parametrize("spelling", ["anna", "anna@", "@example.com", "a b@example.com", "anna@example", "a@b@c.com"])
def test_what_cannot_be_an_address_is_refused(spelling):
    with pytest.raises(Unreadable):
        normal_email(spelling)
