"""What visitors, the business and whoever runs us may rely on."""

import pytest
from django.db import OperationalError, connection


def test_home(client):
    answer = client.get("/")
    assert answer.status_code == 200
    # Half of it was tested once, and the other half went wrong: see Roll back.
    assert answer.text == "It works. And it is live!\n"


@pytest.mark.parametrize(("switch", "status"), [(True, 200), (False, 404)])
def test_sale(client, settings, switch, status):
    settings.FEATURE_SALE = switch
    assert client.get("/sale").status_code == status


def test_alive_without_a_database(client):
    # It has no mark `django_db`: whoever asks the database here is refused.
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_ready(client):
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_database(client, monkeypatch):
    def away():
        raise OperationalError("no connection")

    monkeypatch.setattr(connection, "cursor", away)
    assert client.get("/readyz").status_code == 503
