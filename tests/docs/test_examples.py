"""The READMEs' calls with curl get the answers printed below them, in order, on an empty database."""

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

from tests.docs import readme

MOMENT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"')
DRAW = re.compile(r'"draw": [\d.e-]+')


def comparable(text):
    """One spelling for the same JSON in the same order, whatever the time and the draw."""
    spelled = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return DRAW.sub('"draw": <draw>', MOMENT.sub('"<moment>"', spelled))


def run(call, address):
    """What a shell prints that has none of this machine's proxies in its environment; without curl we read it."""
    call = call.replace("http://localhost:8000", address)
    if not shutil.which("curl"):
        return ask(call)
    command = ["bash", "-c", call]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(call):
    """Does what the call says, of the few options of curl that the READMEs use."""
    parser = ArgumentParser()
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    said = parser.parse_args(shlex.split(call.replace("\\\n", " "))[1:])
    body = said.body.encode() if said.body else None
    request = Request(said.url, body, dict(header.split(": ") for header in said.headers), method=said.method)
    try:
        answer = urlopen(request)
    except HTTPError as refusal:
        answer = refusal
    with answer:
        return answer.read().decode()


@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)
def test_each_example_gets_the_answer_printed_below_it(file, live_server):
    examples = readme.examples(file)
    assert len(examples) >= 8
    for call, answer in examples:
        assert comparable(run(call, live_server.url)) == comparable(answer), call


def test_the_readmes_moments_are_in_utc():
    for _, answer in readme.examples(readme.ENGLISH):
        moments = re.findall(r'"(?:\w+_)?at": (".*?")', answer)
        assert all(MOMENT.fullmatch(moment) for moment in moments)


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_without_curl_the_examples_can_be_read(live_server):
    for call, answer in readme.examples(readme.ENGLISH):
        assert comparable(ask(call.replace("http://localhost:8000", live_server.url))) == comparable(answer), call
