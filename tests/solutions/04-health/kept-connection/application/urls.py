from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

from application.health import Alive, Ready

urlpatterns = [
    path("readyz", Ready.as_view()),
    path("livez", Alive.as_view()),
    path("", lambda request: HttpResponse("Hello.")),
    path("admin/", admin.site.urls),
]
