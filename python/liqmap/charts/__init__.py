"""Design tokens, number formats and the one Altair theme: knows colours and type, knows no markets."""
