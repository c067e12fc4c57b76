"""Numbers about the service, which Prometheus collects.

They are plain numbers of this process, counted as things happen and written out when they are asked
for. No label ever holds a room, a caller or a token: each has a closed list of values.
"""
