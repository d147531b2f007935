"""docs/model: the protocol as Spin checks it, and the page that says where each of its steps stands in the code."""

import ast
import re

import model
import model_scenarios
import pytest

from tests.docs import documents

FOLDER = documents.DOCS / "model"
PAGE = FOLDER / "README.md"

pytestmark = pytest.mark.once
STEPS = documents.section(PAGE, "## Steps")


def rows(section):
    """The cells of its table, without the head."""
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]


@pytest.mark.spin
@pytest.mark.parametrize("scenario", model_scenarios.SMALL, ids=lambda scenario: scenario.title)
def test_it_holds_and_each_guard_is_needed(scenario):
    results = list(model.run_checks(model.checks_of([scenario])))
    assert len(results) == 1 + len(scenario.controls)
    assert [str(result) for result in results if not result.is_right] == []


def names_in(file):
    """The functions, classes and constants of a module, and the methods of its classes."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("step", rows(STEPS), ids=lambda step: step[0])
def test_each_step_is_in_the_model_and_in_the_code(step):
    in_model, module, functions = step[:3]
    [name] = re.findall(r"`(\w+)`", in_model)
    assert any(re.search(rf"\b{name}\b", file.read_text()) for file in FOLDER.glob("*.pml"))
    assert set(re.findall(r"`(\w+)`", functions)) <= names_in(documents.ROOT / module.strip("`"))
    assert "`" in functions


def test_each_guard_of_the_models_has_a_control():
    guards = {name for file in FOLDER.glob("*.pml") for name in re.findall(r"\bWITHOUT_\w+", file.read_text())}
    controls = {guard for scenario in model_scenarios.SMALL for guard in scenario.controls}
    assert guards == controls


def test_the_page_names_each_guard():
    named = set(re.findall(r"`(WITHOUT_\w+)`", documents.section(PAGE, "## Guards")))
    assert named == {guard for scenario in model_scenarios.SMALL for guard in scenario.controls}


def test_each_property_is_checked_by_a_control():
    asserted = {name for file in FOLDER.glob("*.pml") for name in re.findall(r"assert\((\w+)\)", file.read_text())}
    expected = {error for scenario in model_scenarios.SMALL for error in scenario.controls.values()}
    assert asserted | {model_scenarios.DEADLOCK} == expected


# What Spin's verifier prints, shortened.
HOLDS = "State-vector 96 byte, depth reached 155, errors: 0\n 264 states, stored\n"
FAILS = (
    "pan:1: assertion violated limit_is_kept (at depth 125)\nWarning: Search not completed\n"
    "State-vector 96 byte, depth reached 155, errors: 1\n 264 states, stored\n"
)
[SCENARIO, *_] = model_scenarios.SMALL


@pytest.mark.parametrize(
    ("output", "expected", "is_right"),
    [
        (HOLDS, None, True),
        (FAILS, "limit_is_kept", True),
        (FAILS, None, False),
        (FAILS, "nobody_waits", False),
        (HOLDS, "limit_is_kept", False),
        ("error: max search depth too small\n" + HOLDS, None, False),
        ("pan: out of memory\nWarning: Search not completed\n" + HOLDS, None, False),
        ("pan: reached -DMEMLIM bound\nWarning: Search not completed\n" + HOLDS, None, False),
        ("Killed\n", None, False),
    ],
    ids=[
        "holds", "fails as it must", "fails", "another error", "a guard that is not needed",
        "too deep", "no memory", "memory limit", "killed",
    ],
)  # fmt: skip
def test_only_a_search_that_ended_with_what_was_expected_is_right(output, expected, is_right):
    assert model.read_result(model.Check(SCENARIO, expected and "WITHOUT_X", expected), output).is_right == is_right
