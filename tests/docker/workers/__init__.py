"""Our image's worker and listener as containers, by the fixtures of pytest-celery."""
