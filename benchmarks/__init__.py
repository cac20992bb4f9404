"""What we promise about speed and lost requests, measured: `python -m benchmarks`.

One file a subject. Each measures us and a named peer in turns, in one run, so that a slow or busy
machine slows both.
"""
