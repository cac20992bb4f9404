import os
import sys


def setting(name):
    if not os.environ.get(name):
        sys.exit(f"Please set {name}, then start me again.")
    return os.environ[name]


SECRET_KEY = setting("SECRET_KEY")
DEBUG = os.environ.get("DEBUG") == "True"
ALLOWED_HOSTS = setting("ALLOWED_HOSTS").split(",")
ROOT_URLCONF = "application.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
