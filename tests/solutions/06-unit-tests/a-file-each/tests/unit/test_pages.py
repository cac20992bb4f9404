from urllib.request import urlopen


def test_home(live_server):
    with urlopen(live_server.url) as answer:
        assert answer.read()


def test_ready(live_server):
    with urlopen(f"{live_server}/readyz") as answer:
        assert b"ready" in answer.read()
