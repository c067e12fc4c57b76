"""The ports filled, one folder for each system that we call; no folder knows another.

An adapter speaks that system's words and translates them, errors included, into the port's.
"""
