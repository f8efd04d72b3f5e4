"""What an operator may tune of Flower: `celery -A synctasks flower`.

Each is one of Flower's own options; FLOWER_… in the environment and --… on the command line come
before what stands here. Who may look is in the environment: SYNCTASKS_FLOWER_BASIC_AUTH.
"""

# Behind a proxy with TLS: a password that is sent in the clear is none. `address = ""` is every
# address of this machine, for a container of its own.
address = "127.0.0.1"
port = 5555

# Looking is what it is for. Not read-only, who may look may also end workers and send tasks.
read_only = True

# Kept in memory only, and no more than this.
persistent = False
max_tasks = 10_000
max_workers = 200
# Workers that have not been heard of for so many seconds are forgotten.
purge_offline_workers = 3_600

# Arguments are flow names, keys, lanes: they stand on a task's own page, not in the list.
tasks_columns = "name,uuid,state,received,started,runtime,retries,worker"
natural_time = False

# Whether workers tell of their tasks is said in celeryconfig.py, not by whoever looks.
enable_events = False
