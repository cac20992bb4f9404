from django.db import connection
from django.db.utils import OperationalError
from django.http import JsonResponse
from django.views import View


class Alive(View):
    def get(self, request):
        return JsonResponse({"alive": True})


class Ready(View):
    def get(self, request):
        try:
            connection.cursor().execute("SELECT now()")
        except OperationalError as error:
            return JsonResponse({"ready": False, "why": str(error)}, status=503)
        return JsonResponse({"ready": True})
