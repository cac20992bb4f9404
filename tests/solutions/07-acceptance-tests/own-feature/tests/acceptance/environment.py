"""What behave does around the scenarios."""

from django.conf import settings


def before_all(context):
    # Passwords are slow to check on purpose. Nobody wants to guess those of the tests.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def before_scenario(context, scenario):
    """A scenario without a Then promises nothing, so it proves nothing."""
    assert any(step.step_type == "then" for step in scenario.all_steps), "It has no Then."
