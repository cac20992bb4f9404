"""Everything that Django must know about this project.

What differs from place to place comes from environment variables. The code is
the same everywhere.
"""

import environ

env = environ.Env()

# No default: without its key this must not start, in no place.
SECRET_KEY = env("SECRET_KEY")

# Off, unless somebody asks for it. Forgetting must be safe.
DEBUG = env.bool("DEBUG", default=False)

# The names that we answer to, separated by commas. Nobody else's.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

ROOT_URLCONF = "application.urls"
WSGI_APPLICATION = "application.wsgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
