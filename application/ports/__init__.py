"""What we need from outside, in our own terms: a Protocol and its errors for each port.

Adapters implement them; a port names no vendor, no status and no wire format.
"""
