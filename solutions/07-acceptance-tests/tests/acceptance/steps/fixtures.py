"""Who and what the scenarios are about."""

from django.contrib.auth import get_user_model

PASSWORD = "correct-horse-battery-staple"
OFFICE = "/admin/"
DOOR = "/admin/login/"


def person(name, *, staff):
    """Somebody with an account."""
    user = get_user_model().objects.create_user(name, password=PASSWORD)
    user.is_staff = staff
    user.save()
    return name


def log_in(context, password):
    """What the visitor sees after the form was sent."""
    form = {"username": context.person, "password": password, "next": OFFICE}
    context.page = context.test.client.post(DOOR, form, follow=True)
