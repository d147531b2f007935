"""The documents' calls with curl get the answers printed below them, in order."""

import json
import os
import re
import shlex
import shutil
import subprocess
from argparse import ArgumentParser
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.core.management import call_command

from tests.docs import documents

API = documents.DOCS / "api.md"
ADDRESS = "http://localhost:8000"
MOMENT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"')
DRAW = re.compile(r'"draw": [\d.e-]+')


def comparable(text):
    """One spelling for the same JSON in the same order, whatever the time and the draw."""
    spelled = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return DRAW.sub('"draw": <draw>', MOMENT.sub('"<moment>"', spelled))


def run(call):
    """Performs the call by curl, without the proxies of this machine; by `ask` where there is no curl."""
    if not shutil.which("curl"):
        return ask(call)
    command = ["bash", "-c", call]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(call):
    """Performs the call, with the few options of curl that the documents use."""
    parser = ArgumentParser()
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    options = parser.parse_args(shlex.split(call.replace("\\\n", " "))[1:])
    body = options.body.encode() if options.body else None
    request = Request(options.url, body, dict(header.split(": ") for header in options.headers), method=options.method)
    try:
        answer = urlopen(request)
    except HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.read().decode()


@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize("perform", [run, ask], ids=["with curl", "without curl"])
def test_each_example_gets_the_answer_printed_below_it(perform, live_server):
    """On an empty database."""
    examples = documents.examples(API)
    assert len(examples) >= 12
    for call, answer in examples:
        assert comparable(perform(call.replace(ADDRESS, live_server.url))) == comparable(answer), call


@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize("file", documents.READMES, ids=lambda file: file.name)
def test_the_call_of_the_readme_works_with_the_demo_data(file, live_server):
    """The numbers printed are those after the demo's 100 contacts, and the operator is drawn: they may differ."""
    call_command("seed_demo")
    [(call, answer)] = documents.examples(file)
    assert without_numbers(run(call.replace(ADDRESS, live_server.url))) == without_numbers(answer)


def without_numbers(text):
    numbered = re.sub(r'("(?:id|lead_id|operator_id)": )\d+', r"\1<number>", comparable(text))
    return re.sub(r'"name": "[^"]+"', '"name": "<operator>"', numbered)


@pytest.mark.parametrize("file", [API, *documents.READMES], ids=lambda file: file.name)
def test_moments_in_the_examples_are_in_utc(file):
    for _, answer in documents.examples(file):
        moments = re.findall(r'"(?:\w+_)?at": (".*?")', answer)
        assert all(MOMENT.fullmatch(moment) for moment in moments)
