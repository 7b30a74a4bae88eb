"""Flow control: what the settings of a function mean for one event (spec 02, chapters 2.8, 3 and 4).

Pure arithmetic and evaluation; the state behind it lives in the store's Lua files.
"""
