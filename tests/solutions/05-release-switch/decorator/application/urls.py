"""The pages of this project."""

from django.conf import settings
from django.contrib import admin
from django.db import Error, connection
from django.http import Http404, HttpResponse
from django.urls import path


def home(request):
    """The whole product, for now. Small enough to be in production today."""
    return HttpResponse("It works. And it is live!\n", content_type="text/plain")


def feature(name):
    """Only while this setting is on."""

    def decorate(view):
        def switched(request, *args, **kwargs):
            if not getattr(settings, name):
                raise Http404
            return view(request, *args, **kwargs)

        return switched

    return decorate


@feature("FEATURE_SALE")
def sale(request):
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
