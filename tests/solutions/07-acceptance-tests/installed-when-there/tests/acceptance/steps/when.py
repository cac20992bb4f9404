from behave import when


@when("{name} comes with the {which} key")
def comes(context, name, which):
    context.visit("/admin/login/")
    password = "secret" if which == "right" else "wrong"
    context.visit("/admin/login/", username=name, password=password, next="/admin/")


@when("she leaves")
def leaves(context):
    context.visit("/admin/")
    context.visit("/admin/logout/", x="")
