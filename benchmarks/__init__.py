"""How fast the service is beside the shortest honest handler, and how its cost grows.

Every program runs in a process of its own and is measured from outside. The service, the
reference and the load each stand alone; none of the product's rooms knows this one.
"""
