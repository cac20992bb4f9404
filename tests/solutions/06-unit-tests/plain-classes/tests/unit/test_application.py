import pytest


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz"])
def test_pages(client, path):
    assert client.get(path).status_code == 200


class TestSale:
    def test_off(self, client):
        assert client.get("/sale").status_code == 404

    def test_on(self, client, settings):
        settings.FEATURE_SALE = True
        assert b"half" in client.get("/sale").content
