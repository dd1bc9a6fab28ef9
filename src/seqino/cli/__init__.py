"""The ``seqino`` command: a platform on your own machine, and invoices sent from the shell."""
