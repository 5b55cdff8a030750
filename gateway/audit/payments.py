"""The payments of a bundle, packed into some forty bytes each, found by their key."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class PackedPayments:
    """Key, batch, amount and id of every payment, packed."""

    def __init__(self) -> None:
        self._keys, self._amounts, self._ends = array("q"), array("q"), array("Q")
        self._ids = bytearray()
        self._live = bytearray()

    def append(self, key: int, amount_minor: int, payment_id: str) -> None:
        self._keys.append(key)
        self._amounts.append(amount_minor)
        self._ids += payment_id.encode()
        self._ends.append(len(self._ids))
        self._live.append(0)

    def find(self, key: int) -> tuple[str, int] | None:
        """(payment_id, amount_minor) of a payment."""
        place = self._place(key)
        if place is None:
            return None
        start = self._ends[place - 1] if place else 0
        return self._ids[start : self._ends[place]].decode(), self._amounts[place]

    def take_live(self, key: int) -> bool:
        """Note a live attempt; False where the payment has one already."""
        place = self._place(key)
        if place is None:
            return True
        self._live[place] += self._live[place] < 2
        return self._live[place] == 1

    def _place(self, key: int) -> int | None:
        place = bisect_left(self._keys, key)
        return place if place < len(self._keys) and self._keys[place] == key else None
