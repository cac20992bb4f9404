"""The pages of this project."""

from django.conf import settings
from django.contrib import admin
from django.db import Error, connection
from django.http import HttpResponse
from django.urls import path
from django.views import View


def home(request):
    """The whole product, for now. Small enough to be in production today."""
    return HttpResponse("It works. And it is live!\n", content_type="text/plain")


def livez(request):
    """Is this process alive? It asks nobody: a restart would mend no database."""
    return HttpResponse("alive\n", content_type="text/plain")


def readyz(request):
    """Should visitors be sent here? Only while the database answers, too."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return HttpResponse("no database\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")


class Sale(View):
    def get(self, request):
        return HttpResponse("<h1>Sale!</h1>")


urlpatterns = [
    path("", home),
    path("admin/", admin.site.urls),
    path("livez", livez),
    path("readyz", readyz),
]

if settings.FEATURE_SALE:
    urlpatterns.append(path("sale", Sale.as_view()))
