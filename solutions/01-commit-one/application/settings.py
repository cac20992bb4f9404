"""Everything that Django must know about this project."""

# Everybody who reads this file knows the key. So it protects nothing, yet.
SECRET_KEY = "not-a-secret"

# Helps us to find mistakes. Shows them to every visitor, too.
DEBUG = True

# Empty means this machine only, as long as DEBUG is on.
ALLOWED_HOSTS = []

ROOT_URLCONF = "application.urls"
WSGI_APPLICATION = "application.wsgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
