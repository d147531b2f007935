import pytest

from notifications.messenger import updates
from tests.notifications.messenger import fake_telegram
from tests.notifications.messenger.courier import Courier


@pytest.fixture
def telegram(settings):
    """A server that speaks the Bot API, on a real socket."""
    updates.registered.clear()
    updates.next_call_at[0] = 0.0
    settings.TELEGRAM_BOT_TOKEN = fake_telegram.TOKEN
    with fake_telegram.FakeTelegram() as server:
        settings.TELEGRAM_API_URL = server.url
        yield server


@pytest.fixture
def courier(transactional_db, telegram):
    """The worker; it sends in threads of its own, which see only what is committed."""
    made = Courier(telegram)
    yield made
    made.close()
