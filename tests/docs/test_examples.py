"""The READMEs' calls with curl get the answers printed below them, in order, on an empty database."""

import json
import os
import re
import subprocess

import pytest

from tests.docs import readme

MOMENT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"')
DRAW = re.compile(r'"draw": [\d.e-]+')


def comparable(text):
    """One spelling for the same JSON in the same order, whatever the time and the draw."""
    spelled = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return DRAW.sub('"draw": <draw>', MOMENT.sub('"<moment>"', spelled))


def run(call, address):
    """What a shell prints that has none of this machine's proxies in its environment."""
    command = ["bash", "-c", call.replace("http://localhost:8000", address)]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


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
