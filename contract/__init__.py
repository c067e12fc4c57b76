"""What others may build on: suites that test an adapter against its port, and a LiveKit double.

Knows the ports and the domain, never an adapter: a suite that knew one would be made to fit it.
"""
