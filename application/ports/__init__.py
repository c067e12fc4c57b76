"""What we need from outside, in our own words: a Protocol and its errors for each port.

Adapters fill them; a port names no vendor, no status and no wire format.
"""
