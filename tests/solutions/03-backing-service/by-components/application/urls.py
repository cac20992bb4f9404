from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views import View


class Home(View):
    def get(self, request):
        return HttpResponse("<p>Welcome.</p>")


office = admin.AdminSite(name="office")
urlpatterns = [
    re_path(r"^admin/", office.urls),
    path("", include([path("", Home.as_view())])),
]
