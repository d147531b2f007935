import pytest

from operators.models import Operator
from routing.models import Source
from tests import characters
from tests.admin.conftest import supervisor

__all__ = ["supervisor"]


@pytest.fixture
def anna(db: None) -> Operator:
    return characters.operator("Anna")


@pytest.fixture
def bot(anna: Operator) -> Source:
    return characters.source("Bot", roster={anna: 10})
