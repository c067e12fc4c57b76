"""Observers: called for every request when its response is ready; they never change its context."""
