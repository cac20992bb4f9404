import pytest


@pytest.fixture(autouse=True)
def database(db):
    """Every test may ask the database."""
