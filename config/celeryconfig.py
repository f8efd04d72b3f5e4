"""What an operator may tune. The settings that the promises rest on are in synctasks/app.py."""

# Worker processes. They mostly wait for the databases, so more than the cores is right.
worker_concurrency = 4

# Give memory back now and then; a small number would cost latency at each restart of a child.
worker_max_tasks_per_child = 10_000
worker_max_memory_per_child = 400_000  # KiB

# A second's work is the rule; these end what hangs. Statement timeouts at the servers come first.
task_soft_time_limit = 240
task_time_limit = 300

# Lines that people read. Arguments are never logged: they hold keys.
worker_log_format = "%(asctime)s %(levelname)s %(message)s"
worker_task_log_format = "%(asctime)s %(levelname)s %(task_name)s %(message)s"
