from behave import given
from fixtures import account


@given("these people")
def these_people(context):
    for row in context.table:
        account(row["name"], is_staff=row["staff"] == "yes", is_superuser=row["staff"] == "yes")
