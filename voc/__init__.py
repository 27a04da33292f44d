"""voc: what each customer issue costs, from Japanese voices to yen.

Importing this package loads nothing heavy; see DESIGN in the README for the rooms.
"""

__version__ = "0.1.0"
