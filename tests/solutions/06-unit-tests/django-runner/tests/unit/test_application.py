from django.test import SimpleTestCase, TestCase, override_settings


class Pages(SimpleTestCase):
    def test_home(self):
        self.assertContains(self.client.get("/"), "live")

    @override_settings(FEATURE_SALE=True)
    def test_sale_on(self):
        self.assertContains(self.client.get("/sale"), "half price")

    @override_settings(FEATURE_SALE=False)
    def test_sale_off(self):
        self.assertEqual(self.client.get("/sale").status_code, 404)


class Ready(TestCase):
    def test_ready(self):
        self.assertContains(self.client.get("/readyz"), "ready")
