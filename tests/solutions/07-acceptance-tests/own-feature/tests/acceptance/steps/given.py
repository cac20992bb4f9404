from behave import given
from fixtures import create


@given('a colleague named "{name}"')
def colleague(context, name):
    context.user = create(name)


@given("a stranger")
def stranger(context):
    context.user = None
