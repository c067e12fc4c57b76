"""Rooms held in memory: what the demo and most tests run on.

Real code that passes the whole contract suite; methods that arrange rooms are not the port's.
"""
