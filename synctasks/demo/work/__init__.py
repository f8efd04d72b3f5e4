"""What the two applications do, one module a subject and one method a kind of transaction.

They write as applications would, knowing nothing of the sync, and what they write keeps the
contracts. Each transaction says how many changes the sync has to carry for it.
"""
