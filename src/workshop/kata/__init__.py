"""Katas: timed exercises for teams. Each has a start, a task and a judge."""

from workshop.kata.judging import judge
from workshop.kata.starting import Begun, katas, start

__all__ = ["Begun", "judge", "katas", "start"]
