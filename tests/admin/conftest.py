import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def supervisor(db: None, client: Client) -> Client:
    """Somebody who may do everything, at their browser."""
    client.force_login(User.objects.create_superuser("vera"))
    return client
