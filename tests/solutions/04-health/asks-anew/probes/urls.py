from django.urls import path

from probes import views

urlpatterns = [path("livez", views.live), path("readyz", views.ready)]
