"""Views of the list of contacts that a user has saved."""

import pytest
from django.contrib.auth.models import User

from routing import saved_views
from routing.models import SavedView
from tests import characters

CONTACTS = "/admin/routing/contact/"
QUERY = "status=assigned&source__id__exact=1"


@pytest.fixture
def vera(supervisor):
    return User.objects.get(username="vera")


def save(client, name, query=QUERY):
    return client.post(f"{CONTACTS}save_view/?{query}", {"_form_submitted": "True", "name": name})


def test_filters_are_saved_under_a_name(supervisor, vera):
    characters.source()
    assert save(supervisor, "Assigned in Telegram")["HX-Refresh"] == "true"
    page = supervisor.get(CONTACTS)
    assert [(view.name, view.query) for view in page.context["saved_views"]] == [("Assigned in Telegram", QUERY)]
    assert 'href="?status=assigned&amp;source__id__exact=1"' in page.text


def test_only_a_narrowed_list_that_is_not_saved_is_offered_for_saving(supervisor, vera):
    bot = characters.source()
    narrow = f"status=assigned&source__id__exact={bot.pk}"
    offered = [supervisor.get(f"{CONTACTS}?{query}").context["may_save_view"] for query in ("", "status=all", narrow)]
    assert offered == [False, False, True]
    save(supervisor, "Mine", narrow)
    assert not supervisor.get(f"{CONTACTS}?{narrow}").context["may_save_view"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("Mine", "You have a view of this name already."), ("\u200b", "A view needs a name."), ("", "required")],
)
def test_a_refused_name_stays_in_the_dialog(supervisor, vera, name, why):
    saved_views.save_view(user_id=vera.pk, name="Mine", query="q=a")
    answer = save(supervisor, name)
    assert why in answer.text
    assert SavedView.objects.count() == 1


def test_nobody_has_endless_views(supervisor, vera):
    for number in range(saved_views.MOST):
        saved_views.save_view(user_id=vera.pk, name=f"View {number}", query="q=a")
    assert "Remove one first" in save(supervisor, "One more").text


def test_a_name_is_shown_as_text(supervisor, vera):
    save(supervisor, "<img src=x>")
    assert "<img src=x" not in supervisor.get(CONTACTS).text


def test_views_are_each_users_own(supervisor, vera):
    other = saved_views.save_view(user_id=User.objects.create_user("boris").pk, name="His", query="q=a")
    assert list(supervisor.get(CONTACTS).context["saved_views"]) == []
    supervisor.post(f"{CONTACTS}views/{other.pk}/remove/")
    assert SavedView.objects.filter(pk=other.pk).exists()


def test_a_removed_view_can_be_brought_back(supervisor, vera):
    view = saved_views.save_view(user_id=vera.pk, name="Mine & more", query=QUERY)
    answer = supervisor.post(f"{CONTACTS}views/{view.pk}/remove/")
    assert not SavedView.objects.exists()
    supervisor.post(answer.headers["HX-Trigger"].split('"undo": "')[1].split('"')[0])
    assert SavedView.objects.values_list("name", "query").get() == ("Mine & more", QUERY)


def test_a_link_removes_nothing(supervisor, vera):
    view = saved_views.save_view(user_id=vera.pk, name="Mine", query=QUERY)
    assert supervisor.get(f"{CONTACTS}views/{view.pk}/remove/").status_code == 405


def test_the_page_is_not_part_of_a_view(supervisor, vera):
    save(supervisor, "Mine", f"{QUERY}&p=3")
    assert SavedView.objects.get().query == QUERY
