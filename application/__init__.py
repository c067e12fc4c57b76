"""What a user can have done, one file for each action, and the ports it is done through.

Knows the domain; knows neither HTTP nor LiveKit nor any framework.
"""
