from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", include("probes.urls")),
    path("", lambda request: HttpResponse("Hello.")),
    path("admin/", admin.site.urls),
]
