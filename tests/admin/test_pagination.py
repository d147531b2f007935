"""Links to other pages of a list are there when there are other pages."""

from core.changes.models import Change
from routing import operator_actions
from tests import characters

LIST = "/admin/changes/change/"


def test_one_page_has_no_links_and_two_have_those_that_lead_somewhere(supervisor):
    anna = characters.operator("Anna")
    for limit in range(1, 51):
        operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": limit})
    assert Change.objects.count() == 50
    Change.objects.earliest("pk").delete()
    page = supervisor.get(LIST).text
    assert "Previous" not in page
    assert "Next</a>" not in page
    for limit in (60, 61):
        operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": limit})
    first, second = supervisor.get(LIST).text, supervisor.get(f"{LIST}?p=2").text
    assert ("Previous" in first, "Next</a>" in first) == (False, True)
    assert ("Previous" in second, "Next</a>" in second) == (True, False)
