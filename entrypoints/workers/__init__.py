"""Several processes that serve as one: ``serve --workers N``.

gunicorn's arbiter is the supervisor: it forks, replaces workers that end, and handles signals. What
the workers have to share goes through a few bytes of memory, and through a socket between the
supervisor and each worker. Nothing here is loaded where there is one worker.
"""
