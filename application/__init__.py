"""The use cases, one file each, and the ports that they need.

Knows the domain; knows neither HTTP nor LiveKit nor any framework.
"""
