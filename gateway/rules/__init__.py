"""The rules of the plan that the gateway enforces, and the data that they go by.

`rule` names every rule with its section of the plan; `catalogue` is what may be paid, by whom
and to whom, `periods` reads the periods that payments are for, `verdict` says of each subject
of a batch what the catalogue has to say, `repeats` finds what is paid a second time.
"""
