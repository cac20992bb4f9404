from workshop.checks import expect


def test_name(project):
    """The page greets the world."""
    text = (project.path / "app.py").read_text(encoding="utf-8")
    expect("World" in text, seen="it says hello to nobody", expected="World", do="Say it.")
