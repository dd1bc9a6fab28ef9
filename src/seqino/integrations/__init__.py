"""Joins the client to other libraries; nothing here is loaded unless it is imported."""
