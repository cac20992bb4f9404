"""How it begins."""

import fixtures
from behave import given


@given("Ada works here")
def ada_works_here(context):
    context.person = fixtures.person("ada", staff=True)


@given("Bob is a customer")
def bob_is_a_customer(context):
    context.person = fixtures.person("bob", staff=False)


@given("she has logged in")
def has_logged_in(context):
    fixtures.log_in(context, fixtures.PASSWORD)
