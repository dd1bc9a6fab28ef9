"""The API by tag, as a client hands it out.

Each method is one operation: it shapes arguments, and leaves everything else to the generated function of the
same operation in ``seqino.api``. All methods take

* ``client_id``: on whose behalf the call is made, where that matters; left out, the client's own;
* ``options``: what this call does otherwise than its client (``CallOptions``);

and all raise ``InvalidInput`` before anything is sent, and ``CallError`` where the call fails. Objects to be
sent are models, or plain mappings with the names of the wire.
"""

from __future__ import annotations

from seqino.resources.clients import Clients
from seqino.resources.directory import Directory
from seqino.resources.drafts import Drafts
from seqino.resources.invoicing import Invoicing
from seqino.resources.lifecycle import Lifecycle
from seqino.resources.mandates import Mandates
from seqino.resources.reporting import Reporting
from seqino.resources.settings import Settings
from seqino.resources.usage import Usage
from seqino.resources.webhooks import Webhooks

__all__ = [
    "Clients",
    "Directory",
    "Drafts",
    "Invoicing",
    "Lifecycle",
    "Mandates",
    "Reporting",
    "Settings",
    "Usage",
    "Webhooks",
]
