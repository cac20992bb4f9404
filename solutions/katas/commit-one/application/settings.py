"""Only what this one page needs. What differs between machines comes from the environment."""

import os

# No SECRET_KEY: nothing here signs anything yet, and what isn't there can't leak.
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")

ROOT_URLCONF = "application.urls"
WSGI_APPLICATION = "application.wsgi.application"
