"""Unofficial asyncio SDK for the Seqino PDP API: French electronic invoices, each sent once."""
