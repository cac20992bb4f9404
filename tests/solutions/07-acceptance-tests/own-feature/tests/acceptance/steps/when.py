from behave import step


@step('the password "{password}" is entered')
def entered(context, password):
    data = {"username": getattr(context.user, "username", "x"), "password": password}
    context.test.client.post("/admin/login/", data)


@step("the colleague leaves")
def leave(context):
    context.test.client.post("/admin/logout/")
