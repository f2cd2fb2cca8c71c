"""The judgment: consent rules as pure code. Start at ``decide.evaluate``.

``evidence`` and ``policy`` say what goes in, ``decision`` what comes out; ``reasons`` is the
table of codes. ``facts`` normalises, ``statement`` and ``channels`` judge one row, ``person`` the
person, ``requests`` and ``statute`` are the grounds beside consent, ``repermission`` says who may
be asked, ``timing`` when to look again.
"""
