"""What scripts/check says of known vulnerabilities, and that it does not fail for want of a network."""

import audit
import pytest

pytestmark = [pytest.mark.service, pytest.mark.once]

FAULTY = {"name": "example", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def test_a_known_vulnerability_is_told_with_what_mends_it():
    sound = {"name": "sound", "version": "2.0", "vulns": []}
    assert audit.described({"dependencies": [FAULTY, sound]}) == ["example 1.0: PYSEC-1, mended in 1.1"]


def test_without_a_network_it_says_so_and_does_not_fail(monkeypatch, capsys):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    audit.main(["requirements.txt"])
    assert "!!! requirements.txt WAS NOT AUDITED" in capsys.readouterr().out
