"""Spans, made by OpenTelemetry: what needs the extra ``otel``, loaded only where there are any.

Names and attributes follow OpenTelemetry's semantic conventions, except for attributes that may
hold a secret.
"""
