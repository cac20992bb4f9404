from django.contrib.auth.models import User


def account(name, **kind):
    return User.objects.create_user(name, password="secret", **kind)
