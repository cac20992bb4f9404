import ast

from workshop.checks import expect


def test_there_is_an_app(project):
    """There is a file `app.py`."""
    there = (project.path / "app.py").is_file()
    expect(there, seen="there is no app.py", expected="a file app.py", do="Write it.")


def test_app_is_python(project):
    """`app.py` is Python."""
    file = project.path / "app.py"
    expect(file.is_file(), seen="there is no app.py", expected="Python", do="Write it.")
    ast.parse(file.read_text(encoding="utf-8"))
