# How I would like to be served.
bind = "0.0.0.0:80"
workers = 4
threads = 2
worker_class = "gthread"
