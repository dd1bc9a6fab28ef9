"""Placeholder."""
def audit(document, api, *, packages, notes):
    return None
