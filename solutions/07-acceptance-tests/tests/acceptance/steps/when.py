"""What somebody does."""

import fixtures
from behave import when


@when("she logs in with her password")
@when("he logs in with his password")
def logs_in(context):
    fixtures.log_in(context, fixtures.PASSWORD)


@when("she logs in with a wrong password")
def logs_in_wrongly(context):
    fixtures.log_in(context, "guessed")


@when("she logs out")
def logs_out(context):
    context.page = context.test.client.post("/admin/logout/", follow=True)
