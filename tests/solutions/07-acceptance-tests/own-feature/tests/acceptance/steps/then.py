from behave import then


@then("the office is {state}")
def office(context, state):
    wanted = {"open": 200, "closed": 302}[state]
    context.test.assertEqual(context.test.client.get("/admin/").status_code, wanted)
