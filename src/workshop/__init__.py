"""The engine of the workshop: it knows git, pytest and Sphinx, and nothing about the course."""

__version__ = "0.1.0"
