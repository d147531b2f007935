"""What a page is called: the same words in the breadcrumbs at its head, in its title and in the sidebar."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.utils import translation

from tests.accounts.test_roles import addresses, things, user_with

pytestmark = pytest.mark.django_db

NAMELESS = ("logout", "login", "sign_in")  # they lead elsewhere


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def breadcrumbs(page):
    """The parts of the heading."""
    (heading,) = re.findall(r'id="header-inner".*?<h1[^>]*>(.*?)</h1>', page.text, re.S)
    return [words(part) for part in heading.split("chevron_right")]


def title(page):
    """Of the window, without the name of the product."""
    (whole,) = re.findall(r"<title>(.*?)</title>", page.text, re.S)
    return [words(part) for part in whole.split("|")][:-1]


def marked_lines(page, language):
    """The group and the line that are marked in the sidebar."""
    with translation.override(language):
        return [
            [str(group["title"]), str(line["title"])]
            for group in page.context["sidebar_navigation"]
            for line in group["items"]
            if line["active"]
        ]


def pages_with_a_sidebar(browser, language):
    for name, address in addresses(things(user_with(None))):
        if name not in NAMELESS:
            page = browser.get(address, headers={"Accept-Language": language})
            if page.streaming:  # a file
                list(page.streaming_content)  # read to its end it is closed
            elif page.status_code == 200 and 'id="header-inner"' in page.text:
                yield name, page


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_breadcrumbs_the_title_and_the_sidebar_have_the_same_words(admin_client, language):
    wrong, walked = {}, set()
    for name, page in pages_with_a_sidebar(admin_client, language):
        walked.add(name)
        there = breadcrumbs(page)
        for line in marked_lines(page, language):
            if there[:2] != line:
                wrong[name] = (there, line)
        if there[-1] != title(page)[0]:
            wrong[name] = (there, title(page))
    assert wrong == {}
    assert walked >= {f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry}


def test_the_page_of_an_application_leads_to_the_start_page_which_has_the_groups_of_the_sidebar(admin_client):
    assert admin_client.get("/admin/routing/").headers["Location"] == "/admin/"
