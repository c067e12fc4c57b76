"""Implementations of the ports, one package for each system that we call; none imports another.

An adapter uses that system's terms and translates them, errors included, into the port's.
"""
