"""docs/observability.md, the dashboard and the alert rules are compared with what the service reports."""

import json
import re

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from crm_router.observability import logs, scrape
from tests import characters
from tests.docs import documents

GUIDE = documents.ROOT / "docs/observability.md"
ALERTS = documents.ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = documents.ROOT / "deploy/grafana/crm-lead-router.json"
ALWAYS = {"timestamp", "level", "logger", "event", "request_id", "process", "exception"}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""], "info": ["_info"]}

pytestmark = pytest.mark.django_db


@pytest.fixture
def families() -> list[Metric]:
    characters.source()
    return [family for family in scrape.build_registry().collect() if family.name.startswith("crm_router_")]


def series(families):
    """Every name that a query may use."""
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def expressions():
    rules = [rule["expr"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return rules + [target["expr"] for panel in panels for target in panel.get("targets", [])]


def rows(heading):
    """First cells of the table below a heading."""
    _, _, below = GUIDE.read_text().partition(f"\n## {heading}\n")
    return re.findall(r"^\| `(\w+)`", below.partition("\n## ")[0], re.M)


def test_rules_and_panels_ask_for_metrics_that_are_there(families):
    asked = {name for expression in expressions() for name in re.findall(r"crm_router_\w+", expression)}
    assert asked - series(families) == set()


def test_every_metric_has_a_panel_or_a_rule(families):
    everything = " ".join(expressions())
    assert [family.name for family in families if family.name not in everything] == []


def test_rules_and_panels_ask_for_labels_that_are_there(families):
    """What stands in by (...) and {...} is a label of some metric."""
    labels = {"le", "job", "instance"} | set(re.findall(r"`(\w+)`", GUIDE.read_text()))
    asked = {
        label
        for expression in expressions()
        for group in re.findall(r"(?:by|on|group_left) \(([^)]*)\)|{([^}]*)}", expression)
        for label in re.findall(r"(\w+)(?=\s*(?:,|$|[=!]))", ",".join(group))
    }
    assert asked - labels == set()


def test_the_guide_explains_every_metric_and_no_other(families):
    documented = rows("Metrics")
    expected = {
        family.name + ("_total" if family.type == "counter" else "_info" if family.type == "info" else "")
        for family in families
    }
    assert set(documented) == expected
    assert len(documented) == len(set(documented))


def test_the_guide_explains_every_field_of_the_log_and_no_other():
    assert set(rows("The log")) == ALWAYS | set(logs.FIELDS)


def test_the_guides_example_is_a_line_of_the_log():
    [line] = re.findall(r"^```json\n(.*)\n```$", GUIDE.read_text(), re.M)
    assert set(json.loads(line)) <= ALWAYS | set(logs.FIELDS)


def test_prometheus_scrapes_the_ports_that_compose_publishes():
    [config] = [block.text for block in documents.blocks(GUIDE) if block.language == "yaml"]
    [job] = yaml.safe_load(config)["scrape_configs"]
    compose = yaml.safe_load((documents.ROOT / "deploy/compose.production.yaml").read_text())
    published = [port.rpartition(":")[0] for port in compose["services"]["nginx"]["ports"]]
    assert job["static_configs"][0]["targets"] == [port for port in published if port.startswith("127.0.0.1:")]
    assert f'job="{job["job_name"]}"' in " ".join(expressions())


def test_every_rule_says_what_is_wrong():
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("critical", "warning")
