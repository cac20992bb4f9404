# The whole project in one module.
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(SECRET_KEY="?", DEBUG=True, ROOT_URLCONF=__name__)
urlpatterns = [path("", lambda request: HttpResponse("<h1>Hello</h1>"))]
application = get_wsgi_application()
