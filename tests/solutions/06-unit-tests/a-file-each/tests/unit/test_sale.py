from unittest import mock

from django.conf import settings
from django.test import Client, SimpleTestCase


class TheSale(SimpleTestCase):
    def look(self, switch):
        with mock.patch.object(settings, "FEATURE_SALE", switch):
            return Client(raise_request_exception=False).get("/sale")

    def test_is_on_and_says_so(self):
        assert "half price" in self.look(True).content.decode()

    def test_is_off(self):
        self.assertEqual(404, self.look(False).status_code)
