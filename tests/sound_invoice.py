"""An invoice that the sandbox issues, as a draft with the names of the wire."""

from __future__ import annotations

from typing import Any

__all__ = ["BUYER", "INVOICE", "SELLER"]

SELLER = "812345676"
BUYER = "523456788"

INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-15",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {
        "name": "Atelier Vauban SAS",
        "seller_legal_registration_identifier": SELLER,
        "postal_address": {"city_name": "Lille", "country_code": "FR"},
    },
    "buyer": {
        "name": "Librairie du Canal SARL",
        "buyer_legal_registration_identifier": BUYER,
        "postal_address": {"city_name": "Nantes", "country_code": "FR"},
    },
    "lines": [
        {"line_identifier": "1", "item_name": "Rayonnage", "line_net_amount": "100.00"},
        {"line_identifier": "2", "item_name": "Pose", "line_net_amount": "50.10"},
    ],
    "vat_breakdown": [
        {"vat_category_code": "S", "vat_rate": "20", "taxable_amount": "150.10", "vat_amount": "30.02"}
    ],
    "sum_of_line_net_amount": "150.10",
    "total_amount_without_vat": "150.10",
    "total_vat_amount": "30.02",
    "total_amount_with_vat": "180.12",
    "amount_due_for_payment": "180.12",
}
