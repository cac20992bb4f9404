# How I would like to be served.
workers = 3
preload_app = False
timeout = 5
max_requests = 1
