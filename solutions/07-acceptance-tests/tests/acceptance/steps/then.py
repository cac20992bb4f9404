"""What must be so in the end."""

import fixtures
from behave import then


@then("she sees the office")
def sees_the_office(context):
    assert context.page.status_code == 200, context.page.status_code
    assert context.page.request["PATH_INFO"] == fixtures.OFFICE, context.page.request


@then("she is greeted by name")
def is_greeted_by_name(context):
    assert context.person in context.page.text, "The page does not say the name."


@then("she is told that it was wrong")
def is_told_that_it_was_wrong(context):
    assert "Please enter the correct" in context.page.text, context.page.text


@then("she does not see the office")
@then("he does not see the office")
def does_not_see_the_office(context):
    answer = context.test.client.get(fixtures.OFFICE)
    assert answer.status_code == 302, f"The office answers {answer.status_code}."
    assert answer.url.startswith(fixtures.DOOR), f"It leads to {answer.url}."
