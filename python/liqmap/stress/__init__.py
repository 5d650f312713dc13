"""Stress tests on a map: depth, price impact of forced flow, cascades, thresholds and touch probability.

Depth comes from order books (``venue_order_books``, ``depth_from_history``, ``proxy_book``) or from an impact law
(``impact``). ``cascade``, ``cascade_curve``, ``scenarios`` and ``thresholds`` follow shocks to their fixed point;
``cascade_replay``, ``whipsaw``, ``coupled_venues``, ``insurance_fund``, ``adl_queue`` and ``tranches`` extend them.
"""
