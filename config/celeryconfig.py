"""What an operator may tune. The settings that the promises rest on are in synctasks/app.py."""

# Worker processes. They mostly wait for the databases, so more than the cores is right.
worker_concurrency = 4

# Give memory back now and then; a small number would cost latency at each restart of a child.
worker_max_tasks_per_child = 10_000
worker_max_memory_per_child = 400_000  # KiB

# A second's work is the rule; these end what hangs. Statement timeouts at the servers come first.
task_soft_time_limit = 240
task_time_limit = 300

# Workers tell of each task that it came, began and ended; Flower lives on that, and nothing else
# does. Nobody listening, Redis drops it at once. Without Flower it may be False.
worker_send_task_events = True

# How logs look, and from which level on, is in the environment: SYNCTASKS_LOG_FORMAT and
# SYNCTASKS_LOG_LEVEL, see docs/logs.md. Celery's --loglevel and --logfile change nothing.
