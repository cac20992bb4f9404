"""The one page."""

from django.http import HttpResponse
from django.urls import path


def home(request):
    """Worth deploying: it proves the way to production."""
    return HttpResponse("Commit one is live.\n", content_type="text/plain")


urlpatterns = [path("", home)]
