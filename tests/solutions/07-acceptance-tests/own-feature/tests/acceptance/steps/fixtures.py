from django.contrib.auth.models import User


def create(name):
    return User.objects.create_superuser(name, password="pw")
