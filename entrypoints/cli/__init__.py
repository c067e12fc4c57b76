"""The command for moderators and scripts: mute, unmute, list tracks, make a secret.

Uses the terms of a shell: arguments, lines, exit statuses. Knows the application and the domain;
``entrypoints.rooms`` hands it the rooms. ``commands`` and what it imports declare the arguments,
so they load with every command; the other modules load with the command that needs them.
"""
