from django.http import JsonResponse
from django.urls import re_path
from django.views import View


class Home(View):
    def get(self, request):
        return JsonResponse({"welcome": "everybody"})


urlpatterns = [re_path(r"^$", Home.as_view(), name="home")]
