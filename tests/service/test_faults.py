"""What tests of the service look for in its log is what it logs."""

import io
import logging
import traceback

import pytest

from crm_router.observability import logs
from tests.service.running import faults_in

pytestmark = pytest.mark.once


@pytest.mark.parametrize("form", ["line", "json"])
def test_an_error_is_a_fault_and_a_warning_is_none(form: str) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logs.Formatter(form))
    logger = logging.Logger("crm_router.test")
    logger.addHandler(handler)
    logger.warning("ERROR is a word")
    assert faults_in(log.getvalue()) == []
    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.exception("It failed")
    [fault] = faults_in(log.getvalue())
    assert "It failed" in fault


def test_a_traceback_that_nobody_has_logged_is_a_fault() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        assert len(faults_in(f"Starting\n{traceback.format_exc()}")) == 1
