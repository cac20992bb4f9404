from django.db import Error, connection
from django.http import HttpResponse


def probes(get_response):
    """Answer the probes before any other middleware works."""

    def middleware(request):
        if request.path == "/livez":
            return HttpResponse("ok")
        if request.path == "/readyz":
            try:
                connection.close_if_unusable_or_obsolete()
                connection.ensure_connection()
            except Error:
                return HttpResponse("away", status=503)
            return HttpResponse("ok")
        return get_response(request)

    return middleware
