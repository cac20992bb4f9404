"""Verdicts to text, JSON and JUnit: one small renderer each. They print nothing themselves."""
