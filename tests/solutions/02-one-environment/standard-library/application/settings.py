from os import environ

ROOT_URLCONF = "application.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

SECRET_KEY = environ["SECRET_KEY"]
DEBUG = environ.get("DEBUG", "").lower() in ("1", "on", "true", "yes")
ALLOWED_HOSTS = [name.strip() for name in environ.get("ALLOWED_HOSTS", "").split(",")]
