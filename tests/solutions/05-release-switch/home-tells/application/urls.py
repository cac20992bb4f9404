"""The pages of this project."""

from django.conf import settings
from django.contrib import admin
from django.db import Error, connection
from django.http import Http404, HttpResponse
from django.urls import path


def home(request):
    """The whole product, for now. Small enough to be in production today."""
    text = "It works. And it is live!\n"
    if settings.FEATURE_SALE:
        text += "The sale is on: /sale\n"
    return HttpResponse(text, content_type="text/plain")


def sale(request):
    """The sale. While it is off, there is no such page, for nobody."""
    if not settings.FEATURE_SALE:
        raise Http404
    return HttpResponse("Everything at half price, today only.\n", content_type="text/plain")


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


urlpatterns = [
    path("", home),
    path("sale", sale),
    path("admin/", admin.site.urls),
    path("livez", livez),
    path("readyz", readyz),
]
