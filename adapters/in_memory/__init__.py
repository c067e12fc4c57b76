"""Rooms held in memory: what the demo and most tests run on.

Real code that passes the whole contract; arranging rooms stands apart from the port's methods.
"""
