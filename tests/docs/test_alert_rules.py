"""The example rules, checked by Prometheus itself."""

import subprocess

import pytest
import yaml

from tests.docs import documents

FOLDER = documents.ROOT / "deploy/prometheus"
FILES = sorted(FOLDER.glob("*.yml"))

NOBODY_WAITS = {'crm_router_queue_length{source="1"}': "0x200"}
SOMEBODY_WAITS = {'crm_router_queue_length{source="1"}': "0x200", 'crm_router_queue_length{source="2"}': "1x200"}
EVERYBODY_OFF_DUTY = {"crm_router_free_places": "0x200"}

pytestmark = [pytest.mark.once, pytest.mark.promtool]


def promtool(*arguments):
    result = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def require(tmp_path):
    """Checks that an alert is on, or off, an hour and a half after the first sample of these series."""

    def require(alert, *, on, seen):
        question = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)'
        answer = {"expr": question, "eval_time": "90m", "exp_samples": [{"labels": "{}", "value": float(on)}]}
        series = [{"series": name, "values": values} for name, values in seen.items()]
        test = {"interval": "1m", "input_series": series, "promql_expr_test": [answer]}
        rules = tmp_path / "rules.yml"
        rules.write_text(yaml.safe_dump({"rule_files": list(map(str, FILES)), "tests": [test]}))
        promtool("test", "rules", rules)

    return require


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_prometheus_understands_the_rules(file):
    promtool("check", "rules", file)


def test_free_places_raise_an_alert_only_while_somebody_waits(require):
    require("NoFreePlaces", on=False, seen=EVERYBODY_OFF_DUTY | NOBODY_WAITS)
    require("NoFreePlaces", on=True, seen=EVERYBODY_OFF_DUTY | SOMEBODY_WAITS)


@pytest.mark.parametrize(
    ("alert", "moment"),
    [
        ("NotSwept", "crm_router_last_sweep_timestamp_seconds"),
        ("NotTallied", "crm_router_last_tally_timestamp_seconds"),
        ("NotPruned", "crm_router_last_prune_timestamp_seconds"),
        ("NotChecked", "crm_router_last_check_timestamp_seconds"),
        ("BackupIsOld", "crm_router_last_backup_timestamp_seconds"),
    ],
)
def test_work_that_was_done_too_long_ago_raises_an_alert(require, alert, moment):
    """The clock of such tests begins at 0, so that what lies days back is below it."""
    days_ago = -3 * 86400
    require(alert, on=True, seen={moment: f"{days_ago}x200"})
    require(alert, on=False, seen={moment: "0+60x200"})


@pytest.mark.parametrize(("findings", "on"), [(1, True), (0, False)])
def test_what_the_nightly_check_has_found_raises_an_alert(require, findings, on):
    require("CheckHasFound", on=on, seen={"crm_router_check_findings": f"{findings}x200"})


@pytest.mark.parametrize(("done", "on"), [("5x200", True), ("0+1x200", False)])
def test_sweeps_that_all_fail_raise_an_alert(require, done, on):
    failing = {'crm_router_sweeps_total{outcome="failed"}': "0+1x200"}
    require("SweepsFail", on=on, seen=failing | {'crm_router_sweeps_total{outcome="done"}': done})


def test_a_missing_backup_metric_raises_an_alert(require):
    require("BackupIsOld", on=True, seen=NOBODY_WAITS)


@pytest.mark.parametrize(("room", "on"), [(19, True), (21, False)])
def test_a_disk_raises_an_alert_before_it_is_full(require, room, on):
    disk = {'node_filesystem_avail_bytes{mountpoint="/"}': room, 'node_filesystem_size_bytes{mountpoint="/"}': 100}
    require("DiskAlmostFull", on=on, seen={name: f"{number}x200" for name, number in disk.items()})


@pytest.mark.parametrize(("restarts", "on"), [("0+1x200", True), ("5x200", False)])
def test_an_instance_that_restarts_repeatedly_raises_an_alert(require, restarts, on):
    require(
        "InstanceDies", on=on, seen={'node_systemd_service_restart_total{name="crm-router@8001.service"}': restarts}
    )


@pytest.mark.parametrize(("days", "on"), [(13, True), (15, False)])
def test_a_certificate_raises_an_alert_two_weeks_before_its_end(require, days, on):
    require("CertificateEnds", on=on, seen={"probe_ssl_earliest_cert_expiry": f"{days * 86400 + 5400}x200"})
