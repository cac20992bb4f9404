from pathlib import Path

import environ

env = environ.FileAwareEnv(DEBUG=(bool, False), ALLOWED_HOSTS=(list, []), SECRET_KEY=(str,))
env.read_env(Path(__file__).parents[1] / ".env")

MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.security.SecurityMiddleware",
]
ROOT_URLCONF = "application.urls"

ALLOWED_HOSTS = [*env("ALLOWED_HOSTS")]
DEBUG = env("DEBUG")
SECRET_KEY = env("SECRET_KEY")
