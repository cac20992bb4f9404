import re
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from behave import fixture, use_fixture


@fixture
def browser(context):
    opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def visit(path, **form):
        request = Request(context.base_url + path)
        if form:
            token = re.search('csrfmiddlewaretoken" value="(.+?)"', context.seen.text)
            form["csrfmiddlewaretoken"] = token[1] if token else ""
            request = Request(context.base_url + path, urlencode(form).encode())
        try:
            answer = opener.open(request)
        except HTTPError as error:
            answer = error
        context.seen = answer
        context.seen.text = answer.read().decode()
        return answer

    context.seen = None
    context.visit = visit
    yield visit


def before_scenario(context, scenario):
    if not [step for step in scenario.all_steps if step.step_type == "then"]:
        raise ValueError("What is promised here?")
    use_fixture(browser, context)
