from django.contrib import admin

from people.models import Person

admin.site.register(Person)
