from behave import then


@then("the door is {door}")
def door_is(context, door):
    page = context.visit("/admin/").text
    assert ("Site administration" in page) == (door == "open"), page
