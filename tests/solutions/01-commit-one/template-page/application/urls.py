from django.urls import include, path
from django.views.generic import TemplateView

pages = [path("", TemplateView.as_view(template_name="home.html"))]
urlpatterns = [path("", include(pages))]
