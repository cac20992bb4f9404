"""Everything that Django must know about this project.

What differs from place to place comes from environment variables. The code is
the same everywhere.
"""

from pathlib import Path

import environ

env = environ.Env()

# No default: without its key this must not start, in no place.
SECRET_KEY = env("SECRET_KEY")

# Off, unless somebody asks for it. Forgetting must be safe.
DEBUG = env.bool("DEBUG", default=False)

# The names that we answer to, separated by commas. Nobody else's.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

# An attached resource: another address is another database, with the same code.
DATABASES = {"default": env.db("DATABASE_URL")}

# Finished, and switched off. The business says when, and in which environment.
FEATURE_SALE = env.bool("FEATURE_SALE", default=False)

ROOT_URLCONF = "application.urls"
WSGI_APPLICATION = "application.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_probes",
    # What only this place needs, such as a tool for tests. Production needs nothing.
    *env.list("EXTRA_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# What the admin needs to draw its pages.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Stylesheets and the like: where visitors find them, and where all of them are collected.
STATIC_URL = "static/"
STATIC_ROOT = Path(__file__).parents[1] / "static"

# Does somebody end TLS in front of us? Only then is what X-Forwarded-Proto says believed.
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS

# Whose pages may send us forms, besides our own: https://www.example.org
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
