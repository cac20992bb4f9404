import os
from http import HTTPStatus

import psycopg
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
async def live(request):
    return HttpResponse(status=HTTPStatus.OK)


@require_safe
def ready(request):
    """A connection of its own, so that nothing is remembered."""
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=1) as connection:
            found = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
    except psycopg.Error as error:
        return JsonResponse({"error": type(error).__name__}, status=503)
    return JsonResponse({"migrations": found[0]})
