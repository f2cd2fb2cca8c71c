"""Everything the connector remembers, in three files with one purpose each.

``state``    what is known of people, decided about them and written for them; the decision log.
``staging``  one run's rows, suppressions and plan: a temporary file that a plan throws away.
``ledger``   tokens, call counters and the lock: a plan spends calls too, but must not touch state.
"""
