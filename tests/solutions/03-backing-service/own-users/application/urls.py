"""The pages of this project."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path


def home(request):
    """The whole product, for now. Small enough to be in production today."""
    return HttpResponse("It works. And it is live!\n", content_type="text/plain")


urlpatterns = [
    path("", home),
    path("admin/", admin.site.urls),
]
