"""Performance of the service beside a minimal handler, and how its cost grows.

The service, the minimal handler and the load generator run in processes of their own and are
measured from outside. No package of the service imports this one.
"""
