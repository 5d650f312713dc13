<<<<<<< HEAD
"""To be filled."""
=======
"""Design tokens, number formats and the one Altair theme: knows colours and type, knows no markets."""
>>>>>>> 44ddd66 (Draw the map: tokens, number formats, bars, labels that keep clear, one drawing for every map)
