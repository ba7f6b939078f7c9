"""The usage in answers, by the contract of each kind of agent, a file a contract.

A count that cannot be is never corrected: the use is flagged and keeps its report, and no price applies to it.
"""
